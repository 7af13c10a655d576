// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/gfp.h"

#define DEPTH_MAX 64 /* of parentheses: Linux 6.12 has 14 */

/*
 * The table is C as the preprocessor left it: {( unsigned long)((( gfp_t)0x40u) | ...),
 * "GFP_NOFS"}, or since Linux 6.10 (772dd0342727) with shifts of (1UL) for each number.
 */
struct cursor {
	const char *at, *end;
	int depth;
	bool has_failed;
};

static void pass_spaces(struct cursor *cursor)
{
	while (cursor->at < cursor->end && *cursor->at == ' ')
		cursor->at++;
}

/* Passes over @word, and spaces before it. Return: false if there is something else. */
static bool pass(struct cursor *cursor, const char *word)
{
	size_t bytes = strlen(word);

	pass_spaces(cursor);
	if ((size_t)(cursor->end - cursor->at) < bytes || memcmp(cursor->at, word, bytes) != 0)
		return false;
	cursor->at += bytes;
	return true;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static uint64_t read_number(struct cursor *cursor)
{
	int base = pass(cursor, "0x") ? 16 : 10;
	const char *start = cursor->at;
	uint64_t n = 0;

	for (; cursor->at < cursor->end && digit_of(*cursor->at) < base; cursor->at++)
		n = n * (unsigned int)base + (unsigned int)digit_of(*cursor->at);
	if (cursor->at == start)
		cursor->has_failed = true;
	while (cursor->at < cursor->end && strchr("uUlL", *cursor->at) && *cursor->at)
		cursor->at++;
	return n;
}

/* "(unsigned long)", "( gfp_t)": a word and no number behind the parenthesis */
static bool pass_cast(struct cursor *cursor)
{
	struct cursor ahead = *cursor;
	const char *start;

	if (!pass(&ahead, "("))
		return false;
	pass_spaces(&ahead);
	start = ahead.at;
	while (ahead.at < ahead.end && ((*ahead.at >= 'a' && *ahead.at <= 'z') ||
					*ahead.at == '_' || (*ahead.at == ' ' && ahead.at > start)))
		ahead.at++;
	if (ahead.at == start || !pass(&ahead, ")"))
		return false;
	*cursor = ahead;
	return true;
}

static uint64_t read_or(struct cursor *cursor);

static uint64_t read_unary(struct cursor *cursor)
{
	uint64_t n;

	if (++cursor->depth > DEPTH_MAX)
		cursor->has_failed = true;
	if (cursor->has_failed)
		return 0;
	if (pass(cursor, "~")) {
		n = ~read_unary(cursor);
	} else if (pass_cast(cursor)) { /* all of them are wide enough */
		n = read_unary(cursor);
	} else if (pass(cursor, "(")) {
		n = read_or(cursor);
		if (!pass(cursor, ")"))
			cursor->has_failed = true;
	} else {
		n = read_number(cursor);
	}
	cursor->depth--;
	return n;
}

static uint64_t read_shift(struct cursor *cursor)
{
	uint64_t n = read_unary(cursor);

	while (!cursor->has_failed && pass(cursor, "<<")) {
		uint64_t bits = read_unary(cursor);

		n = bits < 64 ? n << bits : 0;
	}
	return n;
}

static uint64_t read_and(struct cursor *cursor)
{
	uint64_t n = read_shift(cursor);

	while (!cursor->has_failed && pass(cursor, "&"))
		n &= read_shift(cursor);
	return n;
}

static uint64_t read_or(struct cursor *cursor)
{
	uint64_t n = read_and(cursor);

	while (!cursor->has_failed && pass(cursor, "|"))
		n |= read_and(cursor);
	return n;
}

/* {EXPRESSION, "NAME"}, behind its brace. What isn't understood is passed over. */
static void read_entry(struct kmt_gfp_names *names, struct cursor *cursor)
{
	const char *quote;
	size_t bytes;
	uint64_t mask;

	cursor->depth = 0;
	cursor->has_failed = false;
	mask = read_or(cursor);
	if (cursor->has_failed || !pass(cursor, ",") || !pass(cursor, "\""))
		return;
	quote = memchr(cursor->at, '"', (size_t)(cursor->end - cursor->at));
	if (!quote)
		return;
	bytes = (size_t)(quote - cursor->at);
	if (mask == 0 || mask > UINT32_MAX || bytes == 0 || bytes >= KMT_GFP_NAME_BYTES ||
	    memchr(cursor->at, '\0', bytes))
		return; /* flags that this kernel was built without are 0 */
	names->entries[names->nr].mask = (uint32_t)mask;
	memcpy(names->entries[names->nr].name, cursor->at, bytes);
	names->entries[names->nr++].name[bytes] = '\0';
}

void kmt_gfp_names_init(struct kmt_gfp_names *names, const char *text, size_t bytes)
{
	static const char start[] = "__print_flags(REC->gfp_flags, \"|\",";
	struct cursor cursor = { .end = text + bytes };

	*names = (struct kmt_gfp_names){ 0 };
	cursor.at = memmem(text, bytes, start, sizeof(start) - 1);
	if (!cursor.at)
		return;
	cursor.at += sizeof(start) - 1;
	while (names->nr < KMT_GFP_NAMES_MAX && pass(&cursor, "{")) {
		read_entry(names, &cursor);
		cursor.at = memchr(cursor.at, '}', (size_t)(cursor.end - cursor.at));
		if (!cursor.at)
			return;
		cursor.at++;
		(void)pass(&cursor, ",");
	}
}

const char *kmt_gfp_format(const struct kmt_gfp_names *names, uint32_t gfp,
			   char buf[KMT_GFP_TEXT_BYTES])
{
	size_t used = 0;

	if (gfp == 0)
		return strcpy(buf, "none"); /* as the kernel says */
	buf[0] = '\0';
	for (size_t i = 0; i < names->nr && gfp; i++) {
		const char *name = names->entries[i].name;
		uint32_t mask = names->entries[i].mask;

		/* Room for a number behind it; what finds none goes into that. */
		if ((gfp & mask) != mask || used + strlen(name) + 16 > KMT_GFP_TEXT_BYTES)
			continue;
		used += (size_t)snprintf(buf + used, KMT_GFP_TEXT_BYTES - used, "%s%s",
					 used ? "|" : "", name);
		gfp &= ~mask;
	}
	if (gfp)
		(void)snprintf(buf + used, KMT_GFP_TEXT_BYTES - used, "%s0x%" PRIx32,
			       used ? "|" : "", gfp);
	return buf;
}
