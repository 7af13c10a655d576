// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "kmemtape/site-query.h"

#define TYPOS_MAX      3u /* more than that is another word */
#define WITHIN	       8u /* one word is a part of the other */
#define OTHER_SITE     1u /* right function, another place in it */
#define OTHER_MODULE   2u
#define NEAR_BYTES     64u /* an address a few instructions off: of the call, not behind it */
#define WORD_BYTES_MAX KMT_SITE_FUNCTION_BYTES

/* Spaces at both ends, " [module]" and what stands behind it. Return: false if it isn't closed. */
static bool split_module(char *text, char **ret_module)
{
	char *open = strchr(text, '['), *close;
	size_t bytes;

	*ret_module = NULL;
	if (open) {
		close = strchr(open, ']');
		if (!close || close == open + 1)
			return false;
		*open = *close = '\0';
		*ret_module = open + 1;
	}
	for (bytes = strlen(text); bytes && text[bytes - 1] == ' '; bytes--)
		text[bytes - 1] = '\0';
	return true;
}

/* Hexadecimal behind 0x, up to @end or the end of the text. */
static bool read_hex(const char *text, char end, uint64_t *ret_n)
{
	static const char digits[] = "0123456789abcdef";
	size_t bytes;

	if (strncmp(text, "0x", 2) != 0)
		return false;
	bytes = strspn(text + 2, "0123456789abcdefABCDEF");
	if (bytes == 0 || bytes > 16 || (text[2 + bytes] && text[2 + bytes] != end))
		return false;
	*ret_n = 0;
	for (const char *p = text + 2; bytes; p++, bytes--)
		*ret_n = *ret_n << 4 | (uint64_t)(strchr(digits, *p | 0x20) - digits);
	return true;
}

int kmt_site_query_parse(const char *text, struct kmt_site_query *ret_query)
{
	char copy[KMT_SITE_FUNCTION_BYTES + KMT_SITE_MODULE_BYTES + 64], *at = copy, *module, *plus;
	struct kmt_site_query query = { "" };

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text + strspn(text, " "));
	if (!split_module(copy, &module))
		return -EINVAL;
	if (module && strlen(module) >= sizeof(query.module))
		return -EINVAL;
	if (module)
		strcpy(query.module, module);
	if (strncmp(at, "0x", 2) == 0) {
		if (!read_hex(at, '\0', &query.address) || query.address == 0)
			return -EINVAL;
		*ret_query = query;
		return 0;
	}
	plus = strchr(at, '+');
	if (plus) {
		*plus = '\0';
		query.has_offset = true;
		if (!read_hex(plus + 1, '/', &query.offset))
			return -EINVAL;
	}
	if (!*at || strlen(at) >= sizeof(query.function) || strpbrk(at, " /()"))
		return -EINVAL;
	strcpy(query.function, at);
	*ret_query = query;
	return 0;
}

/* "foo" or a part that the compiler cut off it */
static bool is_function(const char *asked, const char *function)
{
	size_t bytes = strlen(asked);

	return function && strncmp(function, asked, bytes) == 0 &&
	       (function[bytes] == '\0' || function[bytes] == '.');
}

static bool is_module(const struct kmt_site_query *query, const struct kmt_site_name *name)
{
	return !*query->module || (name->module && strcmp(query->module, name->module) == 0);
}

bool kmt_site_query_matches(const struct kmt_site_query *query, const struct kmt_site_name *name)
{
	if (!is_module(query, name))
		return false;
	if (!*query->function)
		return name->call_site == query->address;
	return is_function(query->function, name->function) &&
	       (!query->has_offset || name->offset == query->offset);
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	b = b < c ? b : c;
	return a < b ? a : b;
}

/* Levenshtein's distance, by rows: words are short, and so is the list of sites. */
static unsigned int count_typos(const char *a, const char *b)
{
	unsigned int row[WORD_BYTES_MAX + 1], before, corner;
	size_t n = strlen(b);

	for (size_t k = 0; k <= n; k++)
		row[k] = (unsigned int)k;
	for (size_t i = 0; a[i]; i++) {
		corner = row[0];
		row[0] = (unsigned int)i + 1;
		for (size_t k = 1; k <= n; k++) {
			before = row[k];
			row[k] = min3(before + 1, row[k - 1] + 1, corner + (a[i] != b[k - 1]));
			corner = before;
		}
	}
	return row[n];
}

unsigned int kmt_word_distance(const char *asked, const char *word)
{
	size_t m = strlen(asked), n = strlen(word);
	unsigned int typos;

	if (strcmp(asked, word) == 0)
		return 0;
	if (m < WORD_BYTES_MAX && n < WORD_BYTES_MAX && m + TYPOS_MAX >= n && n + TYPOS_MAX >= m) {
		typos = count_typos(asked, word);
		if (typos <= TYPOS_MAX && typos * 3 <= m) /* "foo" is not nearly "bar" */
			return typos;
	}
	if (m >= 3 && n >= 3 && (strstr(word, asked) || strstr(asked, word)))
		return WITHIN;
	return KMT_FAR;
}

unsigned int kmt_site_query_distance(const struct kmt_site_query *query,
				     const struct kmt_site_name *name)
{
	unsigned int distance = is_module(query, name) ? 0 : OTHER_MODULE;
	uint64_t away = name->call_site - query->address;

	if (kmt_site_query_matches(query, name))
		return 0;
	if (!*query->function) {
		if (away > UINT64_MAX / 2)
			away = -away;
		return away <= NEAR_BYTES ? distance + 1 + (unsigned int)away / 8 : KMT_FAR;
	}
	if (!name->function)
		return KMT_FAR;
	if (is_function(query->function, name->function))
		return distance +
		       (query->has_offset && name->offset != query->offset ? OTHER_SITE : 0);
	away = kmt_word_distance(query->function, name->function);
	return away == KMT_FAR ? KMT_FAR : distance + OTHER_SITE + (unsigned int)away;
}
