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
 * from anywhere: what makes no sense is passed over, and counts as unknown.
 */
#define KMT_COUNTER_UNKNOWN UINT64_MAX

enum kmt_meminfo {
	KMT_MEM_TOTAL,
	KMT_MEM_FREE,
	KMT_MEM_AVAILABLE,
	KMT_MEM_CACHED,
	KMT_MEM_ANON, /* AnonPages */
	KMT_MEM_SRECLAIMABLE,
	KMT_MEM_SUNRECLAIM,
	KMT_MEM_KERNEL_STACK,
	KMT_MEM_PAGE_TABLES,
	KMT_MEM_PERCPU,
	KMT_MEM_VMALLOC_USED,
	KMT_MEM_KINDS,
};

struct kmt_slab {
	const char *name;
	uint64_t active_objects, objects, object_bytes, objects_a_slab, pages_a_slab;
	bool is_reclaimable; /* SLAB_RECLAIM_ACCOUNT, as the kernel said, else by name */
};

/* All areas of one caller. */
struct kmt_vmalloc_caller {
	const char *caller;    /* "foo+0x30/0x80 [mod]" */
	uint64_t areas, bytes; /* with guard pages */
};

struct kmt_counters {
	uint64_t time_ns;	     /* trace clock; of a snapshot */
	uint64_t mem[KMT_MEM_KINDS]; /* bytes; KMT_COUNTER_UNKNOWN */
	struct kmt_slab *slabs;	     /* by name */
	size_t nr_slabs;
	struct kmt_vmalloc_caller *callers; /* by caller */
	size_t nr_callers;
	bool has_slabs, has_callers; /* the file could be read */
	char *texts;		     /* what the names borrow */
};

void kmt_counters_init(struct kmt_counters *counters);
void kmt_counters_deinit(struct kmt_counters *counters);

/* The words of meminfo: "SUnreclaim". */
const char *kmt_meminfo_name(enum kmt_meminfo kind);

#endif
