/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_WORDS_H
#define KMT_REPORT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "kmemtape/words.h"

#define KMT_COLUMNS 80

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

#endif
