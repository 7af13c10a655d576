// SPDX-License-Identifier: GPL-2.0-only
/* All ways that areas of vmalloc() come and go: also in an interrupt, where vfree() is put off, and by vmap(). */
#include "lab.h"

#include <linux/mm.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define timer_delete_sync del_timer_sync
#endif

static bool healthy;
module_param(healthy, bool, 0);

#define NR	   80
#define LEAKED_IN  4 /* one in so many stays */
#define IRQ_NR	   40
#define IRQ_BYTES  (5 * PAGE_SIZE)
#define AREA_BYTES(i) ((1 + (i) % 7) * PAGE_SIZE)

static void *of_irq[IRQ_NR];
static struct timer_list timer;
static struct lab_count irq;

static LAB_SITE void lab_areas_leak(struct lab_count *count, int step)
{
	lab_for_step(i, NR, step) {
		void *area = vmalloc(AREA_BYTES(i));

		if (!area)
			continue;
		lab_count_alloc(count, AREA_BYTES(i), AREA_BYTES(i));
		if (!healthy && i % LEAKED_IN == 0)
			continue;
		vfree(area);
		lab_count_free(count, AREA_BYTES(i), AREA_BYTES(i));
	}
}

static LAB_SITE void lab_areas_map_leak(struct lab_count *count, int step)
{
	lab_for_step(i, NR, step) {
		struct page *page = alloc_page(GFP_KERNEL);
		void *area = page ? vmap(&page, 1, VM_MAP, PAGE_KERNEL) : NULL;

		if (!area)
			continue;
		lab_count_alloc(count, PAGE_SIZE, PAGE_SIZE);
		if (!healthy && i % LEAKED_IN == 0)
			continue;
		vunmap(area);
		__free_page(page);
		lab_count_free(count, PAGE_SIZE, PAGE_SIZE);
	}
}

static LAB_SITE void lab_areas_irq(void)
{
	for (int i = 0; i < IRQ_NR; i++) {
		of_irq[i] = vmalloc(IRQ_BYTES);
		if (of_irq[i])
			lab_count_alloc(&irq, IRQ_BYTES, IRQ_BYTES);
	}
}

/* An interrupt can't take page tables apart: a worker does it later. */
static void free_all(struct timer_list *unused)
{
	for (int i = 0; i < IRQ_NR; i++) {
		if (!of_irq[i])
			continue;
		vfree(of_irq[i]);
		lab_count_free(&irq, IRQ_BYTES, IRQ_BYTES);
	}
}

static int __init lab_areas_init(void)
{
	struct lab_count count = {}, map = {};

	lab_areas_irq();
	timer_setup(&timer, free_all, 0);
	mod_timer(&timer, jiffies + 1);
	for (int step = 0; step < LAB_STEPS; step++) {
		lab_areas_leak(&count, step);
		lab_areas_map_leak(&map, step);
		lab_rest();
	}
	timer_delete_sync(&timer);
	LAB_SAY("lab_areas_leak", "area", &count, "");
	LAB_SAY("lab_areas_map_leak", "area", &map, "");
	LAB_SAY("lab_areas_irq", "area", &irq, "");
	return 0;
}

static void __exit lab_areas_exit(void)
{
}

module_init(lab_areas_init);
module_exit(lab_areas_exit);
