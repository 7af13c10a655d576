/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_FS_H
#define KMEMTAPE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kmemtape/err.h"

/**
 * kmt_read_fd() - read all of a descriptor, files of proc and tracefs included
 * @limit: more bytes than this is -EFBIG
 * @ret_text: on the heap, with a zero byte behind its end; the caller frees it
 *
 * Return: 0 or negative errno; words only for the code, the caller knows the name.
 */
int kmt_read_fd(int fd, size_t limit, char **ret_text, size_t *ret_bytes);

/**
 * kmt_read_file() - the same for the file @path below @dirfd (or AT_FDCWD)
 * @ret_bytes: may be NULL
 */
int kmt_read_file(int dirfd, const char *path, size_t limit, char **ret_text, size_t *ret_bytes,
		  struct kmt_err *err);

/**
 * kmt_write_all() - write @size bytes, however often it takes
 *
 * Return: 0 or negative errno
 */
int kmt_write_all(int fd, const void *bytes, size_t size);

/**
 * kmt_write_file() - create or replace @path below @dirfd in one step (a new file, then a rename)
 *
 * A reader sees the old text or the new one, never half of it.
 */
int kmt_write_file(int dirfd, const char *path, const char *text, size_t size, struct kmt_err *err);

/**
 * kmt_write_file_by() - the same, of what @write writes; never allocates
 * @is_synced: it is on the disk at the return: after a power cut, too
 * @write: to a new file, from its start; returns 0 or negative errno
 */
int kmt_write_file_by(int dirfd, const char *path, bool is_synced,
		      int (*write)(int fd, const void *context), const void *context,
		      struct kmt_err *err);

/* kmt_sync_fd() - data or, of a directory, names are on the disk. Return: 0 or negative errno */
int kmt_sync_fd(int fd, bool is_directory);

/* kmt_sync_directory() - the names in it are on the disk at the return */
int kmt_sync_directory(int dirfd, const char *path, struct kmt_err *err);

/* kmt_sync_tree() - all files and names below @path, and its own, are on the disk at the return */
int kmt_sync_tree(const char *path, struct kmt_err *err);

/**
 * kmt_remove_tree() - remove all below @path, as far as that can be done; follows no links
 * @keeps_top: not @path itself
 */
void kmt_remove_tree(const char *path, bool keeps_top);

#endif
