// SPDX-License-Identifier: LGPL-2.1-only
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/units.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "", 1000000000 },
	{ "m", 60 * UINT64_C(1000000000) },
	{ "h", 3600 * UINT64_C(1000000000) },
	{ NULL, 0 },
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "K", UINT64_C(1) << 10 },
	{ "M", UINT64_C(1) << 20 },
	{ "G", UINT64_C(1) << 30 },
	{ "T", UINT64_C(1) << 40 },
	{ NULL, 0 },
};

/* Digits only: strtod() alone would take "inf", "0x1p3", signs, and the locale's comma. */
static int parse_with_unit(const char *text, const struct unit *unit, uint64_t *ret_n)
{
	uint64_t whole = 0, fraction = 0, scale = 1;
	const char *p = text;
	bool has_digit = false;

	for (; isdigit((unsigned char)*p); p++, has_digit = true)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return -ERANGE;
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p); p++, has_digit = true)
			if (scale < UINT64_C(1000000000)) {
				fraction = fraction * 10 + (uint64_t)(*p - '0');
				scale *= 10;
			}
	if (!has_digit)
		return -EINVAL;
	while (unit->name && strcmp(unit->name, p) != 0)
		unit++;
	if (!unit->name)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit->factor, &whole) ||
	    __builtin_add_overflow(whole,
				   /* fraction * factor / scale, which may not fit into 64 bits */
				   fraction * (unit->factor / scale) +
					   fraction * (unit->factor % scale) / scale,
				   &whole))
		return -ERANGE;
	*ret_n = whole;
	return 0;
}

int kmt_parse_time(const char *text, uint64_t *ret_ns)
{
	return parse_with_unit(text, time_units, ret_ns);
}

int kmt_parse_size(const char *text, uint64_t *ret_bytes)
{
	return parse_with_unit(text, size_units, ret_bytes);
}

int kmt_parse_uint(const char *text, uint64_t *ret_n)
{
	unsigned long long n;
	char *end;
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	if (!isxdigit((unsigned char)text[is_hex ? 2 : 0]))
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, is_hex ? 16 : 10);
	if (errno)
		return -errno;
	if (*end || end == text)
		return -EINVAL;
	*ret_n = n;
	return 0;
}

/* Three digits that count, whatever the magnitude. */
static const char *format_scaled(char *buf, double n, const char *unit)
{
	int decimals = n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;

	(void)snprintf(buf, KMT_UNITS_BYTES, "%.*f %s", decimals, n, unit);
	return buf;
}

static const char *format_prefixed(char *buf, uint64_t n, unsigned int step,
				   const char *const *names, size_t nr_names)
{
	double scaled = (double)n;
	size_t i = 0;

	while (i + 1 < nr_names && scaled >= (double)step * 0.9995) {
		scaled /= step;
		i++;
	}
	if (i == 0)
		(void)snprintf(buf, KMT_UNITS_BYTES, "%llu%s%s", (unsigned long long)n,
			       *names[0] ? " " : "", names[0]);
	else
		format_scaled(buf, scaled, names[i]);
	return buf;
}

const char *kmt_format_size(char *buf, uint64_t bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

	return format_prefixed(buf, bytes, 1024, names, sizeof(names) / sizeof(names[0]));
}

const char *kmt_format_count(char *buf, uint64_t count)
{
	static const char *const names[] = { "", "k", "M", "G", "T", "P", "E" };

	return format_prefixed(buf, count, 1000, names, sizeof(names) / sizeof(names[0]));
}

const char *kmt_format_time(char *buf, uint64_t ns)
{
	uint64_t s = ns / UINT64_C(1000000000);

	if (ns < 1000)
		(void)snprintf(buf, KMT_UNITS_BYTES, "%u ns", (unsigned int)ns);
	else if (ns < 1000000)
		format_scaled(buf, (double)ns / 1e3, "us");
	else if (s < 1)
		format_scaled(buf, (double)ns / 1e6, "ms");
	else if (s < 120)
		format_scaled(buf, (double)ns / 1e9, "s");
	else if (s < 7200)
		(void)snprintf(buf, KMT_UNITS_BYTES, "%u m %02u s", (unsigned int)(s / 60),
			       (unsigned int)(s % 60));
	else
		(void)snprintf(buf, KMT_UNITS_BYTES, "%llu h %02u m",
			       (unsigned long long)(s / 3600), (unsigned int)(s / 60 % 60));
	return buf;
}

/* Length of the valid UTF-8 sequence at @p, 0 if there is none. C1 controls count as none. */
static size_t utf8_length(const unsigned char *p)
{
	uint32_t code;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if ((p[0] & 0xe0) == 0xc0)
		n = 2, code = p[0] & 0x1f;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3, code = p[0] & 0x0f;
	else if ((p[0] & 0xf8) == 0xf0)
		n = 4, code = p[0] & 0x07;
	else
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < 0xa0 || (n == 3 && code < 0x800) || (n == 4 && code < 0x10000) ||
	    code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ||
	    (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2060 && code <= 0x206f) || code == 0x061c || code == 0xfeff ||
	    (code >= 0xe0000 && code < 0xe1000)) /* reorder, hide */
		return 0;
	return n;
}

char *kmt_escape(char *dst, size_t dst_bytes, const char *src)
{
	size_t used = 0;

	for (const unsigned char *p = (const unsigned char *)src; *p;) {
		size_t n = utf8_length(p);
		bool is_plain = n && *p >= 0x20 && *p != 0x7f && *p != '\\';
		char hex[5];

		if (!is_plain) {
			(void)snprintf(hex, sizeof(hex), "\\x%02x", *p);
			n = 1;
		}
		if (used + (is_plain ? n : 4) + 1 > dst_bytes)
			break;
		memcpy(dst + used, is_plain ? (const char *)p : hex, is_plain ? n : 4);
		used += is_plain ? n : 4;
		p += n;
	}
	dst[used] = '\0';
	return dst;
}

#define JSON_ESCAPE_BYTES 6u /* \u00NN */

int kmt_escape_json(const char *text, char **ret_text)
{
	size_t bytes = strlen(text), room;
	char *out;

	if (__builtin_mul_overflow(bytes, JSON_ESCAPE_BYTES, &room) || !(out = malloc(room + 1)))
		return -ENOMEM;
	*ret_text = out;
	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		size_t n = utf8_length(p);

		if (n && *p != 0x7f && (*p >= 0x20 || *p == '\n' || *p == '\t')) {
			memcpy(out, p, n);
			out += n;
			p += n;
		} else {
			out += snprintf(out, JSON_ESCAPE_BYTES + 1, "\\u%04x", *p++);
		}
	}
	*out = '\0';
	return 0;
}
