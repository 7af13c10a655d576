// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kmemtape/suppression.h"

#define TYPE	   "leak:"
/* A function and a module with their longest names, and what is printed between them. */
#define NAME_BYTES 1200

struct kmt_suppressions {
	char **patterns;
	size_t nr;
};

int kmt_suppressions_new(struct kmt_suppressions **ret_suppressions, struct kmt_err *err)
{
	*ret_suppressions = calloc(1, sizeof(**ret_suppressions));
	return *ret_suppressions ? 0 : kmt_fail(err, -ENOMEM, "out of memory");
}

static void forget_from(struct kmt_suppressions *suppressions, size_t nr)
{
	while (suppressions->nr > nr)
		free(suppressions->patterns[--suppressions->nr]);
}

struct kmt_suppressions *kmt_suppressions_free(struct kmt_suppressions *suppressions)
{
	if (!suppressions)
		return NULL;
	forget_from(suppressions, 0);
	free(suppressions->patterns);
	free(suppressions);
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **text, size_t *bytes)
{
	while (*bytes && is_blank(**text)) {
		(*text)++;
		(*bytes)--;
	}
	while (*bytes && is_blank((*text)[*bytes - 1]))
		(*bytes)--;
}

/* Why a pattern is none; NULL if it is one. */
static const char *complaint(const char *pattern, size_t bytes)
{
	if (bytes > KMT_PATTERN_BYTES_MAX)
		return "a pattern of more than 512 bytes";
	if (memchr(pattern, '\0', bytes))
		return "a zero byte";
	for (size_t i = 0; i < bytes; i++)
		if (!strchr("^$", pattern[i]))
			return NULL;
	return "an empty pattern, which would hide everything";
}

static int append(struct kmt_suppressions *suppressions, const char *pattern, size_t bytes)
{
	char *copy = strndup(pattern, bytes);

	if (!copy)
		return -ENOMEM;
	if ((suppressions->nr & (suppressions->nr - 1)) == 0) { /* full at every power of two */
		size_t room = suppressions->nr ? suppressions->nr * 2 : 1;
		char **grown = reallocarray(suppressions->patterns, room, sizeof(*grown));

		if (!grown) {
			free(copy);
			return -ENOMEM;
		}
		suppressions->patterns = grown;
	}
	suppressions->patterns[suppressions->nr++] = copy;
	return 0;
}

static int add_line(struct kmt_suppressions *suppressions, const char *name, size_t line_nr,
		    const char *line, size_t bytes, struct kmt_err *err)
{
	size_t type_bytes = strlen(TYPE);
	const char *why;
	int r;

	trim(&line, &bytes);
	if (bytes == 0 || *line == '#')
		return 0;
	if (bytes < type_bytes || strncmp(line, TYPE, type_bytes) != 0)
		return kmt_fail(err, -EBADMSG, "%.300s:%zu: not a line like " TYPE "PATTERN", name,
				line_nr);
	line += type_bytes;
	bytes -= type_bytes;
	trim(&line, &bytes);
	why = complaint(line, bytes);
	if (why)
		return kmt_fail(err, -EBADMSG, "%.300s:%zu: %s", name, line_nr, why);
	if (suppressions->nr == KMT_SUPPRESSIONS_MAX)
		return kmt_fail(err, -EBADMSG, "%.300s:%zu: more than %u patterns", name, line_nr,
				KMT_SUPPRESSIONS_MAX);
	r = append(suppressions, line, bytes);
	return r < 0 ? kmt_fail(err, r, "out of memory") : 0;
}

int kmt_suppressions_add(struct kmt_suppressions *suppressions, const char *name, const char *text,
			 size_t bytes, struct kmt_err *err)
{
	size_t nr_before = suppressions->nr, line_nr = 1;
	const char *end = text + bytes;

	if (bytes > KMT_SUPPRESSIONS_BYTES_MAX)
		return kmt_fail(err, -EBADMSG, "%.300s: larger than 1 MiB", name);
	for (const char *line = text; line < end; line_nr++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		int r = add_line(suppressions, name, line_nr, line, (size_t)(stop - line), err);

		if (r < 0) {
			forget_from(suppressions, nr_before);
			return r;
		}
		line = stop + 1;
	}
	return 0;
}

/*
 * Between two stars is a literal: the leftmost place behind the one before leaves most room for the
 * next, so no other needs to be tried. Only the last one, in front of a '$', has to be at the end.
 */
bool kmt_pattern_matches(const char *pattern, const char *name)
{
	const char *at = name, *end = pattern + strlen(pattern);
	bool is_fixed = *pattern == '^', has_end;

	if (!name || !*name)
		return false;
	pattern += is_fixed;
	has_end = end > pattern && end[-1] == '$';
	end -= has_end;
	for (;;) {
		const char *star = memchr(pattern, '*', (size_t)(end - pattern));
		size_t bytes = (size_t)((star ? star : end) - pattern), left = strlen(at);
		const char *found = at;

		if (bytes > left)
			return false;
		if (!star && has_end && !is_fixed)
			found = at + left - bytes;
		if (is_fixed || (!star && has_end))
			found = memcmp(found, pattern, bytes) == 0 ? found : NULL;
		else
			found = memmem(at, left, pattern, bytes);
		if (!found)
			return false;
		at = found + bytes;
		if (!star)
			return !has_end || *at == '\0';
		pattern = star + 1;
		is_fixed = false;
	}
}

/* As the report prints it, so that what was copied from there does match. */
static void name_site(const struct kmt_row *row, char *symbol, char *whole)
{
	*symbol = *whole = '\0';
	if (!row->function)
		return;
	(void)snprintf(symbol, NAME_BYTES, "%s+0x%" PRIx64, row->function, row->offset);
	(void)snprintf(whole, NAME_BYTES, "%s/0x%" PRIx64 "%s%s%s", symbol, row->size,
		       row->module ? " [" : "", row->module ? row->module : "",
		       row->module ? "]" : "");
}

/* The first pattern that matches any of the names; suppressions->nr if none does. */
static size_t find(const struct kmt_suppressions *suppressions, const char *const *names,
		   size_t nr_names)
{
	size_t i;

	for (i = 0; i < suppressions->nr; i++)
		for (size_t k = 0; k < nr_names; k++)
			if (kmt_pattern_matches(suppressions->patterns[i], names[k]))
				return i;
	return i;
}

static bool is_suspect(const struct kmt_judgement *judgement)
{
	return judgement->class == KMT_CLASS_LEAK || judgement->class == KMT_CLASS_GROWTH ||
	       judgement->class == KMT_CLASS_UNCERTAIN;
}

/* @hits: by pattern; NULL: nothing is counted */
static void mark_row(const struct kmt_suppressions *suppressions, struct kmt_row *row,
		     struct kmt_suppression_hits *hits)
{
	char symbol[NAME_BYTES], whole[NAME_BYTES];
	const char *const names[] = { row->function,	symbol,	    whole,
				      row->module,	row->cache, row->owner,
				      row->owner_module };
	bool has_owner = row->nr_owners == 1; /* else it is just of most of it */
	size_t i, nr = sizeof(names) / sizeof(names[0]);

	name_site(row, symbol, whole);
	i = find(suppressions, names, has_owner ? nr : nr - 2);
	for (size_t k = 0; i == suppressions->nr && row->nr_stacks == 1 && k < row->nr_frames; k++)
		i = find(suppressions, &row->frames[k].function, 1);
	row->is_suppressed = i < suppressions->nr;
	if (!row->is_suppressed || !hits || !is_suspect(&row->judgement))
		return;
	hits[i].rows++;
	hits[i].objects += row->mature_objects;
	hits[i].bytes += row->mature_bytes;
}

static void mark_vmalloc(const struct kmt_suppressions *suppressions, struct kmt_vmalloc_row *row,
			 struct kmt_suppression_hits *hits)
{
	char function[NAME_BYTES];
	const char *const names[] = { function, row->caller, row->module };
	size_t i;

	(void)snprintf(function, sizeof(function), "%.*s", (int)strcspn(row->caller, "+ "),
		       row->caller);
	i = find(suppressions, names, sizeof(names) / sizeof(names[0]));
	row->is_suppressed = i < suppressions->nr;
	if (!row->is_suppressed || !hits || !is_suspect(&row->judgement))
		return;
	hits[i].rows++;
	hits[i].objects += row->grown_areas > 0 ? (uint64_t)row->grown_areas : 0;
	hits[i].bytes += row->grown_bytes > 0 ? (uint64_t)row->grown_bytes : 0;
}

/* An entry for each pattern, in the order of the files. */
static int list_patterns(const struct kmt_suppressions *suppressions, struct kmt_result *result)
{
	struct kmt_suppression_hits *hits = calloc(suppressions->nr, sizeof(*hits));
	int r = hits ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < suppressions->nr; i++)
		r = kmt_result_keep(result, suppressions->patterns[i], &hits[i].pattern);
	if (r < 0) {
		free(hits);
		return r;
	}
	result->suppressions = hits;
	result->nr_suppressions = suppressions->nr;
	return 0;
}

int kmt_suppressions_apply(const struct kmt_suppressions *suppressions, struct kmt_result *result,
			   struct kmt_row *rows, size_t nr_rows)
{
	struct kmt_reconciliation *counted = &result->reconciliation;
	struct kmt_suppression_hits *hits = NULL;

	if (suppressions->nr == 0)
		return 0;
	if (!result->suppressions) {
		int r = list_patterns(suppressions, result);

		if (r < 0)
			return r;
		hits = result->suppressions;
	}
	for (size_t i = 0; i < nr_rows; i++)
		mark_row(suppressions, &rows[i], hits);
	for (size_t i = 0; i < counted->nr_vmallocs; i++)
		mark_vmalloc(suppressions, &counted->vmallocs[i], hits);
	return 0;
}
