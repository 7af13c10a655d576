/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_FIXTURE_H
#define KMT_TESTS_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>

#include "kmemtape/formats.h"
#include "kmemtape/fs.h"

#include "check.h"

/* The file @path below $KMT_TESTS; the caller frees it. NULL if there is none. */
static inline char *read_fixture(const char *path, size_t *ret_bytes)
{
	const char *tests = getenv("KMT_TESTS");
	char name[4096], *text = NULL;

	if (!tests)
		fail_msg("set KMT_TESTS to the directory tests/ of the source tree");
	(void)snprintf(name, sizeof(name), "%s/%s", tests, path);
	return kmt_read_file(AT_FDCWD, name, 1 << 20, &text, ret_bytes, NULL) < 0 ? NULL : text;
}

static const char *const fixture_events[] = {
	"kmem:kmalloc",	     "kmem:kmalloc_node",  "kmem:kmem_cache_alloc", "kmem:kmem_cache_alloc_node",
	"kmem:kfree",	     "kmem:kmem_cache_free", "module:module_load",  "module:module_free",
	"task:task_newtask", "task:task_rename",   "kmemtape:rcu_free",	    "kmemtape:bulk_free",
	"kmemtape:bulk_free_more",
};

#define NR_FIXTURE_EVENTS (sizeof(fixture_events) / sizeof(fixture_events[0]))

/* Of what is not the slab's, and stacks. */
static const char *const other_fixture_events[] = {
	"kmem:mm_page_alloc",	       "kmem:mm_page_free",	    "kmem:mm_page_free_batched",
	"percpu:percpu_alloc_percpu",  "percpu:percpu_free_percpu", "vmalloc:alloc_vmap_area",
	"vmalloc:free_vmap_area_noflush", "kmemtape:vma_new",	    "kmemtape:vma_del",
	"ftrace:kernel_stack",
};

#define NR_OTHER_FIXTURE_EVENTS (sizeof(other_fixture_events) / sizeof(other_fixture_events[0]))

static inline void add_fixtures(struct kmt_formats *formats, const char *kernel, const char *const *events,
				size_t nr)
{
	struct kmt_err err = { "" };
	char path[256], *text;
	size_t bytes;

	for (size_t i = 0; i < nr; i++) {
		(void)snprintf(path, sizeof(path), "formats/%s/%s/format", kernel, events[i]);
		*strchr(path, ':') = '/';
		text = read_fixture(path, &bytes);
		if (text && kmt_formats_add(formats, events[i], text, bytes, &err) < 0)
			fail_msg("%s: %s", kernel, err.text);
		free(text);
	}
}

/* What tests/formats/@kernel has of the slab, modules and tasks. */
static inline struct kmt_formats *load_formats(const char *kernel, bool is_big_endian, uint32_t long_bytes)
{
	struct kmt_formats *formats = NULL;
	struct kmt_err err = { "" };
	char path[256], *text;
	size_t bytes;

	(void)snprintf(path, sizeof(path), "formats/%s/header_page", kernel);
	text = read_fixture(path, &bytes);
	CHECK(text);
	if (kmt_formats_new(is_big_endian, long_bytes, text, bytes, &formats, &err) < 0)
		fail_msg("%s: %s", kernel, err.text);
	free(text);
	add_fixtures(formats, kernel, fixture_events, NR_FIXTURE_EVENTS);
	return formats;
}

#endif
