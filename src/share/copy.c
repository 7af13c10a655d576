// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "kmemtape/fs.h"

#include "copy.h"

#define STEP_BYTES 65536 /* CPU files are as long as the recording was */

/* Return: 0 or negative errno */
static int copy_bytes(const struct kmt_member *from, int to)
{
	char bytes[STEP_BYTES];
	uint64_t offset = 0;
	ssize_t n;
	int r;

	while ((n = kmt_member_read_at(from, bytes, sizeof(bytes), offset)) > 0) {
		r = kmt_write_all(to, bytes, (size_t)n);
		if (r < 0)
			return r;
		offset += (uint64_t)n;
	}
	return (int)n;
}

int kmt_share_copy_file(const struct kmt_tape *tape, const char *path, int dirfd,
			struct kmt_err *err)
{
	KMT_CLEANUP(kmt_member_close) struct kmt_member from = { .fd = -1 };
	KMT_CLEANUP(kmt_close_fd) int to = -1;
	int r;

	r = kmt_members_get(tape->members, path, &from);
	if (r < 0)
		return kmt_fail(err, r, "%s/%s: %s", tape->path, path, kmt_members_strerror(r));
	r = kmt_tape_make_parents(dirfd, path, err);
	if (r < 0)
		return r;
	to = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	r = copy_bytes(&from, to);
	if (r < 0) {
		(void)unlinkat(dirfd, path, 0);
		return kmt_fail(err, r, "%s: %s", path, strerror(-r));
	}
	return 0;
}
