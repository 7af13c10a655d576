// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/fs.h"
#include "privileges.h"

/* Would let us open what the user may not, and fill a disk beyond what is the user's. */
#define RAISED_ONLY (KMT_CAPABILITY(CAP_DAC_OVERRIDE) | KMT_CAPABILITY(CAP_SYS_RESOURCE))

/* To mount tracefs, to see tasks where proc hides those of others, addresses, limits, priority. */
#define FOR_SETUP                                                                       \
	(RAISED_ONLY | KMT_CAPABILITY(CAP_SYS_ADMIN) | KMT_CAPABILITY(CAP_SYS_PTRACE) | \
	 KMT_CAPABILITY(CAP_SYSLOG) | KMT_CAPABILITY(CAP_SYS_NICE) |                    \
	 KMT_CAPABILITY(CAP_IPC_LOCK) | KMT_CAPABILITY(CAP_KILL))

static int become(const struct kmt_user *user, struct kmt_err *err)
{
	int r;

	(void)prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	r = kmt_user_become(user);
	(void)prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	if (r < 0)
		return kmt_fail(err, r, "can't become user %s: %s", user->name, strerror(-r));
	/* Else, where fs.suid_dumpable is 1, that user's debugger gets at what is kept. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

int kmt_privileges_take(const struct kmt_user *user, struct kmt_err *err)
{
	int r;

	kmt_capabilities_forbid(); /* takes a capability that is about to go */
	if (user) {
		r = become(user, err);
		if (r < 0)
			return r;
	}
	/* Root may write where others may not; who isn't root has been given that for tracefs. */
	r = kmt_capabilities_keep(FOR_SETUP, geteuid() == 0 ? FOR_SETUP : FOR_SETUP & ~RAISED_ONLY);
	if (r < 0)
		return kmt_fail(err, r, "can't give up capabilities: %s", strerror(-r));
	return 0;
}

void kmt_privileges_keep(uint64_t capabilities)
{
	(void)kmt_capabilities_keep(capabilities, capabilities & ~RAISED_ONLY);
}

void kmt_privileges_keep_for_cleaning(bool unmounts)
{
	uint64_t needed = KMT_CAPABILITY(CAP_DAC_OVERRIDE);

	if (unmounts)
		needed |= KMT_CAPABILITY(CAP_SYS_ADMIN);
	kmt_capabilities_forbid();
	(void)kmt_capabilities_keep(needed, needed);
}

uint64_t kmt_privileges_raise(void)
{
	return kmt_capabilities_raise(KMT_CAPABILITY(CAP_DAC_OVERRIDE));
}

void kmt_privileges_lower(uint64_t *raised)
{
	int saved_errno = errno;

	if (*raised)
		kmt_capabilities_lower(*raised);
	*raised = 0;
	errno = saved_errno;
}

int kmt_privileges_open(int dirfd, const char *path, int flags)
{
	KMT_CLEANUP(kmt_privileges_lower) uint64_t raised = kmt_privileges_raise();

	return openat(dirfd, path, flags | O_CLOEXEC);
}

int kmt_privileges_read_file(int dirfd, const char *path, size_t limit, char **ret_text,
			     size_t *ret_bytes, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_privileges_lower) uint64_t raised = kmt_privileges_raise();

	return kmt_read_file(dirfd, path, limit, ret_text, ret_bytes, err);
}

/* Not access(), which asks for the rights of the real user. */
int kmt_privileges_find(int dirfd, const char *path)
{
	KMT_CLEANUP(kmt_privileges_lower) uint64_t raised = kmt_privileges_raise();
	struct stat st;

	return fstatat(dirfd, path, &st, 0) < 0 ? -errno : 0;
}
