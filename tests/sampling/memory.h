/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_SAMPLING_MEMORY_H
#define KMEMTAPE_SAMPLING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../zoo/random.h"

/*
 * Where a kernel's memory is: a buddy allocator (Linux mm/page_alloc.c) whose free blocks were
 * broken up by what came before, and slabs made of it (mm/slub.c) that CPUs fill, and give back
 * when they are empty. Which pages a sample of addresses keeps, and what is on them, depends on
 * both.
 */
#define MEMORY_PAGE_BYTES 4096u
#define MEMORY_PAGES	  (1u << 18)
#define MEMORY_ORDERS	  11u
#define MEMORY_CPUS_MAX	  4u
#define MEMORY_CACHES_MAX 32u
#define MEMORY_FROM	  UINT64_C(0xffff888100000000)

struct memory_slab {
	struct memory_cache *cache;
	struct memory_slab *next, *previous; /* of those with free objects that no CPU has */
	uint64_t base;
	unsigned int nr_free;
	bool is_active, is_listed;
	uint16_t free[]; /* a stack of places */
};

struct memory_cache {
	unsigned int bytes, order, nr_objects; /* of a slab */
	struct memory_slab *active[MEMORY_CPUS_MAX], *partial;
	unsigned int nr_partial;
};

struct memory {
	struct zoo_random *random;
	unsigned int nr_cpus;
	bool is_shuffled; /* CONFIG_SLAB_FREELIST_RANDOM */
	struct memory_cache caches[MEMORY_CACHES_MAX];
	unsigned int nr_caches;
	uint32_t heads[MEMORY_ORDERS]; /* first free block of each order; 0 is none */
	uint32_t next[MEMORY_PAGES], previous[MEMORY_PAGES];
	uint8_t order[MEMORY_PAGES];		 /* of the free block that begins there, plus 1 */
	struct memory_slab *slabs[MEMORY_PAGES]; /* by the page it begins at */
};

void memory_init(struct memory *memory, struct zoo_random *random, unsigned int nr_cpus);
void memory_deinit(struct memory *memory);

/* The cache of objects of that size; a new one if there is none. */
struct memory_cache *memory_cache(struct memory *memory, unsigned int bytes);

uint64_t memory_take_pages(struct memory *memory, unsigned int order);
void memory_give_pages(struct memory *memory, uint64_t address, unsigned int order);

uint64_t memory_take(struct memory *memory, struct memory_cache *cache, unsigned int cpu);
void memory_give(struct memory *memory, struct memory_cache *cache, uint64_t address);

#endif
