/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_REDACT_TEXT_H
#define KMT_SHARE_REDACT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "codes.h"

/*
 * Text goes through line by line, and only in forms that are known not to tell an address: all else
 * is left out.
 */
#define KMT_REDACT_LINE_MAX 1024u /* longer ones are left out */

/*
 * What may be a text with an address in it: of eight hexadecimal digits in a row or more, each
 * becomes an x. In place.
 */
void kmt_redact_digits(char *text, size_t bytes);

/* Parts of snapshots.zst. */
enum kmt_redact_part {
	KMT_REDACT_NO_PART,
	KMT_REDACT_NUMBERS, /* words and decimal numbers */
	KMT_REDACT_SLABS,
	KMT_REDACT_AREAS,
	KMT_REDACT_NAMES,
};

/**
 * kmt_redact_snapshot_line() - a line of snapshots.zst
 * @part: what the lines before said that follows; changed by one that heads a part
 * @to: room for KMT_REDACT_LINE_MAX and a zero byte
 *
 * Return: length of the line to write, without a newline; 0: left out; -ENOMEM, -E2BIG as
 * kmt_codes_map().
 */
int kmt_redact_snapshot_line(struct kmt_codes *codes, enum kmt_redact_part *part, const char *line,
			     size_t bytes, char *to);

/* Of a format file, its fields and flags: true if a line of it may stay. */
bool kmt_redact_keeps_format_line(const char *line, size_t bytes);

/*
 * A condition of the manifest: "call_site > 0xffffffffc0345000 && bytes_alloc >= 64" becomes
 * "call_site > ? && bytes_alloc >= 64". In place; never longer.
 */
void kmt_redact_filter(char *text);

/* "Linux version 6.1.0 (builder@host) (gcc 12) #1 SMP": without who built it. In place. */
void kmt_redact_version(char *text);

#endif
