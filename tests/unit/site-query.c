// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "kmemtape/site-query.h"

#include "check.h"

static const struct kmt_site_name foo = { 0xffffffffc0001020, "foo_rx_alloc", "foo", 0x4c };

static bool matches(const char *text, const struct kmt_site_name *name)
{
	struct kmt_site_query query;

	CHECK_EQ(kmt_site_query_parse(text, &query), 0);
	return kmt_site_query_matches(&query, name);
}

TEST(a_site_has_several_names)
{
	static const char *const names[] = {
		"foo_rx_alloc",
		"foo_rx_alloc+0x4c",
		"foo_rx_alloc+0x4C/0x90",
		"foo_rx_alloc+0x4c/0x90 [foo]",
		"  foo_rx_alloc+0x4c/0x90 [foo] (out of tree)",
		"foo_rx_alloc [foo]",
		"foo_rx_alloc[foo]",
		"0xffffffffc0001020",
		"0xFFFFFFFFC0001020 [foo]",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!matches(names[i], &foo))
			fail_msg("'%s' is not it", names[i]);
}

TEST(another_site_has_other_names)
{
	static const char *const names[] = {
		"foo_rx",
		"foo_rx_alloc2",
		"foo_rx_alloc+0x4d",
		"foo_rx_alloc+0x4d/0x90",
		"foo_rx_alloc [bar]",
		"0xffffffffc0001021",
		"0xffffffffc0001020 [bar]",
		"Foo_rx_alloc",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (matches(names[i], &foo))
			fail_msg("'%s' is not it", names[i]);
}

TEST(parts_of_a_function_are_the_function)
{
	struct kmt_site_name part = foo;

	part.function = "foo_rx_alloc.constprop.0";
	CHECK(matches("foo_rx_alloc", &part));
	CHECK(matches("foo_rx_alloc.constprop.0", &part));
	CHECK(!matches("foo_rx_alloc.isra.0", &part));
	part.function = NULL;
	part.module = NULL;
	CHECK(!matches("foo_rx_alloc", &part));
	CHECK(matches("0xffffffffc0001020", &part));
	CHECK(!matches("0xffffffffc0001020 [foo]", &part));
}

TEST(what_is_no_name_is_refused)
{
	static const char *const texts[] = {
		"",	      " ",	  "[foo]",	   "foo [",
		"foo []",     "foo [bar", "foo+",	   "foo+4c",
		"foo+0x",     "foo+0xg",  "foo+0x4c+0x4c", "foo+0x4c x",
		"0x",	      "0x0",	  "0xg",	   "0x10000000000000000",
		"0x12 34",    "foo bar",  "foo()",	   "+0x4c",
		"foo+0x0x4c", "foo+0x-1", "/0x90",
	};
	struct kmt_site_query query;
	char text[1024];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (kmt_site_query_parse(texts[i], &query) != -EINVAL)
			fail_msg("'%s' is a name", texts[i]);
	memset(text, 'a', sizeof(text));
	for (size_t n = 100; n < sizeof(text); n += 25) {
		text[n] = '\0';
		CHECK_EQ(kmt_site_query_parse(text, &query),
			 n < KMT_SITE_FUNCTION_BYTES ? 0 : -EINVAL);
		text[n] = 'a';
	}
}

static unsigned int distance(const char *text)
{
	struct kmt_site_query query;

	CHECK_EQ(kmt_site_query_parse(text, &query), 0);
	return kmt_site_query_distance(&query, &foo);
}

TEST(the_nearer_the_less)
{
	CHECK_EQ(distance("foo_rx_alloc"), 0);
	CHECK(distance("foo_rx_alloc+0x50") < distance("foo_rx_aloc"));
	CHECK(distance("foo_rx_aloc") < distance("foo_rx_alo"));
	CHECK(distance("foo_rx_alo") < distance("rx_alloc"));
	CHECK(distance("foo_rx_alloc [bar]") < distance("foo_rx_aloc [bar]"));
	CHECK(distance("0xffffffffc000101c") < distance("0xffffffffc0001040"));
	CHECK(distance("rx_alloc") < KMT_FAR);
	CHECK_EQ(distance("0xffffffffc0002020"), KMT_FAR);
	CHECK_EQ(distance("bar_tx_alloc"), KMT_FAR);
	CHECK_EQ(distance("fo"), KMT_FAR);
}

TEST(words_are_near_by_their_typing_errors)
{
	CHECK_EQ(kmt_word_distance("dentry", "dentry"), 0);
	CHECK_EQ(kmt_word_distance("dentri", "dentry"), 1);
	CHECK_EQ(kmt_word_distance("detnry", "dentry"), 2);
	CHECK_EQ(kmt_word_distance("dntry", "dentry"), 1);
	CHECK_EQ(kmt_word_distance("foo", "bar"), KMT_FAR);
	CHECK_EQ(kmt_word_distance("", "bar"), KMT_FAR);
	CHECK_EQ(kmt_word_distance("", ""), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(a_site_has_several_names),
		ROW(another_site_has_other_names),
		ROW(parts_of_a_function_are_the_function),
		ROW(what_is_no_name_is_refused),
		ROW(the_nearer_the_less),
		ROW(words_are_near_by_their_typing_errors),
	};

	return cmocka_run_group_tests_name("site-query", tests, NULL, NULL);
}
