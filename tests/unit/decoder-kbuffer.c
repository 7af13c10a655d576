// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sub-buffers mean the same to our decoder and to libtraceevent's kbuffer: each event has
 * the same time, call site and pointer. They are made here, by hand, so that a mistake in the tools
 * that make tapes cannot hide one in the decoder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <traceevent/kbuffer.h>

#include "kmemtape/decoder.h"

#define ROUNDS	      300
#define SUBBUFS	      4
#define KFREE_ID      17
#define KMALLOC_ID    300
#define FOREIGN_ID    9
#define SLACK_BYTES   16 /* kbuffer looks at a whole record header behind the last record */
#define MISSED_EVENTS (UINT64_C(1) << 31)
#define MISSED_STORED (UINT64_C(1) << 30)
#define STAMP_MASK    ((UINT64_C(1) << 59) - 1)

struct kernel {
	bool is_big_endian;
	unsigned int long_bytes;
	unsigned int subbuf_bytes;
};

static const struct kernel kernels[] = {
	{ false, 8, 4096 },  { true, 8, 4096 },	 { false, 4, 4096 },  { true, 4, 4096 },
	{ false, 8, 65536 }, { true, 8, 65536 }, { false, 4, 16384 }, { true, 4, 8192 },
};

/* xorshift64*: the same on every machine. */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t below(uint64_t *seed, uint64_t n)
{
	return (next_random(seed) >> 11) % n;
}

static void put(const struct kernel *kernel, uint8_t *to, uint64_t n, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		to[kernel->is_big_endian ? bytes - 1 - i : i] = (uint8_t)(n >> (8 * i));
}

static uint64_t get(const struct kernel *kernel, const uint8_t *from, unsigned int bytes)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < bytes; i++)
		n |= (uint64_t)from[kernel->is_big_endian ? bytes - 1 - i : i] << (8 * i);
	return n;
}

/* --- formats: call_site at 8, ptr behind it, then the sizes --- */

static struct kmt_formats *make_formats(const struct kernel *kernel)
{
	unsigned int l = kernel->long_bytes;
	struct kmt_formats *formats;
	struct kmt_err err = { "" };
	char common[512], text[2048];

	(void)snprintf(text, sizeof(text),
		       "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
		       "\tfield: local_t commit;\toffset:8;\tsize:%u;\tsigned:1;\n"
		       "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
		       "\tfield: char data;\toffset:%u;\tsize:%u;\tsigned:1;\n",
		       l, 8 + l, kernel->subbuf_bytes - 8 - l);
	assert_int_equal(
		kmt_formats_new(kernel->is_big_endian, l, text, strlen(text), &formats, &err), 0);
	(void)snprintf(
		common, sizeof(common),
		"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
		"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
		"\tfield:unsigned long call_site;\toffset:8;\tsize:%u;\tsigned:0;\n"
		"\tfield:const void * ptr;\toffset:%u;\tsize:%u;\tsigned:0;\n",
		l, 8 + l, l);
	(void)snprintf(text, sizeof(text), "name: kfree\nID: %d\nformat:\n%s\nprint fmt: \"\"\n",
		       KFREE_ID, common);
	assert_int_equal(kmt_formats_add(formats, "kmem:kfree", text, strlen(text), &err), 0);
	(void)snprintf(text, sizeof(text),
		       "name: kmalloc\nID: %d\nformat:\n%s"
		       "\tfield:size_t bytes_req;\toffset:%u;\tsize:%u;\tsigned:0;\n"
		       "\tfield:size_t bytes_alloc;\toffset:%u;\tsize:%u;\tsigned:0;\n"
		       "\tfield:unsigned long gfp_flags;\toffset:%u;\tsize:%u;\tsigned:0;\n"
		       "\tfield:int node;\toffset:%u;\tsize:4;\tsigned:1;\n\nprint fmt: \"\"\n",
		       KMALLOC_ID, common, 8 + 2 * l, l, 8 + 3 * l, l, 8 + 4 * l, l, 8 + 5 * l);
	assert_int_equal(kmt_formats_add(formats, "kmem:kmalloc", text, strlen(text), &err), 0);
	return formats;
}

/* --- the generator --- */

struct page {
	const struct kernel *kernel;
	uint8_t *bytes;
	unsigned int used; /* behind the header */
	uint64_t time_ns;
	uint64_t *seed;
};

static unsigned int head_bytes(const struct kernel *kernel)
{
	return 8 + kernel->long_bytes;
}

static void put_record_head(struct page *page, unsigned int type, uint64_t delta)
{
	uint8_t *to = page->bytes + head_bytes(page->kernel) + page->used;

	put(page->kernel, to, page->kernel->is_big_endian ? type << 27 | delta : delta << 5 | type,
	    4);
	page->used += 4;
}

static void put_word(struct page *page, uint64_t n)
{
	put(page->kernel, page->bytes + head_bytes(page->kernel) + page->used, n, 4);
	page->used += 4;
}

static uint64_t random_delta(struct page *page)
{
	static const unsigned int bits[] = { 0, 1, 4, 12, 20, 27 };

	return below(page->seed, UINT64_C(1) << bits[below(page->seed, 6)]);
}

/* A record of @id; with the length in its head, or in a word of its own. */
static void put_data(struct page *page, unsigned int id, unsigned int bytes)
{
	bool is_long = bytes > 112 || below(page->seed, 4) == 0;
	uint64_t delta = random_delta(page);
	uint8_t *record;

	page->time_ns += delta;
	if (is_long) {
		put_record_head(page, 0, delta);
		put_word(page,
			 bytes + 4 - below(page->seed, 4)); /* rounded up to words by readers */
	} else {
		put_record_head(page, bytes / 4, delta);
	}
	record = page->bytes + head_bytes(page->kernel) + page->used;
	for (unsigned int i = 0; i < bytes; i++)
		record[i] = (uint8_t)next_random(page->seed);
	put(page->kernel, record, id, 2);
	page->used += bytes;
}

static void put_padding(struct page *page, unsigned int bytes)
{
	uint64_t delta = random_delta(page);

	/* 1 stands for 0 there; Linux ignores it, kbuffer does not: that is not to be compared. */
	delta = delta < 2 ? 2 : delta;
	put_record_head(page, 29, delta);
	put_word(page, bytes);
	page->time_ns += delta;
	page->used += bytes - 4;
}

static void put_random_record(struct page *page)
{
	unsigned int kfree = 8 + 2 * page->kernel->long_bytes;
	unsigned int kmalloc = 12 + 5 * page->kernel->long_bytes;
	uint64_t n;

	switch (below(page->seed, 10)) {
	case 0:
		n = below(page->seed, UINT64_C(1) << 37);
		put_record_head(page, 30, n & ((1 << 27) - 1));
		put_word(page, n >> 27);
		page->time_ns += n;
		break;
	case 1: /* a stamp that goes back is taken by Linux as one whose upper bits have changed */
		page->time_ns += below(page->seed, UINT64_C(1) << 40);
		if (!(page->time_ns & ~STAMP_MASK))
			page->time_ns -= below(page->seed, UINT64_C(1) << 39);
		n = page->time_ns & STAMP_MASK;
		put_record_head(page, 31, n & ((1 << 27) - 1));
		put_word(page, n >> 27);
		break;
	case 2:
		put_padding(page, 4 + 4 * (unsigned int)below(page->seed, 20));
		break;
	case 3:
		put_data(page, FOREIGN_ID, 8 + 4 * (unsigned int)below(page->seed, 40));
		break;
	case 4:
	case 5:
	case 6:
		put_data(page, KMALLOC_ID, kmalloc + 4 * (unsigned int)below(page->seed, 25));
		break;
	default:
		put_data(page, KFREE_ID, kfree);
	}
}

/* Sub-buffer @nr: full, but for room for the largest record; or less. */
static void fill_page(struct page *page, unsigned int nr, uint64_t upper_bits)
{
	unsigned int room = page->kernel->subbuf_bytes - head_bytes(page->kernel) - 256;
	unsigned int target = below(page->seed, 8) ? (unsigned int)below(page->seed, room) : room;
	uint64_t commit;

	page->time_ns =
		upper_bits | ((uint64_t)nr + 1) << 45 | below(page->seed, UINT64_C(1) << 40);
	put(page->kernel, page->bytes, page->time_ns, 8);
	while (page->used < target)
		put_random_record(page);
	if (below(page->seed, 8) == 0) {
		put_record_head(page, 29, 0); /* nothing but padding up to the end */
		put_word(page, 0);
	}
	commit = page->used;
	if (below(page->seed, 3) == 0) {
		commit |= MISSED_EVENTS | (below(page->seed, 2) ? MISSED_STORED : 0);
		put(page->kernel, page->bytes + head_bytes(page->kernel) + page->used,
		    1 + below(page->seed, 100000), page->kernel->long_bytes);
	}
	put(page->kernel, page->bytes + 8, commit, page->kernel->long_bytes);
}

/* --- the comparison --- */

struct expected {
	const struct kmt_event *events;
	size_t nr, at;
	uint64_t last_ns; /* our times never decrease within a CPU */
};

static const struct kmt_event *take_event(struct expected *expected)
{
	assert_true(expected->at < expected->nr);
	return &expected->events[expected->at++];
}

static void compare_record(const struct kernel *kernel, const uint8_t *record, uint64_t time_ns,
			   struct expected *expected)
{
	unsigned int id = (unsigned int)get(kernel, record, 2), l = kernel->long_bytes;
	const struct kmt_event *event;

	if (id != KFREE_ID && id != KMALLOC_ID)
		return;
	event = take_event(expected);
	if (time_ns < expected->last_ns)
		time_ns = expected->last_ns;
	expected->last_ns = time_ns;
	assert_int_equal(event->kind, id == KFREE_ID ? KMT_EVENT_KFREE : KMT_EVENT_KMALLOC);
	assert_int_equal(event->time_ns, time_ns);
	assert_int_equal(event->call_site, get(kernel, record + 8, l));
	assert_int_equal(event->ptr, get(kernel, record + 8 + l, l));
	assert_int_equal(event->pid, (int32_t)get(kernel, record + 4, 4));
	assert_int_equal(event->context, record[2]);
	if (id == KFREE_ID)
		return;
	assert_int_equal(event->bytes_req, get(kernel, record + 8 + 2 * l, l));
	assert_int_equal(event->bytes_alloc, get(kernel, record + 8 + 3 * l, l));
	assert_int_equal(event->gfp, (uint32_t)get(kernel, record + 8 + 4 * l, l));
}

static uint64_t missed_events(const struct kernel *kernel, const uint8_t *bytes)
{
	uint64_t commit = get(kernel, bytes + 8, kernel->long_bytes) & ((1 << 27) - 1);

	return get(kernel, bytes + head_bytes(kernel) + commit, kernel->long_bytes);
}

static void compare_page(const struct kernel *kernel, struct kbuffer *kbuf, uint8_t *bytes,
			 struct expected *expected)
{
	unsigned long long time_ns;
	const struct kmt_event *loss;
	uint64_t commit = get(kernel, bytes + 8, kernel->long_bytes);
	uint8_t *record;

	assert_int_equal(kbuffer_load_subbuffer(kbuf, bytes), 0);
	/* Not kbuffer_missed_events(): it says 0 if the page begins with a time stamp or padding.
	 */
	if (commit & MISSED_EVENTS) {
		loss = take_event(expected);
		assert_int_equal(loss->kind, KMT_EVENT_LOSS);
		assert_int_equal(loss->lost,
				 commit & MISSED_STORED ? missed_events(kernel, bytes) : 0);
		assert_int_equal(loss->since_ns, expected->last_ns);
		time_ns = kbuffer_subbuf_timestamp(kbuf, bytes);
		if (time_ns > expected->last_ns)
			expected->last_ns = time_ns;
		assert_int_equal(loss->time_ns, expected->last_ns);
	}
	for (record = kbuffer_read_event(kbuf, &time_ns); record;
	     record = kbuffer_next_event(kbuf, &time_ns))
		compare_record(kernel, record, time_ns, expected);
}

static void run_round(const struct kernel *kernel, const struct kmt_formats *formats,
		      struct kmt_names *names, uint64_t seed)
{
	size_t bytes = (size_t)SUBBUFS * kernel->subbuf_bytes;
	uint8_t *raw = calloc(1, bytes + SLACK_BYTES);
	struct kbuffer *kbuf =
		kbuffer_alloc(kernel->long_bytes == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4,
			      kernel->is_big_endian ? KBUFFER_ENDIAN_BIG : KBUFFER_ENDIAN_LITTLE);
	uint64_t upper_bits = below(&seed, 4) ? 0 : below(&seed, 31) << 59;
	struct kmt_decoder *decoder;
	struct kmt_batch batch = { 0 };
	struct expected expected = { 0 };

	assert_non_null(raw);
	assert_non_null(kbuf);
	for (unsigned int i = 0; i < SUBBUFS; i++) {
		struct page page = { kernel, raw + (size_t)i * kernel->subbuf_bytes, 0, 0, &seed };

		fill_page(&page, i, upper_bits);
	}
	assert_int_equal(kmt_decoder_new(formats, names, NULL, 3, &decoder, NULL), 0);
	assert_int_equal(kmt_decoder_run(decoder, raw, bytes, "random", 0, &batch), 0);
	assert_string_equal(kmt_decoder_stats(decoder)->damage.text, "");
	expected.events = batch.events;
	expected.nr = batch.nr;
	for (unsigned int i = 0; i < SUBBUFS; i++)
		compare_page(kernel, kbuf, raw + (size_t)i * kernel->subbuf_bytes, &expected);
	assert_int_equal(expected.at, expected.nr);

	kmt_batch_deinit(&batch);
	(void)kmt_decoder_free(decoder);
	kbuffer_free(kbuf);
	free(raw);
}

static void random_sub_buffers_mean_the_same_to_kbuffer(void **state)
{
	const struct kernel *kernel = *state;
	struct kmt_formats *formats = make_formats(kernel);
	struct kmt_names *names;

	assert_int_equal(kmt_names_new(&names, NULL), 0);
	for (uint64_t round = 1; round <= ROUNDS; round++)
		run_round(kernel, formats, names, round * UINT64_C(0x9e3779b97f4a7c15));
	(void)kmt_names_free(names);
	(void)kmt_formats_free(formats);
}

/* No reference here: whatever the bytes are, reading stays inside, and ends. */
static void damaged_sub_buffers_are_survived(void **state)
{
	const struct kernel *kernel = *state;
	struct kmt_formats *formats = make_formats(kernel);
	uint8_t *raw = malloc(kernel->subbuf_bytes); /* exactly, for the address sanitizer */
	struct kmt_names *names;

	assert_non_null(raw);
	assert_int_equal(kmt_names_new(&names, NULL), 0);
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		uint64_t seed = round * UINT64_C(0xd1342543de82ef95);
		struct page page = { kernel, raw, 0, 0, &seed };
		struct kmt_decoder *decoder;
		struct kmt_batch batch = { 0 };

		memset(raw, 0, kernel->subbuf_bytes);
		fill_page(&page, 0, 0);
		for (uint64_t n = 1 + below(&seed, 20); n; n--)
			raw[below(&seed, below(&seed, 2) ? kernel->subbuf_bytes : 64)] =
				(uint8_t)next_random(&seed);
		assert_int_equal(kmt_decoder_new(formats, names, NULL, 0, &decoder, NULL), 0);
		assert_int_equal(
			kmt_decoder_run(decoder, raw, kernel->subbuf_bytes, "damaged", 0, &batch),
			0);
		kmt_batch_deinit(&batch);
		(void)kmt_decoder_free(decoder);
	}
	(void)kmt_names_free(names);
	(void)kmt_formats_free(formats);
	free(raw);
}

#define TEST(func, at, words)                                                           \
	{                                                                               \
#func " (" words ")", func, NULL, NULL, (void *)(uintptr_t)&kernels[at] \
	}
#define BOTH(at, words)                                               \
	TEST(random_sub_buffers_mean_the_same_to_kbuffer, at, words), \
		TEST(damaged_sub_buffers_are_survived, at, words)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BOTH(0, "little-endian, 64 bit"),	  BOTH(1, "big-endian, 64 bit"),
		BOTH(2, "little-endian, 32 bit"),	  BOTH(3, "big-endian, 32 bit"),
		BOTH(4, "little-endian, 64 bit, 64 KiB"), BOTH(5, "big-endian, 64 bit, 64 KiB"),
		BOTH(6, "little-endian, 32 bit, 16 KiB"), BOTH(7, "big-endian, 32 bit, 8 KiB"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
