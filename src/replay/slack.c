// SPDX-License-Identifier: LGPL-2.1-only
#include "slack.h"

/*
 * mm/slub.c set_cpu_partial(): since Linux 5.16 (b47291ef02b0) a CPU keeps as many slabs for later
 * as would hold twice this number of objects, by object size. Before, it was a quarter of these
 * objects, but counted so that nearly as many slabs could pile up. CPU hotplug and sysfs can change
 * it; nobody makes it more.
 */
static uint64_t cpu_partial(uint64_t object_bytes, uint32_t page_bytes)
{
	if (object_bytes >= page_bytes)
		return 6;
	if (object_bytes >= 1024)
		return 24;
	return object_bytes >= 256 ? 52 : 120;
}

/* mm/slub.c calculate_sheaf_capacity(), for Linux 7.0 and later; in 6.18 few caches have sheaves.
 */
static uint64_t sheaf_capacity(uint64_t object_bytes, uint32_t page_bytes)
{
	if (object_bytes >= page_bytes)
		return 4;
	if (object_bytes >= 1024)
		return 12;
	return object_bytes >= 256 ? 28 : 60;
}

#define SHEAVES_A_CPU  3u  /* struct slub_percpu_sheaves: main, spare, rcu_free */
#define SHEAVES_A_NODE 10u /* MAX_FULL_SHEAVES */

static uint64_t idle_slub(const struct kmt_slab *slab, size_t nr_cpus, uint64_t nr_nodes,
			  uint32_t page_bytes)
{
	uint64_t partial = 2 * cpu_partial(slab->object_bytes, page_bytes) + slab->objects_a_slab;
	uint64_t sheaf = sheaf_capacity(slab->object_bytes, page_bytes);
	uint64_t slabs = slab->objects_a_slab + partial, sheaves = SHEAVES_A_CPU * sheaf;

	/* A kernel has the one or the other, or both for a few caches with small sheaves. */
	return nr_cpus * (slabs > sheaves ? slabs : sheaves) + nr_nodes * SHEAVES_A_NODE * sheaf;
}

/* mm/slab.c: array caches of the CPUs, and of each node a shared one, and those for foreign nodes.
 */
static uint64_t idle_slab(const struct kmt_slab *slab, size_t nr_cpus, uint64_t nr_nodes)
{
	uint64_t shared = slab->batch * slab->shared;
	uint64_t alien = nr_nodes > 1 ? 12 * nr_nodes : 0; /* alloc_alien_cache(): limit 12 each */

	return nr_cpus * slab->limit + nr_nodes * (shared + alien);
}

uint64_t kmt_slack_idle(const struct kmt_slab *slab, size_t nr_cpus, uint64_t nr_nodes,
			uint32_t page_bytes)
{
	uint64_t idle = slab->limit ? idle_slab(slab, nr_cpus, nr_nodes)
				    : idle_slub(slab, nr_cpus, nr_nodes, page_bytes);

	return idle < slab->active_objects ? idle : slab->active_objects;
}
