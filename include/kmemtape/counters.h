/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_COUNTERS_H
#define KMEMTAPE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * The kernel's own counters: /proc/meminfo, slabinfo and vmallocinfo as text
 * (Documentation/filesystems/proc.rst, mm/slab_common.c, mm/vmalloc.c) to numbers. Text may come
 * from anywhere: what makes no sense is passed over, and counts as unknown. Numbers are small
 * enough that sums over all caches or callers don't overflow.
 */
#define KMT_COUNTER_UNKNOWN	 UINT64_MAX
#define KMT_COUNTERS_SLABS_MAX	 16384u /* more are passed over; a few hundred are usual */
#define KMT_COUNTERS_CALLERS_MAX 16384u
#define KMT_COUNTERS_NAME_MAX	 127u /* longer names are cut, as in names.h */
#define KMT_COUNTERS_LINE_MAX	 511u /* of a line, no more is looked at */

enum kmt_meminfo {
	KMT_MEM_TOTAL,
	KMT_MEM_FREE,
	KMT_MEM_AVAILABLE,
	KMT_MEM_BUFFERS,
	KMT_MEM_CACHED,
	KMT_MEM_SWAP_CACHED,
	KMT_MEM_ANON, /* AnonPages */
	KMT_MEM_SRECLAIMABLE,
	KMT_MEM_SUNRECLAIM,
	KMT_MEM_KRECLAIMABLE, /* SReclaimable, and what else shrinkers give back */
	KMT_MEM_KERNEL_STACK,
	KMT_MEM_PAGE_TABLES,
	KMT_MEM_SEC_PAGE_TABLES,
	KMT_MEM_PERCPU,
	KMT_MEM_VMALLOC_USED,
	KMT_MEM_BOUNCE,
	KMT_MEM_ZSWAP,
	KMT_MEM_HUGETLB,
	KMT_MEM_KINDS,
};

/* A line of slabinfo. */
struct kmt_slab {
	const char *name;
	uint64_t active_objects, objects, object_bytes, objects_a_slab, pages_a_slab;
	uint64_t active_slabs, slabs;
	uint64_t limit, batch, shared; /* tunables of SLAB; 0 with SLUB, which has none */
	bool is_reclaimable; /* memory pressure gives it back: see kmt_counters_is_reclaimable() */
};

/* All areas of one caller. */
struct kmt_vmalloc_caller {
	const char *caller;    /* "foo+0x30/0x80 [mod]"; "0xffffffffc0345030": its module is gone */
	uint64_t areas, bytes; /* with guard pages */
	uint64_t pages; /* of memory behind them; ioremap() and vmap() have none of their own */
};

enum kmt_counter_file {
	KMT_COUNTERS_NO_FILE,
	KMT_COUNTERS_MEMINFO,
	KMT_COUNTERS_SLABINFO,
	KMT_COUNTERS_VMALLOCINFO,
	KMT_COUNTERS_ZONEINFO,
	KMT_COUNTERS_RECLAIM, /* names of caches with SLAB_RECLAIM_ACCOUNT, one a line */
};

struct kmt_counters {
	uint64_t time_ns;	     /* trace clock; of a snapshot */
	uint64_t mem[KMT_MEM_KINDS]; /* bytes; KMT_COUNTER_UNKNOWN */
	struct kmt_slab *slabs;	     /* by name, each name once */
	size_t nr_slabs;
	struct kmt_vmalloc_caller *callers; /* by caller, each once */
	size_t nr_callers;
	char **reclaimable; /* by name: what the kernel said */
	size_t nr_reclaimable;
	uint64_t nr_nodes;	     /* of memory; at least 1 */
	bool has_slabs, has_callers; /* the file could be read */
	bool has_reclaimable;
	void *caller_tree; /* of what was added last */
};

void kmt_counters_init(struct kmt_counters *counters);
void kmt_counters_deinit(struct kmt_counters *counters);

/**
 * kmt_counters_add_line() - one line of one of the files, without its newline
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_counters_add_line(struct kmt_counters *counters, enum kmt_counter_file file,
			  const char *line, size_t bytes);

/* kmt_counters_add() - all lines of a file. The same rules. */
int kmt_counters_add(struct kmt_counters *counters, enum kmt_counter_file file, const char *text,
		     size_t bytes);

/**
 * kmt_counters_finish() - sort, once all lines are added
 *
 * slabs and callers are valid after this only; nothing may be added any more.
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_counters_finish(struct kmt_counters *counters);

/* NULL: there is none of this name. */
const struct kmt_slab *kmt_counters_find_slab(const struct kmt_counters *counters,
					      const char *name);
const struct kmt_vmalloc_caller *kmt_counters_find_caller(const struct kmt_counters *counters,
							  const char *caller);

/**
 * kmt_counters_is_reclaimable() - does memory pressure give objects of this cache back?
 *
 * As the kernel said (SLAB_RECLAIM_ACCOUNT), if it said anything, else by name. Not those that
 * carry the mark and have no shrinker behind them.
 */
bool kmt_counters_is_reclaimable(const struct kmt_counters *counters, const char *name);

/**
 * kmt_vmalloc_excuse() - what the areas of a caller come and go with
 * @ret_is_stack: they are stacks of tasks
 *
 * "tasks", "modules"; such areas are no leak of their caller's. NULL: nothing that is known.
 */
const char *kmt_vmalloc_excuse(const char *caller, bool *ret_is_stack);

/* The words of meminfo: "SUnreclaim". */
const char *kmt_meminfo_name(enum kmt_meminfo kind);

/* "/proc/meminfo" and so on to the file; KMT_COUNTERS_NO_FILE for one that is of no interest */
enum kmt_counter_file kmt_counter_file_of(const char *path, size_t bytes);

#endif
