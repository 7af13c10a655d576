/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_SUPPRESSION_H
#define KMEMTAPE_SUPPRESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/result.h"

/*
 * Suppressions: what the user knows of and doesn't want to hear of again. The syntax is that of
 * LeakSanitizer (compiler-rt/lib/sanitizer_common/sanitizer_suppressions.cpp): a line
 * "leak:PATTERN" each; lines that begin with '#' and empty ones are comments. A pattern matches
 * anywhere in a name; '*' stands for anything, '^' in front for the name's beginning, '$' behind
 * for its end.
 */
#define KMT_SUPPRESSIONS_BYTES_MAX (1u << 20) /* a file; those in use have some kilobytes */
#define KMT_SUPPRESSIONS_MAX	   4096u      /* each line is compared with each row */
#define KMT_PATTERN_BYTES_MAX	   512u	      /* KSYM_NAME_LEN of Linux 6.1 */

struct kmt_suppressions;

int kmt_suppressions_new(struct kmt_suppressions **ret_suppressions, struct kmt_err *err);
struct kmt_suppressions *kmt_suppressions_free(struct kmt_suppressions *suppressions);

/**
 * kmt_suppressions_add() - one more file
 * @name: how errors call it
 * @text: @bytes long, need not be terminated; not kept
 *
 * Return: 0; -EBADMSG, "NAME:LINE: why", nothing of the file taken; -ENOMEM.
 */
int kmt_suppressions_add(struct kmt_suppressions *suppressions, const char *name, const char *text,
			 size_t bytes, struct kmt_err *err);

/**
 * kmt_suppressions_apply() - mark what the user doesn't want to hear of
 * @result: its vmalloc rows are judged, its verdict isn't made yet
 * @rows: judged; those of @result, or those by site that the verdict is made of
 *
 * A row is compared by function, symbol+offset, module and cache, by its owner if it has just one,
 * and by all functions of its stack if it has just one of these; a vmalloc row by its caller and
 * module. The hits of each pattern are in result->suppressions afterwards: of what would be suspect
 * without it (leak, growth, uncertain), counted for the first pattern that matches. When that list
 * is there already, rows are marked but nothing is counted: so the rows by site come first, and
 * those of another grouping second.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_suppressions_apply(const struct kmt_suppressions *suppressions, struct kmt_result *result,
			   struct kmt_row *rows, size_t nr_rows);

/* Does @pattern ("^foo*bar$") match @name? Never if @name is NULL or empty. */
bool kmt_pattern_matches(const char *pattern, const char *name);

KMT_DEFINE_FREEP(struct kmt_suppressions *, kmt_suppressions_free)

#endif
