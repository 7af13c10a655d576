// SPDX-License-Identifier: LGPL-2.1-only
#include <stdint.h>

#include "glyph.h"

#define UNKNOWN L'?'

/* Bytes that follow the first one; -1: it is none. */
static int nr_following(unsigned char first)
{
	if (first < 0x80)
		return 0;
	if (first < 0xc2 || first > 0xf4)
		return -1;
	return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

static uint32_t decode(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	int nr = nr_following(*p);
	uint32_t code = nr <= 0 ? *p : *p & (0x3f >> nr);

	(*text)++;
	if (nr < 0)
		return UNKNOWN;
	for (int i = 1; i <= nr; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return UNKNOWN;
		code = code << 6 | (p[i] & 0x3f);
		(*text)++;
	}
	return code;
}

wchar_t kmt_glyph_next(const char **text, bool is_utf8, int *ret_columns)
{
	uint32_t code = decode(text);

	*ret_columns = 1;
	if (code >= 0x20 && code < 0x7f)
		return (wchar_t)code;
	if (code < 0xa0 || !is_utf8)
		return UNKNOWN;
	*ret_columns = wcwidth((wchar_t)code);
	if (*ret_columns == 1 || *ret_columns == 2)
		return (wchar_t)code;
	*ret_columns = 1;
	return UNKNOWN;
}

size_t kmt_glyph_columns(const char *text, bool is_utf8)
{
	size_t sum = 0;
	int columns;

	while (*text) {
		(void)kmt_glyph_next(&text, is_utf8, &columns);
		sum += (size_t)columns;
	}
	return sum;
}
