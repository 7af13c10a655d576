// SPDX-License-Identifier: GPL-2.0-only
/* Sub-buffers of all kernels go through columns: what comes back are the same events, all fields of
 * them. */
#include "../../src/share/small-items.h"

#include "kmemtape/decoder.h"
#include "kmemtape/ring.h"
#include "kmemtape/stacks.h"

#include "check.h"
#include "fixture.h"

#define SUBBUFS 6u
#define ROUNDS	12

struct kernel {
	const char *name;
	bool is_big_endian;
	uint32_t long_bytes;
};

static const struct kernel kernels[] = {
	{ "3.10", false, 8 }, { "5.12", false, 8 },	{ "6.1", false, 8 },  { "6.12", false, 8 },
	{ "6.18", false, 8 }, { "6.18-64k", false, 8 }, { "i386", false, 4 }, { "s390x", true, 8 },
};

struct bench {
	struct kmt_formats *formats;
	struct kmt_padding *padding;
	struct kmt_small_items items;
	struct kmt_names *names;
	struct kmt_stacks *stacks;
	uint16_t ids[NR_FIXTURE_EVENTS + NR_OTHER_FIXTURE_EVENTS];
	size_t nr_ids;
	uint64_t random, time_ns;
	size_t subbuf_bytes;
	uint8_t *raw, *cleared, *again;
};

static uint64_t below(struct bench *b, uint64_t n)
{
	return check_random(&b->random) % n;
}

static void learn(struct bench *b, const struct kernel *kernel, const char *event)
{
	char path[256], *text;
	uint16_t id;
	size_t bytes;

	(void)snprintf(path, sizeof(path), "formats/%s/%s/format", kernel->name, event);
	*strchr(path, ':') = '/';
	text = read_fixture(path, &bytes);
	if (text)
		(void)kmt_padding_add(b->padding, text, strcmp(event, "ftrace:kernel_stack") != 0);
	free(text);
	if (kmt_formats_find(b->formats, event, &id))
		b->ids[b->nr_ids++] = id;
}

static void set_up(struct bench *b, const struct kernel *kernel)
{
	*b = (struct bench){ .random = 5 };
	b->formats = load_formats(kernel->name, kernel->is_big_endian, kernel->long_bytes);
	add_fixtures(b->formats, kernel->name, other_fixture_events, NR_OTHER_FIXTURE_EVENTS);
	b->padding = kmt_padding_new();
	CHECK(b->padding);
	for (size_t i = 0; i < NR_FIXTURE_EVENTS; i++)
		learn(b, kernel, fixture_events[i]);
	for (size_t i = 0; i < NR_OTHER_FIXTURE_EVENTS; i++)
		learn(b, kernel, other_fixture_events[i]);
	CHECK(b->nr_ids >= 6);
	kmt_small_items_init(&b->items, b->formats, b->padding);
	CHECK_EQ(kmt_names_new(&b->names, NULL), 0);
	CHECK_EQ(kmt_stacks_new(0, 0, &b->stacks, NULL), 0);
	b->subbuf_bytes = kmt_formats_page(b->formats)->subbuf_bytes;
	b->raw = malloc(SUBBUFS * b->subbuf_bytes);
	b->cleared = malloc(SUBBUFS * b->subbuf_bytes);
	b->again = malloc(SUBBUFS * b->subbuf_bytes);
	CHECK(b->raw && b->cleared && b->again);
}

static void tear_down(struct bench *b)
{
	(void)kmt_stacks_free(b->stacks);
	(void)kmt_names_free(b->names);
	(void)kmt_padding_free(b->padding);
	(void)kmt_formats_free(b->formats);
	free(b->raw);
	free(b->cleared);
	free(b->again);
}

static void put32(const struct bench *b, uint8_t *p, uint32_t n)
{
	n = kmt_formats_page(b->formats)->is_big_endian ? htobe32(n) : htole32(n);
	memcpy(p, &n, sizeof(n));
}

static void put64(const struct bench *b, uint8_t *p, uint64_t n)
{
	n = kmt_formats_page(b->formats)->is_big_endian ? htobe64(n) : htole64(n);
	memcpy(p, &n, sizeof(n));
}

static void put_head(const struct bench *b, uint8_t *p, uint32_t type, uint64_t delta)
{
	uint32_t low = (uint32_t)delta & ((1u << KMT_RING_DELTA_BITS) - 1);

	put32(b, p,
	      kmt_formats_page(b->formats)->is_big_endian ? type << KMT_RING_DELTA_BITS | low
							  : low << 5 | type);
}

/* Any bytes, but what makes sense where something has to. Return: bytes of it */
static size_t put_record(struct bench *b, uint8_t *p, size_t room)
{
	bool is_known = below(b, 8);
	uint16_t id = is_known ? b->ids[below(b, b->nr_ids)] : (uint16_t)below(b, 65536);
	const struct kmt_layout *layout = kmt_formats_layout(b->formats, id);
	size_t bytes = layout->min_bytes + below(b, 40);

	bytes = (bytes + 4) & ~(size_t)3;
	if (bytes > 4 * KMT_RING_TYPE_WORDS_MAX || 4 + bytes > room)
		return 0;
	for (size_t i = 0; i < bytes; i++)
		p[4 + i] = (uint8_t)(below(b, 3) ? i : below(b, 256));
	put_head(b, p, (uint32_t)bytes / 4, below(b, 2000));
	id = kmt_formats_page(b->formats)->is_big_endian ? htobe16(id) : htole16(id);
	memcpy(p + 4, &id, 2);
	if (layout->text.is_data_loc && below(b, 8))
		put32(b, p + 4 + layout->text.offset,
		      (uint32_t)(9u << 16 | (bytes < 24 ? 8 : bytes - 12)));
	if (layout->nr.bytes == 4)
		put32(b, p + 4 + layout->nr.offset, (uint32_t)below(b, 9));
	return 4 + bytes;
}

/* What is no record: a stamp, or one that was discarded. */
static size_t put_other(struct bench *b, uint8_t *p, size_t room)
{
	uint32_t bytes = 4 + 4 * (uint32_t)below(b, 5);

	if (room < 32)
		return 0;
	switch (below(b, 4)) {
	case 0:
		put_head(b, p, KMT_RING_TYPE_TIME_STAMP, below(b, 1000));
		put32(b, p + 4, (uint32_t)below(b, 1000));
		return 8;
	case 1:
		put_head(b, p, KMT_RING_TYPE_PADDING, 1 + below(b, 1000));
		put32(b, p + 4, bytes);
		memset(p + 8, 0xee, bytes - 4);
		return 4 + bytes;
	default:
		put_head(b, p, KMT_RING_TYPE_TIME_EXTEND, below(b, UINT64_C(1) << 27));
		put32(b, p + 4, (uint32_t)below(b, 1000));
		return 8;
	}
}

static void fill_subbuf(struct bench *b, uint8_t *subbuf)
{
	const struct kmt_page_layout *page = kmt_formats_page(b->formats);
	size_t room = page->subbuf_bytes - page->data_offset, used = 0, nr = below(b, 70);
	uint8_t *data = subbuf + page->data_offset;
	uint32_t flags = 0;

	memset(subbuf, 0, page->subbuf_bytes);
	for (; nr; nr--)
		used += below(b, 9) ? put_record(b, data + used, room - used)
				    : put_other(b, data + used, room - used);
	if (below(b, 3) == 0) {
		flags |= KMT_RING_MISSED;
		if (below(b, 2) && room - used >= 8) {
			flags |= KMT_RING_STORED;
			put64(b, data + used, UINT64_C(0x700000007));
		}
	}
	b->time_ns += below(b, 100000000);
	put64(b, subbuf + page->time_offset, b->time_ns);
	put32(b,
	      subbuf + page->commit_offset + (page->is_big_endian ? page->commit_bytes - 4u : 0u),
	      flags | (uint32_t)used);
	if (below(b, 12) == 0) /* and then it is damaged */
		memset(subbuf + below(b, page->subbuf_bytes - 99), (int)below(b, 256), 99);
}

static void decode(struct bench *b, const uint8_t *raw, struct kmt_batch *batch)
{
	KMT_CLEANUP(kmt_decoder_freep) struct kmt_decoder *decoder = NULL;

	CHECK_EQ(kmt_decoder_new(b->formats, b->names, b->stacks, 0, &decoder, NULL), 0);
	CHECK_EQ(kmt_decoder_run(decoder, raw, SUBBUFS * b->subbuf_bytes, "x", 0, batch), 0);
	CHECK_EQ(kmt_decoder_finish(decoder, batch), 0);
}

static void compare(struct bench *b)
{
	KMT_CLEANUP(kmt_batch_deinit) struct kmt_batch before = { 0 };
	KMT_CLEANUP(kmt_batch_deinit) struct kmt_batch after = { 0 };

	decode(b, b->raw, &before);
	decode(b, b->again, &after);
	CHECK_EQ(before.nr, after.nr);
	if (before.nr)
		CHECK_BYTES(before.events, after.events, before.nr * sizeof(*before.events));
}

static void all_comes_back(const struct kernel *kernel)
{
	KMT_CLEANUP(kmt_columns_writer_freep) struct kmt_columns_writer *writer = NULL;
	KMT_CLEANUP(kmt_columns_reader_freep) struct kmt_columns_reader *reader = NULL;
	KMT_CLEANUP(tear_down) struct bench b;
	const struct kmt_page_layout *page;
	size_t bytes, all;

	set_up(&b, kernel);
	page = kmt_formats_page(b.formats);
	all = SUBBUFS * b.subbuf_bytes;
	CHECK_EQ(kmt_columns_writer_new(
			 &(struct kmt_column_page){ page->subbuf_bytes, page->time_offset,
						    page->data_offset, page->is_big_endian },
			 &writer, NULL),
		 0);
	CHECK_EQ(kmt_columns_reader_new(&reader), 0);
	for (int round = 0; round < ROUNDS; round++) {
		const void *frame;
		const char *wrong;

		for (size_t i = 0; i < SUBBUFS; i++)
			fill_subbuf(&b, b.raw + i * b.subbuf_bytes);
		memcpy(b.cleared, b.raw, all);
		kmt_columns_begin(writer);
		for (size_t i = 0; i < SUBBUFS; i++)
			kmt_small_items_add(&b.items, b.cleared + i * b.subbuf_bytes, writer);
		CHECK_EQ(kmt_columns_finish(writer, &frame, &bytes, NULL), 0);
		wrong = kmt_columns_read(reader, frame, bytes, page->subbuf_bytes, b.again, all);
		if (wrong)
			fail_msg("%s: %s", kernel->name, wrong);
		CHECK_BYTES(b.cleared, b.again, all);
		compare(&b);
	}
}

TEST(events_of_all_kernels_come_back)
{
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
		all_comes_back(&kernels[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(events_of_all_kernels_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
