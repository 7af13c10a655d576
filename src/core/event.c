// SPDX-License-Identifier: LGPL-2.1-only
#include <stddef.h>

#include "kmemtape/event.h"

const char *kmt_event_kind_name(int kind)
{
	static const char *const names[KMT_EVENT_KINDS] = {
		[KMT_EVENT_KMALLOC] = "kmalloc",
		[KMT_EVENT_KMALLOC_NODE] = "kmalloc_node",
		[KMT_EVENT_CACHE_ALLOC] = "kmem_cache_alloc",
		[KMT_EVENT_CACHE_ALLOC_NODE] = "kmem_cache_alloc_node",
		[KMT_EVENT_KFREE] = "kfree",
		[KMT_EVENT_CACHE_FREE] = "kmem_cache_free",
		[KMT_EVENT_RCU_FREE] = "kfree_rcu",
		[KMT_EVENT_BULK_FREE] = "kmem_cache_free_bulk",
		[KMT_EVENT_MODULE_LOAD] = "module_load",
		[KMT_EVENT_MODULE_FREE] = "module_free",
		[KMT_EVENT_TASK_NAME] = "task_name",
		[KMT_EVENT_LOSS] = "loss",
		[KMT_EVENT_UNSEEN] = "unseen",
		[KMT_EVENT_PERCPU_ALLOC] = "percpu_alloc_percpu",
		[KMT_EVENT_PERCPU_FREE] = "percpu_free_percpu",
		[KMT_EVENT_VMALLOC] = "alloc_vmap_area",
		[KMT_EVENT_VFREE] = "free_vmap_area",
		[KMT_EVENT_PAGE_ALLOC] = "mm_page_alloc",
		[KMT_EVENT_PAGE_FREE] = "mm_page_free",
		[KMT_EVENT_PAGE_FREE_BATCHED] = "mm_page_free_batched",
		[KMT_EVENT_STACK] = "kernel_stack",
		[KMT_EVENT_PAIR_ALLOC] = "pair_alloc",
		[KMT_EVENT_PAIR_FREE] = "pair_free",
	};

	return kind > 0 && kind < KMT_EVENT_KINDS ? names[kind] : NULL;
}
