/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_SLAB_H
#define KMEMTAPE_ZOO_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

/*
 * A small SLUB, so that addresses are handed out again as the real one does it (Linux mm/slub.c):
 * each CPU allocates from a slab of its own, the address that was freed last comes first; slabs that
 * have free objects and no CPU are kept in a list, and beyond some of them empty ones go back to the
 * page allocator, which gives the pages to any cache.
 */
#define ZOO_CPUS_MAX   64u
#define ZOO_ORDERS     4u
#define ZOO_CACHES_MAX 64u

struct zoo_slab {
	uint64_t base;
	struct zoo_cache *cache;
	int cpu; /* whose it is; -1: nobody's */
	unsigned int nr_free;
	bool is_partial; /* in the list */
	struct zoo_slab *next, *previous;	  /* there */
	struct zoo_slab *next_of_all, **link_of_all;
	uint16_t free[]; /* a stack of slots */
};

struct zoo_cache {
	char name[48];
	bool is_kmalloc, is_reclaimable;
	unsigned int bytes, objects_a_slab, order;
	struct zoo_slab *active[ZOO_CPUS_MAX];
	struct zoo_slab *partial;
	unsigned int nr_partial;
	uint64_t nr_slabs, nr_partial_free;
	uint64_t nr_old_slabs; /* full of what was there long before, and stays */
};

/* Pages that were given back, by order. */
struct zoo_pages {
	uint64_t *addresses;
	size_t nr, room;
};

struct zoo_memory {
	struct zoo_random *random;
	bool is_shuffled; /* CONFIG_SLAB_FREELIST_RANDOM */
	uint64_t next_page;
	struct zoo_pages freed[ZOO_ORDERS];
	struct zoo_slab *slabs; /* all, the full ones too */
	struct zoo_cache *caches[ZOO_CACHES_MAX];
	size_t nr_caches;
};

struct zoo_slot {
	struct zoo_slab *slab;
	uint16_t nr;
};

void zoo_memory_init(struct zoo_memory *memory, struct zoo_random *random);
void zoo_memory_deinit(struct zoo_memory *memory);

/* The cache of that name; a new one if there is none. A name of "" is kmalloc's for that size. */
struct zoo_cache *zoo_memory_cache(struct zoo_memory *memory, const char *name, unsigned int bytes,
				   bool is_reclaimable);

struct zoo_slot zoo_slab_alloc(struct zoo_memory *memory, struct zoo_cache *cache, unsigned int cpu);
void zoo_slab_free(struct zoo_memory *memory, struct zoo_slot slot);

static inline uint64_t zoo_slot_address(struct zoo_slot slot)
{
	return slot.slab->base + (uint64_t)slot.nr * slot.slab->cache->bytes;
}

#endif
