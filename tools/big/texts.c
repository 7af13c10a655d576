// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/tape.h"

#include "records.h"
#include "texts.h"

#define SITES_A_FUNCTION 4u
#define PAGE_BYTES	 4096u

static int add_symbol(struct kmt_chunk_writer *writer, uint64_t address, const char *name,
		      struct kmt_err *err)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "%016" PRIx64 " T %s\n", address, name);

	return kmt_chunk_writer_text(writer, line, (size_t)n, err);
}

/* free_0 and so on, one a class; then work_0 and so on, each with some call sites. */
static int write_kallsyms(const struct load *load, int dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	uint64_t address = RECORDS_TEXT_FROM;
	char name[32];
	int r;

	r = kmt_chunk_writer_new(dirfd, "symbols/kallsyms.zst", 0, 1, &writer, err);
	if (r == 0)
		r = add_symbol(writer, address, "_stext", err);
	for (uint32_t i = 0; r == 0 && i < LOAD_CLASSES; i++, address += RECORDS_SITE_BYTES) {
		(void)snprintf(name, sizeof(name), "free_%" PRIu32, i);
		r = add_symbol(writer, address, name, err);
	}
	for (uint32_t i = 0; r == 0 && i * SITES_A_FUNCTION < load->nr_sites; i++) {
		(void)snprintf(name, sizeof(name), "work_%" PRIu32, i);
		r = add_symbol(writer, address, name, err);
		address += SITES_A_FUNCTION * RECORDS_SITE_BYTES;
	}
	if (r == 0)
		r = add_symbol(writer, address, "_etext", err);
	return r < 0 ? r : kmt_chunk_writer_finish(writer, 0, err);
}

static int fill_manifest(struct kmt_manifest *manifest, const struct load *load,
			 const struct formats_dir *formats)
{
	char name[256];
	int r = 0;

	(void)snprintf(manifest->recorder, sizeof(manifest->recorder), "kmemtape simulated");
	(void)snprintf(manifest->kernel, sizeof(manifest->kernel), "6.18.0-simulated");
	(void)snprintf(manifest->arch, sizeof(manifest->arch), "x86_64");
	(void)snprintf(manifest->clock, sizeof(manifest->clock), "mono");
	manifest->long_bytes = 8;
	manifest->page_bytes = PAGE_BYTES;
	manifest->subbuf_bytes = formats->layout.subbuf_bytes;
	manifest->start_ns = manifest->allocs_on_ns = LOAD_START_NS;
	manifest->end_ns = manifest->allocs_off_ns = load_end_ns(load);
	manifest->nr_possible_cpus = load->nr_cpus;
	manifest->symbols = KMT_SYMBOLS_GOOD;
	manifest->is_closed = true;
	for (uint32_t i = 0; r == 0 && i < load->nr_cpus; i++) {
		struct kmt_cpu_stats stats = { .cpu = i,
					       .read = load_events(load) / load->nr_cpus };

		r = kmt_manifest_add_cpu(manifest, i);
		if (r == 0)
			r = kmt_manifest_add_stats(manifest, &stats);
	}
	for (size_t i = 0; r == 0 && i < formats->nr_files; i++)
		if (formats_file_event(&formats->files[i], name))
			r = kmt_manifest_add_event(manifest, name);
	return r;
}

int texts_write(const struct load *load, const struct formats_dir *formats, int dirfd,
		struct kmt_err *err)
{
	KMT_CLEANUP(kmt_manifest_deinit) struct kmt_manifest manifest;
	char path[PATH_MAX];
	int r = 0;

	kmt_manifest_init(&manifest);
	for (size_t i = 0; r == 0 && i < formats->nr_files; i++) {
		const struct formats_file *file = &formats->files[i];

		(void)snprintf(path, sizeof(path), "events/%s", file->path);
		r = kmt_tape_write_text(dirfd, path, file->text, file->bytes, err);
	}
	if (r == 0)
		r = write_kallsyms(load, dirfd, err);
	if (r == 0 && fill_manifest(&manifest, load, formats) < 0)
		r = kmt_fail(err, -ENOMEM, "out of memory");
	return r < 0 ? r : kmt_manifest_write(&manifest, dirfd, err);
}
