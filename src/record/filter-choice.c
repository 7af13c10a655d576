// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "cpu-list.h"
#include "filter-choice.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/tape.h"
#include "note.h"
#include "privileges.h"

#define KALLSYMS     "/proc/kallsyms"
#define MODULES	     "/proc/modules"
#define SLAB	     "/sys/kernel/slab"
#define SLABINFO     "/proc/slabinfo"
#define CACHE_FORMAT "events/kmem/kmem_cache_alloc/format"

/* Since Linux 6.18 */
static bool events_name_caches(int instance_fd)
{
	KMT_CLEANUP(kmt_freep) char *format = NULL;

	return kmt_privileges_read_file(instance_fd, CACHE_FORMAT, KMT_TAPE_TEXT_BYTES_MAX, &format,
					NULL, NULL) == 0 &&
	       kmt_filter_has_field(format, "name");
}

/* What is recorded together with it. */
static void note_company(const struct kmt_cache *cache, bool has_names,
			 const struct kmt_record_listener *listener)
{
	if (cache->is_kmalloc)
		kmt_note(listener,
			 "%s: events of kmalloc() tell the size only: all objects of %" PRIu64
			 " bytes are recorded",
			 cache->name, cache->bytes);
	else if (!has_names)
		kmt_note(listener,
			 "%s: this kernel's events don't name the cache: objects of %" PRIu64
			 " bytes of all caches are recorded",
			 cache->name, cache->bytes);
	else if (*cache->merged)
		kmt_note(listener,
			 "the caches %s and %s are merged: the objects of both are "
			 "recorded",
			 cache->name, cache->merged);
}

static int choose_cache(const char *asked, int instance_fd,
			const struct kmt_record_listener *listener,
			struct kmt_filter_choice *choice, struct kmt_err *err)
{
	bool has_names = events_name_caches(instance_fd);
	int r;

	r = kmt_cache_choose(asked, SLAB, SLABINFO, &choice->cache, err);
	if (r < 0)
		return r;
	choice->filter.cache = &choice->cache;
	if (choice->cache.has_more)
		return kmt_fail(err, -E2BIG, "--cache: '%s' means too many caches", asked);
	if (!choice->cache.nr && !has_names)
		return kmt_fail(err, -ENOENT, "--cache: there is no slab cache '%s': see " SLABINFO,
				asked);
	if (!choice->cache.nr)
		kmt_note(listener, "there is no slab cache '%s' yet: it is recorded once there is",
			 asked);
	for (size_t i = 0; i < choice->cache.nr; i++)
		note_company(&choice->cache.caches[i], has_names, listener);
	return 0;
}

static int choose_module(const char *asked, const struct kmt_record_listener *listener,
			 struct kmt_filter_choice *choice, struct kmt_err *err)
{
	int r = kmt_module_range_find(KALLSYMS, asked, &choice->module, err);

	if (r < 0)
		return r;
	choice->filter.module = &choice->module;
	if (choice->module.is_loaded)
		return 0;
	if (access(MODULES, F_OK) < 0)
		return kmt_fail(err, -ENOENT,
				"--module: there is no '%s', and this kernel takes no modules",
				asked);
	kmt_note(
		listener,
		"module %s is not loaded: what all modules allocate, but nothing else, is recorded",
		asked);
	return 0;
}

int kmt_filter_choose(const struct kmt_record_filter *asked, int instance_fd,
		      const struct kmt_record_listener *listener, struct kmt_filter_choice *choice,
		      struct kmt_err *err)
{
	struct kmt_cpu_list possible = { .nr = 0 };
	int r = 0;

	(void)kmt_cpu_list_possible(&possible);
	choice->filter = (struct kmt_filter){
		.min_bytes = asked->min_bytes,
		.pid = asked->pid,
		.comm = asked->comm,
		.page_bytes = (uint32_t)sysconf(_SC_PAGESIZE),
		.nr_possible_cpus = (uint32_t)possible.nr,
	};
	if (asked->cache)
		r = choose_cache(asked->cache, instance_fd, listener, choice, err);
	if (r == 0 && asked->module)
		r = choose_module(asked->module, listener, choice, err);
	return r;
}
