/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_FILTER_H
#define KMT_TUI_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#define KMT_FILTER_BYTES 64

/* What the user types to see less. */
struct kmt_filter {
	char text[KMT_FILTER_BYTES]; /* without control characters */
	size_t length;
	bool is_typed; /* keys go here */
};

/**
 * kmt_filter_add() - what was typed
 * @byte: of UTF-8; control characters, and what is too much, are passed over
 *
 * Return: has it changed?
 */
bool kmt_filter_add(struct kmt_filter *filter, int byte);
/* kmt_filter_erase() - the last character goes, with all of its bytes */
bool kmt_filter_erase(struct kmt_filter *filter);
bool kmt_filter_clear(struct kmt_filter *filter);

/* Has @text, or @more (NULL: there is none), each word of it, in whatever case? */
bool kmt_filter_matches(const struct kmt_filter *filter, const char *text, const char *more);

#endif
