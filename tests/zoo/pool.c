// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "fatal.h"
#include "pool.h"

uint32_t zoo_pool_take(struct zoo_pool *pool)
{
	uint32_t index = pool->nr;

	if (pool->nr_unused) {
		index = pool->unused[--pool->nr_unused];
	} else {
		if (pool->nr == pool->room) {
			pool->room = pool->room * 2 + 1024;
			pool->objects =
				zoo_realloc(pool->objects, pool->room * sizeof(*pool->objects));
		}
		pool->objects[pool->nr++] = (struct zoo_object){ .generation = 0 };
	}
	pool->objects[index].generation++;
	return index;
}

void zoo_pool_give(struct zoo_pool *pool, uint32_t index)
{
	pool->objects[index].generation++;
	if (pool->nr_unused == pool->unused_room) {
		pool->unused_room = pool->unused_room * 2 + 1024;
		pool->unused = zoo_realloc(pool->unused, pool->unused_room * sizeof(*pool->unused));
	}
	pool->unused[pool->nr_unused++] = index;
}

void zoo_pool_deinit(struct zoo_pool *pool)
{
	free(pool->objects);
	free(pool->unused);
	*pool = (struct zoo_pool){ .nr = 0 };
}
