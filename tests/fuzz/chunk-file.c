// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "kmemtape/tape-format.h"

#include "chunk-file.h"
#include "fuzz.h"

static uint8_t *grow(struct chunk_file *file, size_t more)
{
	uint8_t *bytes = realloc(file->bytes, file->size + more);

	MUST(bytes);
	file->bytes = bytes;
	return bytes + file->size;
}

static void put_header(struct chunk_file *file, enum kmt_chunk_kind kind, uint64_t drained_ns,
		       size_t raw_bytes, size_t zstd_bytes)
{
	const struct kmt_zstd_skippable skip = {
		.magic = kmt_put_le32(KMT_ZSTD_SKIPPABLE),
		.bytes = kmt_put_le32(sizeof(struct kmt_chunk_header)),
	};
	struct kmt_chunk_header header = {
		.magic = kmt_put_le32(KMT_CHUNK_MAGIC),
		.header_bytes = kmt_put_le32(sizeof(header)),
		.kind = kmt_put_le32(kind),
		.cpu = kmt_put_le32(file->cpu),
		.unit_bytes = kmt_put_le32(file->unit_bytes),
		.sequence = kmt_put_le64(file->sequence++),
		.drained_ns = kmt_put_le64(drained_ns),
		.raw_total = kmt_put_le64(file->raw_total += raw_bytes),
		.raw_bytes = kmt_put_le32((uint32_t)raw_bytes),
		.zstd_bytes = kmt_put_le32((uint32_t)zstd_bytes),
	};
	uint8_t *at = grow(file, sizeof(skip) + sizeof(header));

	header.crc32c = kmt_put_le32(kmt_crc32c(&header, sizeof(header)));
	memcpy(at, &skip, sizeof(skip));
	memcpy(at + sizeof(skip), &header, sizeof(header));
	file->size += sizeof(skip) + sizeof(header);
}

void chunk_file_init(struct chunk_file *file, uint32_t cpu, uint32_t unit_bytes)
{
	*file = (struct chunk_file){ .cpu = cpu, .unit_bytes = unit_bytes };
	put_header(file, KMT_CHUNK_FILE, 0, 0, 0);
}

void chunk_file_add(struct chunk_file *file, const void *raw, size_t raw_bytes, uint64_t drained_ns)
{
	static ZSTD_CCtx *context;
	size_t bound = ZSTD_compressBound(raw_bytes), bytes;
	uint8_t *frame;

	if (raw_bytes == 0) {
		put_header(file, KMT_CHUNK_MARK, drained_ns, 0, 0);
		return;
	}
	if (!context) {
		context = ZSTD_createCCtx();
		MUST(context);
		(void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
		(void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	}
	frame = malloc(bound);
	MUST(frame);
	bytes = ZSTD_compress2(context, frame, bound, raw, raw_bytes);
	MUST(!ZSTD_isError(bytes));
	put_header(file, KMT_CHUNK_DATA, drained_ns, raw_bytes, bytes);
	memcpy(grow(file, bytes), frame, bytes);
	file->size += bytes;
	free(frame);
}

void chunk_file_close(struct chunk_file *file)
{
	put_header(file, KMT_CHUNK_FOOTER, 0, 0, 0);
}
