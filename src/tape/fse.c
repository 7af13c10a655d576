// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>

#include "fse.h"

/* Each has one state at least; of the others, each has its share, and the most frequent the rest.
 */
static void share_states(uint32_t *shares, const uint32_t *counts, uint32_t nr, uint32_t size)
{
	uint32_t total = 0, left = size - nr, most = 0;

	for (uint32_t i = 0; i < nr; i++) {
		total += counts[i];
		if (counts[i] > counts[most])
			most = i;
	}
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t share = (uint32_t)((uint64_t)counts[i] * (size - nr) / total);

		shares[i] = 1 + share;
		left -= share;
	}
	shares[most] += left;
}

static uint32_t log_of(uint32_t n)
{
	return 31 - (uint32_t)__builtin_clz(n);
}

/* As the reader does, too. */
static void spread(uint8_t *symbols, const uint32_t *shares, uint32_t nr, uint32_t size)
{
	uint32_t step = (size >> 1) + (size >> 3) + 3, at = 0;

	for (uint32_t i = 0; i < nr; i++)
		for (uint32_t n = 0; n < shares[i]; n++) {
			symbols[at] = (uint8_t)i;
			at = (at + step) & (size - 1);
		}
}

static void make_symbols(struct kmt_fse *fse, const uint32_t *shares, uint32_t nr)
{
	uint32_t total = 0;

	for (uint32_t i = 0; i < nr; i++) {
		uint32_t share = shares[i];
		uint32_t most = fse->log - (share > 1 ? log_of(share - 1) : 0);

		fse->symbols[i].delta = (most << 16) - (share << most);
		fse->symbols[i].find = (int32_t)total - (int32_t)share;
		total += share;
	}
}

static void make_states(struct kmt_fse *fse, const uint32_t *shares, uint32_t nr)
{
	uint8_t symbols[1u << KMT_FSE_LOG_MAX];
	uint32_t next[KMT_FSE_SYMBOLS_MAX], total = 0, size = 1u << fse->log;

	for (uint32_t i = 0; i < nr; i++) {
		next[i] = total;
		total += shares[i];
	}
	spread(symbols, shares, nr, size);
	for (uint32_t i = 0; i < size; i++)
		fse->states[next[symbols[i]]++] = (uint16_t)(size + i);
}

/* No share is 0, so that nothing has to be told of what is left out. */
static size_t describe(const uint32_t *shares, uint32_t nr, uint32_t log, uint8_t *out)
{
	uint32_t remaining = (1u << log) + 1, threshold = 1u << log, width = log + 1;
	uint32_t word = log - 5, nr_bits = 4;
	size_t n = 0;

	for (uint32_t i = 0; i < nr; i++) {
		uint32_t max = 2 * threshold - 1 - remaining, value = shares[i] + 1;

		remaining -= shares[i];
		if (value >= threshold)
			value += max;
		word |= value << nr_bits;
		nr_bits += width - (value < max);
		for (; nr_bits >= 8; nr_bits -= 8, word >>= 8)
			out[n++] = (uint8_t)word;
		for (; remaining < threshold; threshold >>= 1)
			width--;
	}
	if (nr_bits)
		out[n++] = (uint8_t)word;
	return n;
}

size_t kmt_fse_make(struct kmt_fse *fse, const uint32_t *counts, uint32_t nr, uint32_t log,
		    uint8_t *ret_description)
{
	uint32_t shares[KMT_FSE_SYMBOLS_MAX] = { 0 };

	assert(nr <= KMT_FSE_SYMBOLS_MAX && log <= KMT_FSE_LOG_MAX && nr < 1u << log);
	share_states(shares, counts, nr, 1u << log);
	fse->log = log;
	make_symbols(fse, shares, nr);
	make_states(fse, shares, nr);
	return describe(shares, nr, log, ret_description);
}
