// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#include "kmemtape/tape-format.h"

#include "../fuzz/change.h"
#include "../fuzz/chunk-file.h"
#include "../fuzz/fuzz.h"
#include "chunks.h"
#include "lines.h"

#define PARTS_MAX  64u
#define HEAD_BYTES (sizeof(struct kmt_zstd_skippable) + sizeof(struct kmt_chunk_header))

struct part {
	size_t offset; /* in the file */
	uint32_t kind;
	uint64_t drained_ns;
	uint8_t *raw; /* of DATA; on the heap */
	size_t raw_bytes;
};

struct parts {
	struct part part[PARTS_MAX];
	size_t nr;
	uint32_t cpu, unit_bytes;
};

static void parts_deinit(struct parts *parts)
{
	for (size_t i = 0; i < parts->nr; i++)
		free(parts->part[i].raw);
}

/* Return: bytes in the file; 0 if it is none */
static size_t take_part(struct parts *parts, const uint8_t *bytes, size_t size, size_t offset)
{
	struct part *part = &parts->part[parts->nr];
	struct kmt_chunk_header header;
	size_t zstd_bytes;

	if (size < HEAD_BYTES || parts->nr == PARTS_MAX)
		return 0;
	memcpy(&header, bytes + sizeof(struct kmt_zstd_skippable), sizeof(header));
	zstd_bytes = kmt_get_le32(header.zstd_bytes);
	if (kmt_get_le32(header.magic) != KMT_CHUNK_MAGIC || zstd_bytes > size - HEAD_BYTES)
		return 0;
	*part = (struct part){ .offset = offset,
			       .kind = kmt_get_le32(header.kind),
			       .drained_ns = kmt_get_le64(header.drained_ns),
			       .raw_bytes = kmt_get_le32(header.raw_bytes) };
	parts->unit_bytes = kmt_get_le32(header.unit_bytes);
	parts->cpu = kmt_get_le32(header.cpu);
	if (part->raw_bytes > KMT_CHUNK_RAW_BYTES_MAX || !parts->unit_bytes)
		return 0;
	part->raw = malloc(part->raw_bytes + 1);
	MUST(part->raw);
	parts->nr++;
	if (part->kind == KMT_CHUNK_DATA &&
	    ZSTD_decompress(part->raw, part->raw_bytes, bytes + HEAD_BYTES, zstd_bytes) !=
		    part->raw_bytes)
		return 0;
	return HEAD_BYTES + zstd_bytes;
}

/* Return: false if it isn't a whole chunk file */
static bool take_apart(struct parts *parts, const struct file *file)
{
	size_t at = 0, bytes;

	*parts = (struct parts){ 0 };
	if (file->kind != FILE_PLAIN)
		return false;
	while (at < file->size) {
		bytes = take_part(parts, file->bytes + at, file->size - at, at);
		if (!bytes)
			return false;
		at += bytes;
	}
	return parts->nr > 0;
}

static void put_together(const struct parts *parts, struct file *file)
{
	struct chunk_file chunks;

	chunk_file_init(&chunks, parts->cpu, parts->unit_bytes);
	for (size_t i = 0; i < parts->nr; i++) {
		const struct part *part = &parts->part[i];

		if (part->kind == KMT_CHUNK_FOOTER)
			chunk_file_close(&chunks);
		else if (part->kind == KMT_CHUNK_MARK || part->raw_bytes)
			chunk_file_add(&chunks, part->raw, part->raw_bytes, part->drained_ns);
	}
	file_replace(file, chunks.bytes, chunks.size);
}

/* --- data --- */

/* So many changes. Return: the new size, which is @room at most */
static size_t change_some(uint8_t *bytes, size_t size, size_t room, uint64_t *state)
{
	uint8_t *before = malloc(size + 1);

	MUST(before);
	memcpy(before, bytes, size);
	for (size_t i = 1 + change_below(state, 8), from = size; i > 0; i--)
		size = change_once(bytes, size, room, before, from, state);
	free(before);
	return size;
}

/* Of one unit, whose first 8 bytes are a time and then how much of it is used. */
static void change_unit(struct part *part, size_t unit, uint64_t *state, char what[WHAT_BYTES])
{
	size_t nr = part->raw_bytes / unit, at = change_below(state, nr) * unit, from;
	uint64_t number = change_number(state);
	uint8_t *copy;

	switch (change_below(state, 5)) {
	case 0:
		(void)snprintf(what, WHAT_BYTES, "time of the sub-buffer at %zu", at);
		memcpy(part->raw + at, &number, unit < 8 ? unit : 8);
		return;
	case 1:
		(void)snprintf(what, WHAT_BYTES, "commit of the sub-buffer at %zu", at);
		memcpy(part->raw + at + 8 % unit, &number, unit < 16 ? 1 : 4);
		return;
	case 2:
		(void)snprintf(what, WHAT_BYTES, "the sub-buffer at %zu is missing", at);
		memmove(part->raw + at, part->raw + at + unit, part->raw_bytes - at - unit);
		part->raw_bytes -= unit;
		return;
	case 3:
		from = change_below(state, nr) * unit;
		(void)snprintf(what, WHAT_BYTES, "the sub-buffer at %zu instead of %zu", from, at);
		copy = malloc(unit);
		MUST(copy);
		memcpy(copy, part->raw + from, unit);
		memcpy(part->raw + at, copy, unit);
		free(copy);
		return;
	default:
		(void)change_some(part->raw + at, unit, unit, state);
		(void)snprintf(what, WHAT_BYTES, "bytes of the sub-buffer at %zu", at);
	}
}

/* What is no whole number of units is made one again. */
static void change_part(struct part *part, size_t unit, uint64_t *state, char what[WHAT_BYTES])
{
	size_t room = part->raw_bytes, used;

	if (unit > 1 && room >= unit && room % unit == 0 && change_below(state, 4)) {
		change_unit(part, unit, state, what);
		return;
	}
	if (unit == 1 && change_below(state, 3)) {
		lines_change(&part->raw, &part->raw_bytes, state, what);
		if (part->raw_bytes > KMT_CHUNK_RAW_BYTES_MAX)
			part->raw_bytes = KMT_CHUNK_RAW_BYTES_MAX;
		return;
	}
	used = change_some(part->raw, room, room, state);
	(void)snprintf(what, WHAT_BYTES, "bytes of data");
	part->raw_bytes = (used + unit - 1) / unit * unit;
	if (part->raw_bytes > room)
		part->raw_bytes = room;
	memset(part->raw + used, 0, part->raw_bytes - used);
}

bool chunks_change_data(struct file *file, uint64_t *state, char what[WHAT_BYTES])
{
	struct part *data[PARTS_MAX];
	struct parts parts;
	size_t nr = 0;

	if (take_apart(&parts, file))
		for (size_t i = 0; i < parts.nr; i++)
			if (parts.part[i].kind == KMT_CHUNK_DATA)
				data[nr++] = &parts.part[i];
	if (nr) {
		change_part(data[change_below(state, nr)], parts.unit_bytes, state, what);
		/* The head is made anew, and isn't one of those behind it. */
		free(parts.part[0].raw);
		memmove(&parts.part[0], &parts.part[1], --parts.nr * sizeof(parts.part[0]));
		put_together(&parts, file);
	}
	parts_deinit(&parts);
	return nr > 0;
}

/* --- headers --- */

bool chunks_change_header(struct file *file, uint64_t *state, char what[WHAT_BYTES])
{
	struct kmt_chunk_header header;
	size_t at, field, width;
	struct parts parts;
	uint64_t number = change_number(state);
	bool is_whole = take_apart(&parts, file);

	if (is_whole) {
		at = parts.part[change_below(state, parts.nr)].offset +
		     sizeof(struct kmt_zstd_skippable);
		field = 4 + change_below(state, (sizeof(header) - 4) / 4) * 4;
		width = field >= 32 && field < 56 ? 8 : 4;
		memcpy(&header, file->bytes + at, sizeof(header));
		if (change_below(state, 3) == 0)
			((uint8_t *)&header)[field] ^= (uint8_t)(1u << change_below(state, 8));
		else
			memcpy((uint8_t *)&header + field, &number,
			       field + width <= sizeof(header) ? width : 4);
		header.crc32c = kmt_put_le32(0);
		header.crc32c = kmt_put_le32(kmt_crc32c(&header, sizeof(header)));
		memcpy(file->bytes + at, &header, sizeof(header));
		(void)snprintf(what, WHAT_BYTES, "byte %zu of the chunk header at %zu", field, at);
	}
	parts_deinit(&parts);
	return is_whole;
}

bool chunks_cut(struct file *file, uint64_t *state, char what[WHAT_BYTES])
{
	struct parts parts;
	bool is_whole = take_apart(&parts, file);

	if (is_whole) {
		size_t at = change_below(state, 2)
				    ? parts.part[change_below(state, parts.nr)].offset
				    : change_below(state, file->size);

		if (at < HEAD_BYTES) /* without that it is no tape, and nothing is said */
			at = HEAD_BYTES;
		file->size = at;
		(void)snprintf(what, WHAT_BYTES, "cut at %zu", at);
	}
	parts_deinit(&parts);
	return is_whole;
}
