/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_RECORDS_H
#define KMT_TAPE_RECORDS_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * As much of a sub-buffer's structure as a recorder needs to see where its records begin and end:
 * Linux include/linux/ring_buffer.h (enum ring_buffer_type). Of this machine's byte order and word
 * size, as the kernel's that it records. Nothing relies on it: what makes no sense is left alone.
 */
#define KMT_RECORDS_HEAD_BYTES	(sizeof(uint64_t) + sizeof(unsigned long)) /* time, commit */
#define KMT_RECORDS_COMMIT_MASK 0x3fffffffu /* the two bits above tell of missed events */

#define KMT_RECORDS_TYPE_WORDS_MAX 28u /* up to so many words, the type is the length */
#define KMT_RECORDS_TYPE_PADDING   29u

struct kmt_record_place {
	uint32_t bytes; /* with its head; at least 4 */
	uint32_t head;	/* of an event, which follows; 0: it is none */
};

static inline uint16_t kmt_records_get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t kmt_records_get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Where the records of a sub-buffer end, from its beginning; 0 if that is outside of it. */
static inline size_t kmt_records_end(const uint8_t *subbuf, size_t subbuf_bytes)
{
	unsigned long commit;

	if (subbuf_bytes < KMT_RECORDS_HEAD_BYTES)
		return 0;
	memcpy(&commit, subbuf + sizeof(uint64_t), sizeof(commit));
	commit &= KMT_RECORDS_COMMIT_MASK;
	return commit <= subbuf_bytes - KMT_RECORDS_HEAD_BYTES ? KMT_RECORDS_HEAD_BYTES + commit
							       : 0;
}

/* The record at @p, with @left bytes to the end of all. @bytes is 0 if it makes no sense. */
static inline struct kmt_record_place kmt_records_place(const uint8_t *p, size_t left)
{
	struct kmt_record_place place = { 0, 4 };
	uint32_t word, type, delta;
	uint64_t bytes;

	if (left < 4)
		return place;
	word = kmt_records_get32(p);
	type = __BYTE_ORDER == __BIG_ENDIAN ? word >> 27 : word & 31;
	delta = __BYTE_ORDER == __BIG_ENDIAN ? word << 5 : word >> 5;
	if (type >= 1 && type <= KMT_RECORDS_TYPE_WORDS_MAX) {
		bytes = 4 + type * 4;
	} else if (type == KMT_RECORDS_TYPE_PADDING && !delta) { /* the rest is empty */
		place.head = 0;
		bytes = left;
	} else {
		if (left < 8)
			return place;
		place.head = type ? 0 : 8;
		bytes = 8;			      /* a time */
		if (type <= KMT_RECORDS_TYPE_PADDING) /* the length counts itself */
			bytes = 4 + (((uint64_t)kmt_records_get32(p + 4) + 3) & ~UINT64_C(3));
	}
	if (bytes <= left && bytes >= place.head)
		place.bytes = (uint32_t)bytes;
	return place;
}

#endif
