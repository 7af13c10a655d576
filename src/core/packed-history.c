// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/history.h"

/*
 * All numbers in their order, each as its difference to the one before: 2 n for a rise by n, 2 n -
 * 1 for a fall by n, in LEB128. Behind a 0, and those that follow it, is how many they are.
 */
#define NUMBERS	     (sizeof(struct kmt_history) / sizeof(uint64_t))
#define NUMBER_BYTES 10u /* 64 bits, 7 in a byte: more than a 0 and its number */

static_assert(sizeof(struct kmt_history) == (3 * KMT_HISTORY_POINTS + 3 * KMT_AGE_BINS) * 8,
	      "64-bit numbers and nothing else");

static uint8_t *put(uint8_t *to, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		*to++ = (uint8_t)(number | 0x80);
	*to++ = (uint8_t)number;
	return to;
}

static const uint8_t *get(const uint8_t *from, uint64_t *ret_number)
{
	unsigned int shift = 0;

	*ret_number = 0;
	do {
		*ret_number |= (uint64_t)(*from & 0x7f) << shift;
		shift += 7;
	} while (*from++ & 0x80);
	return from;
}

int kmt_history_pack(const struct kmt_history *history, struct kmt_packed_history **ret_packed)
{
	uint8_t bytes[NUMBERS * NUMBER_BYTES], *to = bytes;
	uint64_t numbers[NUMBERS], last = 0;
	struct kmt_packed_history *packed;
	size_t next;

	memcpy(numbers, history, sizeof(numbers));
	for (size_t i = 0; i < NUMBERS; i = next) {
		uint64_t rise = numbers[i] - last;

		last = numbers[i];
		to = put(to, rise >> 63 ? ~(rise << 1) : rise << 1);
		for (next = i + 1; !rise && next < NUMBERS && numbers[next] == last;)
			next++;
		if (!rise)
			to = put(to, next - i);
	}
	packed = malloc((size_t)(to - bytes));
	if (!packed)
		return -ENOMEM;
	memcpy(packed, bytes, (size_t)(to - bytes));
	*ret_packed = packed;
	return 0;
}

void kmt_history_unpack(const struct kmt_packed_history *packed, struct kmt_history *ret_history)
{
	const uint8_t *from = (const uint8_t *)packed;
	uint64_t numbers[NUMBERS], last = 0;

	for (size_t i = 0; i < NUMBERS;) {
		uint64_t rise, times = 1;

		from = get(from, &rise);
		last += rise & 1 ? ~(rise >> 1) : rise >> 1;
		if (!rise)
			from = get(from, &times);
		while (times--)
			numbers[i++] = last;
	}
	memcpy(ret_history, numbers, sizeof(numbers));
}
