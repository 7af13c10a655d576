// SPDX-License-Identifier: GPL-2.0-only
/* Pages of several orders; and blocks of which a part is given back, page by page. */
#include "lab.h"

#include <linux/gfp.h>
#include <linux/mm.h>

static bool healthy;
module_param(healthy, bool, 0);

#define ORDER_MAX 4

/* Twice as many of each order as of the next: as many bytes of each. */
static LAB_SITE void lab_pages_leak(struct lab_count *count, int step)
{
	for (unsigned int order = 0; order <= ORDER_MAX; order++) {
		lab_for_step(i, 8 << (ORDER_MAX - order), step) {
			struct page *page = alloc_pages(GFP_KERNEL, order);

			if (!page)
				continue;
			lab_count_alloc(count, PAGE_SIZE << order, PAGE_SIZE << order);
			if (healthy) {
				__free_pages(page, order);
				lab_count_free(count, PAGE_SIZE << order, PAGE_SIZE << order);
			}
		}
	}
}

#define SPLIT_NR    40
#define SPLIT_ORDER 3
#define SPLIT_KEPT  3 /* of each 8 */

/* What is counted as objects here are the pages that are left. */
static LAB_SITE void lab_pages_split_leak(struct lab_count *count, int step)
{
	lab_for_step(i, SPLIT_NR, step) {
		struct page *page = alloc_pages(GFP_KERNEL, SPLIT_ORDER);

		if (!page)
			continue;
		count->allocs++;
		split_page(page, SPLIT_ORDER);
		for (int nr = 0; nr < 1 << SPLIT_ORDER; nr++) {
			if (healthy || nr >= SPLIT_KEPT) {
				__free_page(page + nr);
				continue;
			}
			count->objects++;
			count->bytes += PAGE_SIZE;
			count->requested += PAGE_SIZE;
		}
	}
}

static int __init lab_pages_init(void)
{
	struct lab_count count = {}, split = {};

	for (int step = 0; step < LAB_STEPS; step++) {
		lab_pages_leak(&count, step);
		lab_pages_split_leak(&split, step);
		lab_rest();
	}
	LAB_SAY("lab_pages_leak", "pages", &count, "");
	LAB_SAY("lab_pages_split_leak", "pieces", &split, "");
	return 0;
}

static void __exit lab_pages_exit(void)
{
}

module_init(lab_pages_init);
module_exit(lab_pages_exit);
