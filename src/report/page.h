/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_PAGE_H
#define KMT_REPORT_PAGE_H

#include <stddef.h>
#include <stdio.h>

#include <json-c/json.h>

/*
 * The shell of an HTML page: one file that needs no other, and lets none be loaded. Between begin
 * and end comes the body, written as text and tags, whose texts of a tape go through
 * kmt_page_raw(). Without JavaScript a page is what is written there; with it
 *  - every <table class="sortable"> is sorted by a click on a heading, by data-v of a cell if there
 *    is one, else by its text, and filtered by an <input data-filter="ID of the table">;
 *  - data embedded by kmt_page_data_*() as that of a tape's report becomes charts.
 * What it looks like is in html/page.css, what it does in the .js beside it.
 */
void kmt_page_begin(FILE *file, const char *title);
void kmt_page_end(FILE *file);

/* A text of our own or that is safe for a terminal already, as words.h makes them; also for quoted
 * attributes. */
void kmt_page_text(FILE *file, const char *text);
void kmt_page_textf(FILE *file, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A text as it is on the tape. */
void kmt_page_raw(FILE *file, const char *text);

/* Around the JSON, which is written piece by piece. */
void kmt_page_data_begin(FILE *file);
void kmt_page_data_end(FILE *file);

/* JSON in which nothing can end the element that it is in. */
void kmt_page_json(FILE *file, const char *json);

/* Bytes that it takes. */
size_t kmt_page_json_bytes(const char *json);

#endif
