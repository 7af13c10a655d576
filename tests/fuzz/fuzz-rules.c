// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "kmemtape/owners.h"
#include "kmemtape/site-query.h"
#include "kmemtape/suppression.h"

#include "fuzz.h"

/*
 * What a user's files and options say. Input: 's' and a file for --suppress, 'o' and one for
 * --owners, 'p' and a pattern, a zero byte and a name, 'q' and a call site as --explain takes it.
 */
#define ROWS 3

static void suppress(const char *text, size_t size)
{
	static const char *const functions[ROWS] = { "alloc_pipe_info", "a", NULL };
	struct kmt_row rows[ROWS] = { 0 };
	struct kmt_suppressions *suppressions;
	struct kmt_result *result;
	struct kmt_err err = { "" };
	uint64_t hits = 0, hidden = 0;
	int r;

	MUST(kmt_suppressions_new(&suppressions, NULL) == 0);
	r = kmt_suppressions_add(suppressions, "fuzz", text, size, &err);
	MUST((r < 0) == (err.text[0] != '\0'));
	MUST(kmt_result_new(&result, NULL) == 0);
	for (size_t i = 0; i < ROWS; i++) {
		rows[i].function = functions[i];
		rows[i].cache = "kmalloc-1k";
		rows[i].module = i ? "e1000e" : NULL;
		rows[i].judgement.class = KMT_CLASS_LEAK;
	}
	if (r == 0) {
		MUST(kmt_suppressions_apply(suppressions, result, rows, ROWS) == 0);
		for (size_t i = 0; i < result->nr_suppressions; i++)
			hits += result->suppressions[i].rows;
		for (size_t i = 0; i < ROWS; i++)
			hidden += rows[i].is_suppressed;
		MUST(hits == hidden); /* each is counted once */
	}
	(void)kmt_result_free(result);
	(void)kmt_suppressions_free(suppressions);
}

static void own(const char *text, size_t size)
{
	struct kmt_owners *owners;
	struct kmt_err err = { "" };
	int r;

	MUST(kmt_owners_new(&owners, NULL) == 0);
	r = kmt_owners_add(owners, "fuzz", text, size, &err);
	MUST((r < 0) == (err.text[0] != '\0'));
	(void)kmt_owners_is_helper(owners, "alloc_pipe_info", NULL);
	(void)kmt_owners_is_helper(owners, "a", "e1000e");
	(void)kmt_owners_free(owners);
}

/* The same in few words, for short texts: what takes long here would be run for each row. */
static bool matches(const char *pattern, const char *name, bool is_anchored)
{
	if (*pattern == '\0')
		return true;
	if (*pattern == '$' && pattern[1] == '\0')
		return !is_anchored || *name == '\0';
	for (;; name++) {
		if (*pattern == '*'
			    ? matches(pattern + 1, name, false)
			    : (*name && *pattern == *name && matches(pattern + 1, name + 1, true)))
			return true;
		if (is_anchored || !*name)
			return false;
	}
}

static void match(const char *pattern, size_t size)
{
	size_t length = strlen(pattern);
	const char *name = length < size ? pattern + length + 1 : "";
	bool is_match = kmt_pattern_matches(pattern, name);
	size_t stars = 0;

	for (const char *star = strchr(pattern, '*'); star; star = strchr(star + 1, '*'))
		stars++;
	if (stars > 3 || length > 12 || strlen(name) > 24 || !*name)
		return; /* it would take too long to say so the other way */
	MUST(is_match ==
	     (*pattern == '^' ? matches(pattern + 1, name, true) : matches(pattern, name, false)));
}

static void ask(const char *text)
{
	struct kmt_site_query query;

	(void)kmt_site_query_parse(text, &query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 1)
		return 0;
	text = malloc(size);
	MUST(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 's')
		suppress(text, size - 1);
	if (data[0] == 'o')
		own(text, size - 1);
	if (data[0] == 'p')
		match(text, size - 1);
	if (data[0] == 'q')
		ask(text);
	free(text);
	return 0;
}
