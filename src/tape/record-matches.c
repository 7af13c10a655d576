// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "padding-rules.h"
#include "record-matches.h"
#include "records.h"

/* A shorter one costs more than the bytes that it stands for: 4 take 3 ns more, and 0.7 bytes less
 * an event. */
#define MATCH_BYTES_MIN	 5u
/* Of records that are the same, in number of event, task and what comes next: the call site. */
#define KEYS_LOG	 10
#define KEY_END		 20u /* from the beginning of a record */
#define EVENTS		 64u /* a power of two */
/* Records have 28 bytes at least, most of them 60, and two matches. */
#define BYTES_A_SEQUENCE 16u
#define BLOCK_BYTES_MAX	 (128u << 10)

/* What is being compared: bytes from @match on are the same as those @offset before. */
struct search {
	const uint8_t *chunk;
	ZSTD_Sequence *next, *end;
	uint32_t literals; /* where they begin: all up to there is in sequences */
	uint32_t match;
	uint32_t offset;
	bool has_room;
};

struct kmt_record_matches {
	size_t unit_bytes, block_bytes;
	size_t nr_sequences_max;
	struct search search;
	uint32_t end;		/* of what was added */
	uint32_t record_offset; /* from a record to the one it was compared with; 0: none yet */
	/* Where a record was last: by key, and by number of event. 0: nowhere */
	uint32_t by_key[1u << KEYS_LOG];
	uint32_t by_event[EVENTS];
	ZSTD_Sequence sequences[];
};

struct kmt_record_matches *kmt_record_matches_new(size_t unit_bytes, size_t chunk_bytes)
{
	size_t nr = chunk_bytes / BYTES_A_SEQUENCE;
	struct kmt_record_matches *matches = malloc(sizeof(*matches) + nr * sizeof(ZSTD_Sequence));

	assert(unit_bytes % 8 == 0 && unit_bytes <= KMT_RECORD_MATCHES_UNIT_MAX);
	if (!matches)
		return NULL;
	memset(matches, 0, sizeof(*matches) + nr * sizeof(ZSTD_Sequence));
	matches->unit_bytes = unit_bytes;
	matches->block_bytes = BLOCK_BYTES_MAX / unit_bytes * unit_bytes;
	matches->nr_sequences_max = nr;
	return matches;
}

struct kmt_record_matches *kmt_record_matches_free(struct kmt_record_matches *matches)
{
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

static inline void put(struct search *search, uint32_t offset, uint32_t literals, uint32_t match)
{
	if (search->next == search->end)
		search->has_room = false;
	else
		*search->next++ = (ZSTD_Sequence){ offset, literals, match, 0 };
}

/* The match ends at @at, if it is worth it, and the next may begin at @next. */
static inline void end_match(struct search *search, uint32_t at, uint32_t next)
{
	if (at >= search->match + MATCH_BYTES_MIN) {
		put(search, search->offset, search->match - search->literals, at - search->match);
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

/* @end - @at: a multiple of 4 */
static inline void compare(struct search *search, uint32_t at, uint32_t end)
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
	if (at == end)
		return;
	difference = kmt_records_get32(here + at) ^ kmt_records_get32(there + at);
	note_difference(search, at, __BYTE_ORDER == __BIG_ENDIAN ? difference << 32 : difference);
}

/*
 * Which record to compare with. The one that is as far away as it was for the record before: where
 * a task does the same again, all are. Else the last one with the same key, else of the same event.
 */
static inline uint32_t find_offset(struct kmt_record_matches *matches, const uint8_t *chunk,
				   uint32_t at)
{
	const uint8_t *record = chunk + at;
	uint64_t event = get64(record + 4), site = get64(record + 12); /* the event: and the pid */
	uint32_t offset = matches->record_offset;
	uint32_t *by_key = &matches->by_key[((event ^ site << 8) * UINT64_C(0x9e3779b97f4a7c15)) >>
					    (64 - KEYS_LOG)];
	uint32_t *by_event = &matches->by_event[record[4] % EVENTS];
	uint32_t key_at = *by_key, event_at;

	*by_key = at;
	if (offset && get64(record - offset + 4) == event && get64(record - offset + 12) == site)
		return offset;
	event_at = *by_event;
	*by_event = at;
	if (key_at && get64(chunk + key_at + 4) == event && get64(chunk + key_at + 12) == site)
		return at - key_at;
	if (event_at && (!offset || record[4 - (ptrdiff_t)offset] != record[4]))
		return at - event_at;
	return offset;
}

static void compare_record(struct kmt_record_matches *matches, struct search *search, uint32_t at,
			   uint32_t bytes)
{
	if (bytes >= KEY_END)
		matches->record_offset = find_offset(matches, search->chunk, at);
	if (!matches->record_offset) {
		skip(search, at, at + bytes);
		return;
	}
	set_offset(search, at, matches->record_offset);
	compare(search, at, at + 4); /* what follows is aligned as fields are */
	compare(search, at + 4, at + bytes);
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
	matches->search = (struct search){
		.next = matches->sequences,
		.end = matches->sequences + matches->nr_sequences_max,
		.has_room = true,
	};
	matches->record_offset = 0;
	memset(matches->by_key, 0, sizeof(matches->by_key));
	memset(matches->by_event, 0, sizeof(matches->by_event));
}

/* Offsets may reach into an earlier block, but nothing that is copied may reach into the next. */
static void end_block(struct search *search, uint32_t at)
{
	end_match(search, at, at);
	put(search, 0, at - search->literals, 0);
	search->literals = at;
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
	uint32_t unit_bytes = (uint32_t)matches->unit_bytes, begin = (uint32_t)at, records, end;
	struct search search;

	if (at == 0)
		begin_chunk(matches);
	search = matches->search; /* a copy, which the compiler knows not to be part of the chunk */
	search.chunk = chunk;
	if (at && at % matches->block_bytes == 0)
		end_block(&search, begin);
	end = begin + (uint32_t)kmt_records_end(chunk + at, unit_bytes);
	end -= end % 4; /* as all records do */
	if (end == begin)
		search.has_room =
			false; /* no sub-buffer: for zstd, so that it's better compressed */
	compare_head(&search, begin, unit_bytes);
	records = begin + (uint32_t)KMT_RECORDS_HEAD_BYTES;
	records = compare_records(matches, &search, chunk, records, end, padding);
	if (records < end)
		search.has_room = false;
	compare_rest(&search, records, begin + unit_bytes - records, unit_bytes);
	matches->search = search;
	matches->end = begin + unit_bytes;
}

size_t kmt_record_matches_end(struct kmt_record_matches *matches,
			      const ZSTD_Sequence **ret_sequences)
{
	struct search *search = &matches->search;

	end_block(search, matches->end);
	*ret_sequences = matches->sequences;
	return search->has_room ? (size_t)(search->next - matches->sequences) : 0;
}
