/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_BYTES_H
#define KMEMTAPE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Integers of the tape: little-endian, at any alignment. They are byte structs, so that using one
 * as a number does not compile.
 */
typedef struct {
	uint8_t b[4];
} kmt_le32;

typedef struct {
	uint8_t b[8];
} kmt_le64;

static inline uint32_t kmt_get_le32(kmt_le32 v)
{
	return (uint32_t)v.b[0] | (uint32_t)v.b[1] << 8 | (uint32_t)v.b[2] << 16 |
	       (uint32_t)v.b[3] << 24;
}

static inline uint64_t kmt_get_le64(kmt_le64 v)
{
	uint64_t n = 0;

	for (int i = 7; i >= 0; i--)
		n = n << 8 | v.b[i];
	return n;
}

static inline kmt_le32 kmt_put_le32(uint32_t n)
{
	return (kmt_le32){ { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
			     (uint8_t)(n >> 24) } };
}

static inline kmt_le64 kmt_put_le64(uint64_t n)
{
	kmt_le64 v;

	for (int i = 0; i < 8; i++)
		v.b[i] = (uint8_t)(n >> (8 * i));
	return v;
}

/**
 * kmt_crc32c() - the Castagnoli checksum (RFC 3720, appendix B.4) of @size bytes
 *
 * Meant for headers: a few dozen bytes at a time, a few times a second.
 */
uint32_t kmt_crc32c(const void *bytes, size_t size);

#endif
