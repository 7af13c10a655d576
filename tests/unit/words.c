// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdio.h>

#include "../../src/report/words.h"
#include "kmemtape/spark.h"
#include "kmemtape/units.h"

#include "check.h"

static const char *draw(char *buf, const uint64_t *points, size_t nr)
{
	return kmt_spark_draw(buf, points, nr, KMT_SPARK_COLUMNS, false);
}

TEST(nothing_is_drawn_of_no_points)
{
	char buf[KMT_SPARK_BYTES];

	CHECK_TEXT(draw(buf, NULL, 0), "                ");
}

TEST(something_is_never_drawn_as_nothing)
{
	const uint64_t points[] = { 0, 1, UINT64_MAX, 0 };
	char buf[KMT_SPARK_BYTES];

	CHECK_TEXT(draw(buf, points, 4), "_.#_            ");
}

TEST(all_zero_is_a_line_at_the_bottom)
{
	const uint64_t points[16] = { 0 };
	char buf[KMT_SPARK_BYTES];

	CHECK_TEXT(draw(buf, points, 16), "________________");
}

TEST(any_number_of_points_is_as_wide)
{
	uint64_t points[64];

	for (size_t i = 0; i < 64; i++)
		points[i] = UINT64_MAX - i; /* their sum doesn't fit */
	for (size_t nr = 16; nr <= 64; nr++) {
		char buf[KMT_SPARK_BYTES];

		CHECK_TEXT(draw(buf, points, nr), "################");
		CHECK_EQ(strlen(kmt_spark_draw(buf, points, nr, KMT_SPARK_COLUMNS, true)), 48);
	}
}

TEST(a_column_is_the_mean_of_its_points)
{
	uint64_t points[32];
	char buf[KMT_SPARK_BYTES];

	for (size_t i = 0; i < 32; i++)
		points[i] = i < 16 ? i % 2 * 100 : 100;
	CHECK_TEXT(draw(buf, points, 32), "========########");
}

TEST(confidence_is_cut_not_rounded)
{
	char buf[KMT_UNITS_BYTES];

	CHECK_TEXT(kmt_words_confidence(buf, 0.9999), "0.99");
	CHECK_TEXT(kmt_words_confidence(buf, 1), "1.00");
	CHECK_TEXT(kmt_words_confidence(buf, 0.29), "0.29");
	CHECK_TEXT(kmt_words_confidence(buf, -1), "0.00");
	CHECK_TEXT(kmt_words_confidence(buf, 1e300), "1.00");
	CHECK_TEXT(kmt_words_confidence(buf, __builtin_nan("")), "0.00");
}

TEST(rates_have_a_sign_and_an_end)
{
	char buf[KMT_UNITS_BYTES];

	CHECK_TEXT(kmt_words_rate(buf, 0), "+0");
	CHECK_TEXT(kmt_words_rate(buf, 0.0001), "+0");
	CHECK_TEXT(kmt_words_rate(buf, 1), "+3.52 KiB/h");
	CHECK_TEXT(kmt_words_rate(buf, -1), "-3.52 KiB/h");
	CHECK_TEXT(kmt_words_rate(buf, 1e300), "-");
	CHECK_TEXT(kmt_words_rate(buf, __builtin_nan("")), "-");
	CHECK_TEXT(kmt_words_growth(buf, INT64_MIN), "-8.00 EiB");
}

static void check_wrapped(const char *sentence, const char *expected)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	CHECK(file);
	kmt_words_wrap(file, "> ", 2, sentence);
	CHECK_EQ(fclose(file), 0);
	CHECK_TEXT(text, expected);
}

TEST(lines_break_between_words_but_not_before_a_unit)
{
	check_wrapped("", "> \n");
	check_wrapped("  two   words ", "> two words\n");
	check_wrapped("123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
		      "12345678",
		      "> 123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
		      "12345678\n");
	check_wrapped("123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
		      "1234567 MiB/h",
		      "> 123456789 123456789 123456789 123456789 123456789 123456789 123456789\n"
		      "  1234567 MiB/h\n");
	check_wrapped("123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
		      "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad",
		      "> 123456789 123456789 123456789 123456789 123456789 123456789 123456789\n"
		      "  \xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\n");
}

TEST(a_curve_is_as_wide_as_it_is_told)
{
	uint64_t points[KMT_SPARK_COLUMNS_MAX];
	char buf[KMT_SPARK_BYTES];

	for (size_t i = 0; i < KMT_SPARK_COLUMNS_MAX; i++)
		points[i] = i;
	CHECK_TEXT(kmt_spark_draw(buf, points, KMT_SPARK_COLUMNS_MAX, 4, false), ".:+#");
	CHECK_EQ(strlen(kmt_spark_draw(buf, points, KMT_SPARK_COLUMNS_MAX, 64, true)), 192);
	CHECK_TEXT(kmt_spark_draw(buf, points, 1, 3, false), "_  ");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(nothing_is_drawn_of_no_points),
		ROW(a_curve_is_as_wide_as_it_is_told),
		ROW(something_is_never_drawn_as_nothing),
		ROW(all_zero_is_a_line_at_the_bottom),
		ROW(any_number_of_points_is_as_wide),
		ROW(a_column_is_the_mean_of_its_points),
		ROW(confidence_is_cut_not_rounded),
		ROW(rates_have_a_sign_and_an_end),
		ROW(lines_break_between_words_but_not_before_a_unit),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
