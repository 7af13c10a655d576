// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/tape.h"
#include "new-tape.h"

#define RESERVE_BYTES (256 << 10) /* footers, the manifest, names of tasks */
#define WALK_FDS      8

static int open_reserve(struct kmt_new_tape *tape, struct kmt_err *err)
{
	int r;

	tape->reserve_fd = openat(tape->fd, "reserve", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (tape->reserve_fd < 0)
		return kmt_fail(err, -errno, "%s/reserve: %s", tape->path, strerror(errno));
	(void)unlinkat(tape->fd, "reserve", 0); /* the space stays ours until it is closed */
	r = posix_fallocate(tape->reserve_fd, 0, RESERVE_BYTES);
	if (r)
		return kmt_fail(err, -r, "%s: %s", tape->path, strerror(r));
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	if (walk->level > 0)
		(void)remove(path);
	return 0;
}

static void drop(struct kmt_new_tape *tape)
{
	(void)nftw(tape->path, remove_entry, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (!tape->had_directory)
		(void)rmdir(tape->path);
}

int kmt_new_tape_create(struct kmt_new_tape *tape, const char *path, struct kmt_err *err)
{
	int r;

	tape->path = path;
	tape->had_directory = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	r = kmt_tape_create(path, &tape->fd, err);
	if (r < 0) {
		if (!tape->had_directory && r != -EEXIST)
			drop(tape); /* it got half-way */
		return r;
	}
	return open_reserve(tape, err);
}

void kmt_new_tape_use_reserve(struct kmt_new_tape *tape)
{
	kmt_close_fd(&tape->reserve_fd);
}

void kmt_new_tape_release(struct kmt_new_tape *tape)
{
	int saved_errno = errno;
	bool was_made = tape->fd >= 0;

	kmt_close_fd(&tape->reserve_fd);
	kmt_close_fd(&tape->fd);
	if (was_made && !tape->is_kept)
		drop(tape);
	errno = saved_errno;
}
