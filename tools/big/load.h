/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_BIG_LOAD_H
#define KMEMTAPE_TOOLS_BIG_LOAD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What a simulated machine allocates and frees, of any size. The machine has as many groups of
 * objects as CPUs; time is cut in rounds, and in each a CPU works on another group: objects are
 * freed on other CPUs than those that allocated them. At first the live objects are allocated. From
 * then on a few hot objects come and go, and every now and then one of all the live ones is freed,
 * anyone, and its address handed out again. Every call site allocates equally often.
 *
 * A round depends on nothing that came before: any part of any CPU can be computed by itself.
 */
#define LOAD_ROUND_EVENTS 512u
#define LOAD_EVENT_NS	  1000u /* on average, a CPU */
#define LOAD_START_NS	  UINT64_C(1000000000000)
#define LOAD_CLASSES	  16u /* of objects, at most: by cache and how they are freed */
#define LOAD_CPUS_MAX	  256u
#define LOAD_LIVE_MAX	  (UINT64_C(1) << 30)
#define LOAD_SITES_MAX	  (UINT64_C(1) << 20)

struct load {
	unsigned int nr_cpus;
	uint64_t nr_rounds;
	uint64_t live; /* objects, a multiple of 2 * nr_cpus */
	uint32_t nr_sites;
	uint64_t seed;
	/* After so many rounds all happens again, but for the allocation of the live ones; 0: never */
	uint64_t period_rounds;
};

struct load_event {
	uint64_t time_ns;
	uint64_t ptr;
	uint32_t site;	/* 0..nr_sites-1, of an allocation */
	uint32_t class; /* of the object */
	bool is_free;
};

/* Round up what was asked for to what there can be. */
void load_init(struct load *load, unsigned int nr_cpus, uint64_t nr_events, uint64_t live,
	       uint32_t nr_sites);

/* From now on @load repeats; whole periods, of which CPUs are divisors. */
void load_repeat(struct load *load, uint64_t period_rounds);

/* Rounds until all live objects are allocated. */
uint64_t load_fill_rounds(const struct load *load);

uint64_t load_events(const struct load *load);
uint64_t load_end_ns(const struct load *load);

void load_round(const struct load *load, unsigned int cpu, uint64_t round,
		struct load_event events[LOAD_ROUND_EVENTS]);

#endif
