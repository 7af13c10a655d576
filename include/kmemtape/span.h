/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_SPAN_H
#define KMEMTAPE_SPAN_H

#include <stdbool.h>
#include <stddef.h>

/* A part of a text that somebody else keeps, without a zero at its end. */
struct kmt_span {
	const char *at;
	size_t bytes;
};

/* Words have blanks and tabs between them. */
bool kmt_span_is_space(char c);

/* The first word of @rest, which goes on behind it; empty if there is none. */
struct kmt_span kmt_span_take_word(struct kmt_span *rest);

/* The last word of @rest, which ends before it. */
struct kmt_span kmt_span_take_last_word(struct kmt_span *rest);

/* Is it @text, all of it? */
bool kmt_span_is(struct kmt_span span, const char *text);

#endif
