// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <tracefs.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"
#include "privileges.h"
#include "tracefs-dir.h"

#define MOUNT_POINT "/sys/kernel/tracing"
#define DEBUGFS_DIR "/sys/kernel/debug/tracing" /* where it was before v4.1, and still can be */

int kmt_tracefs_write(int dirfd, const char *path, const char *text)
{
	/* Until Linux 6.5 or so, what makes a new event looks its directory up with our rights, too
	 * (start_creating() of fs/tracefs/inode.c). */
	KMT_CLEANUP(kmt_privileges_lower) uint64_t raised = kmt_privileges_raise();
	KMT_CLEANUP(kmt_close_fd) int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
	size_t bytes = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, bytes);
	if (n < 0)
		return -errno;
	return (size_t)n == bytes ? 0 : -EIO;
}

int kmt_tracefs_read(int dirfd, const char *path, char *text, size_t bytes)
{
	KMT_CLEANUP(kmt_close_fd) int fd = kmt_privileges_open(dirfd, path, O_RDONLY);
	size_t used = 0;

	if (fd < 0)
		return -errno;
	while (used < bytes - 1) {
		ssize_t n = read(fd, text + used, bytes - 1 - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	text[used] = '\0';
	return 0;
}

/* Only the level "confidentiality" forbids tracefs: 17911ff38aa5 (v5.4), LOCKDOWN_TRACEFS. */
static bool is_locked_down(void)
{
	char text[128];

	return kmt_tracefs_read(AT_FDCWD, "/sys/kernel/security/lockdown", text, sizeof(text)) ==
		       0 &&
	       strstr(text, "[confidentiality]");
}

int kmt_tracefs_fail(struct kmt_err *err, int code, const char *path)
{
	switch (code) {
	case -EPERM:
		if (is_locked_down())
			return kmt_fail(err, code,
					"%s: the kernel is locked down "
					"(/sys/kernel/security/lockdown): it must be booted with "
					"lockdown=integrity or none to be recorded",
					path);
		return kmt_fail(err, code,
				"%s: not permitted: record as root (in a container, on its host)",
				path);
	case -EACCES:
		return kmt_fail(err, code,
				"%s: permission denied: record as root, or with the capabilities "
				"that 'kmemtape doctor' names",
				path);
	case -EROFS:
		return kmt_fail(err, code,
				"%s: mounted read-only, as in a container: record on its host",
				path);
	default:
		return kmt_fail(err, code, "%s: %s", path, strerror(-code));
	}
}

static int mount_tracefs(struct kmt_err *err)
{
	if (mount("nodev", MOUNT_POINT, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
		return 0;
	switch (errno) {
	case ENODEV:
	case ENOENT:
		return kmt_fail(err, -ENOTSUP,
				"this kernel has no tracefs: it needs CONFIG_EVENT_TRACING");
	case EPERM:
	case EACCES:
		return kmt_fail(err, -errno,
				"tracefs is not mounted, and mounting it on " MOUNT_POINT
				" is not permitted: record as root (in a container, on its host)");
	default:
		return kmt_fail(err, -errno, "tracefs: can't mount it on " MOUNT_POINT ": %s",
				strerror(errno));
	}
}

/*
 * libtracefs would mount it in silence; we want to know whether to unmount it, and why it can't be
 * mounted.
 */
static bool find_mounted(char path[KMT_TRACEFS_PATH_BYTES])
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	bool is_found = false;
	struct mntent *entry;

	while (mounts && (entry = getmntent(mounts))) {
		bool is_usual = strcmp(entry->mnt_dir, MOUNT_POINT) == 0;

		if (strcmp(entry->mnt_type, "tracefs") != 0 || (is_found && !is_usual) ||
		    strlen(entry->mnt_dir) >= KMT_TRACEFS_PATH_BYTES)
			continue;
		(void)snprintf(path, KMT_TRACEFS_PATH_BYTES, "%s", entry->mnt_dir);
		is_found = true;
	}
	if (mounts)
		(void)endmntent(mounts);
	return is_found;
}

/* access() would ask for the rights of the real user. */
static int check_access(const char *tracing_path)
{
	char path[KMT_TRACEFS_PATH_BYTES + 16];
	struct statvfs fs;
	int r;

	(void)snprintf(path, sizeof(path), "%s/instances", tracing_path);
	r = kmt_privileges_find(AT_FDCWD, path);
	if (r < 0 && r != -ENOENT) /* a kernel without instances is told of later */
		return r;
	return statvfs(tracing_path, &fs) == 0 && fs.f_flag & ST_RDONLY ? -EROFS : 0;
}

int kmt_tracefs_find(struct kmt_tracefs *ret_tracefs, struct kmt_err *err)
{
	struct kmt_tracefs found = { .is_ours = false };
	int r = 0;

	if (!find_mounted(found.path)) {
		r = mount_tracefs(err);
		found.is_ours = r == 0;
		/* Only then: a look into debugfs mounts tracefs there, for good. */
		if (r == -ENOTSUP && kmt_privileges_find(AT_FDCWD, DEBUGFS_DIR "/instances") == 0)
			r = 0;
		if (r < 0)
			return r;
		(void)snprintf(found.path, sizeof(found.path), "%s",
			       found.is_ours ? MOUNT_POINT : DEBUGFS_DIR);
	}
	r = check_access(found.path);
	if (r < 0)
		r = kmt_tracefs_fail(err, r, found.path);
	else if (tracefs_set_tracing_dir(found.path) < 0)
		r = kmt_fail(err, -ENOMEM, "%s: out of memory", found.path);
	if (r < 0) {
		kmt_tracefs_release(&found);
		return r;
	}
	*ret_tracefs = found;
	return 0;
}

static bool is_tracefs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (uint64_t)fs.f_type == TRACEFS_MAGIC;
}

void kmt_tracefs_release(struct kmt_tracefs *tracefs)
{
	int saved_errno = errno;

	(void)tracefs_set_tracing_dir(NULL); /* frees its copy */
	if (tracefs->is_ours && is_tracefs(MOUNT_POINT))
		(void)umount2(MOUNT_POINT, MNT_DETACH);
	tracefs->is_ours = false;
	errno = saved_errno;
}
