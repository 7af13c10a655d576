// SPDX-License-Identifier: GPL-2.0-only
/*
 * A leak in a function that the kernel throws away when the module is loaded: it has no symbol even while the
 * module is there, so where its code was is said, too. fail=1: the module refuses to load after that.
 */
#include "lab.h"

static bool healthy;
module_param(healthy, bool, 0);
static bool fail;
module_param(fail, bool, 0);

#define NR    400
#define BYTES 300

static LAB_SITE void __init lab_init_leak(struct lab_count *count, int step)
{
	lab_for_step(i, NR, step) {
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

static int __init lab_init_init(void)
{
	struct lab_count count = {};

	for (int step = 0; step < LAB_STEPS; step++) {
		lab_init_leak(&count, step);
		lab_rest();
	}
	LAB_SAY("lab_init_leak", "init", &count, " code=0x%px", lab_init_leak);
	return fail ? -ENODEV : 0;
}

static void __exit lab_init_exit(void)
{
}

module_init(lab_init_init);
module_exit(lab_init_exit);
