/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_POOL_H
#define KMEMTAPE_ZOO_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slab.h"

/* The objects of the machine, by number; places are used again. */
struct zoo_object {
	struct zoo_slot slot;
	int64_t born_ns;
	uint32_t generation; /* of this place in the pool: odd while an object is here */
	uint8_t actor;
	bool is_leaked;
	bool is_recorded; /* its allocation is on the tape */
	bool is_dead;	  /* freed, but RCU holds it for a while */
};

struct zoo_pool {
	struct zoo_object *objects;
	uint32_t nr, room;
	uint32_t *unused;
	uint32_t nr_unused, unused_room;
};

/* A place for a new object; those of others may move. */
uint32_t zoo_pool_take(struct zoo_pool *pool);
void zoo_pool_give(struct zoo_pool *pool, uint32_t index);
void zoo_pool_deinit(struct zoo_pool *pool);

static inline bool zoo_object_is_here(const struct zoo_object *object)
{
	return object->generation % 2;
}

#endif
