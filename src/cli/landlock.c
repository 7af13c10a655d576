// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kmemtape/cleanup.h"

#include "landlock.h"

/* Headers of a build host may be older than the kernel that this runs on: these are Linux's. */
#define ACCESS_REFER	 (UINT64_C(1) << 13) /* ABI 2 */
#define ACCESS_TRUNCATE	 (UINT64_C(1) << 14) /* ABI 3 */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define NET_BIND_TCP	 (UINT64_C(1) << 0)  /* ABI 4 */
#define NET_CONNECT_TCP	 (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT	 (UINT64_C(1) << 0) /* ABI 6 */

/* struct landlock_ruleset_attr as of ABI 6. */
struct ruleset {
	uint64_t files, net, scoped;
};

#define FIRST_FILES ((UINT64_C(1) << 13) - 1) /* ABI 1: all up to making symbolic links */
#define READS	    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES                                                                   \
	(READS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |          \
	 LANDLOCK_ACCESS_FS_MAKE_REG | ACCESS_REFER | ACCESS_TRUNCATE)
/* Rules for anything but a directory may have no others. */
#define FILE_ACCESS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)

int kmt_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

static struct ruleset make_ruleset(int abi, bool has_network)
{
	struct ruleset ruleset = { .files = FIRST_FILES };

	if (abi >= 2)
		ruleset.files |= ACCESS_REFER;
	if (abi >= 3)
		ruleset.files |= ACCESS_TRUNCATE;
	if (abi >= 4 && !has_network)
		ruleset.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 5)
		ruleset.files |= ACCESS_IOCTL_DEV;
	if (abi >= 6)
		ruleset.scoped = SCOPE_ABSTRACT;
	return ruleset;
}

/* The kernel takes what it doesn't know for a mistake: each gets what was there then. */
static size_t ruleset_bytes(int abi)
{
	return abi >= 6 ? sizeof(struct ruleset) : abi >= 4 ? 16 : 8;
}

static int allow(int ruleset_fd, const char *path, uint64_t access, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0; /* what isn't there needs no permission; whoever opens it will say so */
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FILE_ACCESS;
	if (syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return kmt_fail(err, -errno, "sandbox: landlock: %s: %s", path, strerror(errno));
	return 0;
}

int kmt_landlock_enter(const struct kmt_sandbox *sandbox, struct kmt_err *err)
{
	int abi = kmt_landlock_abi(), r = 0;
	struct ruleset ruleset = make_ruleset(abi, sandbox->has_network);
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	if (abi == 0)
		return 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, ruleset_bytes(abi), 0);
	if (fd < 0)
		return kmt_fail(err, -errno, "sandbox: landlock: %s", strerror(errno));
	for (size_t i = 0; r == 0 && i < sandbox->nr_reads; i++)
		r = allow(fd, sandbox->reads[i], READS & ruleset.files, err);
	for (size_t i = 0; r == 0 && i < sandbox->nr_writes; i++)
		r = allow(fd, sandbox->writes[i], WRITES & ruleset.files, err);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return kmt_fail(err, -errno, "sandbox: landlock: %s", strerror(errno));
	return r;
}
