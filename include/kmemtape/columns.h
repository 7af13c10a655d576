/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_COLUMNS_H
#define KMEMTAPE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * Sub-buffers as columns: what a small tape's chunks are made of (src/tape/columns.h has the form).
 * A sub-buffer is a row of items: records, stamps, whatever one has to tell apart. Items that are
 * the same but for their time and for some fields share a template; of each there is left the
 * number of its template, its time, and how these fields differ from what was to be expected.
 *
 * Nothing here knows an event: whoever writes says which fields vary, and the chunk tells it to
 * whoever reads. What comes back is what went in, byte for byte, whatever it was.
 */
enum kmt_vary {
	KMT_VARY_TASK = 1, /* 4 bytes: one of the last few, mostly the last */
	KMT_VARY_ALLOC,	   /* an address: near that of the last item of the template */
	KMT_VARY_FREE,	   /* an address: often one of KMT_VARY_ALLOC before */
	KMT_VARY_PLAIN,	   /* an address of another kind */
};

struct kmt_column_field {
	uint16_t offset; /* from the item's begin */
	uint8_t bytes;	 /* 4 or 8 */
	uint8_t vary;	 /* enum kmt_vary */
};

enum kmt_item_time {
	KMT_ITEM_TIMELESS = 0,
	KMT_ITEM_SHORT, /* since the one before: 27 bits of its first word, beside its type */
	KMT_ITEM_LONG,	/* 32 bits more in its second word */
};

struct kmt_column_item {
	const uint8_t *raw;
	uint32_t bytes; /* at least 4, or 8 if its time is long */
	uint8_t time;	/* enum kmt_item_time */
	uint8_t nr_fields;
	const struct kmt_column_field *fields; /* behind the time; they don't overlap */
};

#define KMT_COLUMN_FIELDS_MAX 80u

/* Of all sub-buffers of a file. */
struct kmt_column_page {
	uint32_t subbuf_bytes;
	uint16_t time_offset, data_offset;
	bool is_big_endian;
};

struct kmt_columns_writer;
struct kmt_columns_reader;

/* 40 MiB, for chunks of up to KMT_CHUNK_RAW_BYTES_MAX. @page: copied */
int kmt_columns_writer_new(const struct kmt_column_page *page,
			   struct kmt_columns_writer **ret_writer, struct kmt_err *err);
struct kmt_columns_writer *kmt_columns_writer_free(struct kmt_columns_writer *writer);

/* kmt_columns_begin() - forget what was added: the next sub-buffer is a chunk's first */
void kmt_columns_begin(struct kmt_columns_writer *writer);

/**
 * kmt_columns_begin_subbuf() - the next sub-buffer, whose items follow
 * @subbuf: borrowed until kmt_columns_end_subbuf()
 */
void kmt_columns_begin_subbuf(struct kmt_columns_writer *writer, const uint8_t *subbuf);

/* kmt_columns_add() - the next item, which begins where the one before ended */
void kmt_columns_add(struct kmt_columns_writer *writer, const struct kmt_column_item *item);

/* kmt_columns_end_subbuf() - what is behind the last item is kept as it is */
void kmt_columns_end_subbuf(struct kmt_columns_writer *writer);

/**
 * kmt_columns_finish() - all of it as one zstd frame
 * @ret_frame: borrowed until the next call on @writer
 *
 * Return: 0; -E2BIG if columns are no good for it (too many templates, or longer than a chunk may
 * be); -EIO.
 */
int kmt_columns_finish(struct kmt_columns_writer *writer, const void **ret_frame, size_t *ret_bytes,
		       struct kmt_err *err);

/* 5 MiB, of which what a chunk needs is used. */
int kmt_columns_reader_new(struct kmt_columns_reader **ret_reader);
struct kmt_columns_reader *kmt_columns_reader_free(struct kmt_columns_reader *reader);

/**
 * kmt_columns_read() - make sub-buffers of a frame again
 * @frame: trusted in nothing
 * @raw: room for @raw_bytes, a multiple of @subbuf_bytes
 *
 * Return: NULL, or what is wrong with it.
 */
const char *kmt_columns_read(struct kmt_columns_reader *reader, const void *frame, size_t bytes,
			     uint32_t subbuf_bytes, uint8_t *raw, size_t raw_bytes);

KMT_DEFINE_FREEP(struct kmt_columns_writer *, kmt_columns_writer_free)
KMT_DEFINE_FREEP(struct kmt_columns_reader *, kmt_columns_reader_free)

#endif
