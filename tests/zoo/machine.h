/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_MACHINE_H
#define KMEMTAPE_ZOO_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool.h"
#include "queue.h"
#include "random.h"
#include "scenario.h"
#include "slab.h"

/*
 * A machine on which the actors of a scenario allocate and free: what happens when, in simulated
 * time. It notes the events that the kernel would have traced, and knows the truth.
 */
#define ZOO_NS_PER_S	INT64_C(1000000000)
#define ZOO_TASKS_MAX	16u
#define ZOO_SOFTIRQ	0x10u /* enum trace_flag_type */

enum zoo_event_kind {
	ZOO_EVENT_ALLOC,
	ZOO_EVENT_FREE,
	ZOO_EVENT_MODULE_LOAD,
	ZOO_EVENT_MODULE_FREE,
};

struct zoo_event {
	int64_t time_ns; /* since the beginning of the tape */
	uint64_t ptr;
	uint32_t pid;
	uint8_t cpu, kind, flags, actor;
};

struct zoo_task {
	uint32_t pid;
	uint8_t cpu;
};

struct zoo_actor {
	const struct zoo_actor_plan *plan;
	struct zoo_cache *cache;
	uint64_t function, free_function; /* addresses */
	unsigned int bytes_req;
	struct zoo_task tasks[ZOO_TASKS_MAX];
	unsigned int nr_tasks;
	uint32_t *held; /* LRU, SAWTOOTH: a ring of objects, the oldest first */
	size_t held_room, held_at, nr_held;
	uint64_t nr_born, next_leak;
	bool is_gone; /* with its module */

	/* The truth. On the tape: seen by its allocation. */
	uint64_t nr_leaked, nr_live, nr_leaked_on_tape, nr_live_on_tape;
};

struct zoo_snapshot {
	int64_t time_ns;
	const char *why;
	char *text;
};

struct zoo_machine {
	struct zoo_scenario *scenario;
	struct zoo_random *random;
	struct zoo_memory memory;
	struct zoo_actor actors[ZOO_ACTORS_MAX];
	int64_t now_ns, start_ns, allocs_off_ns, end_ns;
	bool has_late_frees; /* kmem_cache_free is traced when the object is free already */

	struct zoo_queue queue;
	struct zoo_pool pool;

	struct zoo_event *events;
	size_t nr_events, events_room;
	struct zoo_snapshot *snapshots;
	size_t nr_snapshots;
};

void zoo_machine_init(struct zoo_machine *machine, struct zoo_scenario *scenario,
		      struct zoo_random *random);
void zoo_machine_run(struct zoo_machine *machine);
void zoo_machine_deinit(struct zoo_machine *machine);

#endif
