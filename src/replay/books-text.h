/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_BOOKS_TEXT_H
#define KMT_REPLAY_BOOKS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kmemtape/err.h"

/*
 * The text of books.zst: words with a space or a newline between them. Numbers are decimal,
 * addresses hexadecimal with 0x. Rows of numbers are shortened: "7*12" is twelve times 7.
 */

enum kmt_row_style {
	KMT_ROW_PLAIN,
	KMT_ROW_DELTA, /* each is what it has more than the one before, or less */
	KMT_ROW_HEX,
};

/* Any text as one word; NULL is not one. */
void kmt_books_put_text(FILE *file, const char *text);

/* " 3 7*12", without a newline. */
void kmt_books_put_row(FILE *file, const uint64_t *numbers, size_t nr, enum kmt_row_style style);

/* Reads them. Once something is wrong, it stays so, and all that is read is 0. */
struct kmt_books_scan {
	char *at;
	const char *end;
	unsigned int line;
	const char *wrong; /* NULL: nothing yet */
};

/* @text: @bytes, with a zero byte behind them */
void kmt_books_scan_begin(struct kmt_books_scan *scan, char *text, size_t bytes);

/* The next word; in place, until the next call. NULL: there is none, or something is wrong. */
const char *kmt_books_get_word(struct kmt_books_scan *scan);

/* The next word has to be @word. */
void kmt_books_expect(struct kmt_books_scan *scan, const char *word);

/* A text of kmt_books_put_text(), in place. "" if something is wrong. */
const char *kmt_books_get_text(struct kmt_books_scan *scan);

/* A number of at most @max. */
uint64_t kmt_books_get(struct kmt_books_scan *scan, uint64_t max);

/* A number of elements that each take @bytes_each of text or more: so there can't be too many. */
size_t kmt_books_get_nr(struct kmt_books_scan *scan, size_t max, size_t bytes_each);

void kmt_books_get_row(struct kmt_books_scan *scan, uint64_t *numbers, size_t nr,
		       enum kmt_row_style style, uint64_t max);

/* Notes what is wrong, if nothing was yet. @what: static */
void kmt_books_wrong(struct kmt_books_scan *scan, const char *what);

#endif
