// SPDX-License-Identifier: LGPL-2.1-only
#include "kmemtape/ring.h"

#include "small-items.h"

/* Of one item, and where its record begins in it. */
struct fields {
	struct kmt_column_field list[KMT_COLUMN_FIELDS_MAX];
	uint8_t nr;
	size_t record, end;
};

void kmt_small_items_init(struct kmt_small_items *items, const struct kmt_formats *formats,
			  const struct kmt_padding *padding)
{
	const struct kmt_page_layout *page = kmt_formats_page(formats);
	bool is_native = page->is_big_endian == (BYTE_ORDER == BIG_ENDIAN) &&
			 page->long_bytes == sizeof(long) && page->time_offset == 0 &&
			 page->commit_offset == 8 && page->data_offset == 8 + sizeof(long);

	*items = (struct kmt_small_items){ .formats = formats };
	if (is_native) /* it knows no other */
		items->padding = padding;
	/* The entry is the same for all. */
	for (uint32_t id = 0; id <= UINT16_MAX && !items->pid.bytes; id++)
		items->pid = kmt_formats_layout(formats, (uint16_t)id)->pid;
}

static bool overlaps(const struct fields *fields, size_t offset, size_t bytes)
{
	for (unsigned int i = 0; i < fields->nr; i++)
		if (offset < (size_t)fields->list[i].offset + fields->list[i].bytes &&
		    fields->list[i].offset < offset + bytes)
			return true;
	return false;
}

static void add(struct fields *fields, const struct kmt_field *field, enum kmt_vary vary)
{
	size_t offset = fields->record + field->offset;

	if ((field->bytes != 4 && (field->bytes != 8 || vary == KMT_VARY_TASK)) ||
	    offset > UINT16_MAX || offset + field->bytes > fields->end ||
	    fields->nr == KMT_COLUMN_FIELDS_MAX || overlaps(fields, offset, field->bytes))
		return;
	fields->list[fields->nr++] = (struct kmt_column_field){
		.offset = (uint16_t)offset,
		.bytes = (uint8_t)field->bytes,
		.vary = (uint8_t)vary,
	};
}

static void find_fields(const struct kmt_small_items *items, const struct kmt_layout *layout,
			struct fields *fields)
{
	struct kmt_event event = { .kind = layout->kind };
	struct kmt_field ptr = layout->ptr;

	add(fields, layout->kind ? &layout->pid : &items->pid, KMT_VARY_TASK);
	if (layout->kind != KMT_EVENT_BULK_FREE)
		add(fields, &ptr, kmt_event_is_alloc(&event) ? KMT_VARY_ALLOC : KMT_VARY_FREE);
	add(fields, &layout->head, KMT_VARY_PLAIN);
	for (unsigned int i = 0; i < layout->nr_pointers; i++) {
		add(fields, &ptr, KMT_VARY_FREE);
		ptr.offset = (uint16_t)(ptr.offset + ptr.bytes);
	}
}

static void add_record(const struct kmt_small_items *items, const struct kmt_ring_record *record,
		       uint8_t *item, size_t bytes, struct kmt_columns_writer *writer)
{
	bool is_big_endian = kmt_formats_page(items->formats)->is_big_endian;
	struct fields fields = { .record = bytes - record->bytes, .end = bytes };

	if (record->bytes >= 2)
		find_fields(items,
			    kmt_formats_layout(items->formats,
					       kmt_ring_get16(record->raw, is_big_endian)),
			    &fields);
	kmt_columns_add(writer, &(struct kmt_column_item){ .raw = item,
							   .bytes = (uint32_t)bytes,
							   .time = KMT_ITEM_SHORT,
							   .nr_fields = fields.nr,
							   .fields = fields.list });
}

/* A stamp, or a record that was discarded, of which nothing but its time and its length counts. */
static void add_stamp(const struct kmt_ring_record *record, uint8_t *item, size_t bytes,
		      struct kmt_columns_writer *writer)
{
	struct kmt_column_item stamp = { .raw = item, .bytes = (uint32_t)bytes };

	if (record->type == KMT_RING_TYPE_PADDING && bytes > 8)
		memset(item + 8, 0, bytes - 8);
	if (record->type == KMT_RING_TYPE_PADDING)
		stamp.time = KMT_ITEM_SHORT;
	else if (record->type == KMT_RING_TYPE_TIME_EXTEND)
		stamp.time = KMT_ITEM_LONG;
	kmt_columns_add(writer, &stamp);
}

void kmt_small_items_add(const struct kmt_small_items *items, uint8_t *subbuf,
			 struct kmt_columns_writer *writer)
{
	const struct kmt_page_layout *page = kmt_formats_page(items->formats);
	uint8_t *data = subbuf + page->data_offset;
	struct kmt_ring_cursor cursor = {
		.data = data,
		.bytes = kmt_ring_commit(page, subbuf) & KMT_RING_COMMIT_MASK,
	};
	struct kmt_ring_record record;

	if (items->padding)
		kmt_padding_clear(items->padding, subbuf, page->subbuf_bytes);
	kmt_columns_begin_subbuf(writer, subbuf);
	if (cursor.bytes > page->subbuf_bytes - page->data_offset)
		cursor.bytes = 0; /* nothing in it can be trusted */
	while (cursor.at < cursor.bytes && !kmt_ring_next(&cursor, page->is_big_endian, &record)) {
		size_t bytes = cursor.at - record.at;

		if (record.raw)
			add_record(items, &record, data + record.at, bytes, writer);
		else if (record.type == KMT_RING_TYPE_PADDING && cursor.at == cursor.bytes)
			break; /* the empty rest */
		else
			add_stamp(&record, data + record.at, bytes, writer);
	}
	kmt_columns_end_subbuf(writer);
}
