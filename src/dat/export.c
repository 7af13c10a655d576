// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/trace-dat.h"

#include "pages.h"
#include "writer.h"

/* Linux kernel/trace/ring_buffer.c: of the page's commit field */
#define MISSED_EVENTS (1u << 31)
#define MISSED_STORED (1u << 30)

#define ALIGN_BYTES 4096u /* trace-cmd maps the data: at least this, or the sub-buffer size */
#define NAME_BYTES  (2 * KMT_MANIFEST_TEXT_BYTES)

/* Where the data of a CPU is in the file. */
struct place {
	uint64_t offset, bytes;
};

/* One export, from open to close. */
struct export
{
	struct kmt_dat_writer writer;
	struct kmt_dat_layout layout;
	struct kmt_chunk_scratch *scratch;
	struct place *places; /* nr_places, by CPU: a CPU without a file is at 0 */
	uint32_t nr_places;
	uint64_t end_ns; /* up to which anything is known */
	uint8_t *page;	 /* one sub-buffer, for marks */
	uint64_t problems;
	struct kmt_err problem; /* the first one */
};

static void deinit(struct export *export)
{
	if (export->writer.file)
		(void)fclose(export->writer.file);
	(void)kmt_chunk_scratch_free(export->scratch);
	free(export->places);
	free(export->page);
}

/* What a trace.dat has no way to say, and what would be wrong without it. */
static int check(const struct kmt_tape *tape, struct kmt_err *err)
{
	const struct kmt_manifest *manifest = &tape->manifest;

	if (manifest->is_distilled)
		return kmt_fail(err, -ENOTSUP, "%s is distilled: export needs the whole tape",
				tape->path);
	if (manifest->sample != 1)
		return kmt_fail(err, -ENOTSUP,
				"%s: of the addresses, 1 in %" PRIu64
				" was recorded, and a trace.dat can't say so",
				tape->path, manifest->sample);
	if (manifest->nr_cpus == 0)
		return kmt_fail(err, -ENOTSUP, "%s: no CPUs: there is no such trace.dat",
				tape->path);
	return 0;
}

static void put_option(struct kmt_dat_writer *writer, enum kmt_dat_option id, const char *text)
{
	kmt_dat_put_number(writer, 2, id);
	kmt_dat_put_sized(writer, 4, text, strlen(text) + 1);
}

static void put_uname(struct kmt_dat_writer *writer)
{
	const struct kmt_manifest *manifest = &writer->tape->manifest;
	char text[4 * KMT_MANIFEST_TEXT_BYTES];

	if (!manifest->kernel[0] || !manifest->arch[0])
		return;
	(void)snprintf(text, sizeof(text), "Linux %s %s %s",
		       manifest->host[0] ? manifest->host : KMT_DAT_UNKNOWN, manifest->kernel,
		       manifest->arch);
	put_option(writer, KMT_DAT_UNAME, text);
}

static void put_stats(struct kmt_dat_writer *writer, const struct kmt_cpu_stats *stats)
{
	char text[512];

	(void)snprintf(
		text, sizeof(text),
		"CPU: %" PRIu32 "\nentries: 0\noverrun: %" PRIu64 "\ncommit overrun: %" PRIu64
		"\ndropped events: %" PRIu64 "\nread events: %" PRIu64 "\n",
		stats->cpu, stats->overrun, stats->commit_overrun, stats->dropped, stats->read);
	put_option(writer, KMT_DAT_CPUSTAT, text);
}

static void put_options(struct export *export)
{
	const struct kmt_manifest *manifest = &export->writer.tape->manifest;
	struct kmt_dat_writer *writer = &export->writer;
	char clock[KMT_MANIFEST_TEXT_BYTES + 4];

	kmt_dat_put_word(writer, "options  ");
	(void)snprintf(clock, sizeof(clock), "[%s]", manifest->clock);
	if (manifest->clock[0])
		put_option(writer, KMT_DAT_TRACECLOCK, clock);
	put_uname(writer);
	put_option(writer, KMT_DAT_VERSION,
		   manifest->recorder[0] ? manifest->recorder : KMT_DAT_UNKNOWN);
	for (size_t i = 0; i < manifest->nr_stats; i++)
		put_stats(writer, &manifest->stats[i]);
	kmt_dat_put_number(writer, 2, KMT_DAT_DONE);
}

/* All CPUs up to the last one, since they have no numbers there. */
static void put_places(struct export *export)
{
	for (uint32_t i = 0; i < export->nr_places; i++) {
		kmt_dat_put_number(&export->writer, 8, export->places[i].offset);
		kmt_dat_put_number(&export->writer, 8, export->places[i].bytes);
	}
}

static int put_head(struct export *export, struct kmt_err *err)
{
	struct kmt_dat_writer *writer = &export->writer;
	const struct kmt_manifest *manifest = &writer->tape->manifest;
	static const char no_magic[KMT_DAT_MAGIC_BYTES];
	int r;

	kmt_dat_put_bytes(writer, no_magic, sizeof(no_magic));
	kmt_dat_put_word(writer, "6");
	kmt_dat_put_number(writer, 1, manifest->is_big_endian);
	kmt_dat_put_number(writer, 1, manifest->long_bytes);
	/* Called that of the machine, but read as that of the sub-buffers. */
	kmt_dat_put_number(writer, 4, manifest->subbuf_bytes);
	(void)((r = kmt_dat_put_headers(writer, err)) < 0 ||
	       (r = kmt_dat_put_formats(writer, err)) < 0 ||
	       (r = kmt_dat_put_kallsyms(writer, err)) < 0);
	kmt_dat_put_number(writer, 4, 0); /* texts of trace_printk() */
	if (r == 0)
		r = kmt_dat_put_cmdlines(writer, err);
	kmt_dat_put_number(writer, 4, export->nr_places);
	put_options(export);
	kmt_dat_put_word(writer, "flyrecord");
	return r;
}

static void note_problem(struct export *export, const struct kmt_err *err)
{
	if (export->problems++ == 0)
		export->problem = *err;
}

/* The lower half of a sub-buffer's commit field, where the marks are. */
static uint8_t *commit_of(const struct export *export, uint8_t *page)
{
	bool is_upper_first = export->layout.is_big_endian && export->layout.commit_bytes == 8;

	return page + export->layout.commit_offset + (is_upper_first ? 4 : 0);
}

/* Events are missing before this sub-buffer, nobody knows how many. */
static void mark_missed(const struct export *export, uint8_t *page)
{
	uint8_t *commit = commit_of(export, page);
	unsigned int upper = export->layout.is_big_endian ? 0 : 3;

	commit[upper] = (uint8_t)((commit[upper] | MISSED_EVENTS >> 24) & ~(MISSED_STORED >> 24));
}

static uint64_t time_of(const struct export *export, const uint8_t *page)
{
	uint64_t ns = 0;

	for (unsigned int i = 0; i < 8; i++) /* it comes first */
		ns |= (uint64_t)page[i] << 8 * (export->layout.is_big_endian ? 7 - i : i);
	return ns;
}

/*
 * Of a ring: from when not all CPUs are there. Replay leaves that out, and a reader of the
 * trace.dat can't know. Of the first one that reaches beyond, what is left out is a gap.
 */
static bool is_dropped(const struct export *export, const uint8_t *page)
{
	return time_of(export, page) < export->writer.tape->manifest.dropped_ns;
}

static void put_page(struct export *export, const uint8_t *page, bool is_behind_gap)
{
	memcpy(export->page, page, export->layout.page_bytes);
	if (is_behind_gap)
		mark_missed(export, export->page);
	kmt_dat_put_bytes(&export->writer, export->page, export->layout.page_bytes);
}

/* An empty sub-buffer at the end, behind which there may have been more. */
static void put_last_mark(struct export *export)
{
	uint8_t *page = export->page;

	memset(page, 0, export->layout.page_bytes);
	for (unsigned int i = 0; i < 8; i++) /* its time comes first */
		page[i] =
			(uint8_t)(export->end_ns >> 8 * (export->layout.is_big_endian ? 7 - i : i));
	mark_missed(export, page);
	kmt_dat_put_bytes(&export->writer, page, export->layout.page_bytes);
}

/* Return: 0 at the end, whatever was found; negative errno */
static int put_chunks(struct export *export, struct kmt_chunk_reader *reader, struct kmt_err *err)
{
	uint32_t page_bytes = export->layout.page_bytes;
	bool has_gap = false;
	struct kmt_chunk chunk;
	int r;

	while ((r = kmt_chunk_reader_next(reader, export->scratch, &chunk, err)) != KMT_CHUNK_END) {
		if (r == KMT_CHUNK_CUT || r == -EBADMSG || r == -EPROTONOSUPPORT) {
			note_problem(export, err);
			has_gap = true;
		}
		if (r == KMT_CHUNK_CUT)
			break;
		if (r < 0 && r != -EBADMSG && r != -EPROTONOSUPPORT)
			return r;
		if (r != KMT_CHUNK_GOT)
			continue;
		for (size_t at = 0; at < chunk.raw_bytes; at += page_bytes) {
			const uint8_t *page = (const uint8_t *)chunk.raw + at;

			has_gap |= is_dropped(export, page);
			if (is_dropped(export, page))
				continue;
			put_page(export, page, has_gap);
			has_gap = false;
		}
		if (export->writer.error)
			return export->writer.error;
	}
	if (has_gap)
		put_last_mark(export);
	return 0;
}

static int put_cpu(struct export *export, struct kmt_chunk_reader *reader, struct kmt_err *err)
{
	struct place *place = &export->places[kmt_chunk_reader_cpu(reader)];
	uint32_t align =
		export->layout.page_bytes > ALIGN_BYTES ? export->layout.page_bytes : ALIGN_BYTES;
	off_t start = ftello(export->writer.file);
	int r;

	if (start < 0)
		return -errno;
	for (; start % align; start++)
		kmt_dat_put_number(&export->writer, 1, 0);
	kmt_chunk_reader_rewind(reader);
	r = put_chunks(export, reader, err);
	place->offset = (uint64_t)start;
	place->bytes = (uint64_t)(ftello(export->writer.file) - start);
	return r;
}

/* How far any CPU is known, from the heads of the chunks. */
static void find_end(struct export *export)
{
	const struct kmt_tape *tape = export->writer.tape;

	export->end_ns = tape->manifest.end_ns;
	for (size_t i = 0; i < tape->nr_cpus; i++) {
		struct kmt_chunk chunk;
		int r;

		kmt_chunk_reader_rewind(tape->cpus[i]);
		do {
			chunk.drained_ns = 0;
			r = kmt_chunk_reader_next(tape->cpus[i], NULL, &chunk, NULL);
			if (r > 0 && r != KMT_CHUNK_CUT && chunk.drained_ns > export->end_ns)
				export->end_ns = chunk.drained_ns;
		} while (r != KMT_CHUNK_END && r != KMT_CHUNK_CUT);
	}
}

static int put_all(struct export *export, struct kmt_err *err)
{
	const struct kmt_tape *tape = export->writer.tape;
	const char *clock = tape->manifest.clock;
	char text[KMT_MANIFEST_TEXT_BYTES + 4];
	off_t table;
	int r = put_head(export, err);

	if (r < 0)
		return r;
	table = ftello(export->writer.file);
	put_places(export);
	if (clock[0]) {
		(void)snprintf(text, sizeof(text), "[%s]", clock);
		kmt_dat_put_sized(&export->writer, 8, text, strlen(text));
	}
	find_end(export);
	for (size_t i = 0; r == 0 && i < tape->nr_cpus; i++)
		r = put_cpu(export, tape->cpus[i], err);
	if (r < 0)
		return r;
	if (fseeko(export->writer.file, table, SEEK_SET) < 0)
		return -errno;
	put_places(export);
	/* Last: what was left half-way is no trace.dat. */
	if (fseeko(export->writer.file, 0, SEEK_SET) < 0)
		return -errno;
	kmt_dat_put_bytes(&export->writer, KMT_DAT_MAGIC, KMT_DAT_MAGIC_BYTES);
	return 0;
}

static int open_export(struct export *export, int fd, struct kmt_err *err)
{
	const struct kmt_tape *tape = export->writer.tape;
	const struct kmt_manifest *manifest = &tape->manifest;
	KMT_CLEANUP(kmt_freep) char *header_page = NULL;
	size_t bytes;
	int r;

	export->writer.is_big_endian = manifest->is_big_endian;
	export->nr_places = manifest->cpus[manifest->nr_cpus - 1] + 1;
	export->places = calloc(export->nr_places, sizeof(*export->places));
	export->page = malloc(manifest->subbuf_bytes);
	export->writer.file = fdopen(fd, "w");
	if (!export->writer.file)
		(void)close(fd);
	if (!export->places || !export->page || !export->writer.file)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", tape->path);
	(void)((r = kmt_chunk_scratch_new(&export->scratch, err)) < 0 ||
	       (r = kmt_tape_read_text(tape, "events/header_page", &header_page, &bytes, err)) <
		       0 ||
	       (r = kmt_dat_layout_parse(&export->layout, header_page, manifest->is_big_endian,
					 tape->path, err)) < 0);
	if (r == 0 && export->layout.page_bytes != manifest->subbuf_bytes)
		return kmt_fail(
			err, -EBADMSG,
			"%s/events/header_page: sub-buffers of %u bytes, the manifest says %u",
			tape->path, export->layout.page_bytes, manifest->subbuf_bytes);
	return r == -ENOENT ? -ENODATA : r;
}

static int close_export(struct export *export)
{
	int r = export->writer.error;

	errno = 0;
	if (fclose(export->writer.file) != 0 && r == 0)
		r = errno ? -errno : -EIO;
	export->writer.file = NULL;
	return r;
}

int kmt_trace_dat_export(const struct kmt_tape *tape, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(deinit) struct export export = { .writer.tape = tape };
	struct kmt_err inner = { "" };
	int fd, r = check(tape, err);

	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	r = open_export(&export, fd, &inner);
	if (r == 0)
		r = put_all(&export, &inner);
	if (export.writer.file && r == 0)
		r = close_export(&export);
	if (r < 0) {
		(void)unlink(path);
		return inner.text[0] && !export.writer.error
			       ? kmt_fail(err, r, "%s", inner.text)
			       : kmt_fail(err, r, "%s: %s", path, strerror(-r));
	}
	if (!export.problems)
		return 0;
	if (err)
		*err = export.problem;
	return 1;
}
