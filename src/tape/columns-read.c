// SPDX-License-Identifier: LGPL-2.1-only
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "columns.h"

#define STEP 16u /* items are copied in steps of so many bytes, which is faster than exactly */

struct stream {
	const uint8_t *at, *end;
};

struct template
{
	const uint8_t *raw;
	uint32_t bytes;
	uint32_t first_field;
	uint8_t time, group, nr_fields;
};

struct field {
	uint64_t last; /* of the last item of the template */
	uint16_t offset;
	uint8_t bytes, vary, shift;
};

struct kmt_columns_reader {
	ZSTD_DCtx *zstd;
	uint8_t *content; /* of the frame, and STEP more */

	bool is_big_endian;
	bool is_bad; /* a column was too short, or a number out of range */
	size_t time_offset, data_offset;
	uint64_t clock_step;
	uint64_t since_ns; /* the times of all items so far */
	struct stream streams[COLUMNS];
	struct template *templates; /* TEMPLATES_MAX */
	struct field *fields;	    /* FIELDS_MAX */
	uint32_t nr_templates, nr_fields;
	uint64_t *objects, *pages; /* the last ROW_MAX */
	uint32_t nr_objects, nr_pages, referred;
	uint32_t tasks[TASKS_MAX]; /* as they are in items; the last one first */
	uint32_t nr_tasks;
};

int kmt_columns_reader_new(struct kmt_columns_reader **ret_reader)
{
	KMT_CLEANUP(kmt_columns_reader_freep) struct kmt_columns_reader *reader = NULL;

	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->zstd = ZSTD_createDCtx();
	reader->content = malloc(COLUMNS_BYTES + STEP);
	reader->templates = malloc(TEMPLATES_MAX * sizeof(*reader->templates));
	reader->fields = malloc(FIELDS_MAX * sizeof(*reader->fields));
	reader->objects = malloc(ROW_MAX * sizeof(*reader->objects));
	reader->pages = malloc(ROW_MAX * sizeof(*reader->pages));
	if (!reader->zstd || !reader->content || !reader->templates || !reader->fields ||
	    !reader->objects || !reader->pages)
		return -ENOMEM;
	*ret_reader = KMT_STEAL(reader);
	return 0;
}

struct kmt_columns_reader *kmt_columns_reader_free(struct kmt_columns_reader *reader)
{
	if (!reader)
		return NULL;
	(void)ZSTD_freeDCtx(reader->zstd);
	free(reader->content);
	free(reader->templates);
	free(reader->fields);
	free(reader->objects);
	free(reader->pages);
	free(reader);
	return NULL;
}

/* --- templates --- */

static bool is_good_field(const struct columns_field *field, const struct template *template)
{
	size_t offset = field->offset[0] | (size_t)field->offset[1] << 8;

	return (field->bytes == 4 || field->bytes == 8) && field->vary >= KMT_VARY_TASK &&
	       field->vary <= KMT_VARY_PLAIN && field->shift <= PAGE_SHIFT_BITS &&
	       (field->vary != KMT_VARY_TASK || field->bytes == 4) &&
	       offset >= (template->time == KMT_ITEM_LONG ? 8 : 4) &&
	       offset + field->bytes <= template->bytes;
}

static bool take_template(struct kmt_columns_reader *reader, struct stream *from)
{
	struct template *template = &reader->templates[reader->nr_templates];
	struct columns_template head;
	struct columns_field wire;

	if ((size_t)(from->end - from->at) < sizeof(head))
		return false;
	memcpy(&head, from->at, sizeof(head));
	from->at += sizeof(head);
	*template = (struct template){
		.bytes = kmt_get_le32(head.bytes),
		.first_field = reader->nr_fields,
		.time = head.time,
		.group = head.group,
		.nr_fields = head.nr_fields,
	};
	if (template->time > KMT_ITEM_LONG || template->group >= GROUPS || head.reserved ||
	    template->bytes < (template->time == KMT_ITEM_LONG ? 8 : 4) ||
	    template->nr_fields > FIELDS_MAX - reader->nr_fields ||
	    (size_t)(from->end - from->at) <
		    template->nr_fields * sizeof(wire) + (size_t) template->bytes)
		return false;
	for (size_t i = 0; i < template->nr_fields; i++) {
		memcpy(&wire, from->at, sizeof(wire));
		from->at += sizeof(wire);
		if (!is_good_field(&wire, template))
			return false;
		reader->fields[reader->nr_fields++] = (struct field){
			.offset = (uint16_t)(wire.offset[0] | wire.offset[1] << 8),
			.bytes = wire.bytes,
			.vary = wire.vary,
			.shift = wire.shift,
		};
	}
	template->raw = from->at;
	from->at += template->bytes;
	reader->nr_templates++;
	return true;
}

static const char *take_head(struct kmt_columns_reader *reader, size_t bytes, uint32_t subbuf_bytes)
{
	struct columns_head head;
	struct stream rest = { reader->content, reader->content + bytes };
	uint32_t nr_templates;

	if (bytes < sizeof(head))
		return "columns without a head";
	memcpy(&head, rest.at, sizeof(head));
	rest.at += sizeof(head);
	reader->is_big_endian = kmt_get_le32(head.is_big_endian) != 0;
	reader->time_offset = kmt_get_le32(head.time_offset);
	reader->data_offset = kmt_get_le32(head.data_offset);
	reader->clock_step = kmt_get_le32(head.clock_step);
	nr_templates = kmt_get_le32(head.nr_templates);
	if (reader->data_offset > subbuf_bytes || reader->data_offset < 8 ||
	    reader->time_offset > reader->data_offset - 8 || reader->clock_step < 1 ||
	    reader->clock_step > 256 || nr_templates > TEMPLATES_MAX)
		return "the head of columns is out of range";
	reader->streams[0] = (struct stream){ rest.at, rest.at };
	for (int i = -1; i < COLUMNS; i++) {
		uint32_t part = kmt_get_le32(i < 0 ? head.template_bytes : head.bytes[i]);

		if (part > (size_t)(rest.end - rest.at))
			return "columns that end too early";
		reader->streams[i < 0 ? 0 : i] = (struct stream){ rest.at, rest.at + part };
		rest.at += part;
		for (uint32_t t = 0; i < 0 && t < nr_templates; t++)
			if (!take_template(reader, &reader->streams[0]))
				return "a template that makes no sense";
		if (i < 0 && reader->streams[0].at != reader->streams[0].end)
			return "templates that end too late";
	}
	return rest.at == rest.end ? NULL : "columns that end too late";
}

/* --- columns --- */

static inline uint32_t next(struct kmt_columns_reader *reader, unsigned int column)
{
	struct stream *stream = &reader->streams[column];

	if (stream->at == stream->end) {
		reader->is_bad = true;
		return 0;
	}
	return *stream->at++;
}

/* A struct, or a number, of more than a byte. */
static void next_bytes(struct kmt_columns_reader *reader, unsigned int column, void *to,
		       size_t bytes)
{
	struct stream *stream = &reader->streams[column];

	if ((size_t)(stream->end - stream->at) < bytes) {
		reader->is_bad = true;
		memset(to, 0, bytes);
		return;
	}
	memcpy(to, stream->at, bytes);
	stream->at += bytes;
}

static uint64_t wide_time(struct kmt_columns_reader *reader)
{
	uint32_t low = next(reader, COLUMN_WIDE);
	uint32_t wide = low | next(reader, COLUMN_WIDE_HIGH) << 8;
	kmt_le64 all;

	if (wide != UINT16_MAX)
		return wide;
	next_bytes(reader, COLUMN_LONG, &all, sizeof(all));
	return kmt_get_le64(all);
}

static inline void put32(uint8_t *p, uint32_t n, bool is_big_endian)
{
	n = is_big_endian ? htobe32(n) : htole32(n);
	memcpy(p, &n, sizeof(n));
}

static inline void put64(uint8_t *p, uint64_t n, bool is_big_endian)
{
	n = is_big_endian ? htobe64(n) : htole64(n);
	memcpy(p, &n, sizeof(n));
}

static inline void put_time(struct kmt_columns_reader *reader, const struct template *template,
			    uint8_t *item)
{
	uint64_t time = next(reader, COLUMN_TIMES + template->group);
	uint32_t word, low;

	if (time == TIME_WIDE)
		time = wide_time(reader);
	else
		time = time * reader->clock_step +
		       next(reader, COLUMN_TIMES_REST + template->group);
	if (time >> (template->time == KMT_ITEM_LONG ? 59 : 27))
		reader->is_bad = true;
	reader->since_ns += time;
	low = (uint32_t)time & ((1u << 27) - 1);
	memcpy(&word, item, sizeof(word));
	if (reader->is_big_endian)
		word |= htobe32(low);
	else
		word |= htole32(low << 5);
	memcpy(item, &word, sizeof(word));
	if (template->time == KMT_ITEM_LONG)
		put32(item + 4, (uint32_t)(time >> 27), reader->is_big_endian);
}

static inline uint32_t next_task(struct kmt_columns_reader *reader)
{
	uint32_t rank = next(reader, COLUMN_TASKS), task;

	if (rank == 0 && reader->nr_tasks)
		return reader->tasks[0];
	if (rank == TASKS_MAX) {
		next_bytes(reader, COLUMN_NEW_TASKS, &task, sizeof(task));
		if (reader->nr_tasks < TASKS_MAX)
			reader->nr_tasks++;
		rank = reader->nr_tasks - 1;
	} else if (rank < reader->nr_tasks) {
		task = reader->tasks[rank];
	} else {
		reader->is_bad = true;
		return 0;
	}
	memmove(reader->tasks + 1, reader->tasks, rank * sizeof(task));
	reader->tasks[0] = task;
	return task;
}

static uint64_t next_page(struct kmt_columns_reader *reader)
{
	uint32_t high = next(reader, COLUMN_BACKS_HIGH), back;
	uint64_t page = 0;

	if (high == BACK_NEW) {
		for (unsigned int i = 0; i < PAGE_COLUMNS; i++)
			page |= (uint64_t)next(reader, COLUMN_NEW_PAGES + i) << (8 * i);
	} else {
		back = high << 8 | next(reader, COLUMN_BACKS);
		if (back < reader->nr_pages)
			page = reader->pages[(reader->nr_pages - 1 - back) % ROW_MAX];
		else
			reader->is_bad = true;
	}
	reader->pages[reader->nr_pages++ % ROW_MAX] = page;
	return page;
}

static inline uint64_t next_plain(struct kmt_columns_reader *reader, unsigned int group,
				  unsigned int shift)
{
	uint64_t page = next_page(reader), within = 0;

	if (shift < PAGE_SHIFT_BITS)
		within = next(reader, COLUMN_WITHIN + group);
	if (shift + 8 < PAGE_SHIFT_BITS)
		within |= (uint64_t)next(reader, COLUMN_WITHIN_HIGH + group) << 8;
	return page << PAGE_SHIFT_BITS | within << shift;
}

static inline uint64_t next_alloc(struct kmt_columns_reader *reader, unsigned int group,
				  struct field *field)
{
	uint64_t near = next(reader, COLUMN_NEAR + group), address;

	address = near == NEAR_NONE ? next_plain(reader, group, field->shift)
				    : field->last ^ near << field->shift;
	field->last = address;
	reader->objects[reader->nr_objects++ % ROW_MAX] = address;
	return address;
}

static inline uint64_t next_free(struct kmt_columns_reader *reader, unsigned int group,
				 const struct field *field)
{
	uint32_t high = next(reader, COLUMN_REFS_HIGH + group);

	if (high == REF_NONE)
		return next_plain(reader, group, field->shift);
	reader->referred += (uint32_t)(int16_t)(high << 8 | next(reader, COLUMN_REFS + group));
	if (reader->referred >= reader->nr_objects ||
	    reader->nr_objects - reader->referred > ROW_MAX) {
		reader->is_bad = true;
		return 0;
	}
	return reader->objects[reader->referred % ROW_MAX];
}

static inline void put_field(struct kmt_columns_reader *reader, unsigned int group,
			     struct field *field, uint8_t *item)
{
	uint64_t address;
	uint32_t task;

	switch (field->vary) {
	case KMT_VARY_TASK: /* bytes as they are */
		task = next_task(reader);
		memcpy(item + field->offset, &task, sizeof(task));
		return;
	case KMT_VARY_ALLOC:
		address = next_alloc(reader, group, field);
		break;
	case KMT_VARY_FREE:
		address = next_free(reader, group, field);
		break;
	default:
		address = next_plain(reader, group, field->shift);
	}
	if (field->bytes == 8)
		put64(item + field->offset, address, reader->is_big_endian);
	else
		put32(item + field->offset, (uint32_t)address, reader->is_big_endian);
}

/* --- sub-buffers --- */

/* Return: bytes of the item; 0 if it is none, or there is no room. */
static inline size_t put_item(struct kmt_columns_reader *reader, uint8_t *to, size_t room)
{
	uint32_t number = next(reader, COLUMN_ITEMS);
	const struct template *template;
	struct field *field, *end;

	if (reader->nr_templates > 256)
		number |= next(reader, COLUMN_ITEMS_HIGH) << 8;
	if (number >= reader->nr_templates)
		return 0;
	template = &reader->templates[number];
	if (template->bytes > room)
		return 0;
	if (room - template->bytes < STEP)
		memcpy(to, template->raw, template->bytes);
	else
		for (size_t i = 0; i < template->bytes; i += STEP)
			memcpy(to + i, template->raw + i, STEP);
	if (template->time != KMT_ITEM_TIMELESS)
		put_time(reader, template, to);
	field = &reader->fields[template->first_field];
	for (end = field + template->nr_fields; field < end; field++)
		put_field(reader, template->group, field, to);
	return template->bytes;
}

static const char *put_subbuf(struct kmt_columns_reader *reader, uint8_t *to, size_t subbuf_bytes)
{
	size_t at = reader->data_offset, tail;
	struct columns_page page;
	uint32_t nr_items;

	next_bytes(reader, COLUMN_PAGES, &page, sizeof(page));
	next_bytes(reader, COLUMN_PAGE_HEADS, to, at);
	reader->since_ns += kmt_get_le64(page.since_ns);
	put64(to + reader->time_offset, reader->since_ns, reader->is_big_endian);
	nr_items = kmt_get_le32(page.nr_items);
	tail = kmt_get_le32(page.tail_bytes);
	for (uint32_t i = 0; i < nr_items; i++) {
		size_t bytes = put_item(reader, to + at, subbuf_bytes - at);

		/* Behind the end of a column, items cost no bytes of the tape, but time. */
		if (!bytes || reader->is_bad)
			return "an item that makes no sense";
		at += bytes;
	}
	if (tail > subbuf_bytes - at)
		return "more than a sub-buffer";
	next_bytes(reader, COLUMN_TAILS, to + at, tail);
	memset(to + at + tail, 0, subbuf_bytes - at - tail);
	return reader->is_bad ? "a column that makes no sense" : NULL;
}

static void forget(struct kmt_columns_reader *reader)
{
	reader->is_bad = false;
	reader->since_ns = 0;
	reader->nr_templates = reader->nr_fields = 0;
	reader->nr_objects = reader->nr_pages = reader->referred = 0;
	reader->nr_tasks = 0;
}

static const char *decompress(struct kmt_columns_reader *reader, const void *frame, size_t bytes,
			      size_t *ret_bytes)
{
	unsigned long long content = ZSTD_getFrameContentSize(frame, bytes);
	size_t n;

	if (content > COLUMNS_BYTES || ZSTD_findFrameCompressedSize(frame, bytes) != bytes)
		return "zstd frame and chunk header disagree";
	n = ZSTD_decompressDCtx(reader->zstd, reader->content, COLUMNS_BYTES, frame, bytes);
	if (ZSTD_isError(n))
		return ZSTD_getErrorName(n);
	memset(reader->content + n, 0, STEP);
	*ret_bytes = n;
	return NULL;
}

const char *kmt_columns_read(struct kmt_columns_reader *reader, const void *frame, size_t bytes,
			     uint32_t subbuf_bytes, uint8_t *raw, size_t raw_bytes)
{
	size_t content = 0;
	const char *wrong = decompress(reader, frame, bytes, &content);

	forget(reader);
	if (!wrong)
		wrong = take_head(reader, content, subbuf_bytes);
	for (size_t at = 0; !wrong && at < raw_bytes; at += subbuf_bytes)
		wrong = put_subbuf(reader, raw + at, subbuf_bytes);
	for (unsigned int i = 0; !wrong && i < COLUMNS; i++)
		if (reader->streams[i].at != reader->streams[i].end)
			wrong = "a column that is too long";
	return wrong;
}
