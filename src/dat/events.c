// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "events.h"

#define MANIFEST_EVENTS_MAX 256u
#define STACK_EVENT	    "ftrace:kernel_stack"

/*
 * What allocates needs what frees: else everything would look leaked. Where there is a format file,
 * an event was enabled if 'trace-cmd record' made the file, not so if 'trace-cmd extract' did: then
 * it shows in that there are none among so many allocations. 0: that may be.
 */
struct pair {
	const char *alloc, *free;
	const char *set; /* of kmt_manifest.sets */
	uint64_t nr_allocs_with_frees;
};

static const struct pair pairs[] = {
	{ "kmem:kmalloc", "kmem:kfree", "slab", 100 },
	{ "kmem:kmalloc_node", "kmem:kfree", "slab", 100 },
	{ "kmem:kmem_cache_alloc", "kmem:kmem_cache_free", "slab", 100 },
	{ "kmem:kmem_cache_alloc_node", "kmem:kmem_cache_free", "slab", 100 },
	{ "kmem:mm_page_alloc", "kmem:mm_page_free", "page", 100 },
	{ "percpu:percpu_alloc_percpu", "percpu:percpu_free_percpu", "percpu", 0 },
	{ "vmalloc:alloc_vmap_area", "vmalloc:free_vmap_area_noflush", "vmalloc", 0 },
	{ "kmemtape:vma_new", "kmemtape:vma_del", "vmalloc", 0 },
};
#define NR_PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static const struct kmt_dat_format *find_format(const struct kmt_dat *dat, const char *name)
{
	for (size_t i = 0; i < dat->nr_formats; i++)
		if (strcmp(dat->formats[i].name, name) == 0)
			return &dat->formats[i];
	return NULL;
}

static uint64_t count_of(const struct kmt_dat_events *events, const char *name)
{
	const struct kmt_dat_format *format = find_format(events->dat, name);

	return format ? events->counts[format->id] : 0;
}

int kmt_dat_events_check(const struct kmt_dat_events *events, struct kmt_err *err)
{
	for (size_t i = 0; i < NR_PAIRS; i++) {
		const struct pair *pair = &pairs[i];
		uint64_t nr_allocs = count_of(events, pair->alloc);

		if (nr_allocs == 0 || count_of(events, pair->free) > 0 ||
		    (find_format(events->dat, pair->free) &&
		     (pair->nr_allocs_with_frees == 0 || nr_allocs < pair->nr_allocs_with_frees)))
			continue;
		return kmt_fail(
			err, -ENODATA,
			"%s: has events %s, but no %s: without its frees, every object would "
			"look leaked: record with -e kmem",
			events->dat->path, pair->alloc, pair->free);
	}
	return 0;
}

bool kmt_dat_events_has_any(const struct kmt_dat_events *events)
{
	for (size_t i = 0; i < NR_PAIRS; i++)
		if (count_of(events, pairs[i].alloc) || count_of(events, pairs[i].free))
			return true;
	return false;
}

static void add_word(char *list, const char *word)
{
	size_t used = strlen(list);

	if (!strstr(list, word))
		(void)snprintf(list + used, KMT_MANIFEST_TEXT_BYTES - used, "%s%s", used ? "," : "",
			       word);
}

static void describe_sets(const struct kmt_dat_events *events, struct kmt_manifest *manifest)
{
	for (size_t i = 0; i < NR_PAIRS; i++)
		if (count_of(events, pairs[i].alloc) || count_of(events, pairs[i].free))
			add_word(manifest->sets, pairs[i].set);
	if (strstr(manifest->sets, "vmalloc"))
		(void)strcpy(manifest->vmalloc,
			     count_of(events, "kmemtape:vma_new") ? "probes" : "events");
	if (count_of(events, STACK_EVENT))
		(void)strcpy(manifest->stacks, manifest->sets);
}

/* Systems of events that tell of memory, or may be needed to tell it. */
static bool is_ours(const char *name)
{
	static const char *const systems[] = { "kmem:",	  "percpu:", "vmalloc:",
					       "module:", "task:",   "kmemtape:" };

	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
		if (strncmp(name, systems[i], strlen(systems[i])) == 0)
			return true;
	return strcmp(name, STACK_EVENT) == 0;
}

bool kmt_dat_events_was_enabled(const struct kmt_dat_events *events,
				const struct kmt_dat_format *format)
{
	if (events->counts[format->id])
		return true;
	for (size_t i = 0; i < NR_PAIRS; i++)
		if (strcmp(format->name, pairs[i].free) == 0 && count_of(events, pairs[i].alloc))
			return true;
	return false;
}

int kmt_dat_events_describe(const struct kmt_dat_events *events, struct kmt_manifest *manifest)
{
	int r = 0;

	describe_sets(events, manifest);
	for (size_t i = 0; r == 0 && i < events->dat->nr_formats; i++) {
		const struct kmt_dat_format *format = &events->dat->formats[i];

		if (is_ours(format->name) && kmt_dat_events_was_enabled(events, format) &&
		    manifest->nr_events < MANIFEST_EVENTS_MAX)
			r = kmt_manifest_add_event(manifest, format->name);
	}
	return r;
}
