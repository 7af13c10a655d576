/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_DROP_H
#define KMEMTAPE_TOOLS_DROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dump-cpu.h"
#include "ring.h"
#include "spool.h"

/*
 * One CPU of a tape, laid out anew in sub-buffers of any size, of which some are then taken away as
 * the kernel does it: the next one says that events were missed, and, if there is room, how many.
 */
struct drop_cpu {
	struct spool spool;
	struct drop_subbuf *subbufs;
	size_t nr, room;
};

struct drop_subbuf {
	uint64_t nr_events;
	bool is_lossy; /* before it, on the tape as it was */
	uint64_t lost; /* 0: unknown how many */
	unsigned int used;
	bool is_dropped;
};

void drop_cpu_init(struct drop_cpu *cpu, uint32_t number);
void drop_cpu_deinit(struct drop_cpu *cpu);

/* drop_cpu_fill() - lay out all that @from has. Return: 0 or -ENOMEM. */
int drop_cpu_fill(struct drop_cpu *cpu, struct dump_cpu *from, const struct ring_layout *layout);

/* All but the last one, so that no loss goes without its mark. */
size_t drop_cpu_candidates(const struct drop_cpu *cpu);

/* drop_cpu_apply() - take away those with is_dropped. Return: the events in them. */
uint64_t drop_cpu_apply(struct drop_cpu *cpu, const struct ring_layout *layout, bool is_stored);

#endif
