// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/tape.h"

#include "spool.h"
#include "tape.h"

#define CPUS_MAX    8u
#define ALLOC_BYTES 56u /* of a record of kmalloc and of kmem_cache_alloc */
#define KFREE_BYTES 24u
#define CFREE_BYTES 28u /* with the __data_loc of an empty name */
#define GFP_KERNEL  0xcc0u
#define PID	    42u
#define CALL_OFFSET 0x40u

struct ids {
	int kmalloc, kfree, cache_alloc, cache_free;
};

static int id_of(const struct formats_dir *formats, const char *name)
{
	struct tep_event *event = tep_find_event_by_name(formats->tep, "kmem", name);

	return event ? event->id : 0;
}

static unsigned int put_record(const struct ring_layout *layout, const struct ids *ids,
			       const struct workload_event *event, uint8_t record[ALLOC_BYTES])
{
	uint64_t call_site = TAPE_SITES_FROM + event->site * TAPE_SITE_BYTES + CALL_OFFSET;
	int alloc = event->is_kmalloc ? ids->kmalloc : ids->cache_alloc;
	int id = event->is_kmalloc ? ids->kfree : ids->cache_free;

	memset(record, 0, ALLOC_BYTES);
	ring_put(layout, record, (uint64_t)(event->is_free ? id : alloc), 2);
	ring_put(layout, record + 4, PID, 4);
	ring_put(layout, record + 8, call_site + event->is_free * CALL_OFFSET, 8);
	ring_put(layout, record + 16, event->ptr, 8);
	if (event->is_free)
		return event->is_kmalloc ? KFREE_BYTES : CFREE_BYTES;
	ring_put(layout, record + 24, event->bytes, 8);
	ring_put(layout, record + 32, event->bytes, 8);
	ring_put(layout, record + 40, GFP_KERNEL, 8);
	return ALLOC_BYTES;
}

static int add_event(struct spool *spool, const struct ring_layout *layout, uint64_t time_ns,
		     const uint8_t *record, unsigned int bytes)
{
	uint8_t *subbuf;
	int r = 0;

	if (!ring_fits(layout, &spool->state, time_ns, RING_STAMP_AUTO, bytes))
		r = spool_close(spool, layout, 0);
	subbuf = spool_subbuf(spool, layout);
	if (r < 0 || !subbuf)
		return -ENOMEM;
	ring_add(layout, &spool->state, subbuf, time_ns, RING_STAMP_AUTO, record, bytes);
	return 0;
}

static int fill(struct spool *spools, const struct formats_dir *formats,
		const struct workload *workload, uint64_t mask)
{
	struct ids ids = { id_of(formats, "kmalloc"), id_of(formats, "kfree"),
			   id_of(formats, "kmem_cache_alloc"), id_of(formats, "kmem_cache_free") };
	uint8_t record[ALLOC_BYTES];
	int r = 0;

	for (size_t i = 0; r == 0 && i < workload->nr_events; i++) {
		const struct workload_event *event = &workload->events[i];
		unsigned int bytes;

		if (event->ptr & mask)
			continue;
		bytes = put_record(&formats->layout, &ids, event, record);
		r = add_event(&spools[event->cpu], &formats->layout, event->time_ns, record, bytes);
	}
	return r;
}

static int write_formats(int dirfd, const struct formats_dir *formats,
			 struct kmt_manifest *manifest, struct kmt_err *err)
{
	char path[PATH_MAX], name[256];
	int r = 0;

	for (size_t i = 0; r == 0 && i < formats->nr_files; i++) {
		const struct formats_file *file = &formats->files[i];
		bool is_event = formats_file_event(file, name);

		if (is_event && strncmp(name, "kmem:", 5) != 0)
			continue;
		if (is_event && kmt_manifest_add_event(manifest, name) < 0)
			return kmt_fail(err, -ENOMEM, "out of memory");
		(void)snprintf(path, sizeof(path), "events/%s", file->path);
		r = kmt_tape_write_text(dirfd, path, file->text, file->bytes, err);
	}
	return r;
}

static void describe(struct kmt_manifest *manifest, const struct formats_dir *formats,
		     const struct workload *workload, uint64_t sample)
{
	size_t nr = workload->nr_events;

	(void)snprintf(manifest->kernel, sizeof(manifest->kernel), "6.12.0");
	(void)snprintf(manifest->arch, sizeof(manifest->arch), "x86_64");
	(void)snprintf(manifest->clock, sizeof(manifest->clock), "mono");
	manifest->long_bytes = 8;
	manifest->page_bytes = TAPE_PAGE_BYTES;
	manifest->subbuf_bytes = formats->layout.subbuf_bytes;
	manifest->start_ns = manifest->allocs_on_ns = nr ? workload->events[0].time_ns : 0;
	manifest->end_ns = manifest->allocs_off_ns = nr ? workload->events[nr - 1].time_ns : 0;
	manifest->sample = sample;
	manifest->sample_mask = (sample - 1) * TAPE_PAGE_BYTES;
	(void)snprintf(manifest->sets, sizeof(manifest->sets), "slab");
	manifest->nr_possible_cpus = workload->nr_cpus;
	manifest->is_closed = true;
}

static int write_tape(int dirfd, const struct spool *spools, const struct formats_dir *formats,
		      const struct workload *workload, uint64_t sample, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_manifest_deinit) struct kmt_manifest manifest;
	int r;

	kmt_manifest_init(&manifest);
	describe(&manifest, formats, workload, sample);
	r = write_formats(dirfd, formats, &manifest, err);
	for (unsigned int cpu = 0; r == 0 && cpu < workload->nr_cpus; cpu++) {
		if (kmt_manifest_add_cpu(&manifest, cpu) < 0)
			return kmt_fail(err, -ENOMEM, "out of memory");
		r = spool_write(&spools[cpu], &formats->layout, dirfd, true, manifest.end_ns, err);
	}
	return r < 0 ? r : kmt_manifest_write(&manifest, dirfd, err);
}

int tape_make(const char *path, const struct formats_dir *formats, const struct workload *workload,
	      uint64_t sample, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int dirfd = -1;
	struct spool spools[CPUS_MAX];
	int r;

	for (unsigned int cpu = 0; cpu < workload->nr_cpus; cpu++)
		spool_init(&spools[cpu], cpu);
	r = fill(spools, formats, workload, (sample - 1) * TAPE_PAGE_BYTES);
	for (unsigned int cpu = 0; r == 0 && cpu < workload->nr_cpus; cpu++)
		r = spool_close(&spools[cpu], &formats->layout, 0);
	if (r == 0)
		r = kmt_tape_create(path, &dirfd, err);
	if (r == 0)
		r = write_tape(dirfd, spools, formats, workload, sample, err);
	for (unsigned int cpu = 0; cpu < workload->nr_cpus; cpu++)
		spool_deinit(&spools[cpu]);
	return r;
}
