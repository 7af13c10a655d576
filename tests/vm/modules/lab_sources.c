// SPDX-License-Identifier: GPL-2.0-only
/* All sources of kernel memory at once, each at a site of its own. */
#include "lab_percpu.h"

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

static bool healthy;
module_param(healthy, bool, 0);

#define SLAB_NR	     800
#define SLAB_BYTES   400 /* of kmalloc-512 */
#define PAGES_NR     80
#define PAGES_ORDER  2
#define PERCPU_NR    80
#define PERCPU_BYTES 256
#define VMALLOC_NR   16
#define VMALLOC_BYTES (300 * 1024)
#define LARGE_NR     4
#define LARGE_BYTES  (6 << 20) /* more than kmalloc() has: an area, of whole huge pages */

static LAB_SITE void lab_sources_slab(struct lab_count *count, int step)
{
	lab_for_step(i, SLAB_NR, step) {
		void *object = kmalloc(SLAB_BYTES, GFP_KERNEL);

		if (!object)
			continue;
		lab_count_alloc(count, SLAB_BYTES, kmalloc_size_roundup(SLAB_BYTES));
		if (healthy) {
			kfree(object);
			lab_count_free(count, SLAB_BYTES, kmalloc_size_roundup(SLAB_BYTES));
		}
	}
}

static LAB_SITE void lab_sources_pages(struct lab_count *count, int step)
{
	lab_for_step(i, PAGES_NR, step) {
		struct page *page = alloc_pages(GFP_KERNEL, PAGES_ORDER);

		if (!page)
			continue;
		lab_count_alloc(count, PAGE_SIZE << PAGES_ORDER, PAGE_SIZE << PAGES_ORDER);
		if (healthy) {
			__free_pages(page, PAGES_ORDER);
			lab_count_free(count, PAGE_SIZE << PAGES_ORDER, PAGE_SIZE << PAGES_ORDER);
		}
	}
}

static LAB_SITE void lab_sources_percpu(struct lab_count *count, int step)
{
	lab_for_step(i, PERCPU_NR, step) {
		void __percpu *area = __alloc_percpu(PERCPU_BYTES, 8);

		if (!area)
			continue;
		lab_count_alloc(count, PERCPU_BYTES, lab_percpu_bytes(PERCPU_BYTES));
		if (healthy) {
			free_percpu(area);
			lab_count_free(count, PERCPU_BYTES, lab_percpu_bytes(PERCPU_BYTES));
		}
	}
}

static LAB_SITE void lab_sources_vmalloc(struct lab_count *count, int step)
{
	lab_for_step(i, VMALLOC_NR, step) {
		void *area = vmalloc(VMALLOC_BYTES);

		if (!area)
			continue;
		lab_count_alloc(count, VMALLOC_BYTES, PAGE_ALIGN(VMALLOC_BYTES));
		if (healthy) {
			vfree(area);
			lab_count_free(count, VMALLOC_BYTES, PAGE_ALIGN(VMALLOC_BYTES));
		}
	}
}

/* An area, and one for the list of its pages, which vmalloc() gets in our name if it is longer than a page. */
static LAB_SITE void lab_sources_kvmalloc(struct lab_count *count, int step)
{
	size_t list = PAGE_ALIGN(LARGE_BYTES / PAGE_SIZE * sizeof(struct page *));

	lab_for_step(i, LARGE_NR, step) {
		void *area = kvmalloc(LARGE_BYTES, GFP_KERNEL);

		if (!area)
			continue;
		lab_count_alloc(count, LARGE_BYTES, LARGE_BYTES);
		lab_count_alloc(count, list, list);
		if (healthy) {
			kvfree(area);
			lab_count_free(count, LARGE_BYTES, LARGE_BYTES);
			lab_count_free(count, list, list);
		}
	}
}

static int __init lab_sources_init(void)
{
	struct lab_count slab = {}, pages = {}, percpu = {}, areas = {}, large = {};

	for (int step = 0; step < LAB_STEPS; step++) {
		lab_sources_slab(&slab, step);
		lab_sources_pages(&pages, step);
		lab_sources_percpu(&percpu, step);
		lab_sources_vmalloc(&areas, step);
		lab_sources_kvmalloc(&large, step);
		lab_rest();
	}
	LAB_SAY_KMALLOC("lab_sources_slab", &slab, SLAB_BYTES);
	LAB_SAY("lab_sources_pages", "pages", &pages, "");
	LAB_SAY("lab_sources_percpu", "percpu", &percpu, " cpus=%u", num_possible_cpus());
	LAB_SAY("lab_sources_vmalloc", "vmalloc", &areas, "");
	LAB_SAY("lab_sources_kvmalloc", "vmalloc", &large, "");
	return 0;
}

static void __exit lab_sources_exit(void)
{
}

module_init(lab_sources_init);
module_exit(lab_sources_exit);
