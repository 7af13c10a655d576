// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "content-sum.h"

/* https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md */
#define PRIME_1 UINT64_C(0x9e3779b185ebca87)
#define PRIME_2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define PRIME_3 UINT64_C(0x165667b19e3779f9)
#define PRIME_4 UINT64_C(0x85ebca77c2b2ae63)

static inline uint64_t rotate(uint64_t v, int bits)
{
	return v << bits | v >> (64 - bits);
}

static inline uint64_t mix(uint64_t lane, uint64_t v)
{
	return rotate(lane + v * PRIME_2, 31) * PRIME_1;
}

static inline uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

void kmt_content_sum_init(struct kmt_content_sum *sum)
{
	*sum = (struct kmt_content_sum){ { PRIME_1 + PRIME_2, PRIME_2, 0, -PRIME_1 }, 0 };
}

void kmt_content_sum_add(struct kmt_content_sum *sum, const uint8_t *bytes, size_t size)
{
	uint64_t a = sum->lanes[0], b = sum->lanes[1], c = sum->lanes[2], d = sum->lanes[3];

	assert(size % 32 == 0);
	for (size_t at = 0; at < size; at += 32) {
		a = mix(a, get64(bytes + at));
		b = mix(b, get64(bytes + at + 8));
		c = mix(c, get64(bytes + at + 16));
		d = mix(d, get64(bytes + at + 24));
	}
	*sum = (struct kmt_content_sum){ { a, b, c, d }, sum->bytes + size };
}

uint64_t kmt_content_sum_end(const struct kmt_content_sum *sum)
{
	const uint64_t *lanes = sum->lanes;
	uint64_t v = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) +
		     rotate(lanes[3], 18);

	for (int i = 0; i < 4; i++)
		v = (v ^ mix(0, lanes[i])) * PRIME_1 + PRIME_4;
	v += sum->bytes;
	v = (v ^ v >> 33) * PRIME_2;
	v = (v ^ v >> 29) * PRIME_3;
	return v ^ v >> 32;
}
