/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_UNITS_H
#define KMEMTAPE_UNITS_H

#include <stddef.h>
#include <stdint.h>

/**
 * kmt_parse_time() - "250ms", "10s", "5m", "1.5h" to nanoseconds
 *
 * Units are ns us ms s m h; a bare number means seconds. A fraction is allowed.
 *
 * Return: 0; -EINVAL if @text is no such time; -ERANGE if it doesn't fit.
 */
int kmt_parse_time(const char *text, uint64_t *ret_ns);

/**
 * kmt_parse_size() - "4096", "64K", "16M", "2G", "1T" to bytes, by powers of 1024
 *
 * Return: 0; -EINVAL if @text is no such size; -ERANGE if it doesn't fit.
 */
int kmt_parse_size(const char *text, uint64_t *ret_bytes);

/**
 * kmt_parse_uint() - decimal, or hexadecimal behind 0x; the whole of @text must be the number
 *
 * Return: 0; -EINVAL; -ERANGE.
 */
int kmt_parse_uint(const char *text, uint64_t *ret_n);

#define KMT_UNITS_BYTES 32 /* long enough for every kmt_format_*() below */

/* Each writes a short text for people into @buf (KMT_UNITS_BYTES long) and returns @buf. */
const char *kmt_format_size(char *buf, uint64_t bytes);	 /* "0 B", "1.5 KiB", "312 MiB" */
const char *kmt_format_count(char *buf, uint64_t count); /* "999", "12.3 k", "1.92 G" */
const char *kmt_format_time(char *buf, uint64_t ns);	 /* "250 ms", "12.5 s", "5 h 48 m" */

/* A sum that stops at the end: a loss that wraps around would be none. */
static inline uint64_t kmt_sum(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/**
 * kmt_escape() - make text from a tape safe for a terminal and for one line
 * @dst: @dst_bytes long, at least 1; always terminated, cut between characters if too short
 *
 * Control characters, DEL, backslash and bytes that are not valid UTF-8 become \\xNN.
 *
 * Return: @dst
 */
char *kmt_escape(char *dst, size_t dst_bytes, const char *src);

/**
 * kmt_escape_json() - the same for a text that is JSON, and stays it
 * @ret_text: on the heap
 *
 * What kmt_escape() would escape becomes \\u00NN, which in a string is the same character, or for
 * bytes that are not UTF-8 the one of that number. Backslashes, tabs and ends of lines stay.
 *
 * Return: 0 or -ENOMEM
 */
int kmt_escape_json(const char *text, char **ret_text);

#endif
