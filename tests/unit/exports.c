// SPDX-License-Identifier: GPL-2.0-only
#include "../../src/report/firefox-samples.h"
#include "../../src/report/intern.h"
#include "../../src/report/proto-wire.h"
#include "../../src/report/walk.h"
#include "check.h"
#include "kmemtape/report.h"

#define NR_BUCKETS 60u

/* Those of https://protobuf.dev/programming-guides/encoding/, and the longest. */
TEST(numbers_are_as_protobuf_has_them)
{
	static const uint8_t wanted[] = {
		0x08, 0x96, 0x01,						  /* field 1: 150 */
		0x10, 0x00,							  /* field 2: 0 */
		0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, /* 3: -1 */
		0x12, 0x07, 't',  'e',	'i',  's',  't',  '?',	0xe9, /* field 2: bytes, not UTF-8
								       */
		0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05,	      /* field 6: packed */
		0xf2, 0x44, 0x00,				      /* field 1102: "" */
	};
	static const uint64_t packed[] = { 3, 270, 86942 };
	struct kmt_proto proto = { 0 };

	kmt_proto_put_uint(&proto, 1, 150);
	kmt_proto_put_uint(&proto, 2, 0);
	kmt_proto_put_int(&proto, 3, -1);
	kmt_proto_put_bytes(&proto, 2, "teist?\xe9", 7);
	kmt_proto_put_uints(&proto, 6, packed, 3);
	kmt_proto_put_text(&proto, 1102, "");
	CHECK(!proto.has_failed);
	CHECK_EQ(proto.nr, sizeof(wanted));
	CHECK_BYTES(proto.bytes, wanted, sizeof(wanted));
	kmt_proto_deinit(&proto);
}

TEST(a_message_may_be_a_part_of_another)
{
	static const uint8_t wanted[] = { 0x1a, 0x03, 0x08, 0x96, 0x01 };
	struct kmt_proto part = { 0 }, whole = { 0 };

	kmt_proto_put_uint(&part, 1, 150);
	kmt_proto_put_message(&whole, 3, &part);
	CHECK_EQ(whole.nr, sizeof(wanted));
	CHECK_BYTES(whole.bytes, wanted, sizeof(wanted));
	part.has_failed = true;
	kmt_proto_put_message(&whole, 3, &part);
	CHECK(whole.has_failed); /* what a part lacks, the whole lacks */
	kmt_proto_deinit(&part);
	kmt_proto_deinit(&whole);
}

TEST(texts_have_the_numbers_of_their_first_time)
{
	struct kmt_intern intern = { 0 };
	uint64_t random = 1;
	char text[32];
	bool is_new;

	for (unsigned int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "%u", 7919 * i % 1000);
		CHECK(!kmt_intern_has(&intern, text));
		CHECK_EQ(kmt_intern_add(&intern, text, &is_new), i);
		CHECK(is_new && kmt_intern_has(&intern, text));
	}
	for (unsigned int i = 0; i < 1000; i++) {
		uint32_t number = (uint32_t)(check_random(&random) % 1000);

		CHECK_EQ(kmt_intern_addf(&intern, &is_new, "%s", intern.texts[number]), number);
		CHECK(!is_new);
	}
	CHECK_EQ(intern.nr, 1000);
	kmt_intern_deinit(&intern);
}

/* However uneven the parts: bytes are shared out by objects, and none is left. */
TEST(samples_over_time_are_all_of_a_row)
{
	struct kmt_result result = { .grid = { .width_ns = 1000, .nr = NR_BUCKETS } };
	uint64_t random = 2;

	for (int round = 0; round < 200; round++) {
		struct kmt_firefox_samples samples = { 0 };
		struct kmt_history history = { 0 };
		uint64_t bytes = 0, objects = 0, born = 0;
		struct kmt_row row = { 0 };

		for (unsigned int i = 0; i < NR_BUCKETS; i++) {
			history.born[i] =
				check_random(&random) % 3 ? 0 : check_random(&random) % 100;
			born += history.born[i];
		}
		/* More than the history knows, all of it, or only what is older than was asked. */
		row.live_objects = round % 3 == 0 ? born + 5 : round % 3 == 1 ? born : born / 2;
		row.live_bytes = row.live_objects * (1 + check_random(&random) % 4096) + 7;
		CHECK_EQ(kmt_history_pack(&history, &row.history), 0);
		CHECK_EQ(kmt_firefox_samples_add(&samples, &result, &row, 3), 0);
		kmt_firefox_samples_sort(&samples);
		for (size_t i = 0; i < samples.nr; i++) {
			CHECK(samples.list[i].objects > 0 && samples.list[i].stack == 3);
			CHECK(i == 0 || samples.list[i].bucket > samples.list[i - 1].bucket);
			bytes += samples.list[i].bytes;
			objects += samples.list[i].objects;
		}
		CHECK_EQ(objects, row.live_objects);
		CHECK_EQ(bytes, row.live_objects ? row.live_bytes : 0);
		kmt_firefox_samples_deinit(&samples);
		free(row.history);
	}
}

/* Half a character would make no text of the whole file. */
TEST(names_are_cut_between_characters)
{
	for (unsigned int shift = 0; shift < 4; shift++) {
		char function[KMT_NAME_BYTES] = "", name[KMT_NAME_BYTES];
		const struct kmt_frame frame = { .function = function };

		for (unsigned int i = 0; i < shift; i++)
			(void)strcat(function, "x");
		for (unsigned int i = 0; i < 262; i++) /* four bytes of each */
			(void)strcat(function, ";");
		for (unsigned int i = 0; i < 80; i++)
			(void)strcat(function, "\u20ac");
		kmt_walk_frame_name(name, &frame);
		CHECK(strlen(name) > KMT_NAME_BYTES - 10);
		CHECK_EQ((strlen(name) - shift - (size_t)4 * 262) % strlen("\u20ac"), 0);
	}
}

TEST(formats_have_names_of_their_own)
{
	for (size_t i = 0; kmt_report_formats[i].name; i++) {
		CHECK(strlen(kmt_report_formats[i].help) <= 40); /* else --help is too wide */
		CHECK(kmt_report_formats[i].write);
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(kmt_report_formats[i].name, kmt_report_formats[k].name) != 0);
	}
	CHECK_TEXT(kmt_report_formats[0].name, "text");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(numbers_are_as_protobuf_has_them),
		ROW(a_message_may_be_a_part_of_another),
		ROW(texts_have_the_numbers_of_their_first_time),
		ROW(samples_over_time_are_all_of_a_row),
		ROW(names_are_cut_between_characters),
		ROW(formats_have_names_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
