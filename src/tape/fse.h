/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_FSE_H
#define KMT_TAPE_FSE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Tables of zstd's finite state entropy: RFC 8878, 4.1. Of numbers that may all occur, often or
 * not, so that a table made of some numbers can encode whatever comes next.
 */
#define KMT_FSE_LOG_MAX		9u
#define KMT_FSE_SYMBOLS_MAX	53u
#define KMT_FSE_DESCRIPTION_MAX 72u /* bytes: ten bits a symbol */

struct kmt_fse {
	/* How many bits of a state are put out before it becomes that of a symbol. */
	struct {
		int32_t find;	/* from what is left of a state to where the next one is */
		uint32_t delta; /* the bits of state + delta, above 16 */
	} symbols[KMT_FSE_SYMBOLS_MAX];
	uint16_t states[1u << KMT_FSE_LOG_MAX];
	uint32_t log;
};

/**
 * kmt_fse_make() - make a table
 * @counts: how often each of @nr symbols occurred; at least one did, all together less than 2^20
 * times
 * @log: 5..KMT_FSE_LOG_MAX, of the number of states; more than twice @nr
 * @ret_description: KMT_FSE_DESCRIPTION_MAX bytes, for the reader
 *
 * Return: bytes of the description.
 */
size_t kmt_fse_make(struct kmt_fse *fse, const uint32_t *counts, uint32_t nr, uint32_t log,
		    uint8_t *ret_description);

/* The state before the first symbol, which is the last one to be read. */
static inline uint32_t kmt_fse_begin(const struct kmt_fse *fse, uint32_t symbol)
{
	uint32_t delta = fse->symbols[symbol].delta, bits = (delta + (1u << 15)) >> 16;

	return fse->states[(int32_t)(((bits << 16) - delta) >> bits) + fse->symbols[symbol].find];
}

/* Return: how many of the low bits of @state to put out, before kmt_fse_next(). */
static inline uint32_t kmt_fse_bits(const struct kmt_fse *fse, uint32_t state, uint32_t symbol)
{
	return (state + fse->symbols[symbol].delta) >> 16;
}

static inline uint32_t kmt_fse_next(const struct kmt_fse *fse, uint32_t state, uint32_t symbol,
				    uint32_t bits)
{
	return fse->states[(int32_t)(state >> bits) + fse->symbols[symbol].find];
}

#endif
