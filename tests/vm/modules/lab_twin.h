/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same code under two names: of lab_first and lab_second, loaded one after the other, the kernel gives the
 * second the addresses of the first. TWIN_LEAK is the name of the function that leaks, TWIN_NR how often.
 */
#include "lab.h"

static bool healthy;
module_param(healthy, bool, 0);

#define BYTES 120

static LAB_SITE void TWIN_LEAK(struct lab_count *count, int nr, int step)
{
	lab_for_step(i, nr, step) {
		void *object = kmalloc(BYTES, GFP_KERNEL);

		if (!object)
			continue;
		lab_count_alloc(count, BYTES, kmalloc_size_roundup(BYTES));
		if (healthy) {
			kfree(object);
			lab_count_free(count, BYTES, kmalloc_size_roundup(BYTES));
		}
	}
}

static int __init twin_init(void)
{
	struct lab_count count = {};

	for (int step = 0; step < LAB_STEPS; step++) {
		TWIN_LEAK(&count, TWIN_NR, step);
		lab_rest();
	}
	LAB_SAY(__stringify(TWIN_LEAK), "slab", &count, " cache=kmalloc-128 code=0x%px", TWIN_LEAK);
	return 0;
}

static void __exit twin_exit(void)
{
}

module_init(twin_init);
module_exit(twin_exit);
