// SPDX-License-Identifier: GPL-2.0-only
/* leak=kmalloc, cache, error: from slab caches, by a task. */
#include "lab.h"

static char *leak = "";
module_param(leak, charp, 0);
static bool healthy;
module_param(healthy, bool, 0);

#define KMALLOC_NR    1000
#define KMALLOC_BYTES 150 /* of kmalloc-192 */
#define LARGE_NR      20
#define LARGE_BYTES   20000 /* more than two pages: of no cache, and traced twice by 6.12 */

/* A size that the compiler knows, one that it doesn't, and one that no cache has: three ways in. */
static LAB_SITE void lab_kmalloc_leak(struct lab_count *count)
{
	for (int i = 0; i < KMALLOC_NR; i++) {
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

static LAB_SITE void lab_kmalloc_sized_leak(struct lab_count *count)
{
	for (size_t bytes = 1; bytes <= 1000; bytes++) {
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

static LAB_SITE void lab_kmalloc_large_leak(struct lab_count *count, size_t bytes)
{
	for (int i = 0; i < LARGE_NR; i++) {
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

	lab_kmalloc_leak(&count);
	lab_kmalloc_sized_leak(&sized);
	lab_kmalloc_large_leak(&large, LARGE_BYTES);
	LAB_SAY_KMALLOC("lab_kmalloc_leak", &count, KMALLOC_BYTES);
	LAB_SAY("lab_kmalloc_sized_leak", "slab", &sized, "");
	LAB_SAY_KMALLOC("lab_kmalloc_large_leak", &large, LARGE_BYTES);
	return 0;
}

struct lab_widget {
	char text[328];
};

static struct kmem_cache *widgets;

/* Every third is given back, so that the cache's name is on every kernel's tape: 6.1 has it in frees only. */
static LAB_SITE void lab_cache_leak(struct lab_count *count)
{
	for (int i = 0; i < 1500; i++) {
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
static LAB_SITE void lab_cache_kept_leak(struct lab_count *count)
{
	for (int i = 0; i < 70; i++) {
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
	lab_cache_leak(&count);
	lab_cache_kept_leak(&kept);
	LAB_SAY("lab_cache_leak", "slab", &count, " cache=lab_widget");
	LAB_SAY("lab_cache_kept_leak", "slab", &kept, " cache-if-known=lab_widget");
	return 0;
}

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

	for (int i = 0; i < 30000; i++)
		failed += handle_request(i) < 0;
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
