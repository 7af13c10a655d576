/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_SITE_H
#define KMEMTAPE_SITE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Who asked for page frames, by the functions of their stacks. Slab, vmalloc and per-CPU memory is
 * in its own space already: counted here too, it would be there twice. User memory and page cache
 * is not the kernel's to leak.
 */
enum kmt_use {
	KMT_USE_KERNEL = 0, /* whatever else: what a driver asks for */
	KMT_USE_SLAB,
	KMT_USE_VMALLOC,
	KMT_USE_PERCPU,
	KMT_USE_USER, /* user memory and page cache */
	KMT_USE_PAGE_TABLE,
	KMT_USE_STACK,
	KMT_USE_UNKNOWN, /* no stack tells */
};
#define KMT_USES (KMT_USE_UNKNOWN + 1)

/*
 * What tells a row of call sites from all others. An allocation may be in two: an area of vmalloc()
 * and the pages that it is made of are of the same code.
 */
struct kmt_site {
	uint64_t call_site;
	uint32_t instance; /* of its module: see struct kmt_symbol */
	uint32_t space;	   /* enum kmt_space, or of a pair */
	enum kmt_use use;  /* of pages */
};

/* As qsort() wants it. */
static inline int kmt_site_compare(const struct kmt_site *a, const struct kmt_site *b)
{
	if (a->call_site != b->call_site)
		return a->call_site < b->call_site ? -1 : 1;
	if (a->instance != b->instance)
		return a->instance < b->instance ? -1 : 1;
	if (a->space != b->space)
		return a->space < b->space ? -1 : 1;
	return (a->use > b->use) - (a->use < b->use);
}

static inline bool kmt_site_is(const struct kmt_site *a, const struct kmt_site *b)
{
	return kmt_site_compare(a, b) == 0;
}

#endif
