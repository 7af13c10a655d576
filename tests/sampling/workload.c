// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../zoo/fatal.h"
#include "memory.h"
#include "workload.h"

#define SITES_MAX    24u
#define WARM_UP	     4000u /* allocations before the recording: slabs are in use when it begins */
#define RECORDED     8000u
#define STEPS	     (WARM_UP + RECORDED)
#define STEP_NS	     1000u
#define START_NS     1000000u
#define LARGE_ORDERS 6u
#define NEVER	     STEPS

static const unsigned int kmalloc_bytes[] = { 8,   16,	32,   64,   96,	  128, 192,
					      256, 512, 1024, 2048, 4096, 8192 };

/* Of named caches of 6.1 to 6.18: filp, dentry, skbs, inodes, task_struct, ... */
static const unsigned int cache_bytes[] = { 40,	 56,  72,  104, 136, 192,  200,	 232,  256,  320,
					    448, 576, 648, 792, 960, 1088, 1184, 1576, 2304, 4544 };

struct site {
	struct memory_cache *cache; /* NULL: large */
	bool is_kmalloc;
	unsigned int order; /* then */
	double weight;
	double leaks;	       /* share of its objects that are never freed */
	double life;	       /* of the others, in steps */
	unsigned int burst;    /* so many in a row, all on one CPU */
	bool is_freed_at_once; /* all of a burst */
};

struct object {
	uint64_t ptr;
	uint32_t bytes, next; /* that is freed at the same step; 0: none */
	uint16_t site;
	uint8_t cpu;
};

struct machine {
	struct workload *workload;
	struct zoo_random random;
	struct memory memory;
	struct site sites[SITES_MAX];
	struct object objects[STEPS + 1]; /* by number, from 1 on */
	unsigned int nr_objects;
	unsigned int due[STEPS]; /* the first to be freed at each step */
};

/* Many decades are as likely as few. */
static double log_between(struct zoo_random *random, double from, double to)
{
	return exp(zoo_random_between(random, log(from), log(to)));
}

static void choose_cache(struct machine *machine, struct site *site)
{
	static const size_t nr_kmalloc = sizeof(kmalloc_bytes) / sizeof(kmalloc_bytes[0]);
	static const size_t nr_caches = sizeof(cache_bytes) / sizeof(cache_bytes[0]);
	struct zoo_random *random = &machine->random;
	unsigned int bytes;

	site->is_kmalloc = zoo_random_below(random, 2);
	if (site->is_kmalloc)
		bytes = kmalloc_bytes[zoo_random_below(random, nr_kmalloc)];
	else
		bytes = cache_bytes[zoo_random_below(random, nr_caches)];
	site->cache = memory_cache(&machine->memory, bytes);
}

static void make_site(struct machine *machine, struct site *site)
{
	struct zoo_random *random = &machine->random;

	if (zoo_random_below(random, 6)) {
		choose_cache(machine, site);
	} else {
		site->is_kmalloc = true;
		site->order = 2 + (unsigned int)zoo_random_below(random, LARGE_ORDERS - 2);
	}
	site->weight = log_between(random, 0.002, 1);
	site->leaks = zoo_random_below(random, 3) ? 0 : log_between(random, 0.001, 1);
	site->life = log_between(random, 1, 2 * STEPS);
	if (zoo_random_below(random, 3) == 0)
		site->burst = 2 + (unsigned int)log_between(random, 1, 1000);
	else
		site->burst = 1;
	site->is_freed_at_once = zoo_random_below(random, 2);
}

static void note(struct machine *machine, unsigned int step, const struct object *object,
		 uint8_t cpu, bool is_free)
{
	struct workload *workload = machine->workload;

	if (step < WARM_UP)
		return;
	if (workload->nr_events == workload->room) {
		workload->room = workload->room * 2 + 4096;
		workload->events =
			zoo_realloc(workload->events, workload->room * sizeof(*workload->events));
	}
	workload->events[workload->nr_events] = (struct workload_event){
		.time_ns = START_NS + workload->nr_events * STEP_NS,
		.ptr = object->ptr,
		.bytes = object->bytes,
		.site = object->site,
		.cpu = cpu,
		.is_free = is_free,
		.is_kmalloc = machine->sites[object->site].is_kmalloc,
	};
	workload->nr_events++;
}

static unsigned int allocate(struct machine *machine, unsigned int step, uint16_t site_number,
			     uint8_t cpu)
{
	const struct site *site = &machine->sites[site_number];
	struct object *object = &machine->objects[++machine->nr_objects];

	*object = (struct object){ .site = site_number, .cpu = cpu };
	if (site->cache) {
		object->ptr = memory_take(&machine->memory, site->cache, cpu);
		object->bytes = site->cache->bytes;
	} else {
		object->ptr = memory_take_pages(&machine->memory, site->order);
		object->bytes = MEMORY_PAGE_BYTES << site->order;
	}
	note(machine, step, object, cpu, false);
	return machine->nr_objects;
}

static void give_back(struct machine *machine, unsigned int step, unsigned int number)
{
	struct object *object = &machine->objects[number];
	const struct site *site = &machine->sites[object->site];
	uint8_t cpu = object->cpu;

	if (zoo_random_below(&machine->random, 4) == 0)
		cpu = (uint8_t)zoo_random_below(&machine->random, machine->workload->nr_cpus);
	note(machine, step, object, cpu, true);
	if (site->cache)
		memory_give(&machine->memory, site->cache, object->ptr);
	else
		memory_give_pages(&machine->memory, object->ptr, site->order);
}

static unsigned int end_of(struct machine *machine, const struct site *site, unsigned int step)
{
	double life;

	if (zoo_random_unit(&machine->random) < site->leaks)
		return NEVER;
	life = 1 + zoo_random_exp(&machine->random, site->life);
	return life < NEVER - step ? step + (unsigned int)life : NEVER;
}

static uint16_t some_site(struct machine *machine)
{
	double at = 0;

	for (unsigned int i = 0; i < machine->workload->nr_sites; i++)
		at += machine->sites[i].weight / machine->sites[i].burst;
	at *= zoo_random_unit(&machine->random);
	for (unsigned int i = 0; i + 1 < machine->workload->nr_sites; i++) {
		at -= machine->sites[i].weight / machine->sites[i].burst;
		if (at < 0)
			return (uint16_t)i;
	}
	return (uint16_t)(machine->workload->nr_sites - 1);
}

static void run(struct machine *machine)
{
	unsigned int left = 0, end = 0;
	uint16_t site = 0;
	uint8_t cpu = 0;

	for (unsigned int step = 0; step < STEPS; step++) {
		unsigned int number;

		for (number = machine->due[step]; number; number = machine->objects[number].next)
			give_back(machine, step, number);
		if (left == 0) {
			site = some_site(machine);
			cpu = (uint8_t)zoo_random_below(&machine->random,
							machine->workload->nr_cpus);
			left = machine->sites[site].burst;
			end = end_of(machine, &machine->sites[site], step);
		}
		left--;
		number = allocate(machine, step, site, cpu);
		if (!machine->sites[site].is_freed_at_once || end <= step)
			end = end_of(machine, &machine->sites[site], step);
		if (end == NEVER)
			continue;
		machine->objects[number].next = machine->due[end];
		machine->due[end] = number;
	}
}

void workload_make(struct workload *workload, uint64_t seed)
{
	struct machine *machine = zoo_calloc(1, sizeof(*machine));

	*workload = (struct workload){ .nr_cpus = 1 };
	machine->workload = workload;
	zoo_random_init(&machine->random, seed, "sampling");
	workload->nr_cpus = 1 + (unsigned int)zoo_random_below(&machine->random, MEMORY_CPUS_MAX);
	memory_init(&machine->memory, &machine->random, workload->nr_cpus);
	workload->nr_sites = 2 + (unsigned int)zoo_random_below(&machine->random, SITES_MAX - 1);
	for (unsigned int i = 0; i < workload->nr_sites; i++)
		make_site(machine, &machine->sites[i]);
	run(machine);
	memory_deinit(&machine->memory);
	free(machine);
}

void workload_deinit(struct workload *workload)
{
	free(workload->events);
	*workload = (struct workload){ 0 };
}
