// SPDX-License-Identifier: GPL-2.0-only
#include "load.h"

#define MEMORY_FROM    UINT64_C(0xffff888000000000)
#define GROUP_BYTES    (UINT64_C(1) << 36)
#define GROUP_HOT_FROM (UINT64_C(1) << 35)
#define OBJECT_BYTES   256u
#define HOT_MAX	       32u /* objects at a time, a group: a stack of them */
#define JITTER_NS      127u

/* Of how many steps one frees any of the live objects, and allocates it again. */
#define COLD_STEPS 8u

/* The state of one round, while its events are made. */
struct round {
	const struct load *load;
	uint64_t random;
	uint64_t group_from; /* address */
	uint64_t nr_slots;   /* live objects of the group */
	uint32_t nr_classes;
	uint32_t depth; /* of the stack of hot objects */
	bool is_freed;	/* one of the live objects, which is to be allocated again */
	uint64_t slot;	/* that one */
};

static uint64_t mix(uint64_t n)
{
	n += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64, Steele, Lea and Flood 2014 */
	n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
	return n ^ n >> 31;
}

static uint32_t next_random(struct round *round)
{
	round->random =
		round->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(round->random >> 32); /* the lower bits are poor */
}

static uint64_t below(uint32_t random, uint64_t limit)
{
	return (uint64_t)random * limit >> 32;
}

void load_init(struct load *load, unsigned int nr_cpus, uint64_t nr_events, uint64_t live,
	       uint32_t nr_sites)
{
	uint64_t a_round = (uint64_t)nr_cpus * LOAD_ROUND_EVENTS;
	uint64_t step = UINT64_C(2) * nr_cpus;

	*load = (struct load){
		.nr_cpus = nr_cpus,
		.nr_rounds = (nr_events + a_round - 1) / a_round,
		.live = (live + step - 1) / step * step,
		.nr_sites = nr_sites,
		.seed = 1,
	};
}

void load_repeat(struct load *load, uint64_t period_rounds)
{
	load->period_rounds = period_rounds;
	load->nr_rounds = (load->nr_rounds + period_rounds - 1) / period_rounds * period_rounds;
}

uint64_t load_fill_rounds(const struct load *load)
{
	uint64_t slots = load->live / load->nr_cpus;

	return (slots + LOAD_ROUND_EVENTS - 1) / LOAD_ROUND_EVENTS;
}

uint64_t load_events(const struct load *load)
{
	return load->nr_rounds * load->nr_cpus * LOAD_ROUND_EVENTS;
}

static uint64_t round_ns(uint64_t round)
{
	return LOAD_START_NS + round * LOAD_ROUND_EVENTS * LOAD_EVENT_NS;
}

uint64_t load_end_ns(const struct load *load)
{
	return round_ns(load->nr_rounds);
}

static void put_slot(struct round *round, uint64_t slot, bool is_free, struct load_event *event)
{
	event->ptr = round->group_from + slot * OBJECT_BYTES;
	event->class = (uint32_t)(slot % round->nr_classes);
	event->is_free = is_free;
}

static void put_hot(struct round *round, bool is_free, struct load_event *event)
{
	uint32_t at = is_free ? --round->depth : round->depth++;

	event->ptr = round->group_from + GROUP_HOT_FROM + at * OBJECT_BYTES;
	event->class = at % round->nr_classes;
	event->is_free = is_free;
}

/* All that a round allocates beyond the live objects, it frees: @left events remain, this one too.
 */
static void put_next(struct round *round, uint32_t left, struct load_event *event)
{
	uint32_t random = next_random(round);

	if (round->is_freed) {
		round->is_freed = false;
		put_slot(round, round->slot, false, event);
	} else if (round->depth == left) {
		put_hot(round, true, event);
	} else if (round->nr_slots && random % COLD_STEPS == 0) {
		round->slot = below(next_random(round), round->nr_slots);
		round->is_freed = true;
		put_slot(round, round->slot, true, event);
	} else {
		bool is_free = round->depth == HOT_MAX || (round->depth && random & COLD_STEPS);

		put_hot(round, is_free, event);
	}
}

/* Each class has its share of the call sites. */
static uint32_t draw_site(struct round *round, uint32_t class)
{
	uint32_t nr = (round->load->nr_sites - class + round->nr_classes - 1) / round->nr_classes;

	return class + round->nr_classes * (uint32_t)below(next_random(round), nr);
}

void load_round(const struct load *load, unsigned int cpu, uint64_t round_at,
		struct load_event events[LOAD_ROUND_EVENTS])
{
	uint64_t group = (cpu + round_at) % load->nr_cpus;
	uint64_t kind = load->period_rounds ? round_at % load->period_rounds : round_at;
	uint64_t filled = round_at * LOAD_ROUND_EVENTS;
	uint64_t cpu_ns = cpu * (LOAD_EVENT_NS - JITTER_NS - 1) / load->nr_cpus;
	struct round round = {
		.load = load,
		.random = mix(mix(load->seed * LOAD_CPUS_MAX + group) + kind),
		.group_from = MEMORY_FROM + group * GROUP_BYTES,
		.nr_slots = load->live / load->nr_cpus,
		.nr_classes = load->nr_sites < LOAD_CLASSES ? load->nr_sites : LOAD_CLASSES,
	};

	for (uint32_t i = 0; i < LOAD_ROUND_EVENTS; i++) {
		struct load_event *event = &events[i];

		event->time_ns = round_ns(round_at) + i * LOAD_EVENT_NS + cpu_ns +
				 (next_random(&round) & JITTER_NS);
		if (filled + i < round.nr_slots)
			put_slot(&round, filled + i, false, event);
		else
			put_next(&round, LOAD_ROUND_EVENTS - i, event);
		event->site = event->is_free ? 0 : draw_site(&round, event->class);
	}
}
