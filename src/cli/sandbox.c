// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "kmemtape/capabilities.h"

#include "landlock.h"
#include "sandbox.h"
#include "syscalls.h"

static void add(const char **paths, size_t *nr, const char *path)
{
	if (path && *nr < KMT_SANDBOX_PATHS_MAX)
		paths[(*nr)++] = path;
}

void kmt_sandbox_read(struct kmt_sandbox *sandbox, const char *path)
{
	add(sandbox->reads, &sandbox->nr_reads, path);
}

void kmt_sandbox_write(struct kmt_sandbox *sandbox, const char *path)
{
	add(sandbox->writes, &sandbox->nr_writes, path);
}

/* What a sanitizer reads when it reports, and no more than it needs to do that. */
static void read_for_sanitizer(struct kmt_sandbox *sandbox)
{
#ifdef __SANITIZE_ADDRESS__
	kmt_sandbox_read(sandbox, "/proc");
	kmt_sandbox_read(sandbox, "/usr");
	kmt_sandbox_read(sandbox, "/lib");
	kmt_sandbox_read(sandbox, "/proc/self/exe");
#endif
}

/*
 * All capabilities go for good, but those to read files of other users, and to write where they may
 * if there is an output: a tape that was recorded with sudo belongs to who called it, and root must
 * still be able to open it.
 */
static int drop_capabilities(bool is_writer, struct kmt_err *err)
{
	uint64_t kept = KMT_CAPABILITY(CAP_DAC_READ_SEARCH);
	int r;

	if (is_writer)
		kept |= KMT_CAPABILITY(CAP_DAC_OVERRIDE);
	r = kmt_capabilities_keep(kept, kmt_capabilities_get().effective);
	return r < 0 ? kmt_fail(err, r, "sandbox: capset: %s", strerror(-r)) : 0;
}

int kmt_sandbox_enter(const struct kmt_sandbox *sandbox, struct kmt_err *err)
{
	struct kmt_sandbox all = *sandbox;
	int r;

	read_for_sanitizer(&all);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return kmt_fail(err, -errno, "sandbox: no_new_privs: %s", strerror(errno));
	r = kmt_landlock_enter(&all, err);
	if (r == 0)
		r = drop_capabilities(all.nr_writes > 0, err);
	if (r == 0)
		r = kmt_syscalls_restrict(&all, err);
	return r;
}

const char *kmt_sandbox_describe(char *buffer, size_t size)
{
	int abi = kmt_landlock_abi();
	char landlock[32] = "no landlock";

	if (abi > 0)
		(void)snprintf(landlock, sizeof(landlock), "landlock %d", abi);
	(void)snprintf(buffer, size, "%s, %s", landlock,
		       kmt_syscalls_can_restrict() ? "seccomp" : "no seccomp");
	return buffer;
}
