// SPDX-License-Identifier: GPL-2.0-only
/* The textbook case: a module that gets its memory of vmalloc() when it is loaded, and never gives it back. */
#include "lab.h"

#include <linux/mm.h>
#include <linux/vmalloc.h>

static bool healthy;
module_param(healthy, bool, 0);

#define NR 16

static LAB_SITE void lab_vmalloc_leak(struct lab_count *count, int step)
{
	/* Of more than 2 MiB, vmalloc() gets the list of pages of itself, and in our name. */
	lab_for_step(i, NR, step) {
		size_t bytes = (i + 1) * 128 * 1024 - 1000; /* rounded up to pages */
		void *area = vmalloc(bytes);

		if (!area)
			continue;
		lab_count_alloc(count, bytes, PAGE_ALIGN(bytes));
		if (healthy) {
			vfree(area);
			lab_count_free(count, bytes, PAGE_ALIGN(bytes));
		}
	}
}

static int __init lab_vmalloc_init(void)
{
	struct lab_count count = {};

	for (int step = 0; step < LAB_STEPS; step++) {
		lab_vmalloc_leak(&count, step);
		lab_rest();
	}
	LAB_SAY("lab_vmalloc_leak", "vmalloc", &count, "");
	return 0;
}

static void __exit lab_vmalloc_exit(void)
{
}

module_init(lab_vmalloc_init);
module_exit(lab_vmalloc_exit);
