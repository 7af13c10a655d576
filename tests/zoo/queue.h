/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_QUEUE_H
#define KMEMTAPE_ZOO_QUEUE_H

#include <stddef.h>
#include <stdint.h>

/* What will happen: a binary heap, the next thing first. */
enum zoo_what {
	ZOO_ARRIVAL,   /* of an object of an actor */
	ZOO_DEATH,	   /* of an object */
	ZOO_GIVE_BACK, /* after its RCU grace period */
	ZOO_HANDED_ON, /* the other half of a handoff */
	ZOO_LOAD,
	ZOO_UNLOAD,
	ZOO_SNAPSHOT,
};

struct zoo_action {
	int64_t time_ns;
	uint64_t order; /* first come, first served */
	uint32_t arg, generation;
	enum zoo_what what;
};

struct zoo_queue {
	struct zoo_action *actions;
	size_t nr, room;
	uint64_t nr_ever;
};

void zoo_queue_deinit(struct zoo_queue *queue);
void zoo_queue_add(struct zoo_queue *queue, int64_t time_ns, enum zoo_what what, uint32_t arg,
		   uint32_t generation);

/* There must be one: queue->nr isn't 0. */
struct zoo_action zoo_queue_take(struct zoo_queue *queue);

#endif
