/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_ROW_STACKS_H
#define KMT_REPLAY_ROW_STACKS_H

#include "kmemtape/result.h"

#include "entries.h"

/**
 * kmt_row_stacks_fill() - what the stacks of a row's entries say: most of it, how many, for whom
 * @entries: all of the row's
 * @wants_owners: by site
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_row_stacks_fill(const struct kmt_entries *all, const struct kmt_entry *entries, size_t nr,
			bool wants_owners, struct kmt_result *result, struct kmt_row *row);

/* A function as rows have it, or the address of what has no name. Return: 0 or -ENOMEM. */
int kmt_row_keep_function(struct kmt_result *result, const struct kmt_code *code,
			  const char **ret_text);

/**
 * kmt_row_stacks_list() - all stacks of the call sites that were asked for
 * @query: as the user wrote it; NULL: all sites
 * @entries: put into another order
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_row_stacks_list(const struct kmt_entries *entries, const char *query,
			struct kmt_result *result);

#endif
