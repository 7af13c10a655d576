// SPDX-License-Identifier: LGPL-2.1-only
#include "kmemtape/bytes.h"

uint32_t kmt_crc32c(const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	uint32_t crc = ~0u;

	for (size_t i = 0; i < size; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0); /* reversed 0x1edc6f41 */
	}
	return ~crc;
}
