/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_PAGE_ROWS_H
#define KMT_REPORT_PAGE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "kmemtape/cleanup.h"

/*
 * Rows of a table or a list on a page, of which only so many bytes are kept: whatever tapes it is
 * of, a browser is to open the page. What is left out is said above them.
 */
struct kmt_page_rows {
	FILE *file; /* where a row is written to */
	char *text;
	size_t text_bytes, room, bytes, nr, nr_left_out;
};

struct kmt_page_column {
	const char *class, *name; /* "n": a number */
};

/* @room: bytes of all rows. Return: 0 or -ENOMEM. */
int kmt_page_rows_init(struct kmt_page_rows *rows, size_t room);
void kmt_page_rows_deinit(struct kmt_page_rows *rows);

/* What was written to @file since the last one is a row. After one that had no room, none has any:
 * only the end is left out. */
void kmt_page_rows_add(struct kmt_page_rows *rows);

/* A section with a table that can be sorted and filtered: see page.h. Return: 0 or -ENOMEM. */
int kmt_page_rows_put_table(struct kmt_page_rows *rows, const char *id, const char *title,
			    const struct kmt_page_column *columns, size_t nr_columns, FILE *file);

/* @class: of the list. Return: 0 or -ENOMEM. */
int kmt_page_rows_put_list(struct kmt_page_rows *rows, const char *class, FILE *file);

#endif
