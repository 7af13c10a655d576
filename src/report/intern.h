/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_INTERN_H
#define KMT_REPORT_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Tables of formats: each text once, numbered 0, 1, ... in the order in which they came. In a
 * balanced tree, which no choice of names makes slow. What fails for want of memory is remembered.
 */
struct kmt_intern {
	void *root;	    /* of tsearch() */
	const char **texts; /* by number; the tree's */
	size_t nr;
	bool has_failed;
};

void kmt_intern_deinit(struct kmt_intern *intern);

/**
 * kmt_intern_add() - the number of a text
 * @ret_is_new: it came for the first time; NULL: doesn't matter
 *
 * Return: the number; 0 if it failed.
 */
uint32_t kmt_intern_add(struct kmt_intern *intern, const char *text, bool *ret_is_new);

/* The same of what printf() makes; it is cut where it gets very long. */
uint32_t kmt_intern_addf(struct kmt_intern *intern, bool *ret_is_new, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

bool kmt_intern_has(const struct kmt_intern *intern, const char *text);

#endif
