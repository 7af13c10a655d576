// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kmemtape/chunk.h"

#include "fuzz.h"

/*
 * Input: a digit, then a chunk file. If the digit is odd, the checksums of the headers are made
 * right first: else almost nothing would get past them.
 */
#define HEAD_BYTES (sizeof(struct kmt_zstd_skippable) + sizeof(struct kmt_chunk_header))

static void repair(uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at + HEAD_BYTES <= size; at++) {
		struct kmt_zstd_skippable skip;
		struct kmt_chunk_header header;
		uint32_t length;

		memcpy(&skip, bytes + at, sizeof(skip));
		memcpy(&header, bytes + at + sizeof(skip), sizeof(header));
		length = kmt_get_le32(header.header_bytes);
		if (kmt_get_le32(skip.magic) != KMT_ZSTD_SKIPPABLE ||
		    kmt_get_le32(header.magic) != KMT_CHUNK_MAGIC || length < sizeof(header) ||
		    length > size - at - sizeof(skip))
			continue;
		header.crc32c = kmt_put_le32(0);
		memcpy(bytes + at + sizeof(skip), &header, sizeof(header));
		header.crc32c = kmt_put_le32(kmt_crc32c(bytes + at + sizeof(skip), length));
		memcpy(bytes + at + sizeof(skip), &header, sizeof(header));
	}
}

static uint8_t sum(const void *bytes, size_t size)
{
	uint8_t n = 0;

	for (size_t i = 0; i < size; i++)
		n ^= ((const uint8_t *)bytes)[i];
	return n;
}

/* To the end, over everything that is damaged. Return: chunks and marks that were good. */
static size_t read_all(struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch,
		       size_t file_bytes)
{
	uint32_t unit_bytes = kmt_chunk_reader_unit_bytes(reader);
	size_t nr = 0;

	for (size_t calls = 0;; calls++) {
		struct kmt_chunk chunk = { 0 };
		struct kmt_err err = { "" };
		int r = kmt_chunk_reader_next(reader, scratch, &chunk, &err);

		MUST(calls <= file_bytes / HEAD_BYTES + 2); /* it gets somewhere */
		MUST((r == KMT_CHUNK_CUT || r < 0) == (err.text[0] != '\0'));
		if (r == KMT_CHUNK_END || r == KMT_CHUNK_CUT)
			return nr;
		if (r < 0)
			continue;
		nr++;
		if (r != KMT_CHUNK_GOT)
			continue;
		MUST(chunk.raw_bytes > 0 && chunk.raw_bytes <= KMT_CHUNK_RAW_BYTES_MAX);
		MUST(chunk.raw_bytes % unit_bytes == 0);
		MUST((chunk.raw != NULL) == (scratch != NULL));
		if (chunk.raw)
			(void)sum(chunk.raw, chunk.raw_bytes); /* all of it is there */
	}
}

/* The same, and on behind what can't be read. Never the same chunk twice. */
static size_t read_beyond(struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch,
			  size_t file_bytes)
{
	uint64_t sequence = 0, offset = 0;
	size_t nr = 0;

	for (size_t calls = 0;; calls++) {
		struct kmt_chunk chunk = { 0 };
		int r = kmt_chunk_reader_next(reader, scratch, &chunk, NULL);

		MUST(calls <= 3 * (file_bytes / HEAD_BYTES) + 3);
		if (r == KMT_CHUNK_END ||
		    (r == KMT_CHUNK_CUT && kmt_chunk_reader_search(reader, NULL) == 0))
			return nr;
		if (r != KMT_CHUNK_GOT && r != KMT_CHUNK_IDLE)
			continue;
		MUST(nr == 0 || (chunk.sequence > sequence && chunk.offset > offset));
		sequence = chunk.sequence;
		offset = chunk.offset;
		nr++;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kmt_chunk_scratch *scratch;
	struct kmt_chunk_reader *reader;
	struct kmt_err err = { "" };
	size_t with_data;
	uint8_t *copy;
	int fd, r;

	if (size < 1)
		return 0;
	MUST(scratch || kmt_chunk_scratch_new(&scratch, NULL) == 0);
	copy = malloc(size);
	fd = memfd_create("fuzz-chunk", MFD_CLOEXEC);
	MUST(copy && fd >= 0);
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 1)
		repair(copy, size - 1);
	MUST(write(fd, copy, size - 1) == (ssize_t)(size - 1));
	free(copy);

	r = kmt_chunk_reader_new(fd, "fuzz", &reader, &err);
	MUST((r < 0) == (err.text[0] != '\0'));
	if (r < 0) {
		(void)close(fd); /* still ours */
		return 0;
	}
	MUST(kmt_chunk_reader_cpu(reader) < KMT_CPUS_MAX);
	with_data = read_all(reader, scratch, size);
	kmt_chunk_reader_rewind(reader);
	MUST(read_all(reader, NULL, size) >= with_data); /* sees less damage, never less */
	kmt_chunk_reader_rewind(reader);
	MUST(read_beyond(reader, scratch, size) >= with_data);
	(void)kmt_chunk_reader_free(reader);
	return 0;
}
