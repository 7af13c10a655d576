/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DAT_CURSOR_H
#define KMT_DAT_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/err.h"

/* A place in a part of a trace.dat: of the file itself, or of a section that was decompressed. */
struct kmt_dat_cursor {
	const char *path; /* borrowed, for messages */
	int fd;
	const uint8_t *memory; /* NULL: read from @fd */
	uint64_t at, end;
	bool is_big_endian;
};

/* All fail with -EBADMSG if what is asked for would end behind @end, and read nothing then. */
int kmt_dat_get(struct kmt_dat_cursor *cursor, void *dst, size_t bytes, struct kmt_err *err);
int kmt_dat_skip(struct kmt_dat_cursor *cursor, uint64_t bytes, struct kmt_err *err);

/* kmt_dat_get_number() - of 1 to 8 bytes, in the byte order of the file */
int kmt_dat_get_number(struct kmt_dat_cursor *cursor, unsigned int bytes, uint64_t *ret_n,
		       struct kmt_err *err);

/* kmt_dat_get_word() - text up to its zero byte, which has to come within @room bytes */
int kmt_dat_get_word(struct kmt_dat_cursor *cursor, char *dst, size_t room, struct kmt_err *err);

/**
 * kmt_dat_get_text() - text of a known length
 * @bytes: as the file says: compared with what is there, and with @limit
 * @ret_text: on the heap, with a zero byte behind; the caller frees it
 */
int kmt_dat_get_text(struct kmt_dat_cursor *cursor, uint64_t bytes, size_t limit, char **ret_text,
		     struct kmt_err *err);

/* "PATH: offset N: makes no sense: WHAT". Return: -EBADMSG. */
int kmt_dat_bad(const struct kmt_dat_cursor *cursor, const char *what, struct kmt_err *err);

#endif
