// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "kmemtape/ring.h"
#include "kmemtape/stacks.h"

#include "redact-records.h"
#include "redact-text.h"

#define STUB_BYTES	 8u    /* type, flags and pid of an event that means nothing to replay */
#define RCU_OFFSET_MAX	 4095u /* as in the decoder */
#define NAME_BYTES_MAX	 128u  /* of a cache or a module, with a zero byte */
#define NO_TEXT		 0xffff0000u /* a location that no record has room for: no name */
#define RECORD_BYTES_MAX 8192u	     /* of what replay reads, and NAME_BYTES_MAX */

/* The one that is read, and the one that is made of it. */
struct record {
	const uint8_t *from;
	size_t from_bytes;
	uint8_t to[RECORD_BYTES_MAX];
	size_t bytes;
	bool is_big_endian;
};

static void put16(uint8_t *p, uint16_t n, bool is_big_endian)
{
	n = is_big_endian ? htobe16(n) : htole16(n);
	memcpy(p, &n, sizeof(n));
}

static void put32(uint8_t *p, uint32_t n, bool is_big_endian)
{
	n = is_big_endian ? htobe32(n) : htole32(n);
	memcpy(p, &n, sizeof(n));
}

static void put64(uint8_t *p, uint64_t n, bool is_big_endian)
{
	n = is_big_endian ? htobe64(n) : htole64(n);
	memcpy(p, &n, sizeof(n));
}

/* A field that min_bytes counts, or nothing if there is no such field. */
static void put(struct record *record, const struct kmt_field *field, uint64_t n)
{
	uint8_t *p = record->to + field->offset;

	switch (field->bytes) {
	case 1:
		*p = (uint8_t)n;
		break;
	case 2:
		put16(p, (uint16_t)n, record->is_big_endian);
		break;
	case 4:
		put32(p, (uint32_t)n, record->is_big_endian);
		break;
	case 8:
		put64(p, n, record->is_big_endian);
		break;
	}
}

static uint64_t get(const struct record *record, const struct kmt_field *field)
{
	return kmt_ring_field(record->from, field, record->is_big_endian);
}

static void copy(struct record *record, const struct kmt_field *field)
{
	put(record, field, get(record, field));
}

/* Of a pointer, whether it is one. */
static void copy_truth(struct record *record, const struct kmt_field *field)
{
	put(record, field, get(record, field) != 0);
}

/* --- events --- */

static int map_object(struct kmt_redact_records *records, struct record *record,
		      const struct kmt_field *field)
{
	uint64_t address = get(record, field);
	int r = kmt_addresses_object(records->addresses, address, &address);

	put(record, field, address);
	return r;
}

static int map_call_site(struct kmt_redact_records *records, struct record *record,
			 const struct kmt_field *field)
{
	uint64_t address = get(record, field);
	int r = kmt_codes_map_return(records->codes, address, &address);

	put(record, field, address);
	return r;
}

/* What kvfree_call_rcu() was given stays as it was: by offset from what is in it, or by address. */
static int map_rcu(struct kmt_redact_records *records, const struct kmt_layout *layout,
		   struct record *record)
{
	uint64_t head = get(record, &layout->head), ptr = get(record, &layout->ptr), object;
	bool is_offset = layout->rcu_meaning == KMT_RCU_OFFSET ||
			 (layout->rcu_meaning == KMT_RCU_EITHER && ptr <= RCU_OFFSET_MAX);
	int r;

	if (!head || !is_offset)
		return map_object(records, record, &layout->ptr);
	r = kmt_addresses_object(records->addresses, head - ptr, &object);
	if (ptr > RCU_OFFSET_MAX)
		ptr = 0;
	put(record, &layout->head, object + ptr);
	put(record, &layout->ptr, ptr);
	return r;
}

static int map_bulk(struct kmt_redact_records *records, const struct kmt_layout *layout,
		    struct record *record)
{
	uint64_t nr = get(record, &layout->nr);
	struct kmt_field ptr = layout->ptr;
	int r = 0;

	put(record, &layout->nr, nr);
	copy_truth(record, &layout->cache);
	for (size_t i = 0; r == 0 && i < layout->nr_pointers && layout->first + i < nr; i++) {
		r = map_object(records, record, &ptr);
		ptr.offset = (uint16_t)(ptr.offset + ptr.bytes);
	}
	return r;
}

static int map_frame(struct kmt_redact_records *records, struct record *record,
		     const struct kmt_field *field)
{
	uint64_t frame = get(record, field);
	int r = 0;

	if (frame != records->addresses->all_bits)
		r = kmt_addresses_frame(records->addresses, frame, &frame);
	put(record, field, frame);
	return r;
}

static int map_pointer(struct kmt_redact_records *records, const struct kmt_layout *layout,
		       struct record *record)
{
	uint64_t address = get(record, &layout->ptr);
	int r;

	switch (layout->space) {
	case KMT_SPACE_PAGE:
		return map_frame(records, record, &layout->ptr);
	case KMT_SPACE_PERCPU:
		r = kmt_addresses_percpu(records->addresses, address, &address);
		break;
	case KMT_SPACE_VMALLOC:
		r = kmt_addresses_area(records->addresses, address, &address);
		break;
	default: /* slab, and pairs */
		return map_object(records, record, &layout->ptr);
	}
	put(record, &layout->ptr, address);
	return r;
}

/* A name's place: at the end of the record, or in its own field. */
static void put_name(struct record *record, const struct kmt_field *field, const char *name,
		     size_t bytes)
{
	size_t offset = record->bytes;
	size_t from = field->is_rel_loc ? (size_t)field->offset + field->bytes : 0;

	if (!field->is_data_loc) {
		memcpy(record->to + field->offset, name,
		       bytes < field->bytes ? bytes : field->bytes);
		return;
	}
	if (offset + bytes + 1 > record->from_bytes || offset < from) {
		put(record, field, 0); /* only of a record that overlaps itself: "" */
		return;
	}
	memcpy(record->to + offset, name, bytes);
	put(record, field, (uint64_t)(bytes + 1) << 16 | (offset - from));
	record->bytes = (offset + bytes + 1 + 3) & ~(size_t)3;
}

/* Of a cache or a module. */
static void map_name(const struct kmt_layout *layout, struct record *record)
{
	const struct kmt_field *field = &layout->text;
	size_t offset = field->offset, bytes = field->bytes;
	char name[NAME_BYTES_MAX];

	if (!bytes)
		return;
	if (field->is_data_loc) {
		uint32_t location = (uint32_t)get(record, field);

		offset = (location & 0xffff) + (field->is_rel_loc ? offset + bytes : 0);
		bytes = location >> 16;
	}
	if (offset > record->from_bytes || bytes > record->from_bytes - offset) {
		put(record, field, NO_TEXT);
		return;
	}
	bytes = strnlen((const char *)record->from + offset,
			bytes < NAME_BYTES_MAX - 1 ? bytes : NAME_BYTES_MAX - 1);
	memcpy(name, record->from + offset, bytes);
	if (layout->kind != KMT_EVENT_MODULE_LOAD && layout->kind != KMT_EVENT_MODULE_FREE)
		kmt_redact_digits(name, bytes);
	put_name(record, field, name, bytes);
}

static int map_stack(struct kmt_redact_records *records, const struct kmt_layout *layout,
		     struct record *record)
{
	struct kmt_field field = layout->frames;
	uint64_t nr = get(record, &layout->nr), i;
	int r = 0;

	for (i = 0; r == 0 && i < nr && i < KMT_STACK_FRAMES_MAX &&
		    (size_t)field.offset + field.bytes <= record->from_bytes;
	     i++) {
		r = map_call_site(records, record, &field);
		field.offset = (uint16_t)(field.offset + field.bytes);
	}
	put(record, &layout->nr, i);
	if (record->bytes < field.offset)
		record->bytes = (field.offset + 3u) & ~3u;
	return r;
}

/* Where a probe found nothing, what it says of it is whatever lay there. */
static bool is_garbage(const struct kmt_layout *layout, const struct record *record)
{
	return layout->area.bytes && !get(record, &layout->area);
}

static int map_event(struct kmt_redact_records *records, const struct kmt_layout *layout,
		     struct record *record)
{
	int r;

	if (is_garbage(layout, record))
		return 0;
	r = map_call_site(records, record, &layout->call_site);
	copy(record, &layout->bytes_req);
	copy(record, &layout->bytes_alloc);
	put(record, &layout->gfp, (uint32_t)get(record, &layout->gfp));
	copy(record, &layout->order);
	copy_truth(record, &layout->failed);
	copy_truth(record, &layout->area);
	if (r < 0)
		return r;
	switch (layout->kind) {
	case KMT_EVENT_MODULE_LOAD:
	case KMT_EVENT_MODULE_FREE:
		break;
	case KMT_EVENT_RCU_FREE:
		r = map_rcu(records, layout, record);
		break;
	case KMT_EVENT_BULK_FREE:
		r = map_bulk(records, layout, record);
		break;
	case KMT_EVENT_STACK:
		return map_stack(records, layout, record);
	default:
		r = map_pointer(records, layout, record);
	}
	map_name(layout, record);
	return r;
}

/* Of what replay doesn't read, and of names of tasks: that it was there. */
static void make_stub(const struct kmt_layout *stack, struct record *record)
{
	record->bytes = record->from_bytes < STUB_BYTES ? record->from_bytes : STUB_BYTES;
	if (stack && (size_t)stack->flags.offset + stack->flags.bytes <= record->bytes)
		copy(record, &stack->flags);
	if (stack && (size_t)stack->pid.offset + stack->pid.bytes <= record->bytes)
		copy(record, &stack->pid);
}

/* Return: 0; -EBADMSG if the record is shorter than its event; as kmt_redact_subbuf(). */
static int make_record(struct kmt_redact_records *records, struct record *record)
{
	const struct kmt_layout *layout;
	uint16_t type, id;
	int r = 0;

	memset(record->to, 0, sizeof(record->to));
	if (record->from_bytes < 2)
		return -EBADMSG;
	type = kmt_ring_get16(record->from, record->is_big_endian);
	layout = kmt_formats_layout(records->formats, type);
	if (layout->kind && record->from_bytes < layout->min_bytes)
		return -EBADMSG;
	if (!layout->kind || layout->kind == KMT_EVENT_TASK_NAME) {
		make_stub(kmt_formats_find(records->formats, "ftrace:kernel_stack", &id), record);
	} else {
		record->bytes = (layout->min_bytes + 3u) & ~3u;
		copy(record, &layout->pid);
		copy(record, &layout->flags);
		r = map_event(records, layout, record);
	}
	put16(record->to, type, record->is_big_endian);
	return r;
}

/* --- sub-buffers --- */

/* The sub-buffer that is made. */
struct page {
	const struct kmt_page_layout *layout;
	uint8_t *data;
	size_t bytes, room;
};

static void put_head(struct page *page, uint32_t type, uint64_t delta)
{
	bool is_big_endian = page->layout->is_big_endian;
	uint32_t low = (uint32_t)(delta & ((1u << KMT_RING_DELTA_BITS) - 1));

	put32(page->data + page->bytes,
	      is_big_endian ? type << KMT_RING_DELTA_BITS | low : low << 5 | type, is_big_endian);
	page->bytes += 4;
}

/* Return: false if there is no room. */
static bool add_record(struct page *page, uint64_t delta, const struct record *record)
{
	bool is_short = record->bytes / 4 >= 1 && record->bytes / 4 <= KMT_RING_TYPE_WORDS_MAX;

	if (page->room - page->bytes < record->bytes + (is_short ? 4 : 8))
		return false;
	put_head(page, is_short ? (uint32_t)record->bytes / 4 : KMT_RING_TYPE_LENGTH_FOLLOWS,
		 delta);
	if (!is_short) {
		put32(page->data + page->bytes, (uint32_t)record->bytes + 4,
		      page->layout->is_big_endian);
		page->bytes += 4;
	}
	memcpy(page->data + page->bytes, record->to, record->bytes);
	page->bytes += record->bytes;
	return true;
}

/* A stamp as it was; of a discarded record, its time. */
static bool add_stamp(struct page *page, const struct kmt_ring_record *record, uint64_t delta,
		      const uint8_t *from)
{
	if (page->room - page->bytes < 8)
		return false;
	if (record->type == KMT_RING_TYPE_PADDING) {
		put_head(page, KMT_RING_TYPE_PADDING, delta ? delta : 1);
		put32(page->data + page->bytes, 4, page->layout->is_big_endian);
		page->bytes += 4;
		return true;
	}
	memcpy(page->data + page->bytes, from, 8);
	page->bytes += 8;
	return true;
}

/* Return: as make_record() */
static int run(struct kmt_redact_records *records, struct kmt_ring_cursor *cursor,
	       struct page *page, struct record *record)
{
	struct kmt_ring_record ring;
	uint64_t before_ns = cursor->time_ns;
	int r;

	if (kmt_ring_next(cursor, record->is_big_endian, &ring))
		return -EBADMSG;
	if (!ring.raw && ring.type == KMT_RING_TYPE_PADDING && cursor->at == cursor->bytes &&
	    cursor->time_ns == before_ns)
		return 0; /* the empty rest, or what is as good as that */
	if (!ring.raw)
		return add_stamp(page, &ring, cursor->time_ns - before_ns, cursor->data + ring.at)
			       ? 0
			       : -EBADMSG;
	record->from = ring.raw;
	record->from_bytes = ring.bytes;
	r = make_record(records, record);
	if (r < 0)
		return r;
	return add_record(page, cursor->time_ns - before_ns, record) ? 0 : -EBADMSG;
}

/* The time stays, and what the page says of events that are missing before it. */
static void put_page_head(struct kmt_redact_records *records, const uint8_t *from, uint8_t *to,
			  const struct page *page)
{
	const struct kmt_page_layout *layout = page->layout;
	bool is_big_endian = layout->is_big_endian;
	uint32_t commit = kmt_ring_commit(layout, from), flags = commit & KMT_RING_MISSED;
	uint64_t missed = flags ? kmt_ring_missed(layout, from, commit) : 0;
	uint8_t *low =
		to + layout->commit_offset + (is_big_endian ? layout->commit_bytes - 4u : 0u);

	if (records->has_gap && !flags && page->bytes)
		flags = KMT_RING_MISSED; /* of nobody knows how many */
	if (flags)
		records->has_gap = false;
	if (missed && page->room - page->bytes >= layout->long_bytes) {
		flags |= KMT_RING_STORED;
		if (layout->long_bytes == 8)
			put64(page->data + page->bytes, missed, is_big_endian);
		else
			put32(page->data + page->bytes, (uint32_t)missed, is_big_endian);
	}
	memcpy(to + layout->time_offset, from + layout->time_offset, 8);
	put32(low, flags | (uint32_t)page->bytes, is_big_endian);
}

static void note_damage(struct kmt_redact_records *records)
{
	records->damaged_subbufs++;
	records->has_gap = true;
}

int kmt_redact_subbuf(struct kmt_redact_records *records, const uint8_t *from, uint8_t *to)
{
	const struct kmt_page_layout *layout = kmt_formats_page(records->formats);
	size_t room = layout->subbuf_bytes - layout->data_offset;
	struct record record = { .is_big_endian = layout->is_big_endian };
	struct page page = { .layout = layout, .data = to + layout->data_offset, .room = room };
	struct kmt_ring_cursor cursor = {
		.data = from + layout->data_offset,
		.bytes = kmt_ring_commit(layout, from) & KMT_RING_COMMIT_MASK,
		.time_ns = kmt_ring_get64(from + layout->time_offset, layout->is_big_endian),
	};
	int r = 0;

	if (cursor.bytes > room) { /* then nothing of it counts, not even its head */
		note_damage(records);
		return 0;
	}
	while (r == 0 && cursor.at < cursor.bytes)
		r = run(records, &cursor, &page, &record);
	put_page_head(records, from, to, &page);
	if (r == -EBADMSG)
		note_damage(records);
	return r == -EBADMSG ? 0 : r;
}

/* As the decoder reads it. */
static unsigned int order_of(const struct kmt_layout *layout, const uint8_t *record,
			     bool is_big_endian)
{
	uint64_t order = kmt_ring_field(record, &layout->order, is_big_endian);

	return order < KMT_BLOCK_PAGES_SHIFT ? (unsigned int)order : KMT_BLOCK_PAGES_SHIFT;
}

int kmt_redact_note_blocks(struct kmt_redact_records *records, const uint8_t *from)
{
	const struct kmt_page_layout *page = kmt_formats_page(records->formats);
	struct kmt_ring_cursor cursor = {
		.data = from + page->data_offset,
		.bytes = kmt_ring_commit(page, from) & KMT_RING_COMMIT_MASK,
	};
	struct kmt_ring_record record;
	int r = 0;

	if (cursor.bytes > page->subbuf_bytes - page->data_offset)
		return 0;
	while (r == 0 && cursor.at < cursor.bytes &&
	       !kmt_ring_next(&cursor, page->is_big_endian, &record)) {
		const struct kmt_layout *layout;

		if (!record.raw || record.bytes < 2)
			continue;
		layout = kmt_formats_layout(records->formats,
					    kmt_ring_get16(record.raw, page->is_big_endian));
		if (layout->space != KMT_SPACE_PAGE || !layout->kind ||
		    record.bytes < layout->min_bytes)
			continue;
		r = kmt_addresses_note_block(
			records->addresses,
			kmt_ring_field(record.raw, &layout->ptr, page->is_big_endian),
			order_of(layout, record.raw, page->is_big_endian));
	}
	return r;
}
