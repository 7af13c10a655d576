// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fatal.h"
#include "slab.h"

#define PAGE_BYTES	 4096u
#define OBJECTS_WANTED	 16u /* slub_min_objects of a small machine */
#define PARTIAL_KEPT	 5u  /* MIN_PARTIAL */
#define DIRECT_MAP	 UINT64_C(0xffff888000000000)
#define MEMORY_BYTES	 (UINT64_C(1) << 34)
#define OTHERS_ONE_IN	 8 /* pages that somebody else gets in between */
#define OTHERS_PAGES_MAX 32

void zoo_memory_init(struct zoo_memory *memory, struct zoo_random *random)
{
	*memory = (struct zoo_memory){ .random = random };
	memory->is_shuffled = zoo_random_below(random, 2);
	memory->next_page = zoo_random_below(random, MEMORY_BYTES / PAGE_BYTES);
}

void zoo_memory_deinit(struct zoo_memory *memory)
{
	while (memory->slabs) {
		struct zoo_slab *next = memory->slabs->next_of_all;

		free(memory->slabs);
		memory->slabs = next;
	}
	for (size_t i = 0; i < memory->nr_caches; i++)
		free(memory->caches[i]);
	for (unsigned int order = 0; order < ZOO_ORDERS; order++)
		free(memory->freed[order].addresses);
}

static unsigned int kmalloc_bytes(unsigned int bytes)
{
	unsigned int rounded = 8;

	if (bytes > 64 && bytes <= 96)
		return 96;
	if (bytes > 128 && bytes <= 192)
		return 192;
	while (rounded < bytes)
		rounded *= 2;
	return rounded;
}

static void name_kmalloc(char *name, size_t room, unsigned int bytes)
{
	if (bytes >= 1024)
		(void)snprintf(name, room, "kmalloc-%uk", bytes / 1024);
	else
		(void)snprintf(name, room, "kmalloc-%u", bytes);
}

struct zoo_cache *zoo_memory_cache(struct zoo_memory *memory, const char *name, unsigned int bytes,
				   bool is_reclaimable)
{
	char kmalloc_name[48];
	struct zoo_cache *cache;
	bool is_kmalloc = !*name;

	if (is_kmalloc) {
		bytes = kmalloc_bytes(bytes);
		name_kmalloc(kmalloc_name, sizeof(kmalloc_name), bytes);
		name = kmalloc_name;
	}
	for (size_t i = 0; i < memory->nr_caches; i++)
		if (strcmp(memory->caches[i]->name, name) == 0)
			return memory->caches[i];
	if (memory->nr_caches == ZOO_CACHES_MAX)
		zoo_fatal("more than %u caches", ZOO_CACHES_MAX);
	cache = zoo_calloc(1, sizeof(*cache));
	(void)snprintf(cache->name, sizeof(cache->name), "%s", name);
	cache->is_kmalloc = is_kmalloc;
	cache->is_reclaimable = is_reclaimable;
	cache->bytes = (bytes + 7) / 8 * 8;
	while (cache->order + 1 < ZOO_ORDERS &&
	       (PAGE_BYTES << cache->order) / cache->bytes < OBJECTS_WANTED)
		cache->order++;
	cache->objects_a_slab = (PAGE_BYTES << cache->order) / cache->bytes;
	cache->nr_old_slabs = 4 + zoo_random_below(memory->random, 200);
	memory->caches[memory->nr_caches++] = cache;
	return cache;
}

/* Pages that were freed last come first; the rest one after another, with holes. */
static uint64_t take_pages(struct zoo_memory *memory, unsigned int order)
{
	struct zoo_pages *freed = &memory->freed[order];
	uint64_t page, nr = UINT64_C(1) << order;

	if (freed->nr)
		return freed->addresses[--freed->nr];
	if (zoo_random_below(memory->random, OTHERS_ONE_IN) == 0)
		memory->next_page += zoo_random_below(memory->random, OTHERS_PAGES_MAX);
	page = (memory->next_page + nr - 1) / nr * nr;
	memory->next_page = page + nr;
	return DIRECT_MAP + page * PAGE_BYTES;
}

static void give_pages(struct zoo_memory *memory, unsigned int order, uint64_t address)
{
	struct zoo_pages *freed = &memory->freed[order];

	if (freed->nr == freed->room) {
		freed->room = freed->room * 2 + 64;
		freed->addresses =
			zoo_realloc(freed->addresses, freed->room * sizeof(*freed->addresses));
	}
	freed->addresses[freed->nr++] = address;
}

static void list_add(struct zoo_slab *slab)
{
	struct zoo_cache *cache = slab->cache;

	slab->previous = NULL;
	slab->next = cache->partial;
	if (slab->next)
		slab->next->previous = slab;
	cache->partial = slab;
	cache->nr_partial++;
	cache->nr_partial_free += slab->nr_free;
	slab->is_partial = true;
}

static void list_remove(struct zoo_slab *slab)
{
	struct zoo_cache *cache = slab->cache;

	if (slab->next)
		slab->next->previous = slab->previous;
	if (slab->previous)
		slab->previous->next = slab->next;
	else
		cache->partial = slab->next;
	slab->next = slab->previous = NULL;
	cache->nr_partial--;
	cache->nr_partial_free -= slab->nr_free;
	slab->is_partial = false;
}

static struct zoo_slab *new_slab(struct zoo_memory *memory, struct zoo_cache *cache)
{
	unsigned int nr = cache->objects_a_slab;
	struct zoo_slab *slab = zoo_calloc(1, sizeof(*slab) + nr * sizeof(slab->free[0]));

	slab->cache = cache;
	slab->base = take_pages(memory, cache->order);
	slab->nr_free = nr;
	for (unsigned int i = 0; i < nr; i++)
		slab->free[i] = (uint16_t)(nr - 1 - i);
	for (unsigned int i = nr - 1; memory->is_shuffled && i > 0; i--) {
		unsigned int other = (unsigned int)zoo_random_below(memory->random, i + 1);
		uint16_t slot = slab->free[i];

		slab->free[i] = slab->free[other];
		slab->free[other] = slot;
	}
	slab->next_of_all = memory->slabs;
	slab->link_of_all = &memory->slabs;
	if (slab->next_of_all)
		slab->next_of_all->link_of_all = &slab->next_of_all;
	memory->slabs = slab;
	cache->nr_slabs++;
	return slab;
}

struct zoo_slot zoo_slab_alloc(struct zoo_memory *memory, struct zoo_cache *cache, unsigned int cpu)
{
	struct zoo_slab *slab = cache->active[cpu];

	if (!slab || !slab->nr_free) {
		if (slab)
			slab->cpu = -1;
		slab = cache->partial;
		if (slab)
			list_remove(slab);
		else
			slab = new_slab(memory, cache);
		slab->cpu = (int)cpu;
		cache->active[cpu] = slab;
	}
	return (struct zoo_slot){ slab, slab->free[--slab->nr_free] };
}

void zoo_slab_free(struct zoo_memory *memory, struct zoo_slot slot)
{
	struct zoo_slab *slab = slot.slab;
	struct zoo_cache *cache = slab->cache;

	slab->free[slab->nr_free++] = slot.nr;
	if (slab->is_partial)
		cache->nr_partial_free++;
	if (slab->cpu >= 0)
		return;
	if (!slab->is_partial)
		list_add(slab);
	if (slab->nr_free < cache->objects_a_slab || cache->nr_partial <= PARTIAL_KEPT)
		return;
	list_remove(slab);
	cache->nr_slabs--;
	give_pages(memory, cache->order, slab->base);
	*slab->link_of_all = slab->next_of_all;
	if (slab->next_of_all)
		slab->next_of_all->link_of_all = slab->link_of_all;
	free(slab);
}
