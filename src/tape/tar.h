/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_TAR_H
#define KMT_TAPE_TAR_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/err.h"
#include "kmemtape/members.h"

/*
 * Just enough of tar to find the members of a tape in the file: ustar, with the ways of GNU and pax
 * for long names and sizes. Not libarchive: members are read in place, which needs their offsets,
 * and what is read comes from strangers.
 */
#define KMT_TAR_BLOCK_BYTES 512u

/* The header of a member: POSIX.1-2017, pax, "ustar Interchange Format" */
struct kmt_tar_header {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link_name[100];
	char magic[6];
	char version[2];
	char user[32], group[32];
	char major[8], minor[8];
	char prefix[155];
	char padding[12];
};

static_assert(sizeof(struct kmt_tar_header) == KMT_TAR_BLOCK_BYTES, "POSIX.1-2017, pax");

/* The sum over the bytes of the header, with its own field as blanks. */
uint32_t kmt_tar_sum(const struct kmt_tar_header *header);

enum kmt_tar_kind { KMT_TAR_FILE, KMT_TAR_DIRECTORY, KMT_TAR_LINK, KMT_TAR_OTHER };

struct kmt_tar_entry {
	char *path; /* without "./" in front and "/" at its end */
	enum kmt_tar_kind kind;
	uint64_t offset;
	uint64_t bytes; /* that there are: fewer than there should be if the tar is cut there */
};

struct kmt_tar {
	struct kmt_tar_entry *entries; /* sorted by path */
	size_t nr;
	struct kmt_err damage; /* "" none */
};

/**
 * kmt_tar_scan() - find the members of the tar @fd
 * @name: how messages call it
 *
 * Absolute names, names with ".." and names longer than a tape's are passed over, like kinds of
 * members that are no files.
 *
 * Return: 0, with @ret_tar->damage if it is cut or damaged; -EBADMSG if it is no tar, or has a
 * name twice; -EFBIG if it has too many members; negative errno.
 */
int kmt_tar_scan(int fd, const char *name, struct kmt_tar *ret_tar, struct kmt_err *err);
void kmt_tar_deinit(struct kmt_tar *tar);

#endif
