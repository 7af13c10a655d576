// SPDX-License-Identifier: GPL-2.0-only
/* What goes into columns comes out, whatever it is; and what is no columns is said to be none. */
#include <zstd.h>

#include "../../src/tape/columns.h"
#include "kmemtape/columns.h"
#include "kmemtape/tape-format.h"

#include "check.h"

#define SUBBUF	4096u
#define SUBBUFS 7u
#define ROUNDS	12

struct bench {
	struct kmt_column_page page;
	struct kmt_columns_writer *writer;
	struct kmt_columns_reader *reader;
	uint64_t random;
	uint8_t raw[SUBBUFS * SUBBUF], again[SUBBUFS * SUBBUF];
};

static struct bench *set_up(bool is_big_endian, uint16_t data_offset)
{
	struct bench *b = calloc(1, sizeof(*b));

	CHECK(b);
	b->page = (struct kmt_column_page){ SUBBUF, 0, data_offset, is_big_endian };
	b->random = data_offset;
	CHECK_EQ(kmt_columns_writer_new(&b->page, &b->writer, NULL), 0);
	CHECK_EQ(kmt_columns_reader_new(&b->reader), 0);
	return b;
}

static void tear_down(struct bench **b)
{
	(void)kmt_columns_writer_free((*b)->writer);
	(void)kmt_columns_reader_free((*b)->reader);
	free(*b);
}

static uint64_t below(struct bench *b, uint64_t n)
{
	return check_random(&b->random) % n;
}

/* A random number of items of random kinds, which may well be nonsense. */
static void add_items(struct bench *b, uint8_t *subbuf)
{
	size_t at = b->page.data_offset;

	for (uint64_t nr = below(b, 90); nr; nr--) {
		struct kmt_column_field fields[4];
		struct kmt_column_item item = {
			.raw = subbuf + at,
			.bytes = 8 + 4 * (uint32_t)below(b, 12),
			.time = (uint8_t)below(b, 3),
			.fields = fields,
		};

		if (item.bytes > SUBBUF - at)
			break;
		for (uint32_t offset = 8; offset + 8 <= item.bytes && item.nr_fields < 4;
		     offset += 8)
			fields[item.nr_fields++] = (struct kmt_column_field){
				.offset = (uint16_t)offset,
				.bytes = below(b, 2) ? 8 : 4,
				.vary = (uint8_t)(KMT_VARY_ALLOC + below(b, 3)),
			};
		if (item.nr_fields && below(b, 2)) {
			fields[0].bytes = 4;
			fields[0].vary = KMT_VARY_TASK;
		}
		kmt_columns_add(b->writer, &item);
		at += item.bytes;
	}
}

/* Bytes of which @variety in 256 are any, the others of a few kinds. */
static void fill(struct bench *b, uint64_t variety)
{
	for (size_t i = 0; i < sizeof(b->raw); i++)
		b->raw[i] = (uint8_t)(below(b, 256) < variety ? below(b, 256) : i % 8 == 4);
}

static const char *read_again(struct bench *b, const void *frame, size_t bytes)
{
	return kmt_columns_read(b->reader, frame, bytes, SUBBUF, b->again, sizeof(b->raw));
}

static void comes_out(bool is_big_endian, uint16_t data_offset)
{
	KMT_CLEANUP(tear_down) struct bench *b = set_up(is_big_endian, data_offset);

	for (int round = 0; round < ROUNDS; round++) {
		const void *frame;
		const char *wrong;
		size_t bytes;

		fill(b, (uint64_t)round * 21);
		kmt_columns_begin(b->writer);
		for (size_t i = 0; i < SUBBUFS; i++) {
			kmt_columns_begin_subbuf(b->writer, b->raw + i * SUBBUF);
			add_items(b, b->raw + i * SUBBUF);
			kmt_columns_end_subbuf(b->writer);
		}
		CHECK_EQ(kmt_columns_finish(b->writer, &frame, &bytes, NULL), 0);
		wrong = read_again(b, frame, bytes);
		if (wrong)
			fail_msg("round %d: %s", round, wrong);
		CHECK_BYTES(b->raw, b->again, sizeof(b->raw));
	}
}

TEST(what_goes_in_comes_out)
{
	comes_out(false, 16);
}

TEST(what_goes_in_comes_out_of_other_byte_orders)
{
	comes_out(true, 16);
	comes_out(false, 12);
}

/* kmalloc and kfree, as if there were a list of free objects: alike, near, each freed soon. */
static size_t put_pairs(struct bench *b, uint8_t *subbuf)
{
	static const struct kmt_column_field alloc = { 8, 8, KMT_VARY_ALLOC };
	static const struct kmt_column_field free = { 8, 8, KMT_VARY_FREE };
	size_t at = b->page.data_offset, nr = 0;

	memset(subbuf, 0, SUBBUF);
	kmt_columns_begin_subbuf(b->writer, subbuf);
	for (; at + 32 <= SUBBUF; at += 32, nr++) {
		uint64_t address = 0xffff888000000000 + (nr / 2 % 64) * 0x40;
		uint32_t word = (uint32_t)below(b, 512) << 5 | 7;

		memcpy(subbuf + at, &word, 4);
		memcpy(subbuf + at + 8, &address, 8);
		memset(subbuf + at + 16, nr % 2 ? 0xff : 0xa5, 16);
		kmt_columns_add(b->writer,
				&(struct kmt_column_item){ .raw = subbuf + at,
							   .bytes = 32,
							   .time = KMT_ITEM_SHORT,
							   .nr_fields = 1,
							   .fields = nr % 2 ? &free : &alloc });
	}
	kmt_columns_end_subbuf(b->writer);
	return nr;
}

TEST(what_was_to_be_expected_takes_little)
{
	KMT_CLEANUP(tear_down) struct bench *b = set_up(false, 16);
	const void *frame;
	size_t bytes, nr = 0;

	for (size_t i = 0; i < SUBBUFS; i++)
		nr += put_pairs(b, b->raw + i * SUBBUF);
	CHECK_EQ(kmt_columns_finish(b->writer, &frame, &bytes, NULL), 0);
	CHECK(!read_again(b, frame, bytes));
	CHECK_BYTES(b->raw, b->again, sizeof(b->raw));
	/* 9 bits of each are random; the rest is the same in all chunks of a tape. */
	CHECK(bytes < nr * 9 / 8 + 500);
}

TEST(each_chunk_stands_for_itself)
{
	KMT_CLEANUP(tear_down) struct bench *b = set_up(false, 16);
	KMT_CLEANUP(kmt_freep) void *first = NULL;
	const void *frame;
	size_t bytes, first_bytes;

	for (size_t i = 0; i < SUBBUFS; i++)
		(void)put_pairs(b, b->raw + i * SUBBUF);
	CHECK_EQ(kmt_columns_finish(b->writer, &frame, &first_bytes, NULL), 0);
	first = malloc(first_bytes);
	CHECK(first);
	memcpy(first, frame, first_bytes);
	b->random = 16; /* the same again */
	kmt_columns_begin(b->writer);
	for (size_t i = 0; i < SUBBUFS; i++)
		(void)put_pairs(b, b->raw + i * SUBBUF);
	CHECK_EQ(kmt_columns_finish(b->writer, &frame, &bytes, NULL), 0);
	CHECK_EQ(bytes, first_bytes);
	CHECK_BYTES(frame, first, bytes);
}

TEST(a_frame_for_another_length_is_refused)
{
	KMT_CLEANUP(tear_down) struct bench *b = set_up(false, 16);
	const void *frame;
	size_t bytes;

	for (size_t i = 0; i < SUBBUFS; i++)
		(void)put_pairs(b, b->raw + i * SUBBUF);
	CHECK_EQ(kmt_columns_finish(b->writer, &frame, &bytes, NULL), 0);
	CHECK(kmt_columns_read(b->reader, frame, bytes, SUBBUF, b->again, SUBBUF));
	CHECK(kmt_columns_read(b->reader, frame, bytes, SUBBUF / 2, b->again, sizeof(b->raw)));
	CHECK(kmt_columns_read(b->reader, frame, bytes - 1, SUBBUF, b->again, sizeof(b->raw)));
	CHECK(kmt_columns_read(b->reader, "", 0, SUBBUF, b->again, sizeof(b->raw)));
	CHECK(!read_again(b, frame, bytes));
}

#define ITEMS_OF_LIAR	0xffffffffu
#define FIELDS_OF_LIAR	255u
#define RAW_OF_LIAR	KMT_CHUNK_RAW_BYTES_MAX
#define UNTOUCHED	0xee
#define LIAR_DATA_BYTES 16u

/* One sub-buffer of as many items as one likes, of as many fields as there can be, and a column
 * that has the first of all. */
static size_t make_liar(uint8_t *content)
{
	struct columns_head head = {
		.data_offset = kmt_put_le32(LIAR_DATA_BYTES),
		.clock_step = kmt_put_le32(1),
		.nr_templates = kmt_put_le32(1),
	};
	struct columns_template template = { .bytes = kmt_put_le32(8),
					     .nr_fields = FIELDS_OF_LIAR };
	struct columns_field field = { { 4, 0 }, 4, KMT_VARY_TASK, 0, { 0 } };
	struct columns_page page = { .nr_items = kmt_put_le32(ITEMS_OF_LIAR) };
	size_t at = sizeof(head),
	       template_bytes = sizeof(template) + 8 + FIELDS_OF_LIAR * sizeof(field);

	memcpy(content + at, &template, sizeof(template));
	for (size_t i = 0; i < FIELDS_OF_LIAR; i++)
		memcpy(content + at + sizeof(template) + i * sizeof(field), &field, sizeof(field));
	at += template_bytes + LIAR_DATA_BYTES;
	memcpy(content + at, &page, sizeof(page));
	at += sizeof(page) + 1; /* the number of the first item's template */
	head.template_bytes = kmt_put_le32((uint32_t)template_bytes);
	head.bytes[COLUMN_PAGE_HEADS] = kmt_put_le32(LIAR_DATA_BYTES);
	head.bytes[COLUMN_PAGES] = kmt_put_le32(sizeof(page));
	head.bytes[COLUMN_ITEMS] = kmt_put_le32(1);
	memcpy(content, &head, sizeof(head));
	return at;
}

/* Else a tape of a few bytes takes hours. */
TEST(behind_the_end_of_a_column_nothing_is_made)
{
	KMT_CLEANUP(tear_down) struct bench *b = set_up(false, 16);
	KMT_CLEANUP(kmt_freep) uint8_t *content = calloc(1, 65536);
	KMT_CLEANUP(kmt_freep) uint8_t *raw = malloc(RAW_OF_LIAR);
	uint8_t frame[65536];
	size_t bytes;

	CHECK(content && raw);
	bytes = ZSTD_compress(frame, sizeof(frame), content, make_liar(content), 1);
	CHECK(bytes < 200);
	memset(raw, UNTOUCHED, RAW_OF_LIAR);
	CHECK(kmt_columns_read(b->reader, frame, bytes, RAW_OF_LIAR, raw, RAW_OF_LIAR));
	CHECK_EQ(raw[LIAR_DATA_BYTES], 0);			   /* it got so far */
	for (size_t i = 2 * LIAR_DATA_BYTES; i < RAW_OF_LIAR; i++) /* items are copied in steps */
		if (raw[i] != UNTOUCHED)
			fail_msg("%zu was made of nothing", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(what_goes_in_comes_out),
		ROW(what_goes_in_comes_out_of_other_byte_orders),
		ROW(what_was_to_be_expected_takes_little),
		ROW(each_chunk_stands_for_itself),
		ROW(a_frame_for_another_length_is_refused),
		ROW(behind_the_end_of_a_column_nothing_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
