/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_WORDS_H
#define KMT_REPORT_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kmemtape/result.h"

#define KMT_COLUMNS	  80
#define KMT_NAME_BYTES	  1100 /* a function and a module, escaped */
#define KMT_ESCAPED_BYTES 512

/* Numbers for people; @buf is KMT_UNITS_BYTES long, and returned, but where there is a fixed text.
 */

/* Exact as long as it fits: a maintainer compares it with what a driver printed. */
const char *kmt_words_count(char *buf, uint64_t n);

/* Never "100 %" of what isn't all, nor "0 %" of something. */
const char *kmt_words_percent(char *buf, uint64_t part, uint64_t whole);

/* "+1.81 GiB", "-12 KiB", "+0" */
const char *kmt_words_growth(char *buf, int64_t bytes);

/* "+286 MiB/h" */
const char *kmt_words_rate(char *buf, double bytes_per_s);

/* "0.97"; never "1.00" of what is below 1 */
const char *kmt_words_confidence(char *buf, double confidence);

/* Columns that an escaped text takes at most. */
size_t kmt_words_columns(const char *text);

/*
 * A line that is filled part by part, and goes on in the next one, indented, when it is full. Parts
 * are never broken or cut: a symbol has to be found by whoever searches for it.
 */
struct kmt_line {
	FILE *file;
	size_t indent; /* of what follows the first line */
	size_t gap;    /* spaces between parts */
	size_t used;
	bool has_part; /* since the line began */
};

/* @head: what it begins with, as it is */
void kmt_line_begin(struct kmt_line *line, FILE *file, const char *head, size_t indent, size_t gap);
void kmt_line_add(struct kmt_line *line, const char *part);
void kmt_line_addf(struct kmt_line *line, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Source lines as struct kmt_frame has them, a part for each inlined frame; NULL: none. */
void kmt_line_add_sources(struct kmt_line *line, const char *lines);
void kmt_line_end(struct kmt_line *line);

/* A sentence, broken between words, made safe for a terminal. */
void kmt_words_wrap(FILE *file, const char *head, size_t indent, const char *sentence);

/* What a row has, if it isn't of the slab: "vmalloc"; NULL. @buf is KMT_NAME_BYTES long. */
const char *kmt_words_kind(char *buf, const struct kmt_row *row);

/* "about 1.2 GiB (0.9 GiB to 1.5 GiB)" */
const char *kmt_words_estimate(char *buf, double value, double low, double high);

/* "+12/h" */
const char *kmt_words_count_rate(char *buf, double objects_per_s);

/* The same of a frame. */
void kmt_words_frame(char *name, const struct kmt_frame *frame);

/* What a row is called, made safe for a terminal; @name is KMT_NAME_BYTES long. */
void kmt_words_name(char *name, enum kmt_group group, const struct kmt_row *row);

#endif
