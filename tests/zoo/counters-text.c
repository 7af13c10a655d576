// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "counters-text.h"
#include "fatal.h"
#include "machine.h"

#define PAGE_KIB       4u
#define MEMORY_KIB     UINT64_C(16303424)
#define OTHER_KIB      UINT64_C(5324112) /* programs and files, about */
#define OTHER_NOISE    2000u
#define OTHER_SLAB_KIB 65536u /* caches of which no events come */

static uint64_t slab_kib(const struct zoo_machine *machine, bool is_reclaimable)
{
	uint64_t kib = OTHER_SLAB_KIB;

	for (size_t i = 0; i < machine->memory.nr_caches; i++) {
		const struct zoo_cache *cache = machine->memory.caches[i];

		if (cache->is_reclaimable == is_reclaimable)
			kib += (cache->nr_slabs + cache->nr_old_slabs) * PAGE_KIB << cache->order;
	}
	return kib;
}

static void print_kib(FILE *out, const char *name, uint64_t kib)
{
	(void)fprintf(out, "%s:%*s%8" PRIu64 " kB\n", name,
		      (int)(15 - snprintf(NULL, 0, "%s", name)), "", kib);
}

static void print_meminfo(FILE *out, const struct zoo_machine *machine)
{
	uint64_t reclaimable = slab_kib(machine, true), unreclaim = slab_kib(machine, false);
	uint64_t other = OTHER_KIB + zoo_random_below(machine->random, OTHER_NOISE);
	uint64_t free_kib = MEMORY_KIB - other - reclaimable - unreclaim;

	(void)fputs("==> /proc/meminfo <==\n", out);
	print_kib(out, "MemTotal", MEMORY_KIB);
	print_kib(out, "MemFree", free_kib);
	print_kib(out, "MemAvailable", free_kib + other / 2 + reclaimable / 2);
	print_kib(out, "Cached", other / 2);
	print_kib(out, "AnonPages", other / 3);
	print_kib(out, "Slab", reclaimable + unreclaim);
	print_kib(out, "SReclaimable", reclaimable);
	print_kib(out, "SUnreclaim", unreclaim);
	print_kib(out, "KernelStack", 5200 + zoo_random_below(machine->random, 8) * 16);
	print_kib(out, "PageTables", 20312 + zoo_random_below(machine->random, 64) * 4);
	print_kib(out, "VmallocTotal", UINT64_C(34359738367));
	print_kib(out, "VmallocUsed", 40180);
	print_kib(out, "Percpu", 5376);
}

/* SLUB counts what is free in the slabs that CPUs hold as active: Linux mm/slub.c, get_slabinfo().
 */
static void print_slabinfo(FILE *out, const struct zoo_machine *machine)
{
	(void)fputs("==> /proc/slabinfo <==\n"
		    "slabinfo - version: 2.1\n"
		    "# name            <active_objs> <num_objs> <objsize> <objperslab> "
		    "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata "
		    "<active_slabs> <num_slabs> <sharedavail>\n"
		    "ext4_inode_cache   43227  43227   1096   29    8 : tunables    0    0    0 : "
		    "slabdata   1491   1491      0\n"
		    "vm_area_struct     20171  21112    184   22    1 : tunables    0    0    0 : "
		    "slabdata    960    960      0\n",
		    out);
	for (size_t i = 0; i < machine->memory.nr_caches; i++) {
		const struct zoo_cache *cache = machine->memory.caches[i];
		uint64_t slabs = cache->nr_slabs + cache->nr_old_slabs;
		uint64_t objects = slabs * cache->objects_a_slab;

		(void)fprintf(out,
			      "%-17s %6" PRIu64 " %6" PRIu64 " %6u %4u %4u : tunables %4u %4u %4u "
			      ": slabdata %6" PRIu64 " %6" PRIu64 " %6u\n",
			      cache->name, objects - cache->nr_partial_free, objects, cache->bytes,
			      cache->objects_a_slab, 1u << cache->order, 0u, 0u, 0u, slabs, slabs,
			      0u);
	}
}

static void print_vmallocinfo(FILE *out)
{
	(void)fputs(
		"==> /proc/vmallocinfo <==\n"
		"0x00000000c3f1a002-0x000000001f2b77aa   20480 irq_init_percpu_irqstack+0x114/0x1b0 "
		"vmap\n"
		"0x000000001f2b77aa-0x00000000d0a49c1e    8192 acpi_os_map_iomem+0x1ac/0x1c0 "
		"phys=0x00000000bffe0000 ioremap\n"
		"0x00000000e21f4c19-0x000000009a0d1b5c   36864 dup_task_struct+0x57/0x6a0 pages=8 "
		"vmalloc N0=8\n",
		out);
}

static void print_reclaimable(FILE *out, const struct zoo_machine *machine)
{
	(void)fputs("==> /sys/kernel/slab reclaim_account <==\next4_inode_cache\n", out);
	for (size_t i = 0; i < machine->memory.nr_caches; i++)
		if (machine->memory.caches[i]->is_reclaimable)
			(void)fprintf(out, "%s\n", machine->memory.caches[i]->name);
}

char *zoo_counters_text(const struct zoo_machine *machine)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		zoo_fatal("out of memory");
	print_meminfo(out, machine);
	print_slabinfo(out, machine);
	print_vmallocinfo(out);
	if (machine->scenario->tells_reclaimable && machine->nr_snapshots == 1)
		print_reclaimable(out, machine);
	if (fclose(out) != 0)
		zoo_fatal("out of memory");
	return text;
}
