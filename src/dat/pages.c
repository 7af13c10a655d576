// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/tape-format.h"

#include "pages.h"

/* trace-cmd takes 10 pages (PAGES_IN_CHUNK in lib/trace-cmd/trace-output.c). */
#define CHUNK_BYTES_MAX (16u << 20)

/* Linux include/linux/ring_buffer.h: enum ring_buffer_type */
#define TYPE_PADDING 29u
#define TYPE_STAMP   31u
/* Linux kernel/trace/ring_buffer.c: above are the marks of missed events */
#define COMMIT_MASK  0x3fffffffu

struct kmt_dat_pages {
	struct kmt_dat_cursor cursor; /* of the CPU's data */
	const struct kmt_dat *dat;
	uint32_t page_bytes;
	bool is_compressed;
	uint64_t nr_chunks; /* that are still to come */
	uint8_t *raw;
	size_t raw_room;
};

int kmt_dat_pages_new(const struct kmt_dat *dat, const struct kmt_dat_buffer *buffer,
		      const struct kmt_dat_cpu *cpu, struct kmt_dat_pages **ret_pages,
		      struct kmt_err *err)
{
	KMT_CLEANUP(kmt_dat_pages_freep) struct kmt_dat_pages *pages = calloc(1, sizeof(*pages));
	int r = 0;

	if (!pages)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", dat->path);
	pages->cursor = kmt_dat_cursor_at(dat, cpu->offset);
	pages->cursor.end = cpu->offset + cpu->bytes;
	pages->dat = dat;
	pages->page_bytes = buffer->page_bytes;
	pages->is_compressed = buffer->is_compressed;
	/* trace-cmd 3.1.6 leaves the number of chunks out of the size. */
	if (pages->is_compressed && pages->cursor.end + 4 <= dat->bytes)
		pages->cursor.end += 4;
	if (pages->is_compressed && cpu->bytes)
		r = kmt_dat_get_number(&pages->cursor, 4, &pages->nr_chunks, err);
	if (r < 0)
		return r;
	*ret_pages = KMT_STEAL(pages);
	return 0;
}

struct kmt_dat_pages *kmt_dat_pages_free(struct kmt_dat_pages *pages)
{
	if (pages)
		free(pages->raw);
	free(pages);
	return NULL;
}

/* Room for @bytes in whole pages, with zeroes behind them. Return: the bytes of those; 0: none. */
static size_t make_room(struct kmt_dat_pages *pages, size_t bytes)
{
	size_t whole = (bytes + pages->page_bytes - 1) / pages->page_bytes * pages->page_bytes;

	if (whole > pages->raw_room) {
		uint8_t *grown = realloc(pages->raw, whole);

		if (!grown)
			return 0;
		pages->raw = grown;
		pages->raw_room = whole;
	}
	memset(pages->raw + bytes, 0, whole - bytes);
	return whole;
}

static int next_plain(struct kmt_dat_pages *pages, size_t *ret_bytes, struct kmt_err *err)
{
	uint64_t left = pages->cursor.end - pages->cursor.at;
	size_t bytes = KMT_CHUNK_RAW_BYTES_MAX / pages->page_bytes * pages->page_bytes;
	int r;

	if (left == 0)
		return 0;
	if (bytes > left)
		bytes = (size_t)left;
	*ret_bytes = make_room(pages, bytes);
	if (!*ret_bytes)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", pages->dat->path);
	r = kmt_dat_get(&pages->cursor, pages->raw, bytes, err);
	return r < 0 ? r : 1;
}

static int next_chunk(struct kmt_dat_pages *pages, size_t *ret_bytes, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *packed = NULL;
	uint64_t packed_bytes, bytes;
	int r;

	if (pages->nr_chunks == 0)
		return 0;
	pages->nr_chunks--;
	(void)((r = kmt_dat_get_number(&pages->cursor, 4, &packed_bytes, err)) < 0 ||
	       (r = kmt_dat_get_number(&pages->cursor, 4, &bytes, err)) < 0 ||
	       (r = kmt_dat_get_text(&pages->cursor, packed_bytes, CHUNK_BYTES_MAX, &packed, err)) <
		       0);
	if (r < 0)
		return r;
	if (bytes == 0 || bytes > CHUNK_BYTES_MAX)
		return kmt_dat_bad(&pages->cursor, "a chunk of no possible size", err);
	*ret_bytes = make_room(pages, bytes);
	if (!*ret_bytes)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", pages->dat->path);
	r = kmt_unpacker_run(pages->dat->unpacker, packed, packed_bytes, pages->raw, bytes, err);
	return r < 0 ? r : 1;
}

int kmt_dat_pages_next(struct kmt_dat_pages *pages, const uint8_t **ret_pages, size_t *ret_bytes,
		       struct kmt_err *err)
{
	uint64_t before = pages->cursor.at;
	size_t bytes = 0;
	int r = pages->is_compressed ? next_chunk(pages, &bytes, err)
				     : next_plain(pages, &bytes, err);

	kmt_progress_add(pages->dat->progress, pages->cursor.at - before, 0);
	if (r == 1) {
		*ret_pages = pages->raw;
		*ret_bytes = bytes;
	}
	return r;
}

/* "field: local_t commit;	offset:8;	size:8;" */
static bool find_field(const char *text, const char *name, uint32_t *ret_offset, uint32_t *ret_size)
{
	const char *p = strstr(text, name);

	return p && sscanf(p + strlen(name), " offset:%" SCNu32 "; size:%" SCNu32 ";", ret_offset,
			   ret_size) == 2;
}

int kmt_dat_layout_parse(struct kmt_dat_layout *layout, const char *header_page, bool is_big_endian,
			 const char *path, struct kmt_err *err)
{
	uint32_t data_bytes;

	layout->is_big_endian = is_big_endian;
	if (!find_field(header_page, " commit;", &layout->commit_offset, &layout->commit_bytes) ||
	    !find_field(header_page, " data;", &layout->data_offset, &data_bytes) ||
	    (layout->commit_bytes != 4 && layout->commit_bytes != 8) ||
	    layout->commit_offset > layout->data_offset ||
	    layout->data_offset - layout->commit_offset < layout->commit_bytes ||
	    data_bytes > KMT_CHUNK_RAW_BYTES_MAX ||
	    layout->data_offset > KMT_CHUNK_RAW_BYTES_MAX - data_bytes)
		return kmt_fail(err, -EBADMSG, "%s: header_page makes no sense", path);
	layout->page_bytes = layout->data_offset + data_bytes;
	return 0;
}

static uint32_t get32(const uint8_t *p, bool is_big_endian)
{
	return is_big_endian
		       ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
		       : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static uint16_t get16(const uint8_t *p, bool is_big_endian)
{
	return (uint16_t)(is_big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

/* Bytes of the record at @p with its header, and where its event begins; 0: it makes no sense. */
static uint64_t measure(const uint8_t *p, size_t left, bool is_big_endian, uint32_t *ret_data)
{
	uint32_t head = get32(p, is_big_endian), type = is_big_endian ? head >> 27 : head & 31;
	uint32_t delta = is_big_endian ? head & 0x7ffffff : head >> 5;

	*ret_data = 0;
	if (type > 0 && type < TYPE_PADDING) {
		*ret_data = 4;
		return 4 + 4 * type;
	}
	if (left < 8 || (type == TYPE_PADDING && delta == 0)) /* the rest is empty */
		return 0;
	if (type > TYPE_PADDING && type <= TYPE_STAMP)
		return 8;
	if (type == 0)
		*ret_data = 8;
	return 4 + (uint64_t)get32(p + 4, is_big_endian);
}

void kmt_dat_count_ids(const struct kmt_dat_layout *layout, const uint8_t *page, uint64_t *counts)
{
	bool is_big_endian = layout->is_big_endian;
	/* Of a commit of 8 bytes, the lower half counts. */
	const uint8_t *low =
		page + layout->commit_offset + (is_big_endian && layout->commit_bytes == 8 ? 4 : 0);
	uint32_t commit = get32(low, is_big_endian) & COMMIT_MASK;
	const uint8_t *data = page + layout->data_offset;
	size_t at = 0;

	if (commit > layout->page_bytes - layout->data_offset)
		return;
	while (commit - at >= 4) {
		uint32_t event;
		uint64_t bytes = measure(data + at, commit - at, is_big_endian, &event);

		if (bytes < 4 || bytes > commit - at)
			return;
		if (event && bytes >= event + 2)
			counts[get16(data + at + event, is_big_endian)]++;
		at += bytes;
	}
}
