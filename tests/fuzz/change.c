// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "change.h"

uint64_t change_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

size_t change_below(uint64_t *state, size_t limit)
{
	return limit ? (size_t)(change_random(state) % limit) : 0;
}

uint64_t change_number(uint64_t *state)
{
	static const uint64_t numbers[] = { 0,		1,	   2,
					    3,		4,	   7,
					    8,		15,	   16,
					    127,	128,	   255,
					    256,	4080,	   4095,
					    4096,	65535,	   65536,
					    1 << 20,	INT32_MAX, UINT32_MAX - 7,
					    UINT32_MAX, INT64_MAX, UINT64_MAX - 7,
					    UINT64_MAX };

	return numbers[change_below(state, sizeof(numbers) / sizeof(numbers[0]))];
}

/* Overwrites with one of these. */
static void put_number(uint8_t *bytes, size_t size, uint64_t *state)
{
	uint64_t n = change_number(state);
	size_t width = (size_t)1 << change_below(state, 4), at;
	int is_big_endian = (int)change_below(state, 2);

	if (size < width)
		return;
	at = change_below(state, size - width + 1);
	if (change_below(state, 2))
		at -= at % width;
	for (size_t i = 0; i < width; i++)
		bytes[at + (is_big_endian ? width - 1 - i : i)] = (uint8_t)(n >> (8 * i));
}

/* Puts @more bytes of @from in at @at. Return: the new size. */
static size_t insert(uint8_t *bytes, size_t size, size_t at, const uint8_t *from, size_t more)
{
	memmove(bytes + at + more, bytes + at, size - at);
	memcpy(bytes + at, from, more);
	return size + more;
}

size_t change_once(uint8_t *bytes, size_t size, size_t room, const uint8_t *other,
		   size_t other_bytes, uint64_t *state)
{
	size_t at = change_below(state, size), n;
	uint8_t copy[64];

	switch (change_below(state, 8)) {
	case 0:
		if (size)
			bytes[at] ^= (uint8_t)(1u << change_below(state, 8));
		return size;
	case 1:
		if (size)
			bytes[at] = (uint8_t)change_random(state);
		return size;
	case 2:
		if (size)
			bytes[at] = (uint8_t) "0123456789 \t\n\":;,[]{}()*._-x"[change_below(state,
											     28)];
		return size;
	case 3:
		put_number(bytes, size, state);
		return size;
	case 4: /* leave some out */
		n = change_below(state, (size - at < 64 ? size - at : 64) + 1);
		memmove(bytes + at, bytes + at + n, size - at - n);
		return size - n;
	case 5: /* cut */
		return change_below(state, 4) ? size : at;
	case 6: /* say some twice */
		n = change_below(state, (size - at < 64 ? size - at : 64) + 1);
		memcpy(copy, bytes + at, n);
		return size + n <= room
			       ? insert(bytes, size, change_below(state, size + 1), copy, n)
			       : size;
	default: /* some of another input */
		n = change_below(state, (other_bytes < 256 ? other_bytes : 256) + 1);
		if (size + n > room)
			return size;
		return insert(bytes, size, change_below(state, size + 1),
			      other + change_below(state, other_bytes - n + 1), n);
	}
}
