// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/fs.h"
#include "kmemtape/tape.h"
#include "new-tape.h"

#define RESERVE_BYTES (256 << 10) /* footers, the manifest, names of tasks */

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

int kmt_new_tape_create(struct kmt_new_tape *tape, const char *path, struct kmt_err *err)
{
	int r;

	tape->path = path;
	tape->had_directory = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	r = kmt_tape_create(path, &tape->fd, err);
	if (r < 0) {
		if (!tape->had_directory && r != -EEXIST)
			kmt_remove_tree(tape->path, tape->had_directory); /* it got half-way */
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
		kmt_remove_tree(tape->path, tape->had_directory);
	errno = saved_errno;
}
