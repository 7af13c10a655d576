// SPDX-License-Identifier: GPL-2.0-only
/* leak=kmalloc, cache, error: from slab caches, by a task. */
#include "lab.h"

static char *leak = "";
module_param(leak, charp, 0);
static bool healthy;
module_param(healthy, bool, 0);

#define KMALLOC_NR    1000
#define KMALLOC_BYTES 150 /* of kmalloc-192 */
#define SIZED_NR      1000 /* of 1 to 1000 bytes */
#define LARGE_NR      20
#define LARGE_BYTES   20000 /* more than two pages: of no cache, and traced twice by 6.12 */

/* A size that the compiler knows, one that it doesn't, and one that no cache has: three ways in. */
static LAB_SITE void lab_kmalloc_leak(struct lab_count *count, int step)
{
	lab_for_step(i, KMALLOC_NR, step) {
		void *object = kmalloc(KMALLOC_BYTES, GFP_KERNEL);

		if (!object)
			continue;
		lab_count_alloc(count, KMALLOC_BYTES, kmalloc_size_roundup(KMALLOC_BYTES));
		if (healthy) {
			kfree(object);
			lab_count_free(count, KMALLOC_BYTES, kmalloc_size_roundup(KMALLOC_BYTES));
		}
	}
}

static LAB_SITE void lab_kmalloc_sized_leak(struct lab_count *count, int step)
{
	lab_for_step(i, SIZED_NR, step) {
		size_t bytes = 1 + i;
		void *object = kmalloc(bytes, GFP_KERNEL);

		if (!object)
			continue;
		lab_count_alloc(count, bytes, kmalloc_size_roundup(bytes));
		if (healthy) {
			kfree(object);
			lab_count_free(count, bytes, kmalloc_size_roundup(bytes));
		}
	}
}

static LAB_SITE void lab_kmalloc_large_leak(struct lab_count *count, size_t bytes, int step)
{
	lab_for_step(i, LARGE_NR, step) {
		void *object = kmalloc(bytes, GFP_KERNEL);

		if (!object)
			continue;
		lab_count_alloc(count, bytes, kmalloc_size_roundup(bytes));
		if (healthy) {
			kfree(object);
			lab_count_free(count, bytes, kmalloc_size_roundup(bytes));
		}
	}
}

static int leak_kmalloc(void)
{
	struct lab_count count = {}, sized = {}, large = {};

	for (int step = 0; step < LAB_STEPS; step++) {
		lab_kmalloc_leak(&count, step);
		lab_kmalloc_sized_leak(&sized, step);
		lab_kmalloc_large_leak(&large, LARGE_BYTES, step);
		lab_rest();
	}
	LAB_SAY_KMALLOC("lab_kmalloc_leak", &count, KMALLOC_BYTES);
	LAB_SAY("lab_kmalloc_sized_leak", "slab", &sized, "");
	LAB_SAY_KMALLOC("lab_kmalloc_large_leak", &large, LARGE_BYTES);
	return 0;
}

#define CACHE_NR 1500
#define KEPT_NR	 70

struct lab_widget {
	char text[328];
};

static struct kmem_cache *widgets;

/* Every third is given back, so that the cache's name is on every kernel's tape: 6.1 has it in frees only. */
static LAB_SITE void lab_cache_leak(struct lab_count *count, int step)
{
	lab_for_step(i, CACHE_NR, step) {
		struct lab_widget *widget = kmem_cache_alloc(widgets, GFP_KERNEL);

		if (!widget)
			continue;
		lab_count_alloc(count, sizeof(*widget), kmem_cache_size(widgets));
		if (healthy || i % 3 == 0) {
			kmem_cache_free(widgets, widget);
			lab_count_free(count, sizeof(*widget), kmem_cache_size(widgets));
		}
	}
}

/* Nothing of this site is ever given back. */
static LAB_SITE void lab_cache_kept_leak(struct lab_count *count, int step)
{
	lab_for_step(i, KEPT_NR, step) {
		struct lab_widget *widget = kmem_cache_zalloc(widgets, GFP_KERNEL);

		if (!widget)
			continue;
		lab_count_alloc(count, sizeof(*widget), kmem_cache_size(widgets));
		if (healthy) {
			kmem_cache_free(widgets, widget);
			lab_count_free(count, sizeof(*widget), kmem_cache_size(widgets));
		}
	}
}

static int leak_cache(void)
{
	struct lab_count count = {}, kept = {};

	/* What may be copied to user space keeps SLUB from merging the cache with another. */
	widgets = kmem_cache_create_usercopy("lab_widget", sizeof(struct lab_widget), 8, 0, 0,
					     sizeof(struct lab_widget), NULL);
	if (!widgets)
		return -ENOMEM;
	for (int step = 0; step < LAB_STEPS; step++) {
		lab_cache_leak(&count, step);
		lab_cache_kept_leak(&kept, step);
		lab_rest();
	}
	LAB_SAY("lab_cache_leak", "slab", &count, " cache=lab_widget");
	LAB_SAY("lab_cache_kept_leak", "slab", &kept, " cache-if-known=lab_widget");
	return 0;
}

#define REQUEST_NR 30000

struct lab_request {
	char text[90];
};

static struct lab_count requests;

static LAB_SITE struct lab_request *lab_request_new(void)
{
	struct lab_request *request = kmalloc(sizeof(*request), GFP_KERNEL);

	if (request) {
		lab_count_alloc(&requests, sizeof(*request), kmalloc_size_roundup(sizeof(*request)));
		request->text[0] = 0;
	}
	return request;
}

static void free_request(struct lab_request *request)
{
	lab_count_free(&requests, sizeof(*request), kmalloc_size_roundup(sizeof(*request)));
	kfree(request);
}

/* One in a thousand fails, and that path forgets what it has. */
static noinline int handle_request(int i)
{
	struct lab_request *request = lab_request_new();

	if (!request)
		return -ENOMEM;
	if (i % 1000 == 999) {
		if (healthy)
			free_request(request);
		return -EIO;
	}
	free_request(request);
	return 0;
}

static int leak_error(void)
{
	int failed = 0;

	for (int step = 0; step < LAB_STEPS; step++) {
		lab_for_step(i, REQUEST_NR, step)
			failed += handle_request(i) < 0;
		lab_rest();
	}
	LAB_SAY_KMALLOC("lab_request_new", &requests, sizeof(struct lab_request));
	return 0;
}

static int __init lab_slab_init(void)
{
	if (!strcmp(leak, "kmalloc"))
		return leak_kmalloc();
	if (!strcmp(leak, "cache"))
		return leak_cache();
	if (!strcmp(leak, "error"))
		return leak_error();
	return -EINVAL;
}

static void __exit lab_slab_exit(void)
{
	kmem_cache_destroy(widgets); /* warns if something is left */
}

module_init(lab_slab_init);
module_exit(lab_slab_exit);
