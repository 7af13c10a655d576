// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "padding-rules.h"
#include "record-matches.h"
#include "records.h"

/* Of records that are the same, in number of event, task and what comes next: the call site. */
#define KEYS_LOG 10
#define KEY_END	 20u /* from the beginning of a record */
#define EVENTS	 64u /* a power of two */

/* What is being compared: bytes from @match on are the same as those @offset before. */
struct search {
	const uint8_t *chunk;
	struct kmt_frame_block block;
	uint32_t literals; /* where they begin: all up to there is in the block */
	uint32_t match;
	uint32_t offset;
	uint32_t room;	 /* of the chunk, with what was not added yet */
	bool is_foreign; /* there are other things than records */
};

struct kmt_record_matches {
	uint32_t unit_bytes, block_bytes;
	struct kmt_frame *frame;
	struct search search;
	uint32_t block_at;	/* where the block begins */
	uint32_t end;		/* of what was added */
	uint32_t record_offset; /* from a record to the one it was compared with; 0: none yet */
	/* Where a record was last: by key, and by number of event. 0: nowhere */
	uint32_t by_key[1u << KEYS_LOG];
	uint32_t by_event[EVENTS];
};

struct kmt_record_matches *kmt_record_matches_new(size_t unit_bytes, size_t chunk_bytes,
						  uint8_t *out, size_t room)
{
	KMT_CLEANUP(kmt_record_matches_freep) struct kmt_record_matches *matches = NULL;

	assert(unit_bytes % 32 == 0 && unit_bytes <= KMT_FRAME_BLOCK_BYTES_MAX);
	assert(chunk_bytes <= KMT_FRAME_CHUNK_BYTES_MAX);
	matches = malloc(sizeof(*matches));
	if (!matches)
		return NULL;
	memset(matches, 0, sizeof(*matches));
	matches->unit_bytes = (uint32_t)unit_bytes;
	matches->block_bytes =
		KMT_FRAME_BLOCK_BYTES_MAX / matches->unit_bytes * matches->unit_bytes;
	matches->search.room = (uint32_t)chunk_bytes;
	matches->frame = kmt_frame_new(out, room);
	return matches->frame ? KMT_STEAL(matches) : NULL;
}

struct kmt_record_matches *kmt_record_matches_free(struct kmt_record_matches *matches)
{
	if (matches)
		kmt_frame_free(matches->frame);
	free(matches);
	return NULL;
}

static inline uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Of the bytes of a word that differ, in memory, the first one, and the one behind the last. */
static inline uint32_t first_byte(uint64_t difference)
{
	return (uint32_t)(__BYTE_ORDER == __BIG_ENDIAN ? __builtin_clzll(difference)
						       : __builtin_ctzll(difference)) /
	       8;
}

static inline uint32_t end_byte(uint64_t difference)
{
	return 8 - (uint32_t)(__BYTE_ORDER == __BIG_ENDIAN ? __builtin_ctzll(difference)
							   : __builtin_clzll(difference)) /
			   8;
}

/* The match ends at @at, if it is worth it, and the next may begin at @next. */
static inline void end_match(struct search *search, uint32_t at, uint32_t next)
{
	if (at >= search->match + KMT_FRAME_MATCH_BYTES_MIN) {
		kmt_frame_match(&search->block, search->chunk + search->literals,
				search->match - search->literals, search->offset,
				at - search->match, search->room - search->literals);
		search->literals = at;
	}
	search->match = next;
}

/* From here on, what lies @offset before is compared. */
static inline void set_offset(struct search *search, uint32_t at, uint32_t offset)
{
	if (offset == search->offset)
		return;
	end_match(search, at, at);
	search->offset = offset;
}

/* Nothing is compared up to @to. */
static inline void skip(struct search *search, uint32_t at, uint32_t to)
{
	end_match(search, at, to);
}

static inline void note_difference(struct search *search, uint32_t at, uint64_t difference)
{
	if (difference)
		end_match(search, at + first_byte(difference), at + end_byte(difference));
}

static inline void compare_word(struct search *search, uint32_t at)
{
	const uint8_t *here = search->chunk + at;
	uint64_t difference = kmt_records_get32(here) ^ kmt_records_get32(here - search->offset);

	note_difference(search, at, __BYTE_ORDER == __BIG_ENDIAN ? difference << 32 : difference);
}

/* @end - @at: a multiple of 4. Inline, or each record waits for what the one before it stored. */
static inline __attribute__((always_inline)) void compare(struct search *search, uint32_t at,
							  uint32_t end)
{
	const uint8_t *here = search->chunk, *there = here - search->offset;
	uint64_t difference, next;

	for (; at + 16 <= end; at += 16) { /* two at a time: most are the same */
		difference = get64(here + at) ^ get64(there + at);
		next = get64(here + at + 8) ^ get64(there + at + 8);
		if (difference | next) {
			note_difference(search, at, difference);
			note_difference(search, at + 8, next);
		}
	}
	if (at + 8 <= end) {
		note_difference(search, at, get64(here + at) ^ get64(there + at));
		at += 8;
	}
	if (at < end)
		compare_word(search, at);
}

/* Both are of the same event, task and call site. */
static inline bool has_same_key(const uint8_t *record, const uint8_t *before)
{
	return get64(record + 4) == get64(before + 4) && get64(record + 12) == get64(before + 12);
}

/* The last record of that key is this one. Return: where the one before it was; 0: nowhere */
static inline uint32_t exchange_by_key(struct kmt_record_matches *matches, const uint8_t *record,
				       uint32_t at)
{
	uint64_t key = get64(record + 4) ^ get64(record + 12) << 8;
	uint32_t *by_key =
		&matches->by_key[(key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - KEYS_LOG)];
	uint32_t before = *by_key;

	*by_key = at;
	return before;
}

/*
 * Which record to compare with. The one that is as far away as it was for the record before: where
 * a task does the same again, all are. Else the last one with the same key, else of the same event.
 */
static inline uint32_t find_offset(struct kmt_record_matches *matches, const uint8_t *chunk,
				   uint32_t at, bool *ret_is_same)
{
	const uint8_t *record = chunk + at;
	uint32_t offset = matches->record_offset, event_at;
	uint32_t key_at = exchange_by_key(matches, record, at);

	*ret_is_same = true;
	if (offset && has_same_key(record, record - offset))
		return offset;
	event_at = matches->by_event[record[4] % EVENTS];
	matches->by_event[record[4] % EVENTS] = at;
	if (key_at && has_same_key(record, chunk + key_at))
		return at - key_at;
	*ret_is_same = false;
	if (event_at && (!offset || record[4 - (ptrdiff_t)offset] != record[4]))
		return at - event_at;
	return offset;
}

static inline void compare_record(struct kmt_record_matches *matches, struct search *search,
				  uint32_t at, uint32_t bytes)
{
	bool is_same = false;

	if (bytes >= KEY_END)
		matches->record_offset = find_offset(matches, search->chunk, at, &is_same);
	if (!matches->record_offset) {
		skip(search, at, at + bytes);
		return;
	}
	set_offset(search, at, matches->record_offset);
	compare_word(search, at);
	/* What follows is aligned as fields are. */
	compare(search, is_same ? at + KEY_END : at + 4, at + bytes);
}

/* Zeroes, mostly. */
static void compare_rest(struct search *search, uint32_t at, uint32_t bytes, uint32_t unit_bytes)
{
	if (bytes >= 4 && kmt_records_get32(search->chunk + at) == 0) {
		end_match(search, at, at + 1);
		search->offset = 1;
		compare(search, at + 4, at + bytes);
	} else if (at >= unit_bytes) {
		set_offset(search, at, unit_bytes);
		compare(search, at, at + bytes);
	} else {
		skip(search, at, at + bytes);
	}
}

static void begin_chunk(struct kmt_record_matches *matches)
{
	matches->search = (struct search){ .room = matches->search.room };
	kmt_frame_begin(matches->frame, &matches->search.block);
	matches->block_at = 0;
	matches->record_offset = 0;
	memset(matches->by_key, 0, sizeof(matches->by_key));
	memset(matches->by_event, 0, sizeof(matches->by_event));
}

/* Offsets may reach into an earlier block, but nothing that is copied may reach into the next. */
static void end_block(struct kmt_record_matches *matches, struct search *search)
{
	uint32_t end = matches->end;

	end_match(search, end, end);
	if (!search->is_foreign)
		kmt_frame_end_block(matches->frame, &search->block,
				    search->chunk + matches->block_at, end - matches->block_at,
				    end - search->literals);
	search->literals = end;
	matches->block_at = end;
}

/* Time and length: like those of the one before. */
static void compare_head(struct search *search, uint32_t at, uint32_t unit_bytes)
{
	if (at < unit_bytes) {
		skip(search, at, at + KMT_RECORDS_HEAD_BYTES);
		return;
	}
	set_offset(search, at, unit_bytes);
	compare(search, at, at + KMT_RECORDS_HEAD_BYTES);
}

/* Return: where records end. */
static uint32_t compare_records(struct kmt_record_matches *matches, struct search *search,
				uint8_t *chunk, uint32_t at, uint32_t end,
				const struct kmt_padding *padding)
{
	while (at < end) {
		struct kmt_record_place place = kmt_records_place(chunk + at, end - at);

		if (!place.bytes)
			break;
		if (padding)
			kmt_padding_clear_record(padding, chunk + at, place);
		compare_record(matches, search, at, place.bytes);
		at += place.bytes;
	}
	return at;
}

void kmt_record_matches_add(struct kmt_record_matches *matches, uint8_t *chunk, size_t at,
			    const struct kmt_padding *padding)
{
	uint32_t unit_bytes = matches->unit_bytes, begin = (uint32_t)at, records, end;
	struct search search;

	if (at == 0)
		begin_chunk(matches);
	if (matches->search.is_foreign) {
		if (padding)
			kmt_padding_clear(padding, chunk + at, unit_bytes);
		return;
	}
	search = matches->search; /* a copy, which the compiler knows not to be part of the chunk */
	search.chunk = chunk;
	end = begin + (uint32_t)kmt_records_end(chunk + at, unit_bytes);
	end -= end % 4; /* as all records do */
	if (end == begin)
		search.is_foreign =
			true; /* no sub-buffer: for zstd, so that it's better compressed */
	compare_head(&search, begin, unit_bytes);
	records = begin + (uint32_t)KMT_RECORDS_HEAD_BYTES;
	records = compare_records(matches, &search, chunk, records, end, padding);
	if (records < end)
		search.is_foreign = true;
	compare_rest(&search, records, begin + unit_bytes - records, unit_bytes);
	kmt_frame_sum(matches->frame, chunk + at, unit_bytes);
	matches->end = begin + unit_bytes;
	if (matches->end - matches->block_at == matches->block_bytes)
		end_block(matches, &search);
	matches->search = search;
}

size_t kmt_record_matches_end(struct kmt_record_matches *matches)
{
	if (matches->search.is_foreign)
		return 0;
	if (matches->end > matches->block_at)
		end_block(matches, &matches->search);
	return kmt_frame_end(matches->frame);
}
