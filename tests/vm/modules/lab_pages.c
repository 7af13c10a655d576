// SPDX-License-Identifier: GPL-2.0-only
/* Pages of several orders. */
#include "lab.h"

#include <linux/gfp.h>

static bool healthy;
module_param(healthy, bool, 0);

#define ORDER_MAX 4

/* Twice as many of each order as of the next: as many bytes of each. */
static LAB_SITE void lab_pages_leak(struct lab_count *count)
{
	for (unsigned int order = 0; order <= ORDER_MAX; order++) {
		for (int i = 0; i < 8 << (ORDER_MAX - order); i++) {
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

static int __init lab_pages_init(void)
{
	struct lab_count count = {};

	lab_pages_leak(&count);
	LAB_SAY("lab_pages_leak", "pages", &count, "");
	return 0;
}

static void __exit lab_pages_exit(void)
{
}

module_init(lab_pages_init);
module_exit(lab_pages_exit);
