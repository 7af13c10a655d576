// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "cache-frees.h"

#define SLOTS_MIN  1024u /* a kernel has a few hundred caches */
#define NR_UNNAMED 2u	 /* entries of kfree() and of kmem_cache_free() */

int kmt_cache_frees_init(struct kmt_cache_frees_table *table)
{
	*table = (struct kmt_cache_frees_table){
		.nr = NR_UNNAMED,
		.room = SLOTS_MIN / 2,
		.nr_slots = SLOTS_MIN,
	};
	table->entries = calloc(table->room, sizeof(*table->entries));
	table->slots = calloc(table->nr_slots, sizeof(*table->slots));
	if (!table->entries || !table->slots)
		return -ENOMEM; /* the caller releases what there is */
	table->entries[0].is_kfree = true;
	return 0;
}

void kmt_cache_frees_deinit(struct kmt_cache_frees_table *table)
{
	free(table->entries);
	free(table->slots);
	*table = (struct kmt_cache_frees_table){ .nr = 0 };
}

/* Names are interned: equal ones are equal pointers. */
static uint32_t *find_slot(const struct kmt_cache_frees_table *table, uint32_t *slots,
			   size_t nr_slots, const char *cache)
{
	size_t i = (size_t)((uint64_t)(uintptr_t)cache * 0x9e3779b97f4a7c15 >> 32);

	for (;; i++) {
		uint32_t *slot = &slots[i & (nr_slots - 1)];

		if (!*slot || table->entries[*slot].cache == cache)
			return slot;
	}
}

static int grow(struct kmt_cache_frees_table *table)
{
	size_t nr_slots = table->nr_slots * 2;
	uint32_t *slots = calloc(nr_slots, sizeof(*slots));
	struct kmt_cache_frees *entries;

	if (!slots)
		return -ENOMEM;
	entries = reallocarray(table->entries, nr_slots / 2, sizeof(*entries));
	if (!entries) {
		free(slots);
		return -ENOMEM;
	}
	table->entries = entries;
	table->room = nr_slots / 2;
	for (uint32_t i = NR_UNNAMED; i < table->nr; i++)
		*find_slot(table, slots, nr_slots, entries[i].cache) = i;
	free(table->slots);
	table->slots = slots;
	table->nr_slots = nr_slots;
	return 0;
}

/* Of a cache, or of those that are unknown. */
static struct kmt_cache_frees *entry_of(struct kmt_cache_frees_table *table, const char *cache,
					bool is_kfree)
{
	uint32_t *slot;

	if (!cache)
		return &table->entries[is_kfree ? 0 : 1];
	slot = find_slot(table, table->slots, table->nr_slots, cache);
	if (!*slot && (table->nr < table->room || grow(table) == 0)) {
		slot = find_slot(table, table->slots, table->nr_slots, cache);
		table->entries[table->nr] = (struct kmt_cache_frees){ .cache = cache };
		*slot = (uint32_t)table->nr++;
	}
	return &table->entries[*slot ? *slot : is_kfree ? 0 : 1];
}

void kmt_cache_frees_add(struct kmt_cache_frees_table *table, const char *cache, bool is_kfree)
{
	entry_of(table, cache, is_kfree)->frees++;
}

void kmt_cache_frees_join(struct kmt_cache_frees_table *table,
			  const struct kmt_cache_frees_table *from)
{
	for (size_t i = 0; i < from->nr; i++) {
		const struct kmt_cache_frees *frees = &from->entries[i];
		struct kmt_cache_frees *to = entry_of(table, frees->cache, frees->is_kfree);

		to->frees += frees->frees;
		to->first_marked += frees->first_marked;
		to->last_marked += frees->last_marked;
	}
}

void kmt_cache_frees_mark(struct kmt_cache_frees_table *table, bool is_first)
{
	for (size_t i = 0; i < table->nr; i++) {
		table->entries[i].last_marked = table->entries[i].frees;
		if (is_first)
			table->entries[i].first_marked = table->entries[i].frees;
	}
}
