// SPDX-License-Identifier: GPL-2.0-only
/* Events of probes on pairs of functions, and on vmalloc: what the decoder makes of their records.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "kmemtape/decoder.h"
#include "kmemtape/stacks.h"

#include "fixture.h"

#define PAGE_BYTES    4096u
#define CALLER	      UINT64_C(0x81234567)
#define TEXT_BYTES    4096
#define EVENT_TYPE(i) (uint16_t)(700 + (i))

struct machine {
	bool is_big_endian;
	uint32_t long_bytes;
};

static const struct machine machines[] = { { false, 8 }, { true, 8 }, { false, 4 }, { true, 4 } };

#define FOR_EACH_MACHINE                         \
	for (const struct machine *m = machines; \
	     m < machines + sizeof(machines) / sizeof(machines[0]); m++)

static const char *const names[] = { "ticket", "badge" };

/* As tracefs gives it: the number of the first field is 8 bytes into the record. */
static struct kmt_formats *new_formats(const struct machine *m)
{
	struct kmt_formats *formats;
	char text[TEXT_BYTES];

	(void)snprintf(text, sizeof(text),
		       "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
		       "\tfield: local_t commit;\toffset:8;\tsize:%u;\tsigned:1;\n"
		       "\tfield: char data;\toffset:%u;\tsize:%u;\tsigned:1;\n",
		       m->long_bytes, 8 + m->long_bytes, PAGE_BYTES - 8 - m->long_bytes);
	CHECK_EQ(kmt_formats_new(m->is_big_endian, m->long_bytes, text, strlen(text), &formats,
				 NULL),
		 0);
	kmt_formats_set_pairs(formats, names, 2);
	return formats;
}

static int add(struct kmt_formats *formats, const struct machine *m, uint16_t type,
	       const char *event, const char *const *fields, struct kmt_err *err)
{
	char text[TEXT_BYTES];
	int used;

	used = snprintf(
		text, sizeof(text),
		"name: %s\nID: %u\nformat:\n"
		"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
		"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n",
		event, type);
	for (uint32_t i = 0; fields[i]; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used,
				 "\tfield:unsigned long %s;\toffset:%u;\tsize:%u;\tsigned:0;\n",
				 fields[i], 8 + i * m->long_bytes, m->long_bytes);
	(void)snprintf(text + used, sizeof(text) - (size_t)used, "\nprint fmt: \"\"\n");
	return kmt_formats_add(formats, event, text, strlen(text), err);
}

static void put(uint8_t *p, uint64_t n, size_t bytes, bool is_big_endian)
{
	for (size_t i = 0; i < bytes; i++)
		p[is_big_endian ? bytes - 1 - i : i] = (uint8_t)(n >> (8 * i));
}

struct bench {
	struct kmt_formats *formats;
	struct kmt_names *names;
	struct kmt_stacks *stacks;
	struct kmt_decoder *decoder;
	struct kmt_batch batch;
	const struct machine *machine;
	uint8_t *page;
	uint32_t used;
};

static void leave(struct bench *b)
{
	kmt_batch_deinit(&b->batch);
	b->decoder = kmt_decoder_free(b->decoder);
	b->names = kmt_names_free(b->names);
	b->stacks = kmt_stacks_free(b->stacks);
	b->formats = kmt_formats_free(b->formats);
	free(b->page);
}

static struct bench enter(const struct machine *m)
{
	static const char *const returned[] = { "__probe_func", "__probe_ret_ip", "object", NULL };
	static const char *const got[] = { "__probe_ip", "call_site", "object", NULL };
	static const char *const area[] = { "__probe_func", "__probe_ret_ip", "area", "addr",
					    "size",	    "caller",	      NULL };
	static const char *const removed[] = { "__probe_ip", "call_site", "addr", NULL };
	static const char *const stack[] = { "size", "caller", NULL };
	struct bench b = { .formats = new_formats(m), .machine = m };

	CHECK_EQ(add(b.formats, m, EVENT_TYPE(0), "kmemtape:pair_ticket_alloc", returned, NULL), 0);
	CHECK_EQ(add(b.formats, m, EVENT_TYPE(1), "kmemtape:pair_ticket_free", got, NULL), 0);
	CHECK_EQ(add(b.formats, m, EVENT_TYPE(2), "kmemtape:pair_badge_alloc", got, NULL), 0);
	CHECK_EQ(add(b.formats, m, EVENT_TYPE(3), "kmemtape:pair_badge_free", got, NULL), 0);
	CHECK_EQ(add(b.formats, m, EVENT_TYPE(4), "kmemtape:vma_new", area, NULL), 0);
	CHECK_EQ(add(b.formats, m, EVENT_TYPE(5), "kmemtape:vma_del", removed, NULL), 0);
	CHECK_EQ(add(b.formats, m, EVENT_TYPE(6), "ftrace:kernel_stack", stack, NULL), 0);
	CHECK_EQ(kmt_names_new(&b.names, NULL), 0);
	CHECK_EQ(kmt_stacks_new(0, UINT64_MAX, &b.stacks, NULL), 0);
	CHECK_EQ(kmt_decoder_new(b.formats, b.names, b.stacks, 0, &b.decoder, NULL), 0);
	b.page = calloc(1, PAGE_BYTES);
	CHECK(b.page);
	return b;
}

/* A record of that event, with these fields. */
static void put_record(struct bench *b, unsigned int event, const uint64_t *fields, uint32_t nr)
{
	const struct machine *m = b->machine;
	uint8_t *p = b->page + 8 + m->long_bytes + b->used;
	uint32_t bytes = 8 + nr * m->long_bytes, words = bytes / 4;

	put(p, m->is_big_endian ? words << 27 | 1 : words | 1 << 5, 4, m->is_big_endian);
	put(p + 4, EVENT_TYPE(event), 2, m->is_big_endian);
	put(p + 8, 77, 4, m->is_big_endian);
	for (uint32_t i = 0; i < nr; i++)
		put(p + 12 + i * m->long_bytes, fields[i], m->long_bytes, m->is_big_endian);
	b->used += 4 + bytes;
}

static void put_pair(struct bench *b, unsigned int event, uint64_t object)
{
	uint64_t fields[] = { 1, CALLER, object };

	put_record(b, event, fields, 3);
}

static void decode(struct bench *b)
{
	put(b->page + 8, b->used, b->machine->long_bytes, b->machine->is_big_endian);
	CHECK_EQ(kmt_decoder_run(b->decoder, b->page, PAGE_BYTES, "cpu", 0, &b->batch), 0);
}

TEST(each_pair_has_a_space_and_a_name)
{
	FOR_EACH_MACHINE
	{
		KMT_CLEANUP(leave) struct bench b = enter(m);
		static const uint8_t kinds[] = { KMT_EVENT_PAIR_ALLOC, KMT_EVENT_PAIR_FREE };

		for (unsigned int i = 0; i < 4; i++)
			put_pair(&b, i, 0xc0001000 + i);
		decode(&b);
		CHECK_EQ(b.batch.nr, 4);
		for (unsigned int i = 0; i < 4; i++) {
			const struct kmt_event *event = &b.batch.events[i];

			CHECK_EQ(event->kind, kinds[i % 2]);
			CHECK_EQ(event->space, KMT_SPACE_PAIR + i / 2);
			CHECK_EQ(event->ptr, 0xc0001000 + i);
			CHECK_EQ(event->call_site, CALLER);
			CHECK_EQ(event->pid, 77);
			CHECK_EQ(event->bytes_alloc, 0);
			CHECK_TEXT(event->text, names[i / 2]);
			CHECK(event->text == b.batch.events[i & 2].text);
		}
	}
}

TEST(an_error_number_is_no_object)
{
	FOR_EACH_MACHINE
	{
		KMT_CLEANUP(leave) struct bench b = enter(m);
		uint64_t all = m->long_bytes == 8 ? UINT64_MAX : UINT32_MAX;

		put_pair(&b, 0, 0);
		put_pair(&b, 0, all - 11 + 1); /* ERR_PTR(-EAGAIN) */
		put_pair(&b, 0, all - 4095 + 1);
		put_pair(&b, 0, all - 4095); /* the last address that is none */
		put_pair(&b, 1, all - 12 + 1);
		decode(&b);
		CHECK_EQ(b.batch.nr, 5);
		CHECK_EQ(b.batch.events[0].ptr, 0);
		CHECK_EQ(b.batch.events[1].ptr, 0);
		CHECK_EQ(b.batch.events[2].ptr, 0);
		CHECK(b.batch.events[3].ptr == all - 4095);
		CHECK_EQ(b.batch.events[4].ptr, 0);
	}
}

/* What a probe reads of no structure at all is what the ring buffer had there before. */
TEST(an_area_that_was_not_to_be_had_has_no_address)
{
	FOR_EACH_MACHINE
	{
		KMT_CLEANUP(leave) struct bench b = enter(m);
		uint64_t made[] = { 1, 2, 0xc0009000, 0xc0100000, 8192, CALLER };
		uint64_t failed[] = { 1, 2, 0, 0xdeadbeef, 0xdead, 0xbeef };
		uint64_t removed[] = { 1, CALLER + 8, 0xc0100000 };

		put_record(&b, 4, made, 6);
		put_record(&b, 4, failed, 6);
		put_record(&b, 5, removed, 3);
		decode(&b);
		CHECK_EQ(b.batch.nr, 3);
		CHECK_EQ(b.batch.events[0].kind, KMT_EVENT_VMALLOC);
		CHECK_EQ(b.batch.events[0].ptr, 0xc0100000);
		CHECK_EQ(b.batch.events[0].bytes_alloc, 8192);
		CHECK_EQ(b.batch.events[0].call_site, CALLER);
		CHECK_EQ(b.batch.events[1].ptr, 0);
		CHECK_EQ(b.batch.events[2].kind, KMT_EVENT_VFREE);
		CHECK_EQ(b.batch.events[2].ptr, 0xc0100000);
		CHECK_EQ(b.batch.events[2].space, KMT_SPACE_VMALLOC);
	}
}

static size_t frames_of(const struct bench *b, size_t event)
{
	size_t nr = 0;

	CHECK(event < b->batch.nr);
	(void)kmt_stacks_frames(b->stacks, b->batch.events[event].stack, &nr);
	return nr;
}

/* As seen on 6.12 (a, c) and 5.10 (b, d). */
TEST(a_stack_without_the_caller_is_none)
{
	FOR_EACH_MACHINE
	{
		KMT_CLEANUP(leave) struct bench b = enter(m);
		uint64_t made[] = { 1, 2, 0xc0009000, 0xc0100000, 8192, CALLER };
		uint64_t whole[] = { 5, 0x81000001, 0x81000002, CALLER, 0x81000003, 0x81000004 };
		uint64_t cut[] = { 2, 0x81000001, 0x81000002 };

		put_pair(&b, 0, 0xc0001000);
		put_record(&b, 6, whole, 6);
		put_pair(&b, 0, 0xc0002000);
		put_record(&b, 6, cut, 3);
		put_record(&b, 4, made, 6);
		put_record(&b, 6, whole, 6);
		put_record(&b, 4, made, 6);
		put_record(&b, 6, cut, 3);
		decode(&b);
		CHECK_EQ(kmt_decoder_finish(b.decoder, &b.batch), 0);
		CHECK_EQ(frames_of(&b, 0), 3);
		CHECK_EQ(frames_of(&b, 1), 0);
		CHECK_EQ(frames_of(&b, 2), 3);
		CHECK_EQ(frames_of(&b, 3), 0);
		CHECK_EQ(b.batch.events[3].stack, KMT_STACK_NONE);
	}
}

TEST(pairs_that_nobody_named_mean_nothing)
{
	static const char *const got[] = { "__probe_ip", "object", NULL };
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = new_formats(machines);
	uint16_t id;

	CHECK_EQ(add(formats, machines, 700, "kmemtape:pair_other_alloc", got, NULL), 0);
	CHECK(!kmt_formats_find(formats, "kmemtape:pair_other_alloc", &id));
	CHECK_EQ(add(formats, machines, 700, "kmemtape:pair_badge_alloc", got, NULL), 0);
	CHECK(kmt_formats_find(formats, "kmemtape:pair_badge_alloc", &id));
	CHECK_TEXT(kmt_formats_pair(formats, KMT_SPACE_PAIR + 1), "badge");
	CHECK(!kmt_formats_pair(formats, KMT_SPACE_PAIR + 2));
	CHECK(!kmt_formats_pair(formats, KMT_SPACE_SLAB));
}

TEST(a_pair_without_its_object_is_refused)
{
	static const char *const none[] = { "__probe_ip", "call_site", NULL };
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = new_formats(machines);
	struct kmt_err err;

	CHECK_EQ(add(formats, machines, 700, "kmemtape:pair_badge_free", none, &err), -EBADMSG);
	CHECK_HAS(err.text, "pair_badge_free");
	CHECK_HAS(err.text, "object");
}

TEST(there_is_room_for_all_pairs)
{
	static const char *const got[] = { "object", NULL };
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *full = new_formats(machines);
	char texts[KMT_PAIRS_MAX][32], event[64];
	const char *all[KMT_PAIRS_MAX];
	uint16_t id;

	for (size_t i = 0; i < KMT_PAIRS_MAX; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "of_31_letters_as_is_the_most_%02zu", i);
		all[i] = texts[i];
	}
	kmt_formats_set_pairs(full, all, KMT_PAIRS_MAX);
	for (size_t i = 0; i < 2 * KMT_PAIRS_MAX; i++) {
		(void)snprintf(event, sizeof(event), "kmemtape:pair_%s_%s", all[i / 2],
			       i % 2 ? "free" : "alloc");
		CHECK_EQ(add(full, machines, EVENT_TYPE(i), event, got, NULL), 0);
		CHECK_EQ(kmt_formats_find(full, event, &id)->space, KMT_SPACE_PAIR + i / 2);
		CHECK_EQ(id, EVENT_TYPE(i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(each_pair_has_a_space_and_a_name),
		ROW(an_error_number_is_no_object),
		ROW(an_area_that_was_not_to_be_had_has_no_address),
		ROW(a_stack_without_the_caller_is_none),
		ROW(pairs_that_nobody_named_mean_nothing),
		ROW(a_pair_without_its_object_is_refused),
		ROW(there_is_room_for_all_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
