/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_H
#define LAB_H

#include <linux/delay.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/version.h>

/*
 * What the modules of the lab have in common. Each counts what it allocates at a call site, and says in the
 * kernel's log what is left of it:
 *
 *	kmt-lab: leak site=FUNCTION module=MODULE kind=KIND allocs=N objects=N bytes=N requested=N ...
 *
 * bytes are what the allocator hands out, requested what was asked for. With healthy=1 the traffic is the same,
 * and all of it is freed.
 *
 * A leak goes on over time: loops are cut into steps, with rests between them that take spread_ms together; 0: all
 * at once.
 */
static unsigned int spread_ms;
module_param(spread_ms, uint, 0);

#define LAB_STEPS 40

#define lab_for_step(i, nr, step)                                                                  \
	for (int i = (nr) * (step) / LAB_STEPS; i < (nr) * ((step) + 1) / LAB_STEPS; i++)

static inline void lab_rest(void)
{
	if (spread_ms)
		msleep(spread_ms / LAB_STEPS);
}


/* A function that allocates keeps its name: neither inlined, nor cloned with a suffix. */
#define LAB_SITE noinline __noclone

struct lab_count {
	u64 allocs, objects, bytes, requested;
};

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
/* 05a940656e1e (v6.1) brought it; what SLUB did before, on x86 */
static inline size_t kmalloc_size_roundup(size_t bytes)
{
	if (bytes > 64 && bytes <= 96)
		return 96;
	if (bytes > 128 && bytes <= 192)
		return 192;
	return max_t(size_t, roundup_pow_of_two(bytes), 8);
}
#endif

static inline void lab_count_alloc(struct lab_count *count, size_t requested, size_t bytes)
{
	count->allocs++;
	count->objects++;
	count->bytes += bytes;
	count->requested += requested;
}

static inline void lab_count_free(struct lab_count *count, size_t requested, size_t bytes)
{
	count->objects--;
	count->bytes -= bytes;
	count->requested -= requested;
}

#define LAB_SAY(site, kind, count, format, ...)                                                    \
	printk(KERN_NOTICE                                                                         \
	       "kmt-lab: leak site=%s module=%s kind=%s allocs=%llu objects=%llu bytes=%llu requested=%llu" format "\n", \
	       site, KBUILD_MODNAME, kind, (count)->allocs, (count)->objects, (count)->bytes,      \
	       (count)->requested, ##__VA_ARGS__)

/* The name as kmemtape has it; KMALLOC_MAX_CACHE_SIZE is two pages, what is larger comes in pages. */
#define LAB_SAY_KMALLOC(site, count, size)                                                         \
	do {                                                                                       \
		size_t rounded = kmalloc_size_roundup(size);                                       \
                                                                                                   \
		if (rounded > KMALLOC_MAX_CACHE_SIZE)                                              \
			LAB_SAY(site, "slab", count, " cache=kmalloc-large");                      \
		else if (rounded >= 1024)                                                          \
			LAB_SAY(site, "slab", count, " cache=kmalloc-%zuk", rounded / 1024);       \
		else                                                                               \
			LAB_SAY(site, "slab", count, " cache=kmalloc-%zu", rounded);               \
	} while (0)

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("leaks on purpose, for the tests of kmemtape");

#endif
