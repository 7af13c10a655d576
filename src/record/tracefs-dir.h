/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_TRACEFS_DIR_H
#define KMT_RECORD_TRACEFS_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "kmemtape/err.h"

#define KMT_TRACEFS_PATH_BYTES 256

/* Where tracefs is, and its files. */
struct kmt_tracefs {
	char path[KMT_TRACEFS_PATH_BYTES];
	bool is_ours; /* we mounted it: to be unmounted, unless something else is there by then */
};

/**
 * kmt_tracefs_find() - find tracefs, or mount it on /sys/kernel/tracing; libtracefs uses it then too
 *
 * Return: 0; -EACCES or -EPERM without the privilege; -ENOTSUP if this kernel has none.
 */
int kmt_tracefs_find(struct kmt_tracefs *ret_tracefs, struct kmt_err *err);

/* Unmounts what kmt_tracefs_find() mounted; nothing to do for one that is all zero. */
void kmt_tracefs_release(struct kmt_tracefs *tracefs);

/* kmt_tracefs_fail() - words for a failed access to @path that tell what to do about it. @code */
int kmt_tracefs_fail(struct kmt_err *err, int code, const char *path);

/* Write @text in one go; never allocates. Return: 0 or negative errno. */
int kmt_tracefs_write(int dirfd, const char *path, const char *text);

/* Read at most @bytes - 1 into @text, terminated; never allocates. Return: 0 or negative errno. */
int kmt_tracefs_read(int dirfd, const char *path, char *text, size_t bytes);

#endif
