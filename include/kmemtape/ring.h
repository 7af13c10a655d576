/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_RING_H
#define KMEMTAPE_RING_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kmemtape/formats.h"

/*
 * What lies in a sub-buffer, record by record: Linux include/linux/ring_buffer.h (enum
 * ring_buffer_type) and kernel/trace/ring_buffer.c. Inline, because replay does little else; with a
 * constant @is_big_endian the compiler makes a loop without byte swapping.
 */
#define KMT_RING_MISSED	     (1u << 31) /* of the page's commit field: events are missing before it */
#define KMT_RING_STORED	     (1u << 30) /* how many is behind the data */
#define KMT_RING_COMMIT_MASK (KMT_RING_STORED - 1)

#define KMT_RING_DELTA_BITS	     27
#define KMT_RING_STAMP_BITS	     59	 /* an absolute time stamp has no room for the upper five */
#define KMT_RING_TYPE_WORDS_MAX	     28u /* up to so many words, the type is the length */
#define KMT_RING_TYPE_LENGTH_FOLLOWS 0u
#define KMT_RING_TYPE_PADDING	     29u
#define KMT_RING_TYPE_TIME_EXTEND    30u
#define KMT_RING_TYPE_TIME_STAMP     31u

/* One sub-buffer while it is read. */
struct kmt_ring_cursor {
	const uint8_t *data;
	size_t bytes; /* committed */
	size_t at;
	uint64_t time_ns; /* of the last record */
};

struct kmt_ring_record {
	size_t at;	    /* where it begins in the data */
	size_t bytes;	    /* of what it holds */
	const uint8_t *raw; /* what it holds; NULL: a stamp, or a record that was discarded */
	uint32_t type;	    /* KMT_RING_TYPE_*; events: below KMT_RING_TYPE_PADDING */
};

static inline uint16_t kmt_ring_get16(const uint8_t *p, bool is_big_endian)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return is_big_endian ? be16toh(v) : le16toh(v);
}

static inline uint32_t kmt_ring_get32(const uint8_t *p, bool is_big_endian)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return is_big_endian ? be32toh(v) : le32toh(v);
}

static inline uint64_t kmt_ring_get64(const uint8_t *p, bool is_big_endian)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return is_big_endian ? be64toh(v) : le64toh(v);
}

/* A field that the record is long enough for; 0 if there is no such field. */
static inline uint64_t kmt_ring_field(const uint8_t *record, const struct kmt_field *field,
				      bool is_big_endian)
{
	const uint8_t *p = record + field->offset;

	switch (field->bytes) {
	case 1:
		return *p;
	case 2:
		return kmt_ring_get16(p, is_big_endian);
	case 4:
		return kmt_ring_get32(p, is_big_endian);
	case 8:
		return kmt_ring_get64(p, is_big_endian);
	default:
		return 0;
	}
}

/* The commit field: its flags and the length are in the lower 32 bits, whatever its width. */
static inline uint32_t kmt_ring_commit(const struct kmt_page_layout *page, const uint8_t *subbuf)
{
	size_t low = page->commit_offset + (page->is_big_endian ? page->commit_bytes - 4u : 0u);

	return kmt_ring_get32(subbuf + low, page->is_big_endian);
}

/* How many events the page says were lost before it: 0 if it doesn't know. */
static inline uint64_t kmt_ring_missed(const struct kmt_page_layout *page, const uint8_t *subbuf,
				       uint32_t commit)
{
	size_t at = page->data_offset + (size_t)(commit & KMT_RING_COMMIT_MASK);

	if (!(commit & KMT_RING_STORED) || at + page->long_bytes > page->subbuf_bytes)
		return 0;
	return page->long_bytes == 8 ? kmt_ring_get64(subbuf + at, page->is_big_endian)
				     : kmt_ring_get32(subbuf + at, page->is_big_endian);
}

/* Linux kernel/trace/ring_buffer.c: rb_fix_abs_ts() */
static inline uint64_t kmt_ring_complete_stamp(uint64_t stamp, uint64_t before)
{
	uint64_t upper = ~UINT64_C(0) << KMT_RING_STAMP_BITS;

	stamp = (stamp & ~upper) | (before & upper);
	if (stamp < before && before & upper)
		stamp += UINT64_C(1) << KMT_RING_STAMP_BITS;
	return stamp;
}

/**
 * kmt_ring_next() - the record at @cursor, which goes on behind it
 *
 * Padding with @raw NULL and no time is the empty rest of the page.
 *
 * Return: NULL, or what is wrong with it, with @cursor where it was.
 */
static inline const char *kmt_ring_next(struct kmt_ring_cursor *cursor, bool is_big_endian,
					struct kmt_ring_record *ret_record)
{
	const uint8_t *p = cursor->data + cursor->at;
	size_t left = cursor->bytes - cursor->at, length, head = 4;
	uint32_t word, type, array;
	uint64_t delta;

	if (left < 4)
		return "ends within a record's header";
	word = kmt_ring_get32(p, is_big_endian);
	type = is_big_endian ? word >> KMT_RING_DELTA_BITS : word & 31;
	delta = is_big_endian ? word & ((1u << KMT_RING_DELTA_BITS) - 1) : word >> 5;
	*ret_record = (struct kmt_ring_record){ .at = cursor->at, .type = type };

	if (type >= 1 && type <= KMT_RING_TYPE_WORDS_MAX) {
		length = type * 4;
	} else {
		if (type == KMT_RING_TYPE_PADDING && delta == 0) {
			cursor->at = cursor->bytes; /* the rest of the page is empty */
			return NULL;
		}
		if (left < 8)
			return "ends within a record's header";
		array = kmt_ring_get32(p + 4, is_big_endian);
		switch (type) {
		case KMT_RING_TYPE_TIME_EXTEND:
			cursor->time_ns += delta | (uint64_t)array << KMT_RING_DELTA_BITS;
			cursor->at += 8;
			return NULL;
		case KMT_RING_TYPE_TIME_STAMP:
			cursor->time_ns = kmt_ring_complete_stamp(
				delta | (uint64_t)array << KMT_RING_DELTA_BITS, cursor->time_ns);
			cursor->at += 8;
			return NULL;
		case KMT_RING_TYPE_PADDING: /* a discarded event: later times count from its own */
			length = array;
			/* rb_event_discard() writes 1 for 0, so that it isn't taken for empty space
			 */
			delta = delta == 1 ? 0 : delta;
			break;
		default: /* the length counts itself, and rounds up to whole words */
			if (array < 4)
				return "a record shorter than its own header";
			head = 8;
			length = ((size_t)array - 4 + 3) & ~(size_t)3;
		}
	}
	if (length > left - head)
		return "a record longer than its page";
	cursor->time_ns += delta;
	cursor->at += head + length;
	if (type != KMT_RING_TYPE_PADDING) {
		ret_record->raw = p + head;
		ret_record->bytes = length;
	}
	return NULL;
}

#endif
