// SPDX-License-Identifier: LGPL-2.1-only
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "kmemtape/hash.h"
#include "kmemtape/tape-format.h"

#include "columns.h"
#include "row-index.h"

#define ZSTD_LEVEL	19 /* higher ones gain nothing: there are few matches to find */
/* A column of its own statistics ends its block; one that is shorter isn't worth the tables. */
#define BLOCK_BYTES_MIN 512u
#define ITEMS_MAX	(KMT_CHUNK_RAW_BYTES_MAX / 4)
#define ADDRESS_MIN	4096u /* what is below is NULL, or says something else: it isn't varied */
#define REF_MAX		32000
#define TEMPLATE_SLOTS	(4 * TEMPLATES_MAX)
#define PROBES_MAX	32u /* of somebody's tape, all might be one chain */

struct buffer {
	uint8_t *bytes;
	size_t used, room;
};

struct template
{
	size_t raw; /* in the buffer of all */
	uint32_t bytes, first_field, count;
	uint8_t time, nr_fields, group;
	uint32_t number; /* by how often it is used */
};

struct field {
	struct kmt_column_field is;
	uint8_t shift;
	uint64_t last;
	uint64_t bits; /* that any of its addresses has */
};

struct item {
	uint32_t template;
	uint64_t time;
};

struct kmt_columns_writer {
	struct kmt_column_page page;
	struct kmt_hash_secret secret;
	ZSTD_CCtx *zstd;
	bool is_out_of_memory, is_too_much;

	const uint8_t *subbuf;
	size_t at; /* in it */
	uint32_t nr_items_before;
	uint64_t since_ns; /* the times of all items so far */
	uint64_t page_ns;  /* between the last item and the sub-buffer */

	struct item *items;
	uint32_t nr_items;
	uint64_t *values; /* of the fields that vary, item by item */
	uint32_t nr_values;

	struct template *templates;
	struct field *fields;
	uint32_t nr_templates, nr_fields;
	uint32_t *slots;     /* TEMPLATE_SLOTS: number + 1, or 0 */
	struct buffer raws;  /* of templates */
	struct buffer item;  /* one, without what varies */
	uint32_t *by_number; /* templates, the most used one first */

	struct kmt_row_index *objects, *pages;
	uint32_t nr_objects, nr_pages, referred;
	uint32_t tasks[TASKS_MAX], nr_tasks;
	uint32_t clock_step;

	struct buffer columns[COLUMNS];
	struct buffer frame;
};

int kmt_columns_writer_new(const struct kmt_column_page *page,
			   struct kmt_columns_writer **ret_writer, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_columns_writer_freep) struct kmt_columns_writer *w = NULL;

	w = calloc(1, sizeof(*w));
	if (!w)
		return kmt_fail(err, -ENOMEM, "out of memory");
	w->page = *page;
	w->secret = kmt_hash_secret(0);
	w->zstd = ZSTD_createCCtx();
	w->items = malloc(ITEMS_MAX * sizeof(*w->items));
	w->values = malloc(ITEMS_MAX * sizeof(*w->values));
	w->templates = malloc(TEMPLATES_MAX * sizeof(*w->templates));
	w->fields = malloc(FIELDS_MAX * sizeof(*w->fields));
	w->slots = malloc(TEMPLATE_SLOTS * sizeof(*w->slots));
	w->by_number = malloc(TEMPLATES_MAX * sizeof(*w->by_number));
	w->objects = kmt_row_index_new();
	w->pages = kmt_row_index_new();
	if (!w->zstd || !w->items || !w->values || !w->templates || !w->fields || !w->slots ||
	    !w->by_number || !w->objects || !w->pages)
		return kmt_fail(err, -ENOMEM, "out of memory");
	(void)ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	(void)ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	kmt_columns_begin(w);
	*ret_writer = KMT_STEAL(w);
	return 0;
}

struct kmt_columns_writer *kmt_columns_writer_free(struct kmt_columns_writer *writer)
{
	if (!writer)
		return NULL;
	(void)ZSTD_freeCCtx(writer->zstd);
	free(writer->items);
	free(writer->values);
	free(writer->templates);
	free(writer->fields);
	free(writer->slots);
	free(writer->by_number);
	free(writer->raws.bytes);
	free(writer->item.bytes);
	free(writer->frame.bytes);
	for (unsigned int i = 0; i < COLUMNS; i++)
		free(writer->columns[i].bytes);
	(void)kmt_row_index_free(writer->objects);
	(void)kmt_row_index_free(writer->pages);
	free(writer);
	return NULL;
}

void kmt_columns_begin(struct kmt_columns_writer *writer)
{
	writer->is_out_of_memory = writer->is_too_much = false;
	writer->since_ns = 0;
	writer->nr_items = writer->nr_values = 0;
	writer->nr_templates = writer->nr_fields = 0;
	memset(writer->slots, 0, TEMPLATE_SLOTS * sizeof(*writer->slots));
	writer->raws.used = 0;
	kmt_row_index_clear(writer->objects);
	kmt_row_index_clear(writer->pages);
	writer->nr_objects = writer->nr_pages = writer->referred = writer->nr_tasks = 0;
	for (unsigned int i = 0; i < COLUMNS; i++)
		writer->columns[i].used = 0;
}

/* Return: where @bytes more are, or NULL. */
static uint8_t *extend(struct kmt_columns_writer *writer, struct buffer *buffer, size_t bytes)
{
	if (buffer->room - buffer->used < bytes) {
		size_t room = 2 * buffer->room + bytes + 256;
		uint8_t *grown = realloc(buffer->bytes, room);

		if (!grown) {
			writer->is_out_of_memory = true;
			return NULL;
		}
		buffer->bytes = grown;
		buffer->room = room;
	}
	buffer->used += bytes;
	return buffer->bytes + buffer->used - bytes;
}

static void append(struct kmt_columns_writer *writer, struct buffer *buffer, const void *bytes,
		   size_t size)
{
	uint8_t *to = extend(writer, buffer, size);

	if (to && size)
		memcpy(to, bytes, size);
}

static void put(struct kmt_columns_writer *writer, unsigned int column, uint64_t byte)
{
	uint8_t *to = extend(writer, &writer->columns[column], 1);

	if (to)
		*to = (uint8_t)byte;
}

/* --- what comes in --- */

static uint32_t get32(const struct kmt_columns_writer *writer, const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return writer->page.is_big_endian ? be32toh(n) : le32toh(n);
}

static uint64_t get64(const struct kmt_columns_writer *writer, const uint8_t *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return writer->page.is_big_endian ? be64toh(n) : le64toh(n);
}

void kmt_columns_begin_subbuf(struct kmt_columns_writer *writer, const uint8_t *subbuf)
{
	struct buffer *heads = &writer->columns[COLUMN_PAGE_HEADS];
	uint64_t time_ns = get64(writer, subbuf + writer->page.time_offset);

	writer->subbuf = subbuf;
	writer->at = writer->page.data_offset;
	writer->nr_items_before = writer->nr_items;
	writer->page_ns = time_ns - writer->since_ns;
	writer->since_ns = time_ns;
	append(writer, heads, subbuf, writer->page.data_offset);
	if (!writer->is_out_of_memory)
		memset(heads->bytes + heads->used - writer->page.data_offset +
			       writer->page.time_offset,
		       0, 8);
}

void kmt_columns_end_subbuf(struct kmt_columns_writer *writer)
{
	size_t end = writer->page.subbuf_bytes;
	struct columns_page page;

	while (end > writer->at && writer->subbuf[end - 1] == 0)
		end--;
	page = (struct columns_page){
		.since_ns = kmt_put_le64(writer->page_ns),
		.nr_items = kmt_put_le32(writer->nr_items - writer->nr_items_before),
		.tail_bytes = kmt_put_le32((uint32_t)(end - writer->at)),
	};
	append(writer, &writer->columns[COLUMN_PAGES], &page, sizeof(page));
	append(writer, &writer->columns[COLUMN_TAILS], writer->subbuf + writer->at,
	       end - writer->at);
}

/* Takes the time out of the item. */
static uint64_t take_time(struct kmt_columns_writer *writer, uint8_t time, uint8_t *item)
{
	uint32_t word = get32(writer, item), type;
	uint64_t delta;

	if (time == KMT_ITEM_TIMELESS)
		return 0;
	delta = writer->page.is_big_endian ? word & ((1u << 27) - 1) : word >> 5;
	type = writer->page.is_big_endian ? word & ~((1u << 27) - 1) : word & 31;
	type = writer->page.is_big_endian ? htobe32(type) : htole32(type);
	memcpy(item, &type, sizeof(type));
	if (time == KMT_ITEM_LONG) {
		delta |= (uint64_t)get32(writer, item + 4) << 27;
		memset(item + 4, 0, 4);
	}
	return delta;
}

/* Takes a field out of the item. Return: false if it does not vary this time. */
static bool take_field(struct kmt_columns_writer *writer, const struct kmt_column_field *field,
		       uint8_t *item)
{
	uint8_t *p = item + field->offset;
	uint32_t task;
	uint64_t value;

	memcpy(&task, p, sizeof(task));
	value = field->vary == KMT_VARY_TASK ? task
		: field->bytes == 8	     ? get64(writer, p)
					     : get32(writer, p);
	if (field->vary != KMT_VARY_TASK && value < ADDRESS_MIN)
		return false;
	memset(p, 0, field->bytes);
	writer->values[writer->nr_values++] = value;
	return true;
}

static bool is_same(const struct kmt_columns_writer *writer, const struct template *template,
		    const uint8_t *raw, const struct template *other,
		    const struct kmt_column_field *fields)
{
	const struct field *own = &writer->fields[template->first_field];

	if (template->bytes != other->bytes || template->time != other->time ||
	    template->nr_fields != other->nr_fields ||
	    memcmp(writer->raws.bytes + template->raw, raw, other->bytes) != 0)
		return false;
	for (unsigned int i = 0; i < other->nr_fields; i++)
		if (own[i].is.offset != fields[i].offset || own[i].is.bytes != fields[i].bytes ||
		    own[i].is.vary != fields[i].vary)
			return false;
	return true;
}

static uint64_t hash_of(const struct kmt_columns_writer *writer, const uint8_t *raw, size_t bytes)
{
	uint64_t hash = writer->secret.words[2] ^ bytes, word;

	for (size_t at = 0; at < bytes; at += sizeof(word)) {
		word = 0;
		memcpy(&word, raw + at, bytes - at < sizeof(word) ? bytes - at : sizeof(word));
		hash = kmt_hash_more(&writer->secret, hash, word);
	}
	return hash;
}

static uint32_t add_template(struct kmt_columns_writer *writer, const struct template *like,
			     const uint8_t *raw, const struct kmt_column_field *fields)
{
	uint32_t number = writer->nr_templates;

	if (number == TEMPLATES_MAX || like->nr_fields > FIELDS_MAX - writer->nr_fields) {
		writer->is_too_much = true;
		return 0;
	}
	writer->templates[number] = *like;
	writer->templates[number].raw = writer->raws.used;
	writer->templates[number].first_field = writer->nr_fields;
	append(writer, &writer->raws, raw, like->bytes);
	for (unsigned int i = 0; i < like->nr_fields; i++)
		writer->fields[writer->nr_fields++] = (struct field){ .is = fields[i] };
	writer->nr_templates++;
	return number;
}

static uint32_t find_template(struct kmt_columns_writer *writer, const struct template *like,
			      const uint8_t *raw, const struct kmt_column_field *fields)
{
	size_t slot = hash_of(writer, raw, like->bytes) % TEMPLATE_SLOTS;
	uint32_t number;

	for (unsigned int i = 0; i < PROBES_MAX; i++, slot = (slot + 1) % TEMPLATE_SLOTS) {
		number = writer->slots[slot];
		if (!number) {
			number = add_template(writer, like, raw, fields);
			writer->slots[slot] = number + 1;
			return number;
		}
		if (is_same(writer, &writer->templates[number - 1], raw, like, fields))
			return number - 1;
	}
	return add_template(writer, like, raw, fields);
}

void kmt_columns_add(struct kmt_columns_writer *writer, const struct kmt_column_item *item)
{
	struct kmt_column_field fields[KMT_COLUMN_FIELDS_MAX];
	struct template like = { .bytes = item->bytes, .time = item->time };
	uint32_t first_value = writer->nr_values;
	struct template *template;
	struct field *own;
	uint64_t time;
	uint8_t *raw;

	writer->at += item->bytes;
	writer->item.used = 0;
	raw = extend(writer, &writer->item, item->bytes);
	if (writer->is_out_of_memory || writer->is_too_much)
		return;
	memcpy(raw, item->raw, item->bytes);
	time = take_time(writer, item->time, raw);
	for (unsigned int i = 0; i < item->nr_fields; i++)
		if (take_field(writer, &item->fields[i], raw))
			fields[like.nr_fields++] = item->fields[i];
	writer->items[writer->nr_items] =
		(struct item){ find_template(writer, &like, raw, fields), time };
	if (writer->is_too_much || writer->is_out_of_memory)
		return;
	template = &writer->templates[writer->items[writer->nr_items++].template];
	template->count++;
	own = &writer->fields[template->first_field];
	for (unsigned int i = 0; i < template->nr_fields; i++)
		own[i].bits |= writer->values[first_value + i];
	writer->since_ns += time;
}

/* --- what goes out --- */

/* Of c * log2(c), in 1/256: c is a number of items. */
static uint64_t information(uint64_t c)
{
	unsigned int log;

	if (c < 2)
		return 0;
	log = 63u - (unsigned int)__builtin_clzll(c);
	return c * (256 * (uint64_t)log + ((c << 8 >> log) - 256)); /* a straight line between */
}

/* About how many bits the times take in @step, in 1/256, if there are @nr of them. */
static uint64_t cost_of(const struct kmt_columns_writer *writer, uint32_t step)
{
	uint32_t times[256] = { 0 }, rests[256] = { 0 };
	uint64_t cost = 0, nr_times = 0, nr_rests = 0;

	for (uint32_t i = 0; i < writer->nr_items; i++) {
		uint64_t time = writer->items[i].time, whole = time / step;

		if (writer->templates[writer->items[i].template].time == KMT_ITEM_TIMELESS)
			continue;
		times[whole < TIME_WIDE ? whole : TIME_WIDE]++;
		nr_times++;
		if (whole < TIME_WIDE) {
			rests[time % step]++;
			nr_rests++;
		}
	}
	cost = information(nr_times) + information(nr_rests) +
	       (nr_times - nr_rests) * 16 * 256; /* of wide ones */
	for (unsigned int i = 0; i < 256; i++)
		cost -= information(times[i]) + information(rests[i]);
	return cost;
}

/* A clock may count in steps: of 10 ns where its counter has 100 MHz. */
static void find_step(struct kmt_columns_writer *writer)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t step = 256; step >= 8; step--) {
		uint64_t cost = cost_of(writer, step);

		if (cost < least) {
			least = cost;
			writer->clock_step = step;
		}
	}
}

static void put_time(struct kmt_columns_writer *writer, unsigned int group, uint64_t time)
{
	uint64_t whole = time / writer->clock_step, wide = time;
	kmt_le64 all = kmt_put_le64(time);

	if (whole < TIME_WIDE) {
		put(writer, COLUMN_TIMES + group, whole);
		put(writer, COLUMN_TIMES_REST + group, time % writer->clock_step);
		return;
	}
	if (wide > UINT16_MAX)
		wide = UINT16_MAX;
	put(writer, COLUMN_TIMES + group, TIME_WIDE);
	put(writer, COLUMN_WIDE, wide);
	put(writer, COLUMN_WIDE_HIGH, wide >> 8);
	if (wide == UINT16_MAX)
		append(writer, &writer->columns[COLUMN_LONG], &all, sizeof(all));
}

static void put_task(struct kmt_columns_writer *writer, uint32_t task)
{
	uint32_t rank = 0;

	while (rank < writer->nr_tasks && writer->tasks[rank] != task)
		rank++;
	if (rank == writer->nr_tasks) {
		put(writer, COLUMN_TASKS, TASKS_MAX);
		append(writer, &writer->columns[COLUMN_NEW_TASKS], &task, sizeof(task));
		if (writer->nr_tasks < TASKS_MAX)
			writer->nr_tasks++;
		rank = writer->nr_tasks - 1;
	} else {
		put(writer, COLUMN_TASKS, rank);
	}
	memmove(writer->tasks + 1, writer->tasks, rank * sizeof(task));
	writer->tasks[0] = task;
}

static void put_plain(struct kmt_columns_writer *writer, unsigned int group, unsigned int shift,
		      uint64_t address)
{
	uint64_t page = address >> PAGE_SHIFT_BITS;
	uint64_t within = (address & ((1u << PAGE_SHIFT_BITS) - 1)) >> shift;
	uint32_t before = 0;

	if (kmt_row_index_get(writer->pages, page, &before) &&
	    writer->nr_pages - 1 - before < BACK_NEW << 8) {
		put(writer, COLUMN_BACKS_HIGH, (writer->nr_pages - 1 - before) >> 8);
		put(writer, COLUMN_BACKS, writer->nr_pages - 1 - before);
	} else {
		put(writer, COLUMN_BACKS_HIGH, BACK_NEW);
		for (unsigned int i = 0; i < PAGE_COLUMNS; i++)
			put(writer, COLUMN_NEW_PAGES + i, page >> (8 * i));
	}
	kmt_row_index_set(writer->pages, page, writer->nr_pages++);
	if (shift < PAGE_SHIFT_BITS)
		put(writer, COLUMN_WITHIN + group, within);
	if (shift + 8 < PAGE_SHIFT_BITS)
		put(writer, COLUMN_WITHIN_HIGH + group, within >> 8);
}

static void put_alloc(struct kmt_columns_writer *writer, unsigned int group, struct field *field,
		      uint64_t address)
{
	uint64_t near = (address ^ field->last) >> field->shift;

	field->last = address;
	put(writer, COLUMN_NEAR + group, near < NEAR_NONE ? near : NEAR_NONE);
	if (near >= NEAR_NONE)
		put_plain(writer, group, field->shift, address);
	kmt_row_index_set(writer->objects, address, writer->nr_objects++);
}

static void put_free(struct kmt_columns_writer *writer, unsigned int group,
		     const struct field *field, uint64_t address)
{
	uint32_t object = 0;
	int64_t way = INT64_MAX;

	if (kmt_row_index_get(writer->objects, address, &object) &&
	    writer->nr_objects - object <= ROW_MAX)
		way = (int64_t)object - writer->referred;
	if (way < -REF_MAX || way > REF_MAX) {
		put(writer, COLUMN_REFS_HIGH + group, REF_NONE);
		put_plain(writer, group, field->shift, address);
		return;
	}
	writer->referred = object;
	put(writer, COLUMN_REFS_HIGH + group, (uint64_t)way >> 8);
	put(writer, COLUMN_REFS + group, (uint64_t)way);
}

static void put_field(struct kmt_columns_writer *writer, unsigned int group, struct field *field,
		      uint64_t value)
{
	switch (field->is.vary) {
	case KMT_VARY_TASK:
		put_task(writer, (uint32_t)value);
		break;
	case KMT_VARY_ALLOC:
		put_alloc(writer, group, field, value);
		break;
	case KMT_VARY_FREE:
		put_free(writer, group, field, value);
		break;
	default:
		put_plain(writer, group, field->shift, value);
	}
}

static void put_items(struct kmt_columns_writer *writer)
{
	const uint64_t *value = writer->values;

	for (uint32_t i = 0; i < writer->nr_items; i++) {
		const struct item *item = &writer->items[i];
		const struct template *template = &writer->templates[item->template];
		struct field *field = &writer->fields[template->first_field];

		put(writer, COLUMN_ITEMS, template->number);
		if (writer->nr_templates > 256)
			put(writer, COLUMN_ITEMS_HIGH, template->number >> 8);
		if (template->time != KMT_ITEM_TIMELESS)
			put_time(writer, template->group, item->time);
		for (unsigned int k = 0; k < template->nr_fields; k++)
			put_field(writer, template->group, &field[k], *value++);
	}
}

static int compare_counts(const void *a, const void *b, void *context)
{
	const struct template *templates = context;
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	if (templates[left].count != templates[right].count)
		return templates[left].count < templates[right].count ? 1 : -1;
	return left < right ? -1 : left > right;
}

/* Numbers the templates, and gives what is used most groups of their own. */
static void put_in_order(struct kmt_columns_writer *writer)
{
	for (uint32_t i = 0; i < writer->nr_templates; i++)
		writer->by_number[i] = i;
	qsort_r(writer->by_number, writer->nr_templates, sizeof(*writer->by_number), compare_counts,
		writer->templates);
	for (uint32_t i = 0; i < writer->nr_templates; i++) {
		struct template *template = &writer->templates[writer->by_number[i]];

		template->number = i;
		template->group = (uint8_t)(i < GROUPS - 1 ? i : GROUPS - 1);
	}
	for (uint32_t i = 0; i < writer->nr_fields; i++) {
		struct field *field = &writer->fields[i];
		unsigned int zeros = field->bits ? (unsigned int)__builtin_ctzll(field->bits) : 0;

		field->shift = (uint8_t)(zeros < PAGE_SHIFT_BITS ? zeros : PAGE_SHIFT_BITS);
	}
}

static void put_template(struct kmt_columns_writer *writer, const struct template *template,
			 struct buffer *to)
{
	struct columns_template head = {
		.bytes = kmt_put_le32(template->bytes),
		.time = template->time,
		.group = template->group,
		.nr_fields = template->nr_fields,
	};

	append(writer, to, &head, sizeof(head));
	for (unsigned int i = 0; i < template->nr_fields; i++) {
		const struct field *field = &writer->fields[template->first_field + i];
		struct columns_field wire = {
			.offset = { (uint8_t)field->is.offset, (uint8_t)(field->is.offset >> 8) },
			.bytes = field->is.bytes,
			.vary = field->is.vary,
			.shift = field->shift,
		};

		append(writer, to, &wire, sizeof(wire));
	}
	append(writer, to, writer->raws.bytes + template->raw, template->bytes);
}

static size_t put_head(struct kmt_columns_writer *writer, size_t template_bytes,
		       struct columns_head *head)
{
	size_t bytes = sizeof(*head) + template_bytes;

	*head = (struct columns_head){
		.is_big_endian = kmt_put_le32(writer->page.is_big_endian),
		.time_offset = kmt_put_le32(writer->page.time_offset),
		.data_offset = kmt_put_le32(writer->page.data_offset),
		.clock_step = kmt_put_le32(writer->clock_step),
		.nr_templates = kmt_put_le32(writer->nr_templates),
		.template_bytes = kmt_put_le32((uint32_t)template_bytes),
	};
	for (unsigned int i = 0; i < COLUMNS; i++) {
		head->bytes[i] = kmt_put_le32((uint32_t)writer->columns[i].used);
		bytes += writer->columns[i].used;
	}
	return bytes;
}

/* Return: false if zstd fails, or there is no room. */
static bool compress(struct kmt_columns_writer *writer, const void *bytes, size_t size,
		     ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = { bytes, size, 0 };
	ZSTD_outBuffer out = { writer->frame.bytes, writer->frame.room, writer->frame.used };
	size_t left;

	do {
		left = ZSTD_compressStream2(writer->zstd, &out, &in, how);
	} while (!ZSTD_isError(left) && (in.pos < in.size || (how != ZSTD_e_continue && left)) &&
		 out.pos < out.size);
	writer->frame.used = out.pos;
	return !ZSTD_isError(left) && in.pos == in.size && (how == ZSTD_e_continue || left == 0);
}

static bool compress_all(struct kmt_columns_writer *writer, const struct columns_head *head,
			 const struct buffer *templates)
{
	bool is_good = compress(writer, head, sizeof(*head), ZSTD_e_continue) &&
		       compress(writer, templates->bytes, templates->used, ZSTD_e_flush);

	for (unsigned int i = 0; is_good && i < COLUMNS; i++)
		is_good = compress(writer, writer->columns[i].bytes, writer->columns[i].used,
				   writer->columns[i].used < BLOCK_BYTES_MIN ? ZSTD_e_continue
									     : ZSTD_e_flush);
	return is_good && compress(writer, NULL, 0, ZSTD_e_end);
}

static int make_frame(struct kmt_columns_writer *writer, const struct buffer *templates,
		      struct kmt_err *err)
{
	struct columns_head head;
	size_t bytes = put_head(writer, templates->used, &head), room = ZSTD_compressBound(bytes);

	/* Blocks that end early have heads of their own. */
	room += COLUMNS * 8;
	writer->frame.used = 0;
	if (!extend(writer, &writer->frame, room))
		return kmt_fail(err, -ENOMEM, "out of memory");
	writer->frame.used = 0;
	if (bytes > COLUMNS_BYTES)
		return -E2BIG;
	(void)ZSTD_CCtx_reset(writer->zstd, ZSTD_reset_session_only);
	(void)ZSTD_CCtx_setPledgedSrcSize(writer->zstd, bytes);
	if (!compress_all(writer, &head, templates))
		return kmt_fail(err, -EIO, "zstd failed");
	return writer->frame.used > KMT_CHUNK_ZSTD_BYTES_MAX ? -E2BIG : 0;
}

int kmt_columns_finish(struct kmt_columns_writer *writer, const void **ret_frame, size_t *ret_bytes,
		       struct kmt_err *err)
{
	struct buffer *templates = &writer->item; /* it is free now */
	int r;

	if (writer->is_too_much)
		return -E2BIG;
	find_step(writer);
	put_in_order(writer);
	put_items(writer);
	templates->used = 0;
	for (uint32_t i = 0; i < writer->nr_templates; i++)
		put_template(writer, &writer->templates[writer->by_number[i]], templates);
	if (writer->is_out_of_memory)
		return kmt_fail(err, -ENOMEM, "out of memory");
	r = make_frame(writer, templates, err);
	if (r < 0)
		return r;
	*ret_frame = writer->frame.bytes;
	*ret_bytes = writer->frame.used;
	return 0;
}
