/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_SCENARIO_H
#define KMEMTAPE_ZOO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

/*
 * A scenario is a text of lines, each a word and then key=value. A value may be
 *
 *   A..B      any number between them, each as likely
 *   A~B       the same for its logarithm
 *   a|b|c     one of them (before anything else)
 *
 * and is drawn once for each tape. Times are in s, m, h, ms or T, which is the length of the tape;
 * what else there is, and what it is if nothing is said, is in the tables of scenario.c.
 *
 *   about TEXT
 *   tape length=30s~6h cpus=1..8 ...       comes first
 *   background count=2000..8000            the actors of the file `background`, so many allocations
 *   actor NAME key=value...                who allocates: NAME is the function
 *   loss key=value...                      events that the ring buffer had no room for
 *   expect NAME leaks|innocent CLASS|...   the truth of a site, and the classes that it may get
 *   verdict none|possible|likely           those that the first line may say
 */
enum zoo_kind {
	ZOO_FLOW,     /* objects come, live and go */
	ZOO_LRU,      /* a full cache: a new object costs an old one */
	ZOO_SAWTOOTH, /* grows, until most of it is taken away */
	ZOO_HANDOFF,  /* what one CPU frees is the next object of another */
};

/* How many come when; the number of all is always `count`. */
enum zoo_load {
	ZOO_CONST,
	ZOO_DAY,    /* a sine with `periods`, down to a tenth of its peak */
	ZOO_RAMP,   /* from a tenth to its peak */
	ZOO_DECAY,  /* e^-t: 99 % of it has come by `to` */
	ZOO_BURSTS, /* `periods` short ones, not quite regular */
};

enum zoo_life_kind {
	ZOO_FOREVER,
	ZOO_EXP,
	ZOO_FIXED,
	ZOO_PARETO,
};

struct zoo_life {
	enum zoo_life_kind kind;
	double s; /* mean; of ZOO_PARETO the least */
};

struct zoo_actor_plan {
	char name[48];
	enum zoo_kind kind;
	enum zoo_load load;
	struct zoo_life life;
	double count, weight, periods;
	double from_s, to_s; /* on the tape; from_s < 0: since long before */
	double leak_share, leaks; /* of the objects, or how many: never freed */
	double untraced; /* share of the frees that emit nothing */
	double rcu_s;	 /* mean delay of those: they come in batches */
	double irq;	 /* share of the allocations from interrupts */
	double limit, keep; /* objects of LRU, SAWTOOTH, HANDOFF; share that a sawtooth keeps */
	double bytes;
	char cache[48]; /* "": kmalloc */
	bool is_reclaimable;
	char module[48], taint[16];
	double load_s, unload_s;    /* of the module; negative: before, never */
	bool keeps_after_unload; /* it forgets all it had; else it frees all but the leaked */
	bool is_background, is_leaking, is_expected;
	char classes[64]; /* "leak|growth" */
};

struct zoo_loss_plan {
	double from_s, to_s; /* single intervals lie in here */
	double nr, length_s; /* how many, and how long */
	double cpus; /* share of the CPUs that each of them hits */
	bool is_counted;
};

#define ZOO_ACTORS_MAX 32u

struct zoo_scenario {
	char name[64], about[256], verdicts[64];
	double length_s, settle_s;
	unsigned int cpus, sample;
	char kernel[16];
	char snapshots[16]; /* none, ends, many */
	bool tells_reclaimable; /* snapshots say which caches are, and not only their names */
	bool is_cut;
	double age_s; /* the machine ran that long before the tape; as simulated */
	struct zoo_actor_plan actors[ZOO_ACTORS_MAX];
	size_t nr_actors;
	struct zoo_loss_plan loss;
	bool has_loss;
};

/* Reads @path, and `background` in the directory above it; ends the program on a mistake. */
void zoo_scenario_load(struct zoo_scenario *scenario, const char *path, struct zoo_random *random);

#endif
