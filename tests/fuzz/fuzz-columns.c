// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include <zstd.h>

#include "kmemtape/columns.h"

#include "fuzz.h"

/*
 * Input: a digit, the number of sub-buffers of 4096 bytes, then what is in the frame of a small
 * chunk. What comes of it is an answer, the same each time: nothing of another chunk is in it.
 */
#define SUBBUF_BYTES  4096u
#define SUBBUFS_MAX   9u
#define CONTENT_BYTES (1u << 16)

static uint8_t raw[2][SUBBUFS_MAX * SUBBUF_BYTES];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kmt_columns_reader *reader;
	static uint8_t frame[CONTENT_BYTES + 1024];
	const char *wrong[2];
	size_t bytes, nr;

	if (size < 1 || size > CONTENT_BYTES)
		return 0;
	MUST(reader || kmt_columns_reader_new(&reader) == 0);
	nr = data[0] % (SUBBUFS_MAX + 1);
	bytes = ZSTD_compress(frame, sizeof(frame), data + 1, size - 1, -7);
	MUST(!ZSTD_isError(bytes));
	for (int i = 0; i < 2; i++) {
		memset(raw[i], i ? 0xee : 0x11, sizeof(raw[i]));
		wrong[i] = kmt_columns_read(reader, frame, bytes, SUBBUF_BYTES, raw[i],
					    nr * SUBBUF_BYTES);
	}
	MUST(wrong[0] == wrong[1]);
	MUST(wrong[0] || memcmp(raw[0], raw[1], nr * SUBBUF_BYTES) == 0);
	for (size_t i = nr * SUBBUF_BYTES; i < sizeof(raw[0]); i++) /* nothing behind its room */
		MUST(raw[0][i] == 0x11);
	return 0;
}
