// SPDX-License-Identifier: LGPL-2.1-only
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "compressor.h"
#include "record-matches.h"
#include "records.h"

/*
 * Level 1 costs less CPU than writing the raw bytes would. For sub-buffers it can be had for half
 * of that where zstd takes matches from us (record-matches.h). Where it doesn't, or what is in them
 * is something else, its own search can be had for a third less: matches are long there (whole
 * records but for an address), so a search for those of 6 bytes finds nearly all of them, and its
 * table of 2048 entries leaves the first-level cache to the workload. Literals are so few that they
 * aren't worth to be compressed.
 */
#define ZSTD_LEVEL	 1
#define SUBBUF_HASH_LOG	 11
#define SUBBUF_MIN_MATCH 6
#define SUBBUF_TARGET_STEP \
	2 /* of the fast strategy: how quickly it moves on where nothing matches */

struct kmt_compressor {
	uint32_t unit_bytes;
	ZSTD_CCtx *zstd;
	void *zstd_memory;		    /* all of @zstd; NULL: it has its own */
	struct kmt_record_matches *matches; /* NULL: zstd finds them */
	const struct kmt_padding *padding;  /* NULL: unknown */
};

struct setting {
	ZSTD_cParameter parameter;
	int value;
};

static const struct setting settings[] = {
	{ ZSTD_c_compressionLevel, ZSTD_LEVEL },
	{ ZSTD_c_checksumFlag, 1 },
	/* of sub-buffers; text has short matches */
	{ ZSTD_c_hashLog, SUBBUF_HASH_LOG },
	{ ZSTD_c_minMatch, SUBBUF_MIN_MATCH },
	{ ZSTD_c_targetLength, SUBBUF_TARGET_STEP },
};

#define NR_OF_TEXT    2u
#define NR_OF_SUBBUFS (sizeof(settings) / sizeof(settings[0]))

/* The first frame is a full one: from here on zstd has all the memory it will ever want. */
static bool warm_up(struct kmt_compressor *compressor, struct kmt_compressor_scratch *scratch)
{
	for (size_t i = 0; i < scratch->chunk_bytes; i++)
		scratch->chunk[i] =
			(uint8_t)(i * 0x9e3779b1u >> 13); /* dull enough to match at times */
	memset(scratch->out, 0, scratch->room);
	return !ZSTD_isError(ZSTD_compress2(compressor->zstd, scratch->out, scratch->room,
					    scratch->chunk, scratch->chunk_bytes));
}

/* In memory of zstd's, which takes more of it for levels beyond. */
static bool set_up(struct kmt_compressor *compressor, struct kmt_compressor_scratch *scratch)
{
	size_t nr = compressor->unit_bytes == 1 ? NR_OF_TEXT : NR_OF_SUBBUFS;

	compressor->zstd = ZSTD_createCCtx();
	for (size_t i = 0; compressor->zstd && i < nr; i++)
		(void)ZSTD_CCtx_setParameter(compressor->zstd, settings[i].parameter,
					     settings[i].value);
	return compressor->zstd && warm_up(compressor, scratch);
}

static void tear_down(struct kmt_compressor *compressor)
{
	if (!compressor->zstd_memory)
		(void)ZSTD_freeCCtx(compressor->zstd);
	free(compressor->zstd_memory);
	compressor->zstd = NULL;
	compressor->zstd_memory = NULL;
	compressor->matches = kmt_record_matches_free(compressor->matches);
}

#ifdef KMT_ZSTD_TAKES_SEQUENCES

/* Return: bytes of the frame; 0: it's left to zstd alone. */
static size_t compress_matches(struct kmt_compressor *compressor, void *out, size_t room,
			       const uint8_t *chunk, size_t bytes)
{
	const ZSTD_Sequence *sequences;
	size_t nr, n;

	nr = kmt_record_matches_end(compressor->matches, &sequences);
	if (!nr)
		return 0;
	n = ZSTD_compressSequences(compressor->zstd, out, room, sequences, nr, chunk, bytes);
	return ZSTD_isError(n) ? 0 : n;
}

static bool set_settings(ZSTD_CCtx_params *params, size_t chunk_bytes)
{
	const struct setting more[] = {
		{ ZSTD_c_windowLog, 64 - __builtin_clzll(chunk_bytes - 1) }, /* any offset */
		{ ZSTD_c_stableInBuffer, 1 }, /* or zstd wants buffers of its own */
		{ ZSTD_c_stableOutBuffer, 1 },
		{ ZSTD_c_blockDelimiters, ZSTD_sf_explicitBlockDelimiters },
		{ ZSTD_c_validateSequences, 1 },
		{ ZSTD_c_searchForExternalRepcodes, ZSTD_ps_enable },
	};
	size_t nr_more = sizeof(more) / sizeof(more[0]);

	for (size_t i = 0; i < NR_OF_SUBBUFS + nr_more; i++) {
		const struct setting *setting =
			i < NR_OF_SUBBUFS ? &settings[i] : &more[i - NR_OF_SUBBUFS];

		if (ZSTD_isError(ZSTD_CCtxParams_setParameter(params, setting->parameter,
							      setting->value)))
			return false;
	}
	return true;
}

/*
 * In memory of ours: what zstd allocated, it gives back and allocates anew when it needed much less
 * for 128 frames, as it does on a quiet machine.
 */
static bool set_up_static(struct kmt_compressor *compressor, const ZSTD_CCtx_params *params)
{
	size_t bytes = ZSTD_estimateCCtxSize_usingCCtxParams(params);

	compressor->zstd_memory = ZSTD_isError(bytes) ? NULL : malloc(bytes);
	if (!compressor->zstd_memory)
		return false;
	memset(compressor->zstd_memory, 0, bytes);
	compressor->zstd = ZSTD_initStaticCCtx(compressor->zstd_memory, bytes);
	return compressor->zstd &&
	       !ZSTD_isError(ZSTD_CCtx_setParametersUsingCCtxParams(compressor->zstd, params));
}

/* Sub-buffers of made up records, as good as any. */
static void make_records(uint8_t *chunk, size_t bytes, uint32_t unit_bytes)
{
	const uint32_t type = __BYTE_ORDER == __BIG_ENDIAN ? 5u << 27 : 5u;
	const unsigned long commit = (unit_bytes - KMT_RECORDS_HEAD_BYTES) / 24 * 24;

	memset(chunk, 0, bytes);
	for (size_t at = 0; at < bytes; at += unit_bytes) {
		uint8_t *record = chunk + at + KMT_RECORDS_HEAD_BYTES;

		memcpy(chunk + at + sizeof(uint64_t), &commit, sizeof(commit));
		for (uint32_t i = 0; i < commit / 24; i++, record += 24) {
			const uint32_t words[] = { type, i % 7, i % 3, i % 5, i * 0x9e3779b1u, i };

			memcpy(record, words, sizeof(words));
		}
	}
}

/*
 * This part of zstd's interface may change, and the library is another one when it runs than when
 * this was built: what it makes of our matches is unpacked once.
 */
static bool check_matches(struct kmt_compressor *compressor, struct kmt_compressor_scratch *scratch)
{
	size_t bytes = scratch->chunk_bytes / 2 / compressor->unit_bytes * compressor->unit_bytes;
	uint8_t *back = scratch->chunk + bytes;
	size_t n;

	make_records(scratch->chunk, bytes, compressor->unit_bytes);
	for (size_t at = 0; at < bytes; at += compressor->unit_bytes)
		kmt_record_matches_add(compressor->matches, scratch->chunk, at, NULL);
	n = compress_matches(compressor, scratch->out, scratch->room, scratch->chunk, bytes);
	return n && ZSTD_decompress(back, bytes, scratch->out, n) == bytes &&
	       memcmp(back, scratch->chunk, bytes) == 0;
}

static bool set_up_with_matches(struct kmt_compressor *compressor,
				struct kmt_compressor_scratch *scratch)
{
	ZSTD_CCtx_params *params;
	bool is_set;

	if (compressor->unit_bytes % 8 || compressor->unit_bytes > KMT_RECORD_MATCHES_UNIT_MAX ||
	    compressor->unit_bytes > scratch->chunk_bytes / 2)
		return false;
	params = ZSTD_createCCtxParams();
	is_set = params && set_settings(params, scratch->chunk_bytes) &&
		 set_up_static(compressor, params);
	(void)ZSTD_freeCCtxParams(params);
	if (is_set)
		compressor->matches =
			kmt_record_matches_new(compressor->unit_bytes, scratch->chunk_bytes);
	if (is_set && compressor->matches && warm_up(compressor, scratch) &&
	    check_matches(compressor, scratch))
		return true;
	tear_down(compressor);
	return false;
}

#else

static size_t compress_matches(struct kmt_compressor *compressor, void *out, size_t room,
			       const uint8_t *chunk, size_t bytes)
{
	return 0; /* there are none */
}

static bool set_up_with_matches(struct kmt_compressor *compressor,
				struct kmt_compressor_scratch *scratch)
{
	return false; /* this library takes none from us */
}

#endif

struct kmt_compressor *kmt_compressor_new(uint32_t unit_bytes,
					  struct kmt_compressor_scratch *scratch)
{
	struct kmt_compressor *compressor = calloc(1, sizeof(*compressor));

	if (!compressor)
		return NULL;
	compressor->unit_bytes = unit_bytes;
	if (set_up_with_matches(compressor, scratch) || set_up(compressor, scratch))
		return compressor;
	return kmt_compressor_free(compressor);
}

struct kmt_compressor *kmt_compressor_free(struct kmt_compressor *compressor)
{
	if (!compressor)
		return NULL;
	tear_down(compressor);
	free(compressor);
	return NULL;
}

void kmt_compressor_set_level(struct kmt_compressor *compressor, int level)
{
	(void)ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_compressionLevel, level);
}

void kmt_compressor_set_padding(struct kmt_compressor *compressor,
				const struct kmt_padding *padding)
{
	compressor->padding = padding;
}

void kmt_compressor_add(struct kmt_compressor *compressor, uint8_t *chunk, size_t at)
{
	if (compressor->matches)
		kmt_record_matches_add(compressor->matches, chunk, at, compressor->padding);
	else if (compressor->padding)
		kmt_padding_clear(compressor->padding, chunk + at, compressor->unit_bytes);
}

size_t kmt_compressor_make(struct kmt_compressor *compressor, void *out, size_t room,
			   const uint8_t *chunk, size_t bytes)
{
	size_t n = 0;

	if (compressor->matches)
		n = compress_matches(compressor, out, room, chunk, bytes);
	return n ? n : ZSTD_compress2(compressor->zstd, out, room, chunk, bytes);
}
