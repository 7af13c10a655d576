// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <stdbool.h>

#include <traceevent/event-parse.h>

#include "kmemtape/padding.h"

#include "check.h"
#include "fixture.h"

#define SUBBUF_BYTES 4096u
#define HEAD_BYTES   (sizeof(uint64_t) + sizeof(unsigned long))

static uint32_t event_word(uint32_t type)
{
	return __BYTE_ORDER == __BIG_ENDIAN ? type << 27 | 0x123 : type | 0x123 << 5;
}

/* A sub-buffer of one event, all of whose bytes are @noise, but for its number. Return: the event.
 */
static uint8_t *make_subbuf(uint8_t *subbuf, uint16_t id, size_t bytes, uint8_t noise)
{
	unsigned long commit = 4 + bytes;
	uint32_t word = event_word((uint32_t)bytes / 4);

	CHECK(bytes % 4 == 0 && bytes <= 28 * 4);
	memset(subbuf, noise, SUBBUF_BYTES);
	memcpy(subbuf + sizeof(uint64_t), &commit, sizeof(commit));
	memcpy(subbuf + HEAD_BYTES, &word, sizeof(word));
	memcpy(subbuf + HEAD_BYTES + 4, &id, sizeof(id));
	return subbuf + HEAD_BYTES + 4;
}

static const char alloc_format[] =
	"name: kmem_cache_alloc\nID: 659\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:unsigned long call_site;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:const void * ptr;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:__data_loc char[] name;\toffset:24;\tsize:4;\tsigned:0;\n"
	"\tfield:size_t bytes_req;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:bool accounted;\toffset:40;\tsize:1;\tsigned:0;\n\n"
	"print fmt: \"%pS\", (void *)REC->call_site\n";

/* The record has a name of @name_bytes behind its fields, and 56 bytes in all. */
static uint8_t *alloc_record(uint8_t *subbuf, uint32_t name_bytes)
{
	uint8_t *record = make_subbuf(subbuf, 659, 56, 0xaa);
	uint32_t place = 41 | name_bytes << 16;

	memcpy(record + 24, &place, sizeof(place));
	return record;
}

#define PADDING(format, has_end)                                                        \
	KMT_CLEANUP(kmt_padding_freep) struct kmt_padding *padding = kmt_padding_new(); \
	CHECK(kmt_padding_add(padding, format, has_end))

static void check_zero(const uint8_t *record, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		CHECK_EQ(record[i], 0);
}

static void check_kept(const uint8_t *record, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		CHECK_EQ(record[i], 0xaa);
}

TEST(what_lies_between_fields_and_behind_the_name_is_cleared)
{
	uint8_t subbuf[SUBBUF_BYTES], *record = alloc_record(subbuf, 9);

	PADDING(alloc_format, true);
	kmt_padding_clear(padding, subbuf, sizeof(subbuf));
	check_kept(record, 2, 24);
	check_zero(record, 28, 32);
	check_kept(record, 32, 50); /* the name ends there */
	check_zero(record, 50, 56);
	check_kept(record, 56, SUBBUF_BYTES - HEAD_BYTES - 4); /* no record */
}

TEST(a_name_that_reaches_out_of_its_record_or_ends_far_before_leaves_the_end_alone)
{
	static const uint32_t lengths[] = { 15, 16, 4, 0, 4000, 0xffff };

	PADDING(alloc_format, true);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint8_t subbuf[SUBBUF_BYTES], *record = alloc_record(subbuf, lengths[i]);

		kmt_padding_clear(padding, subbuf, sizeof(subbuf));
		check_zero(record, 28, 32);
		check_kept(record, 32, 56);
	}
}

TEST(a_stack_is_as_long_as_it_likes)
{
	static const char format[] =
		"name: kernel_stack\nID: 4\nformat:\n"
		"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
		"\tfield:int size;\toffset:8;\tsize:4;\tsigned:1;\n"
		"\tfield:unsigned long caller[8];\toffset:16;\tsize:64;\tsigned:0;\n";

	PADDING(format, false);
	for (size_t bytes = 24; bytes <= 88; bytes += 8) {
		uint8_t subbuf[SUBBUF_BYTES], *record = make_subbuf(subbuf, 4, bytes, 0xaa);

		kmt_padding_clear(padding, subbuf, sizeof(subbuf));
		check_zero(record, 2, 4);
		check_kept(record, 4, 12);
		check_zero(record, 12, 16);
		check_kept(record, 16, bytes);
	}
}

TEST(a_format_that_is_not_understood_clears_nothing)
{
	static const char *const formats[] = {
		"",
		"name: x\nformat:\n\tfield:int a;\toffset:8;\tsize:4;\tsigned:0;\n",
		"\nID: 70000\nformat:\n\tfield:int a;\toffset:8;\tsize:4;\tsigned:0;\n",
		"\nID: 7\nformat:\n\tfield:int a;\toffset:8;\tsigned:0;\n",
		"\nID: 7\nformat:\n\tfield:int a\toffset:8",
		"\nID: 7\nformat:\n\tfield:int a;\toffset:1020;\tsize:8;\tsigned:0;\n",
		"\nID: 7\nformat:\n\tfield:int a;\toffset:12345;\tsize:8;\tsigned:0;\n",
		"\nID: 7\nformat:\n\tfield:__data_loc char[] a;\toffset:8;\tsize:8;\tsigned:0;\n",
	};
	KMT_CLEANUP(kmt_padding_freep) struct kmt_padding *padding = kmt_padding_new();
	uint8_t subbuf[SUBBUF_BYTES], *record = make_subbuf(subbuf, 7, 40, 0xaa);

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		CHECK(!kmt_padding_add(padding, formats[i], true));
	kmt_padding_clear(padding, subbuf, sizeof(subbuf));
	check_kept(record, 2, 40);
}

TEST(an_end_whose_place_is_told_in_unknown_ways_stays)
{
	static const char *const fields[] = { "__rel_loc char[] a", "__dynamic_array char[] a" };

	for (size_t i = 0; i < 2; i++) {
		char format[256];
		uint8_t subbuf[SUBBUF_BYTES], *record = make_subbuf(subbuf, 7, 20, 0xaa);

		(void)snprintf(format, sizeof(format),
			       "\nID: 7\n\tfield:%s;\toffset:8;\tsize:4;\tsigned:0;\n", fields[i]);
		PADDING(format, true);
		kmt_padding_clear(padding, subbuf, sizeof(subbuf));
		check_zero(record, 0, 8);
		check_kept(record, 8, 20);
	}
}

/* --- every format of every kernel, read by libtraceevent --- */

static void mark(bool *is_field, const struct tep_format_field *field)
{
	for (; field; field = field->next)
		memset(is_field + field->offset, true, (size_t)field->size);
}

static void compare(const char *kernel, const char *event)
{
	KMT_CLEANUP(kmt_padding_freep) struct kmt_padding *padding = kmt_padding_new();
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	struct tep_handle *tep = tep_alloc();
	bool is_field[SUBBUF_BYTES] = { false };
	uint8_t subbuf[SUBBUF_BYTES], *record;
	struct tep_event *theirs;
	char path[256];
	size_t bytes, end;

	(void)snprintf(path, sizeof(path), "formats/%s/%s/format", kernel, event);
	*strchr(path, ':') = '/';
	text = read_fixture(path, &bytes);
	tep_set_loglevel(TEP_LOG_NONE);
	if (text) {
		CHECK_EQ(tep_parse_event(tep, text, bytes, "x"), 0);
		theirs = tep_get_first_event(tep);
		mark(is_field, theirs->format.common_fields);
		mark(is_field, theirs->format.fields);
		CHECK(kmt_padding_add(padding, text, true));
		for (end = SUBBUF_BYTES; !is_field[end - 1];)
			end--;
		bytes = (end + 7) & ~(size_t)7;
		if (bytes <= 28 * 4) { /* that the helper above can make */
			record = make_subbuf(subbuf, (uint16_t)theirs->id, bytes, 0xaa);
			kmt_padding_clear(padding, subbuf, sizeof(subbuf));
			/* Texts that begin at 0xaaaa are nowhere: the end isn't known. */
			if (strstr(text, "__data_loc"))
				memset(is_field + end, true, bytes - end);
			for (size_t i = 2; i < bytes; i++)
				CHECK_EQ(record[i], is_field[i] ? 0xaa : 0);
		}
	}
	tep_free(tep);
}

TEST(no_byte_of_a_field_of_any_kernel_is_cleared_and_all_others_are)
{
	static const char *const kernels[] = { "3.10", "5.12", "6.1", "6.12", "6.18", "6.18-64k" };

	for (size_t k = 0; k < sizeof(kernels) / sizeof(kernels[0]); k++) {
		for (size_t i = 0; i < NR_FIXTURE_EVENTS; i++)
			compare(kernels[k], fixture_events[i]);
		for (size_t i = 0; i < NR_OTHER_FIXTURE_EVENTS; i++)
			compare(kernels[k], other_fixture_events[i]);
	}
}

/* --- what is no sub-buffer --- */

TEST(what_makes_no_sense_is_left_alone)
{
	uint64_t seed = 7;

	PADDING(alloc_format, true);
	for (int i = 0; i < 20000; i++) {
		size_t size = check_random(&seed) % 300;
		uint8_t *subbuf = malloc(size ? size : 1); /* so that a byte too far is noticed */
		unsigned long commit = check_random(&seed) % 320;
		uint16_t id = 659;

		for (size_t at = 0; at < size; at++)
			subbuf[at] = (uint8_t)check_random(&seed);
		if (size >= HEAD_BYTES && i % 4)
			memcpy(subbuf + sizeof(uint64_t), &commit, sizeof(commit));
		for (size_t at = HEAD_BYTES + 4; at + 2 <= size; at += 4)
			if (check_random(&seed) % 4 == 0)
				memcpy(subbuf + at, &id, sizeof(id));
		kmt_padding_clear(padding, subbuf, size);
		free(subbuf);
	}
}

TEST(behind_a_record_that_makes_no_sense_all_stays)
{
	uint8_t subbuf[SUBBUF_BYTES], before[SUBBUF_BYTES];
	uint8_t *record = alloc_record(subbuf, 9);
	unsigned long commit = 60 * 3;
	uint32_t broken[2] = { event_word(0), 200 }; /* longer than all that is left */

	PADDING(alloc_format, true);
	memcpy(subbuf + sizeof(uint64_t), &commit, sizeof(commit));
	memcpy(record + 56 + 60, record - 4, 60);
	memcpy(record + 56, broken, sizeof(broken));
	memcpy(before, subbuf, sizeof(before));
	kmt_padding_clear(padding, subbuf, sizeof(subbuf));
	check_zero(record, 28, 32);
	CHECK_BYTES(record + 56, before + HEAD_BYTES + 4 + 56, 4096 - HEAD_BYTES - 4 - 56);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(what_lies_between_fields_and_behind_the_name_is_cleared),
		ROW(a_name_that_reaches_out_of_its_record_or_ends_far_before_leaves_the_end_alone),
		ROW(a_stack_is_as_long_as_it_likes),
		ROW(a_format_that_is_not_understood_clears_nothing),
		ROW(an_end_whose_place_is_told_in_unknown_ways_stays),
		ROW(no_byte_of_a_field_of_any_kernel_is_cleared_and_all_others_are),
		ROW(what_makes_no_sense_is_left_alone),
		ROW(behind_a_record_that_makes_no_sense_all_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
