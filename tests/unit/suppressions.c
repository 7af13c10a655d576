// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "kmemtape/suppression.h"

#include "check.h"

TEST(a_pattern_matches_as_those_of_sanitizers_do)
{
	static const struct {
		const char *pattern, *name;
		bool is_match;
	} cases[] = {
		{ "foo", "foo", true },
		{ "foo", "a_foo_b", true },
		{ "foo", "fo", false },
		{ "Foo", "foo", false },
		{ "^foo", "foo_b", true },
		{ "^foo", "a_foo", false },
		{ "foo$", "a_foo", true },
		{ "foo$", "foo_b", false },
		{ "foo$", "foo_foo", true }, /* where they look at the first one only */
		{ "^foo$", "foo", true },
		{ "^foo$", "foofoo", false },
		{ "a*b", "xaxbx", true },
		{ "a*b", "ba", false },
		{ "^a*b$", "ab", true },
		{ "^a*b$", "axxb", true },
		{ "^a*b$", "axxbx", false },
		{ "^aa*a$", "aa", false }, /* the last a is not both */
		{ "^*b", "ab", true },
		{ "a*$", "ba", true },
		{ "*", "x", true },
		{ "*", "", false },
		{ "a**b", "ab", true },
		{ "a?c", "abc", false }, /* no wildcard here */
		{ "[foo]", "f+0x1/0x2 [foo]", true },
		{ "a$b", "a$b", true },
		{ "foo", NULL, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (kmt_pattern_matches(cases[i].pattern, cases[i].name) != cases[i].is_match)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].name);
}

/* Tries everything, where kmt_pattern_matches() goes straight on. @pattern: up to @end */
static bool naive_here(const char *pattern, const char *end, bool has_end, const char *name)
{
	if (pattern == end)
		return !has_end || !*name;
	if (*pattern == '*') {
		for (;; name++) {
			if (naive_here(pattern + 1, end, has_end, name))
				return true;
			if (!*name)
				return false;
		}
	}
	return *name == *pattern && naive_here(pattern + 1, end, has_end, name + 1);
}

static bool naive(const char *pattern, const char *name)
{
	const char *end = pattern + strlen(pattern);
	bool is_fixed = *pattern == '^', has_end;

	pattern += is_fixed;
	has_end = end > pattern && end[-1] == '$';
	end -= has_end;
	if (!*name)
		return false;
	for (;; name++) {
		if (naive_here(pattern, end, has_end, name))
			return true;
		if (is_fixed || !*name)
			return false;
	}
}

static void make_word(char *word, const char *letters, size_t max, uint64_t *state)
{
	size_t n = check_random(state) % (max + 1);

	for (size_t i = 0; i < n; i++)
		word[i] = letters[check_random(state) % strlen(letters)];
	word[n] = '\0';
}

TEST(a_pattern_matches_as_the_naive_way_does)
{
	uint64_t state = 1, nr_matches = 0;

	for (int i = 0; i < 200000; i++) {
		char pattern[12], name[12];

		make_word(pattern, i % 2 ? "ab*" : "ab*^$", 6, &state);
		make_word(name, i % 2 ? "ab" : "ab^$", 8, &state);
		nr_matches += kmt_pattern_matches(pattern, name);
		if (kmt_pattern_matches(pattern, name) != naive(pattern, name))
			fail_msg("'%s' and '%s'", pattern, name);
	}
	CHECK(nr_matches > 20000 && nr_matches < 180000);
}

static int add(struct kmt_suppressions *suppressions, const char *text, struct kmt_err *err)
{
	return kmt_suppressions_add(suppressions, "s", text, strlen(text), err);
}

TEST(a_mistake_is_named_by_its_line)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "foo\n", "s:1: not a line like leak:PATTERN" },
		{ "# c\n\nleak:a\nrace:b\n", "s:4: not a line like leak:PATTERN" },
		{ "leak:a\nleak:\n", "s:2: an empty pattern" },
		{ "leak:^$", "s:1: an empty pattern" },
		{ "leak: \t\r\n", "s:1: an empty pattern" },
		{ "Leak:a", "s:1: not a line like" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		KMT_CLEANUP(kmt_suppressions_freep) struct kmt_suppressions *suppressions = NULL;
		struct kmt_err err = { "" };

		CHECK_EQ(kmt_suppressions_new(&suppressions, NULL), 0);
		CHECK_EQ(add(suppressions, cases[i].text, &err), -EBADMSG);
		CHECK_HAS(err.text, cases[i].words);
	}
}

TEST(a_zero_byte_is_no_pattern)
{
	KMT_CLEANUP(kmt_suppressions_freep) struct kmt_suppressions *suppressions = NULL;
	struct kmt_err err = { "" };

	CHECK_EQ(kmt_suppressions_new(&suppressions, NULL), 0);
	CHECK_EQ(kmt_suppressions_add(suppressions, "s", "leak:a\0b\n", 9, &err), -EBADMSG);
	CHECK_HAS(err.text, "s:1: a zero byte");
}

TEST(what_is_too_long_or_too_much_is_refused)
{
	KMT_CLEANUP(kmt_suppressions_freep) struct kmt_suppressions *suppressions = NULL;
	KMT_CLEANUP(kmt_freep) char *text = malloc(KMT_SUPPRESSIONS_BYTES_MAX + 2);
	struct kmt_err err = { "" };
	size_t used = 0;

	CHECK(text);
	CHECK_EQ(kmt_suppressions_new(&suppressions, NULL), 0);
	memset(text, '#', KMT_SUPPRESSIONS_BYTES_MAX + 1);
	text[KMT_SUPPRESSIONS_BYTES_MAX + 1] = '\0';
	CHECK_EQ(add(suppressions, text, &err), -EBADMSG);
	CHECK_HAS(err.text, "larger than 1 MiB");

	(void)snprintf(text, 2000, "leak:%*s\nleak:%*s\n", (int)KMT_PATTERN_BYTES_MAX, "a",
		       (int)KMT_PATTERN_BYTES_MAX + 1, "a");
	memset(strchr(text, ':') + 1, 'a', KMT_PATTERN_BYTES_MAX);
	memset(strrchr(text, ':') + 1, 'a', KMT_PATTERN_BYTES_MAX + 1);
	CHECK_EQ(add(suppressions, text, &err), -EBADMSG);
	CHECK_HAS(err.text, "s:2: a pattern of more than 512 bytes");

	for (size_t i = 0; i < KMT_SUPPRESSIONS_MAX + 1; i++)
		used += (size_t)snprintf(text + used, 8, "leak:a\n");
	CHECK_EQ(add(suppressions, text, &err), -EBADMSG);
	CHECK_HAS(err.text, "s:4097: more than 4096 patterns");
	text[used - 7] = '\0';
	CHECK_EQ(add(suppressions, text, &err), 0); /* nothing was left of those before */
}

#define NR_ROWS 5

/* A result and its rows: leak, growth, uncertain, cache, and a leak with a hostile name. */
static struct kmt_result *make(struct kmt_row *rows)
{
	static const enum kmt_class classes[NR_ROWS] = { KMT_CLASS_LEAK, KMT_CLASS_GROWTH,
							 KMT_CLASS_UNCERTAIN, KMT_CLASS_CACHE,
							 KMT_CLASS_LEAK };
	static const char *const functions[NR_ROWS] = { "foo_alloc", "foo_grow", "bar_alloc",
							"foo_cache", NULL };
	struct kmt_result *result;

	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	for (size_t i = 0; i < NR_ROWS; i++)
		rows[i] = (struct kmt_row){ .function = functions[i],
					    .offset = 0x4c,
					    .size = 0x100,
					    .module = i == 2 ? "bar" : NULL,
					    .cache = "kmalloc-64",
					    .taint = "",
					    .mature_objects = 10 + i,
					    .mature_bytes = 100 + i,
					    .judgement.class = classes[i] };
	result->reconciliation.vmallocs = calloc(1, sizeof(*result->reconciliation.vmallocs));
	CHECK(result->reconciliation.vmallocs);
	result->reconciliation.nr_vmallocs = 1;
	result->reconciliation.vmallocs[0] =
		(struct kmt_vmalloc_row){ .caller = "bar_init+0x30/0x80 [bar]",
					  .module = "bar",
					  .taint = "",
					  .grown_areas = 3,
					  .grown_bytes = 4096,
					  .judgement.class = KMT_CLASS_LEAK };
	return result;
}

static void apply(const char *text, struct kmt_result *result, struct kmt_row *rows)
{
	KMT_CLEANUP(kmt_suppressions_freep) struct kmt_suppressions *suppressions = NULL;

	CHECK_EQ(kmt_suppressions_new(&suppressions, NULL), 0);
	CHECK_EQ(add(suppressions, text, NULL), 0);
	CHECK_EQ(kmt_suppressions_apply(suppressions, result, rows, NR_ROWS), 0);
}

TEST(a_row_is_known_by_each_of_its_names)
{
	static const char *const patterns[] = { "^bar_alloc$", "^bar_alloc+0x4c$", "^bar$",
						"^bar_alloc+0x4c/0x100 [bar]$" };

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct kmt_row rows[NR_ROWS];
		KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(rows);
		char text[64];

		(void)snprintf(text, sizeof(text), "leak:%s", patterns[i]);
		apply(text, result, rows);
		for (size_t k = 0; k < NR_ROWS; k++)
			if (rows[k].is_suppressed != (k == 2))
				fail_msg("%s: row %zu", patterns[i], k);
	}
}

TEST(a_cache_hides_all_that_is_in_it)
{
	struct kmt_row rows[NR_ROWS];
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(rows);

	apply("leak:kmalloc-64", result, rows);
	for (size_t k = 0; k < NR_ROWS; k++)
		CHECK(rows[k].is_suppressed);
	CHECK(!result->reconciliation.vmallocs[0].is_suppressed);
}

TEST(vmalloc_areas_are_known_by_function_caller_and_module)
{
	static const char *const patterns[] = { "^bar_init$", "bar_init+0x30", "^bar$" };

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct kmt_row rows[NR_ROWS];
		KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(rows);
		char text[64];

		(void)snprintf(text, sizeof(text), "leak:%s", patterns[i]);
		apply(text, result, rows);
		CHECK(result->reconciliation.vmallocs[0].is_suppressed);
		CHECK(result->suppressions[0].bytes >= 4096);
	}
}

TEST(only_suspects_count_as_hits_and_for_the_first_pattern)
{
	struct kmt_row rows[NR_ROWS];
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(rows);

	apply("# known\r\n  leak: ^foo_ \r\nleak:_alloc\nleak:nothing\nleak:foo_cache", result,
	      rows);
	CHECK(rows[0].is_suppressed && rows[1].is_suppressed && rows[2].is_suppressed);
	CHECK(rows[3].is_suppressed); /* though there was nothing to hide */
	CHECK(!rows[4].is_suppressed);
	CHECK_EQ(result->nr_suppressions, 4);
	CHECK_TEXT(result->suppressions[0].pattern, "^foo_");
	CHECK_EQ(result->suppressions[0].rows, 2);
	CHECK_EQ(result->suppressions[0].objects, 10 + 11);
	CHECK_EQ(result->suppressions[0].bytes, 100 + 101);
	CHECK_EQ(result->suppressions[1].rows, 1);
	CHECK_EQ(result->suppressions[1].objects, 12);
	CHECK_EQ(result->suppressions[2].rows, 0);
	CHECK_EQ(result->suppressions[3].rows, 0);
}

TEST(rows_of_a_second_grouping_are_marked_but_not_counted)
{
	struct kmt_row rows[NR_ROWS], again[NR_ROWS];
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(rows);

	memcpy(again, rows, sizeof(rows));
	apply("leak:foo_alloc", result, rows);
	apply("leak:foo_alloc", result, again);
	CHECK(again[0].is_suppressed && !again[1].is_suppressed);
	CHECK_EQ(result->nr_suppressions, 1);
	CHECK_EQ(result->suppressions[0].rows, 1);
}

TEST(no_patterns_hide_nothing)
{
	struct kmt_row rows[NR_ROWS];
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(rows);

	apply("# nothing yet\n\n", result, rows);
	for (size_t k = 0; k < NR_ROWS; k++)
		CHECK(!rows[k].is_suppressed);
	CHECK_EQ(result->nr_suppressions, 0);
}

TEST(very_long_names_are_compared_with_care)
{
	struct kmt_row rows[NR_ROWS];
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(rows);
	KMT_CLEANUP(kmt_freep) char *name = malloc(100000);

	CHECK(name);
	memset(name, 'x', 99999);
	name[99999] = '\0';
	rows[0].function = rows[0].module = result->reconciliation.vmallocs[0].caller = name;
	apply("leak:^x*x$", result, rows);
	CHECK(rows[0].is_suppressed && result->reconciliation.vmallocs[0].is_suppressed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(a_pattern_matches_as_those_of_sanitizers_do),
		ROW(a_pattern_matches_as_the_naive_way_does),
		ROW(a_mistake_is_named_by_its_line),
		ROW(a_zero_byte_is_no_pattern),
		ROW(what_is_too_long_or_too_much_is_refused),
		ROW(a_row_is_known_by_each_of_its_names),
		ROW(a_cache_hides_all_that_is_in_it),
		ROW(vmalloc_areas_are_known_by_function_caller_and_module),
		ROW(only_suspects_count_as_hits_and_for_the_first_pattern),
		ROW(rows_of_a_second_grouping_are_marked_but_not_counted),
		ROW(no_patterns_hide_nothing),
		ROW(very_long_names_are_compared_with_care),
	};

	return cmocka_run_group_tests_name("suppressions", tests, NULL, NULL);
}
