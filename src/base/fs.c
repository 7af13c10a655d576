// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/fs.h"

#define WALK_FDS	8
#define READ_STEP_BYTES 65536 /* files of proc and tracefs do not tell their size */

int kmt_read_fd(int fd, size_t limit, char **ret_text, size_t *ret_bytes)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t used = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (room - used < READ_STEP_BYTES + 1) {
			size_t more = room ? room * 2 : 2 * READ_STEP_BYTES;
			char *grown = realloc(text, more);

			if (!grown)
				return -ENOMEM;
			text = grown;
			room = more;
		}
		n = read(fd, text + used, READ_STEP_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > limit)
			return -EFBIG;
	}
	text[used] = '\0';
	if (ret_bytes)
		*ret_bytes = used;
	*ret_text = KMT_STEAL(text);
	return 0;
}

int kmt_read_file(int dirfd, const char *path, size_t limit, char **ret_text, size_t *ret_bytes,
		  struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	r = kmt_read_fd(fd, limit, ret_text, ret_bytes);
	if (r == -EFBIG)
		return kmt_fail(err, r, "%s: longer than the limit of %zu bytes", path, limit);
	if (r < 0)
		return kmt_fail(err, r, "%s: %s", path, strerror(-r));
	return 0;
}

int kmt_write_all(int fd, const void *bytes, size_t size)
{
	const char *p = bytes;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Of a directory, not every file system can; those that can't keep names in some other way. */
int kmt_sync_fd(int fd, bool is_directory)
{
	if ((is_directory ? fsync(fd) : fdatasync(fd)) == 0)
		return 0;
	return is_directory && (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP) ? 0
											: -errno;
}

static int sync_directory(int dirfd, const char *path)
{
	KMT_CLEANUP(kmt_close_fd)
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : kmt_sync_fd(fd, true);
}

int kmt_sync_directory(int dirfd, const char *path, struct kmt_err *err)
{
	int r = sync_directory(dirfd, path);

	return r < 0 ? kmt_fail(err, r, "%s: %s", path, strerror(-r)) : 0;
}

static int write_part(int dirfd, const char *part, const char *path, bool is_synced,
		      int (*write)(int fd, const void *context), const void *context)
{
	KMT_CLEANUP(kmt_close_fd)
	int fd = openat(dirfd, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write(fd, context);
	if (r == 0 && is_synced)
		r = kmt_sync_fd(fd, false); /* or a power cut may leave the new name and no text */
	if (r == 0 && renameat(dirfd, part, dirfd, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, part, 0);
	return r;
}

int kmt_write_file_by(int dirfd, const char *path, bool is_synced,
		      int (*write)(int fd, const void *context), const void *context,
		      struct kmt_err *err)
{
	char part[PATH_MAX];
	char *slash;
	int r;

	if ((size_t)snprintf(part, sizeof(part), "%s.part", path) >= sizeof(part))
		return kmt_fail(err, -ENAMETOOLONG, "%s: name too long", path);
	r = write_part(dirfd, part, path, is_synced, write, context);
	if (r < 0)
		return kmt_fail(err, r, "%s: %s", path, strerror(-r));
	if (!is_synced)
		return 0;
	slash = strrchr(part, '/');
	if (slash)
		*slash = '\0';
	return kmt_sync_directory(dirfd, slash ? part : ".", err);
}

struct text {
	const char *bytes;
	size_t size;
};

static int write_text(int fd, const void *context)
{
	const struct text *text = context;

	return kmt_write_all(fd, text->bytes, text->size);
}

int kmt_write_file(int dirfd, const char *path, const char *text, size_t size, struct kmt_err *err)
{
	const struct text all = { text, size };

	return kmt_write_file_by(dirfd, path, false, write_text, &all, err);
}

static int sync_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	(void)st;
	(void)walk;
	if (type != FTW_F && type != FTW_DP)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : kmt_sync_fd(fd, type == FTW_DP);
}

int kmt_sync_tree(const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = -1;
	int r = nftw(path, sync_entry, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);

	if (r == -1)
		r = -errno;
	if (r == 0) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : sync_directory(fd, "..");
	}
	return r < 0 ? kmt_fail(err, r, "%s: %s", path, strerror(-r)) : 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	if (walk->level > 0)
		(void)remove(path);
	return 0;
}

void kmt_remove_tree(const char *path, bool keeps_top)
{
	(void)nftw(path, remove_entry, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (!keeps_top)
		(void)rmdir(path);
}
