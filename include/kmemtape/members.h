/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_MEMBERS_H
#define KMEMTAPE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * The files of a tape by their paths ("cpu/0001.zst"), whether the tape is a directory or a tar
 * file, which is read in place. Only regular files are ever opened, and no link is followed, be it
 * a part of the way: a tape is somebody else's.
 */
struct kmt_members;

#define KMT_MEMBERS_MAX	      65536u /* of one tape; 8192 CPUs, and files of modules */
#define KMT_MEMBER_PATH_BYTES 256u   /* longer ones are on no tape */

/* A file: @bytes of @fd from @offset on. */
struct kmt_member {
	int fd; /* whoever asked for it closes it */
	uint64_t offset;
	uint64_t bytes;
};

/**
 * kmt_members_open() - a tape at @path
 *
 * A tar's names may have a directory in front, as tar(1) puts it there: the one with manifest.json.
 * A tar that ends early or has a damaged header is taken as far as it goes: kmt_members_damage().
 *
 * Return: 0; -EBADMSG if it is neither a directory nor a tar with one tape in it; negative errno.
 */
int kmt_members_open(const char *path, struct kmt_members **ret_members, struct kmt_err *err);

struct kmt_members *kmt_members_free(struct kmt_members *members);

/* True for a tar. */
bool kmt_members_is_packed(const struct kmt_members *members);

/* Where a tar is cut or damaged, so that files may be missing; NULL if it isn't. Borrowed. */
const char *kmt_members_damage(const struct kmt_members *members);

/**
 * kmt_members_get() - open a file
 * @members: NULL has none
 *
 * Return: 0; -ENOENT if it isn't there; -ELOOP if there is a link, -EISDIR a directory, -EBADMSG
 * anything else in its place; other negative errno. Words only for the code.
 */
int kmt_members_get(const struct kmt_members *members, const char *path,
		    struct kmt_member *ret_member);

/* What these codes mean; like strerror(). */
const char *kmt_members_strerror(int code);

/**
 * kmt_members_read() - read a file that is not long
 * @limit: more bytes than this is -EFBIG
 * @ret_text: on the heap, with a zero byte behind its end; the caller frees it
 *
 * Return: as kmt_members_get(); -ENOMEM.
 */
int kmt_members_read(const struct kmt_members *members, const char *path, size_t limit,
		     char **ret_text, size_t *ret_bytes);

/**
 * kmt_members_list() - the paths of all files, or of those below a directory
 * @under: "cpu"; "" for all
 * @ret_paths: on the heap, sorted, and NULL behind the last: kmt_members_free_list()
 *
 * What is no regular file isn't among them.
 *
 * Return: 0; -EFBIG if there are more than KMT_MEMBERS_MAX, -ENOENT if there is no such directory;
 * other negative errno.
 */
int kmt_members_list(const struct kmt_members *members, const char *under, char ***ret_paths,
		     struct kmt_err *err);
void kmt_members_free_list(char ***paths);

/* kmt_member_read_at() - less than @size only at the end of the file, or negative errno */
ssize_t kmt_member_read_at(const struct kmt_member *member, void *bytes, size_t size,
			   uint64_t offset);

KMT_DEFINE_FREEP(struct kmt_members *, kmt_members_free)

static inline void kmt_member_close(struct kmt_member *member)
{
	kmt_close_fd(&member->fd);
}

#endif
