// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/fs.h"
#include "kmemtape/tape.h"
#include "kmemtape/trace-dat.h"
#include "kmemtape/units.h"

#include "events.h"
#include "pages.h"

/* One import, from open to manifest. */
struct import {
	struct kmt_dat *dat;
	const struct kmt_dat_buffer *buffer;
	struct kmt_dat_layout layout;
	char *header_page; /* with the sub-buffer size of @buffer */
	struct kmt_dat_events events;
	int tape_fd;
	struct kmt_chunk_writer *writer; /* of one CPU after the other; NULL: of none yet */
	struct kmt_manifest manifest;
};

static void deinit(struct import *import)
{
	(void)kmt_chunk_writer_free(import->writer);
	kmt_manifest_deinit(&import->manifest);
	free(import->events.counts);
	free(import->header_page);
	kmt_close_fd(&import->tape_fd);
	(void)kmt_dat_free(import->dat);
}

/* Clocks that count nanoseconds: Linux kernel/trace/trace.c, trace_clocks[]. */
static int check_clock(const struct import *import, struct kmt_err *err)
{
	static const char *const clocks[] = { "",     "local",	  "global", "perf",
					      "mono", "mono_raw", "boot",   "tai" };
	char escaped[2 * KMT_MANIFEST_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
		if (strcmp(import->buffer->clock, clocks[i]) == 0)
			return 0;
	return kmt_fail(
		err, -ENOTSUP, "%s: clock '%.60s' doesn't count nanoseconds: record with -C mono",
		import->dat->path, kmt_escape(escaped, sizeof(escaped), import->buffer->clock));
}

static void count_pages(const struct import *import, const uint8_t *pages, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += import->layout.page_bytes)
		kmt_dat_count_ids(&import->layout, pages + at, import->events.counts);
}

/* Return: 1 if this CPU has a memory event, 0, negative errno */
static int look_at_cpu(const struct import *import, const struct kmt_dat_cpu *cpu,
		       struct kmt_err *err)
{
	KMT_CLEANUP(kmt_dat_pages_freep) struct kmt_dat_pages *pages = NULL;
	const uint8_t *raw;
	size_t bytes;
	int r = kmt_dat_pages_new(import->dat, import->buffer, cpu, &pages, err);

	if (r < 0)
		return r;
	while ((r = kmt_dat_pages_next(pages, &raw, &bytes, err)) == 1) {
		count_pages(import, raw, bytes);
		if (kmt_dat_events_has_any(&import->events))
			return 1;
	}
	return r;
}

/* The sub-buffers of an instance may be of another size than header_page says: that of the top's.
 */
static int set_buffer(struct import *import, const struct kmt_dat_buffer *buffer,
		      struct kmt_err *err)
{
	const struct kmt_dat *dat = import->dat;
	int r;

	import->buffer = buffer;
	r = kmt_dat_layout_parse(&import->layout, dat->header_page, dat->is_big_endian, dat->path,
				 err);
	if (r < 0)
		return r;
	if (import->layout.data_offset > 64)
		return kmt_fail(err, -EBADMSG, "%s: header_page makes no sense", dat->path);
	import->layout.page_bytes = buffer->page_bytes;
	return 0;
}

/* The one whose memory events make the tape: the top instance's, or the only other that has some.
 */
static int choose_buffer(struct import *import, struct kmt_err *err)
{
	const struct kmt_dat_buffer *chosen = NULL;
	const struct kmt_dat *dat = import->dat;

	for (size_t i = 0; i < dat->nr_buffers; i++) {
		int r = set_buffer(import, &dat->buffers[i], err);

		memset(import->events.counts, 0, KMT_DAT_NR_IDS * sizeof(*import->events.counts));
		for (size_t k = 0; r == 0 && k < dat->buffers[i].nr_cpus; k++)
			r = look_at_cpu(import, &dat->buffers[i].cpus[k], err);
		if (r < 0)
			return r;
		if (r == 1 && chosen)
			return kmt_fail(
				err, -ENOTSUP,
				"%s: several instances have memory events: one of them at a "
				"time, please ('trace-cmd split -B NAME')",
				dat->path);
		if (r == 1)
			chosen = &dat->buffers[i];
		if (i == 0 && chosen)
			break;
	}
	memset(import->events.counts, 0, KMT_DAT_NR_IDS * sizeof(*import->events.counts));
	return chosen ? set_buffer(import, chosen, err)
		      : kmt_fail(err, -ENODATA, "%s: no memory events: record with -e kmem",
				 dat->path);
}

/* header_page, with the size that the sub-buffers have. */
static int make_header_page(struct import *import)
{
	const char *text = import->dat->header_page, *field = strstr(text, " data;");
	const char *size = field ? strstr(field, "size:") : NULL;

	if (!size)
		return -EBADMSG;
	size += strlen("size:");
	return asprintf(&import->header_page, "%.*s%u%s", (int)(size - text), text,
			import->layout.page_bytes - import->layout.data_offset,
			size + strspn(size, "0123456789")) < 0
		       ? -ENOMEM
		       : 0;
}

/* Of what was recorded: 'trace-cmd extract' keeps the formats of all events there are. */
static int write_formats(struct import *import, struct kmt_err *err)
{
	const struct kmt_dat *dat = import->dat;
	char path[KMT_MANIFEST_TEXT_BYTES + 32];
	int r = make_header_page(import);

	if (r < 0)
		return kmt_fail(err, r, "%s: header_page: %s", dat->path, strerror(-r));
	(void)((r = kmt_tape_write_text(import->tape_fd, "events/header_page", import->header_page,
					strlen(import->header_page), err)) < 0 ||
	       (r = kmt_tape_write_text(import->tape_fd, "events/header_event", dat->header_event,
					strlen(dat->header_event), err)) < 0);
	for (size_t i = 0; r == 0 && i < dat->nr_formats; i++) {
		const struct kmt_dat_format *format = &dat->formats[i];
		int system;

		if (!kmt_dat_events_was_enabled(&import->events, format))
			continue;
		system = (int)strcspn(format->name, ":");

		(void)snprintf(path, sizeof(path), "events/%.*s/%s/format", system, format->name,
			       format->name + system + 1);
		r = kmt_tape_write_text(import->tape_fd, path, format->text, format->bytes, err);
	}
	return r;
}

/* All addresses are zero where kallsyms was hidden. */
static enum kmt_symbols_state symbols_state(const char *kallsyms)
{
	if (!kallsyms || !*kallsyms)
		return KMT_SYMBOLS_NONE;
	for (const char *p = kallsyms; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (p[strspn(p, "0")] != ' ' && *p)
			return KMT_SYMBOLS_GOOD;
	}
	return KMT_SYMBOLS_HIDDEN;
}

static int write_symbols(struct import *import, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	const struct kmt_dat *dat = import->dat;
	int r;

	import->manifest.symbols = symbols_state(dat->kallsyms);
	if (!dat->kallsyms)
		return 0;
	(void)((r = kmt_chunk_writer_new(import->tape_fd, "symbols/kallsyms.zst", 0, 1, &writer,
					 err)) < 0 ||
	       (r = kmt_chunk_writer_text(writer, dat->kallsyms, dat->kallsyms_bytes, err)) < 0 ||
	       (r = kmt_chunk_writer_finish(writer, 0, err)) < 0);
	return r;
}

/* Lines "PID NAME" become "PID<tab>NAME". */
static int write_comms(struct import *import, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char *line, *rest = import->dat->cmdlines;
	size_t bytes = 0;
	FILE *file;
	int r;

	if (!rest)
		return 0;
	file = open_memstream(&text, &bytes);
	if (!file)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", import->dat->path);
	while ((line = strsep(&rest, "\n"))) {
		char escaped[64], *name;
		unsigned long pid = strtoul(line, &name, 10);

		if (*name == ' ' && name > line && pid > 0 && pid <= INT32_MAX)
			fprintf(file, "%lu\t%s\n", pid,
				kmt_escape(escaped, sizeof(escaped), name + 1));
	}
	r = fclose(file) == 0 ? 0 : kmt_fail(err, -ENOMEM, "%s: out of memory", import->dat->path);
	return r < 0 ? r : kmt_tape_write_text(import->tape_fd, "comms", text, bytes, err);
}

static int copy_pages(struct import *import, struct kmt_chunk_writer *writer, const uint8_t *raw,
		      size_t bytes, struct kmt_err *err)
{
	int r = 0;

	count_pages(import, raw, bytes);
	while (r == 0 && bytes) {
		size_t room, n;
		void *space = kmt_chunk_writer_space(writer, &room);

		n = room / import->layout.page_bytes * import->layout.page_bytes;
		n = bytes < n ? bytes : n;
		memcpy(space, raw, n);
		r = kmt_chunk_writer_add(writer, n, 0, err);
		raw += n;
		bytes -= n;
	}
	return r;
}

/* A file can say that it has thousands of CPUs, in a line each. */
static int open_cpu(struct import *import, const char *path, uint32_t cpu, struct kmt_err *err)
{
	if (import->writer)
		return kmt_chunk_writer_reopen(import->writer, import->tape_fd, path, cpu, err);
	return kmt_chunk_writer_new_among(import->tape_fd, path, cpu, import->buffer->nr_cpus,
					  import->layout.page_bytes, &import->writer, err);
}

static int copy_cpu(struct import *import, const struct kmt_dat_cpu *cpu, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_dat_pages_freep) struct kmt_dat_pages *pages = NULL;
	char path[KMT_TAPE_CPU_PATH_BYTES];
	const uint8_t *raw;
	size_t bytes;
	int r;

	kmt_tape_cpu_path(path, cpu->cpu);
	(void)((r = kmt_dat_pages_new(import->dat, import->buffer, cpu, &pages, err)) < 0 ||
	       (r = open_cpu(import, path, cpu->cpu, err)) < 0);
	while (r == 0 && (r = kmt_dat_pages_next(pages, &raw, &bytes, err)) == 1)
		r = copy_pages(import, import->writer, raw, bytes, err);
	if (r == 0)
		r = kmt_chunk_writer_finish(import->writer, 0, err);
	if (r == 0 && kmt_manifest_add_cpu(&import->manifest, cpu->cpu) < 0)
		r = kmt_fail(err, -ENOMEM, "%s: out of memory", import->dat->path);
	return r;
}

/* "Linux HOST RELEASE MACHINE" */
static void take_uname(struct kmt_manifest *manifest, const char *uname)
{
	char system[64], host[256], kernel[256], arch[256];

	if (sscanf(uname, "%63s %255s %255s %255s", system, host, kernel, arch) != 4)
		return;
	if (strcmp(host, KMT_DAT_UNKNOWN) != 0)
		memcpy(manifest->host, host, sizeof(host));
	memcpy(manifest->kernel, kernel, sizeof(kernel));
	memcpy(manifest->arch, arch, sizeof(arch));
}

/* Some have pages of one size only, whatever that of the sub-buffers is. */
static uint32_t page_bytes(const struct import *import)
{
	static const char *const archs[] = { "x86_64", "i386", "i486", "i586", "i686", "s390x" };

	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++)
		if (strcmp(import->manifest.arch, archs[i]) == 0)
			return 4096;
	return import->dat->page_bytes;
}

/* trace-cmd says just its version; our own files have the name of the recorder. */
static void take_recorder(struct kmt_manifest *manifest, const char *recorder)
{
	bool is_version = !*recorder || (*recorder >= '0' && *recorder <= '9');

	if (strcmp(recorder, KMT_DAT_UNKNOWN) == 0)
		return;
	(void)snprintf(manifest->recorder, sizeof(manifest->recorder), "%s%s%.200s",
		       is_version ? "trace-cmd" : "", is_version && *recorder ? " " : "", recorder);
}

static int describe(struct import *import, struct kmt_err *err)
{
	struct kmt_manifest *manifest = &import->manifest;
	const struct kmt_dat *dat = import->dat;
	int r;

	take_recorder(manifest, dat->recorder);
	take_uname(manifest, dat->uname);
	manifest->is_big_endian = dat->is_big_endian;
	manifest->long_bytes = import->layout.commit_bytes; /* the kernel's, not the program's */
	manifest->page_bytes = page_bytes(import);
	manifest->subbuf_bytes = import->layout.page_bytes;
	memcpy(manifest->clock, import->buffer->clock, sizeof(manifest->clock));
	manifest->wall_offset_ns = dat->wall_offset_ns;
	manifest->is_closed = true;
	r = kmt_dat_events_describe(&import->events, manifest);
	for (size_t i = 0; r == 0 && i < import->buffer->nr_stats; i++)
		r = kmt_manifest_add_stats(manifest, &import->buffer->stats[i]);
	if (r < 0)
		return kmt_fail(err, r, "%s: out of memory", dat->path);
	return kmt_manifest_write(manifest, import->tape_fd, err);
}

static int fill_tape(struct import *import, struct kmt_err *err)
{
	int r;

	(void)((r = write_symbols(import, err)) < 0 || (r = write_comms(import, err)) < 0);
	for (size_t i = 0; r == 0 && i < import->buffer->nr_cpus; i++)
		r = copy_cpu(import, &import->buffer->cpus[i], err);
	if (r == 0)
		r = kmt_dat_events_check(&import->events, err);
	if (r == 0)
		r = write_formats(import, err);
	return r < 0 ? r : describe(import, err);
}

int kmt_trace_dat_import(const char *path, const char *tape_path, struct kmt_progress *progress,
			 struct kmt_err *err)
{
	KMT_CLEANUP(deinit) struct import import = { .tape_fd = -1 };
	bool had_directory;
	int r;

	kmt_manifest_init(&import.manifest);
	import.events.counts = calloc(KMT_DAT_NR_IDS, sizeof(*import.events.counts));
	if (!import.events.counts)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", path);
	r = kmt_dat_open(path, &import.dat, err);
	if (r < 0)
		return r;
	import.events.dat = import.dat;
	import.dat->progress = progress;
	(void)((r = choose_buffer(&import, err)) < 0 || (r = check_clock(&import, err)) < 0);
	if (r < 0)
		return r;
	had_directory = faccessat(AT_FDCWD, tape_path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	r = kmt_tape_create(tape_path, &import.tape_fd, err);
	if (r == 0)
		r = fill_tape(&import, err);
	/* What was there before and isn't ours stays: an empty directory at most is ours. */
	if (r < 0 && (import.tape_fd >= 0 || (!had_directory && r != -EEXIST)))
		kmt_remove_tree(tape_path, had_directory);
	return r;
}
