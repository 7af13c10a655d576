/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_CORE_CACHE_FREES_H
#define KMT_CORE_CACHE_FREES_H

#include <stddef.h>

#include "kmemtape/ledger.h"

/* Frees that belong to no recorded allocation, counted by cache. All zero is empty. */
struct kmt_cache_frees_table {
	struct kmt_cache_frees *entries; /* the first two: of unknown caches, see ledger.h */
	size_t nr, room;
	uint32_t *slots; /* index of an entry; 0: free. A power of two of them, at most half full */
	size_t nr_slots;
};

/* Return: 0 or -ENOMEM. */
int kmt_cache_frees_init(struct kmt_cache_frees_table *table);
void kmt_cache_frees_deinit(struct kmt_cache_frees_table *table);

/*
 * One more. @cache: interned, NULL unknown. Never fails: without memory for another cache it counts
 * as unknown, which may be any.
 */
void kmt_cache_frees_add(struct kmt_cache_frees_table *table, const char *cache, bool is_kfree);

/* All that is counted in @from. */
void kmt_cache_frees_join(struct kmt_cache_frees_table *table,
			  const struct kmt_cache_frees_table *from);

void kmt_cache_frees_mark(struct kmt_cache_frees_table *table, bool is_first);

#endif
