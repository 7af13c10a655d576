/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_SAMPLING_WORKLOAD_H
#define KMEMTAPE_SAMPLING_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a machine allocates and frees: objects of a few caches, on slabs that its CPUs fill and give
 * back as SLUB does, and large ones beside them. Sites differ in all that makes a sample of
 * addresses go wrong: how many objects there are, whether they came at once and lie together, how
 * large they are, and how many places of a slab they can be at.
 */
struct workload_event {
	uint64_t time_ns, ptr;
	uint32_t bytes;
	uint16_t site;
	uint8_t cpu;
	bool is_free, is_kmalloc;
};

struct workload {
	struct workload_event *events; /* in order of time */
	size_t nr_events, room;
	unsigned int nr_cpus, nr_sites;
};

/* The same for the same seed. Ends the program if out of memory. */
void workload_make(struct workload *workload, uint64_t seed);
void workload_deinit(struct workload *workload);

#endif
