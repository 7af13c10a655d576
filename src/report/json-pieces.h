/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_JSON_PIECES_H
#define KMT_REPORT_JSON_PIECES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The members of an object, or the elements of a list, of JSON: where each begins and ends, without
 * a look at what is in it. A report of many rows as objects of json-c would take ten times the
 * memory of its text; this way only the rows that are wanted become objects, one at a time.
 */
#define KMT_PIECES_DEPTH_MAX 24

struct kmt_piece {
	const char *key; /* without its quotes, as it is written; NULL in a list */
	size_t key_bytes;
	const char *text;
	size_t bytes;
};

struct kmt_pieces {
	const char *at, *end;
	char closing;
	bool has_begun, has_ended;
};

/* @text: @bytes long, of an object if @opening is '{', of a list if it is '['. Return: 0, -EBADMSG.
 */
int kmt_pieces_open(struct kmt_pieces *pieces, const char *text, size_t bytes, char opening);

/* Return: 1; 0: there are no more, and nothing behind them; -EBADMSG. */
int kmt_pieces_next(struct kmt_pieces *pieces, struct kmt_piece *ret_piece);

#endif
