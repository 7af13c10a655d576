// SPDX-License-Identifier: LGPL-2.1-only
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "compressor.h"
#include "frame.h"
#include "record-matches.h"

/*
 * Level 1 costs less CPU than writing the raw bytes would. Frames of sub-buffers are ours, for a
 * third of that (record-matches.h). What is in them but isn't records is zstd's: there, its search
 * for matches of 6 bytes finds nearly all of them, and its table of 2048 entries leaves the
 * first-level cache to the workload.
 */
#define ZSTD_LEVEL	 1
#define SUBBUF_HASH_LOG	 11
#define SUBBUF_MIN_MATCH 6
#define SUBBUF_TARGET_STEP \
	2 /* of the fast strategy: how quickly it moves on where nothing matches */

struct kmt_compressor {
	uint32_t unit_bytes;
	ZSTD_CCtx *zstd;
	void *zstd_memory; /* all of @zstd; NULL: it has its own */
	struct kmt_compressor_scratch scratch;
	struct kmt_record_matches *matches; /* NULL: of text, or of sub-buffers of odd sizes */
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
static bool warm_up(struct kmt_compressor *compressor)
{
	const struct kmt_compressor_scratch *scratch = &compressor->scratch;

	for (size_t i = 0; i < scratch->chunk_bytes; i++)
		scratch->chunk[i] =
			(uint8_t)(i * 0x9e3779b1u >> 13); /* dull enough to match at times */
	memset(scratch->out, 0, scratch->room);
	return !ZSTD_isError(ZSTD_compress2(compressor->zstd, scratch->out, scratch->room,
					    scratch->chunk, scratch->chunk_bytes));
}

static void tear_down_zstd(struct kmt_compressor *compressor)
{
	if (!compressor->zstd_memory)
		(void)ZSTD_freeCCtx(compressor->zstd);
	free(compressor->zstd_memory);
	compressor->zstd = NULL;
	compressor->zstd_memory = NULL;
}

/* In memory of zstd's, which takes more of it for levels beyond. */
static bool set_up_zstd(struct kmt_compressor *compressor)
{
	size_t nr = compressor->unit_bytes == 1 ? NR_OF_TEXT : NR_OF_SUBBUFS;

	compressor->zstd = ZSTD_createCCtx();
	for (size_t i = 0; compressor->zstd && i < nr; i++)
		(void)ZSTD_CCtx_setParameter(compressor->zstd, settings[i].parameter,
					     settings[i].value);
	return compressor->zstd && warm_up(compressor);
}

#ifdef KMT_ZSTD_TAKES_MEMORY

static bool set_settings(ZSTD_CCtx_params *params)
{
	for (size_t i = 0; i < NR_OF_SUBBUFS; i++)
		if (ZSTD_isError(ZSTD_CCtxParams_setParameter(params, settings[i].parameter,
							      settings[i].value)))
			return false;
	return true;
}

static bool use_memory(struct kmt_compressor *compressor, const ZSTD_CCtx_params *params)
{
	size_t bytes = ZSTD_estimateCCtxSize_usingCCtxParams(params);

	compressor->zstd_memory = ZSTD_isError(bytes) ? NULL : malloc(bytes);
	if (!compressor->zstd_memory)
		return false;
	memset(compressor->zstd_memory, 0, bytes);
	compressor->zstd = ZSTD_initStaticCCtx(compressor->zstd_memory, bytes);
	return compressor->zstd &&
	       !ZSTD_isError(ZSTD_CCtx_setParametersUsingCCtxParams(compressor->zstd, params)) &&
	       warm_up(compressor);
}

/*
 * In memory of ours: what zstd allocated, it gives back and allocates anew when it needed much less
 * for 128 frames, as it does on a quiet machine.
 */
static bool set_up_zstd_in_memory(struct kmt_compressor *compressor)
{
	ZSTD_CCtx_params *params = ZSTD_createCCtxParams();
	bool is_set = params && set_settings(params) && use_memory(compressor, params);

	(void)ZSTD_freeCCtxParams(params);
	if (!is_set)
		tear_down_zstd(compressor);
	return is_set;
}

#else

static bool set_up_zstd_in_memory(struct kmt_compressor *compressor)
{
	return false; /* this library takes none */
}

#endif

static bool set_up(struct kmt_compressor *compressor)
{
	const struct kmt_compressor_scratch *scratch = &compressor->scratch;
	uint32_t unit_bytes = compressor->unit_bytes;

	if (unit_bytes == 1)
		return set_up_zstd(compressor);
	if (!set_up_zstd_in_memory(compressor) && !set_up_zstd(compressor))
		return false;
	if (unit_bytes % 32 || unit_bytes > KMT_RECORD_MATCHES_UNIT_MAX ||
	    scratch->chunk_bytes > KMT_FRAME_CHUNK_BYTES_MAX)
		return true;
	compressor->matches = kmt_record_matches_new(unit_bytes, scratch->chunk_bytes, scratch->out,
						     scratch->room);
	return compressor->matches;
}

struct kmt_compressor *kmt_compressor_new(uint32_t unit_bytes,
					  const struct kmt_compressor_scratch *scratch)
{
	struct kmt_compressor *compressor = calloc(1, sizeof(*compressor));

	if (!compressor)
		return NULL;
	compressor->unit_bytes = unit_bytes;
	compressor->scratch = *scratch;
	if (set_up(compressor))
		return compressor;
	return kmt_compressor_free(compressor);
}

struct kmt_compressor *kmt_compressor_free(struct kmt_compressor *compressor)
{
	if (!compressor)
		return NULL;
	tear_down_zstd(compressor);
	kmt_record_matches_free(compressor->matches);
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

size_t kmt_compressor_make(struct kmt_compressor *compressor, const uint8_t *chunk, size_t bytes)
{
	size_t n = compressor->matches ? kmt_record_matches_end(compressor->matches) : 0;

	return n ? n
		 : ZSTD_compress2(compressor->zstd, compressor->scratch.out,
				  compressor->scratch.room, chunk, bytes);
}
