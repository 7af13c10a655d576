// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "../zoo/fatal.h"
#include "memory.h"

#define USED_BLOCKS_MAX 20000u /* by somebody else, before; most of them are free again */
#define SLAB_ORDER_MAX	3u     /* slub_max_order */
#define PARTIAL_KEPT	5u     /* MIN_PARTIAL */

static void list_add(struct memory *memory, uint32_t page, unsigned int order)
{
	memory->order[page] = (uint8_t)(order + 1);
	memory->previous[page] = 0;
	memory->next[page] = memory->heads[order];
	if (memory->next[page])
		memory->previous[memory->next[page]] = page;
	memory->heads[order] = page;
}

static void list_remove(struct memory *memory, uint32_t page)
{
	unsigned int order = memory->order[page] - 1u;

	if (memory->next[page])
		memory->previous[memory->next[page]] = memory->previous[page];
	if (memory->previous[page])
		memory->next[memory->previous[page]] = memory->next[page];
	else
		memory->heads[order] = memory->next[page];
	memory->order[page] = 0;
}

/* The lower half of a larger block, whose upper halves stay free. */
static uint32_t take(struct memory *memory, unsigned int order)
{
	unsigned int at = order;
	uint32_t page;

	while (at < MEMORY_ORDERS && !memory->heads[at])
		at++;
	if (at == MEMORY_ORDERS)
		zoo_fatal("the simulated machine is out of memory");
	page = memory->heads[at];
	list_remove(memory, page);
	while (at-- > order)
		list_add(memory, page + (1u << at), at);
	return page;
}

/* Joined with its buddy, if that is free as a whole, and so on. */
static void give(struct memory *memory, uint32_t page, unsigned int order)
{
	for (; order + 1 < MEMORY_ORDERS; order++) {
		uint32_t buddy = page ^ (1u << order);

		if (memory->order[buddy] != order + 1)
			break;
		list_remove(memory, buddy);
		page &= ~(1u << order);
	}
	list_add(memory, page, order);
}

/* A machine that has been up for long. */
static void break_up(struct memory *memory)
{
	uint32_t nr = (uint32_t)zoo_random_below(memory->random, USED_BLOCKS_MAX);
	uint32_t *pages = zoo_calloc(nr + 1, sizeof(*pages));
	uint8_t *orders = zoo_calloc(nr + 1, 1);
	uint64_t kept = zoo_random_below(memory->random, 100);

	for (uint32_t i = 0; i < nr; i++) {
		orders[i] = (uint8_t)(zoo_random_below(memory->random, 4) *
				      zoo_random_below(memory->random, 2));
		pages[i] = take(memory, orders[i]);
	}
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t other = i + (uint32_t)zoo_random_below(memory->random, nr - i);
		uint32_t page = pages[other];
		uint8_t order = orders[other];

		pages[other] = pages[i];
		orders[other] = orders[i];
		if (zoo_random_below(memory->random, 100) >= kept)
			give(memory, page, order);
	}
	free(pages);
	free(orders);
}

void memory_init(struct memory *memory, struct zoo_random *random, unsigned int nr_cpus)
{
	const uint32_t largest = 1u << (MEMORY_ORDERS - 1);

	memory->random = random;
	memory->nr_cpus = nr_cpus;
	memory->is_shuffled = zoo_random_below(random, 2);
	/* The first block isn't there, so that 0 is no page. */
	for (uint32_t page = MEMORY_PAGES - largest; page; page -= largest)
		list_add(memory, page, MEMORY_ORDERS - 1);
	break_up(memory);
}

void memory_deinit(struct memory *memory)
{
	for (uint32_t page = 0; page < MEMORY_PAGES; page++)
		free(memory->slabs[page]);
}

static unsigned int bits_of(unsigned int n)
{
	return n ? 32u - (unsigned int)__builtin_clz(n) : 0;
}

static bool fits(unsigned int bytes, unsigned int order, unsigned int fraction)
{
	unsigned int slab = MEMORY_PAGE_BYTES << order;

	return slab % bytes <= slab / fraction;
}

/* Linux mm/slub.c: calculate_order() */
static unsigned int slab_order(unsigned int bytes, unsigned int nr_cpus)
{
	unsigned int wanted = 4 * (bits_of(nr_cpus) + 1), least = 0;

	while (least < SLAB_ORDER_MAX && (MEMORY_PAGE_BYTES << least) < wanted * bytes)
		least++;
	for (unsigned int fraction = 16; fraction >= 4; fraction /= 2)
		for (unsigned int order = least; order <= SLAB_ORDER_MAX; order++)
			if (fits(bytes, order, fraction))
				return order;
	return SLAB_ORDER_MAX;
}

struct memory_cache *memory_cache(struct memory *memory, unsigned int bytes)
{
	struct memory_cache *cache;

	for (unsigned int i = 0; i < memory->nr_caches; i++)
		if (memory->caches[i].bytes == bytes)
			return &memory->caches[i];
	if (memory->nr_caches == MEMORY_CACHES_MAX)
		zoo_fatal("more than %u caches", MEMORY_CACHES_MAX);
	cache = &memory->caches[memory->nr_caches++];
	cache->bytes = bytes;
	cache->order = slab_order(bytes, memory->nr_cpus);
	cache->nr_objects = (MEMORY_PAGE_BYTES << cache->order) / bytes;
	return cache;
}

uint64_t memory_take_pages(struct memory *memory, unsigned int order)
{
	return MEMORY_FROM + (uint64_t)take(memory, order) * MEMORY_PAGE_BYTES;
}

static uint32_t page_of(uint64_t address)
{
	return (uint32_t)((address - MEMORY_FROM) / MEMORY_PAGE_BYTES);
}

void memory_give_pages(struct memory *memory, uint64_t address, unsigned int order)
{
	give(memory, page_of(address), order);
}

static struct memory_slab *new_slab(struct memory *memory, struct memory_cache *cache)
{
	unsigned int nr = cache->nr_objects;
	struct memory_slab *slab = zoo_calloc(1, sizeof(*slab) + nr * sizeof(slab->free[0]));

	slab->cache = cache;
	slab->base = memory_take_pages(memory, cache->order);
	slab->nr_free = nr;
	for (unsigned int i = 0; i < nr; i++)
		slab->free[i] = (uint16_t)(nr - 1 - i);
	for (unsigned int i = nr - 1; memory->is_shuffled && i > 0; i--) {
		unsigned int other = (unsigned int)zoo_random_below(memory->random, i + 1);
		uint16_t place = slab->free[i];

		slab->free[i] = slab->free[other];
		slab->free[other] = place;
	}
	memory->slabs[page_of(slab->base)] = slab;
	return slab;
}

static void partial_remove(struct memory_slab *slab)
{
	struct memory_cache *cache = slab->cache;

	if (slab->next)
		slab->next->previous = slab->previous;
	if (slab->previous)
		slab->previous->next = slab->next;
	else
		cache->partial = slab->next;
	slab->is_listed = false;
	cache->nr_partial--;
}

static void partial_add(struct memory_slab *slab)
{
	struct memory_cache *cache = slab->cache;

	slab->previous = NULL;
	slab->next = cache->partial;
	if (slab->next)
		slab->next->previous = slab;
	cache->partial = slab;
	slab->is_listed = true;
	cache->nr_partial++;
}

uint64_t memory_take(struct memory *memory, struct memory_cache *cache, unsigned int cpu)
{
	struct memory_slab *slab = cache->active[cpu];

	if (!slab || !slab->nr_free) {
		if (slab)
			slab->is_active = false;
		slab = cache->partial;
		if (slab)
			partial_remove(slab);
		else
			slab = new_slab(memory, cache);
		slab->is_active = true;
		cache->active[cpu] = slab;
	}
	return slab->base + (uint64_t)slab->free[--slab->nr_free] * cache->bytes;
}

void memory_give(struct memory *memory, struct memory_cache *cache, uint64_t address)
{
	uint32_t page = page_of(address) & ~((1u << cache->order) - 1);
	struct memory_slab *slab = memory->slabs[page];

	slab->free[slab->nr_free++] = (uint16_t)((address - slab->base) / cache->bytes);
	if (slab->is_active)
		return;
	if (!slab->is_listed)
		partial_add(slab);
	if (slab->nr_free < cache->nr_objects || cache->nr_partial <= PARTIAL_KEPT)
		return;
	partial_remove(slab);
	memory->slabs[page] = NULL;
	memory_give_pages(memory, slab->base, cache->order);
	free(slab);
}
