// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/fs.h"
#include "kmemtape/replay.h"
#include "kmemtape/share.h"
#include "kmemtape/units.h"

#include "redact-records.h"
#include "redact-symbols.h"
#include "redact-text.h"

struct redact {
	struct kmt_tape *tape;
	struct kmt_manifest manifest; /* of the new tape */
	struct kmt_formats *formats;
	struct kmt_addresses addresses;
	struct kmt_codes codes;
	struct kmt_redact_records records;
	struct kmt_chunk_scratch *scratch;
	int dirfd; /* of the new tape */
};

/* --- what is left in --- */

/* The systems of which an event's format means something to replay. Names of tasks are not kept. */
static bool is_kept_event(const char *name)
{
	static const char *const systems[] = { "kmem:",	  "percpu:",   "vmalloc:",
					       "module:", "kmemtape:", "ftrace:" };

	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
		if (strncmp(name, systems[i], strlen(systems[i])) == 0)
			return true;
	return false;
}

static void drop_events(struct kmt_manifest *manifest)
{
	size_t nr = 0;

	for (size_t i = 0; i < manifest->nr_events; i++) {
		if (is_kept_event(manifest->events[i]))
			manifest->events[nr++] = manifest->events[i];
		else
			free(manifest->events[i]);
	}
	manifest->nr_events = nr;
}

/* What the recorder said in words of its own. */
static void redact_words(char *text)
{
	kmt_redact_digits(text, strlen(text));
}

/* Read anew, because the tape's own one is the caller's. */
static int make_manifest(struct redact *redact, struct kmt_err *err)
{
	struct kmt_manifest *manifest = &redact->manifest;
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int r;

	r = kmt_tape_read_text(redact->tape, "manifest.json", &text, &bytes, err);
	if (r == 0)
		r = kmt_manifest_parse(manifest, text, bytes, "manifest.json", err);
	for (size_t i = 0; r == 0 && i < redact->tape->nr_cpus; i++)
		if (kmt_manifest_add_cpu(manifest, kmt_chunk_reader_cpu(redact->tape->cpus[i])) < 0)
			r = kmt_fail(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	*manifest->host = *manifest->command = '\0';
	kmt_redact_version(manifest->kernel_version);
	redact_words(manifest->free_probes);
	redact_words(manifest->vmalloc);
	redact_words(manifest->ended_why);
	redact_words(manifest->recovered);
	for (size_t i = 0; i < manifest->nr_disturbances; i++)
		redact_words(manifest->disturbances[i].what);
	for (size_t i = 0; i < manifest->nr_filters; i++)
		kmt_redact_filter(manifest->filters[i].text);
	drop_events(manifest);
	manifest->is_redacted = true;
	manifest->is_small = false;
	return 0;
}

static const char kept_text[] =
	"left out: names of tasks, host name, command line, who built the kernel, events\n"
	"  that replay doesn't read, conditions on call sites and tasks\n"
	"made up: addresses of objects, page frames, areas, per-CPU memory and code;\n"
	"  distances within the kernel's code are as they were\n"
	"kept: pids, times (the clock tells for how long the machine was up, the manifest\n"
	"  when it was recorded), sizes, names of caches, functions and modules, versions\n"
	"  and build-ids, counters\n";

/* Names that only this machine may have. */
static int list_modules(const struct redact *redact, FILE *file)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	bool is_first = true;
	size_t bytes;

	if (kmt_tape_read_text(redact->tape, "symbols/modules", &text, &bytes, NULL) < 0)
		return 0;
	for (char *line = text, *next; line && *line; line = next) {
		char name[64], taint[16], escaped[256];

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (sscanf(line, "load %*u %63s %*u %*x %15s", name, taint) != 2 ||
		    !strpbrk(taint, "OPE"))
			continue;
		fprintf(file, "%s %s",
			is_first ? "kept: modules that are not the kernel's own:" : ",",
			kmt_escape(escaped, sizeof(escaped), name));
		is_first = false;
	}
	if (!is_first)
		fputc('\n', file);
	return 0;
}

static int describe(const struct redact *redact, char **ret_kept, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	KMT_CLEANUP(kmt_fclosep) FILE *file = NULL;
	size_t bytes;

	file = open_memstream(&text, &bytes);
	if (!file)
		return kmt_fail(err, -ENOMEM, "out of memory");
	fputs(kept_text, file);
	(void)list_modules(redact, file);
	for (size_t i = 0; i < redact->manifest.nr_pairs; i++)
		fprintf(file, "kept: pair %s\n", redact->manifest.pairs[i].name);
	if (redact->records.damaged_subbufs)
		fprintf(file,
			"lost: %" PRIu64
			" damaged sub-buffers, of which what was readable is kept, and "
			"the rest is now a loss\n",
			redact->records.damaged_subbufs);
	if (fclose(KMT_STEAL(file)) != 0) /* which may move it */
		return kmt_fail(err, -ENOMEM, "out of memory");
	*ret_kept = KMT_STEAL(text);
	return 0;
}

/* --- files --- */

static int write_format(const struct redact *redact, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes, used = 0;
	int r;

	r = kmt_tape_read_text(redact->tape, path, &text, &bytes, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t at = 0; at < bytes;) {
		const char *end = memchr(text + at, '\n', bytes - at);
		size_t length = end ? (size_t)(end - text) - at : bytes - at;
		bool is_kept = kmt_redact_keeps_format_line(text + at, length);

		length += end != NULL;
		if (is_kept)
			memmove(text + used, text + at, length);
		used += is_kept ? length : 0;
		at += length;
	}
	return kmt_tape_write_text(redact->dirfd, path, text, used, err);
}

static int write_formats(const struct redact *redact, struct kmt_err *err)
{
	int r;

	(void)((r = write_format(redact, "events/header_page", err)) < 0 ||
	       (r = write_format(redact, "events/header_event", err)) < 0);
	for (size_t i = 0; r == 0 && i < redact->manifest.nr_events; i++) {
		char path[2 * KMT_MANIFEST_TEXT_BYTES];

		(void)snprintf(path, sizeof(path), "events/%s/format", redact->manifest.events[i]);
		*strchr(path, ':') = '/';
		r = write_format(redact, path, err);
	}
	return r;
}

/* What lies between two newlines may come in several pieces. */
struct line {
	char text[KMT_REDACT_LINE_MAX];
	size_t bytes;
	bool is_too_long;
};

static int write_line(struct redact *redact, struct kmt_chunk_writer *writer,
		      enum kmt_redact_part *part, struct line *line, struct kmt_err *err)
{
	char text[KMT_REDACT_LINE_MAX + 2];
	int n;

	n = line->is_too_long
		    ? 0
		    : kmt_redact_snapshot_line(&redact->codes, part, line->text, line->bytes, text);
	line->bytes = 0;
	line->is_too_long = false;
	if (n <= 0)
		return n < 0 ? kmt_fail(err, n, "snapshots: %s", strerror(-n)) : 0;
	text[n++] = '\n';
	return kmt_chunk_writer_text(writer, text, (size_t)n, err);
}

static int write_snapshot_text(struct redact *redact, struct kmt_chunk_writer *writer,
			       enum kmt_redact_part *part, struct line *line,
			       const struct kmt_chunk *chunk, struct kmt_err *err)
{
	const char *at = chunk->raw, *end = at + chunk->raw_bytes;
	int r = 0;

	while (r == 0 && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t bytes = (size_t)((newline ? newline : end) - at);

		line->is_too_long |= bytes > sizeof(line->text) - line->bytes;
		if (!line->is_too_long) {
			memcpy(line->text + line->bytes, at, bytes);
			line->bytes += bytes;
		}
		at += bytes + (newline != NULL);
		if (newline)
			r = write_line(redact, writer, part, line, err);
	}
	return r;
}

/* A file that was cut stays so. One that is damaged has to be repaired first: what follows a hole
 * would belong to nothing. */
static int write_snapshots(struct redact *redact, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	enum kmt_redact_part part = KMT_REDACT_NO_PART;
	struct line line = { .bytes = 0 };
	struct kmt_chunk chunk;
	int r, s;

	r = kmt_chunk_open_text(redact->tape->members, "snapshots.zst", &reader, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	s = kmt_chunk_writer_new(redact->dirfd, "snapshots.zst", 0, 1, &writer, err);
	while (s == 0 && (r = kmt_chunk_reader_next(reader, redact->scratch, &chunk, err)) > 0 &&
	       r != KMT_CHUNK_CUT)
		if (r == KMT_CHUNK_GOT)
			s = write_snapshot_text(redact, writer, &part, &line, &chunk, err);
	if (s < 0 || r < 0)
		return s < 0 ? s : r;
	if (r == KMT_CHUNK_CUT)
		return kmt_chunk_writer_flush(writer, 0, err);
	s = write_line(redact, writer, &part, &line, err);
	return s < 0 ? s : kmt_chunk_writer_finish(writer, 0, err);
}

/* --- CPUs --- */

static int write_chunk(struct redact *redact, struct kmt_chunk_writer *writer,
		       const struct kmt_chunk *chunk, struct kmt_err *err)
{
	size_t subbuf_bytes = kmt_formats_page(redact->formats)->subbuf_bytes, room;
	int r = 0;

	for (size_t at = 0; r == 0 && at + subbuf_bytes <= chunk->raw_bytes; at += subbuf_bytes) {
		uint8_t *to = kmt_chunk_writer_space(writer, &room);

		memset(to, 0, subbuf_bytes);
		r = kmt_redact_subbuf(&redact->records, (const uint8_t *)chunk->raw + at, to);
		if (r < 0)
			return kmt_fail(err, r, "%s", strerror(-r));
		r = kmt_chunk_writer_add(writer, subbuf_bytes, chunk->drained_ns, err);
	}
	if (r == 0 && kmt_chunk_writer_is_waiting(writer))
		r = kmt_chunk_writer_flush(writer, chunk->drained_ns, err);
	return r;
}

/* Chunks, marks and the missing end of a file stay as they were; for a damaged chunk there is a
 * loss. */
static int write_cpu(struct redact *redact, struct kmt_chunk_reader *reader, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	uint32_t cpu = kmt_chunk_reader_cpu(reader);
	uint64_t drained_ns = 0;
	char path[KMT_TAPE_CPU_PATH_BYTES];
	struct kmt_chunk chunk;
	int r;

	kmt_tape_cpu_path(path, cpu);
	r = kmt_chunk_writer_new_among(redact->dirfd, path, cpu, redact->tape->nr_cpus,
				       redact->manifest.subbuf_bytes, &writer, err);
	if (r < 0)
		return r;
	kmt_chunk_reader_rewind(reader);
	redact->records.has_gap = false;
	while ((r = kmt_chunk_reader_next(reader, redact->scratch, &chunk, err)) != KMT_CHUNK_END &&
	       r != KMT_CHUNK_CUT) {
		if (r == -EBADMSG || r == -EPROTONOSUPPORT) {
			redact->records.has_gap = true;
			continue;
		}
		if (r < 0)
			return r;
		drained_ns = chunk.drained_ns > drained_ns ? chunk.drained_ns : drained_ns;
		r = r == KMT_CHUNK_GOT ? write_chunk(redact, writer, &chunk, err)
				       : kmt_chunk_writer_flush(writer, chunk.drained_ns, err);
		if (r < 0)
			return r;
	}
	return r == KMT_CHUNK_CUT ? 0 : kmt_chunk_writer_finish(writer, drained_ns, err);
}

static bool has_pages(const struct kmt_manifest *manifest)
{
	for (size_t i = 0; i < manifest->nr_events; i++)
		if (strncmp(manifest->events[i], "kmem:mm_page_", strlen("kmem:mm_page_")) == 0)
			return true;
	return false;
}

static int note_blocks(struct redact *redact, struct kmt_chunk_reader *reader, struct kmt_err *err)
{
	size_t subbuf_bytes = kmt_formats_page(redact->formats)->subbuf_bytes;
	struct kmt_chunk chunk;
	int r, s = 0;

	kmt_chunk_reader_rewind(reader);
	while ((r = kmt_chunk_reader_next(reader, redact->scratch, &chunk, err)) != KMT_CHUNK_END &&
	       r != KMT_CHUNK_CUT) {
		if (r < 0 && r != -EBADMSG && r != -EPROTONOSUPPORT)
			return r;
		for (size_t at = 0;
		     r == KMT_CHUNK_GOT && s == 0 && at + subbuf_bytes <= chunk.raw_bytes;
		     at += subbuf_bytes)
			s = kmt_redact_note_blocks(&redact->records,
						   (const uint8_t *)chunk.raw + at);
		if (s < 0)
			return kmt_fail(err, s, "%s", strerror(-s));
	}
	return 0;
}

static int write_cpus(struct redact *redact, struct kmt_err *err)
{
	struct kmt_tape *tape = redact->tape;
	int r = 0;

	for (size_t i = 0; r == 0 && has_pages(&redact->manifest) && i < tape->nr_cpus; i++)
		r = note_blocks(redact, tape->cpus[i], err);
	for (size_t i = 0; r == 0 && i < tape->nr_cpus; i++)
		r = write_cpu(redact, tape->cpus[i], err);
	return r;
}

/* --- all of it --- */

static void deinit(struct redact *redact)
{
	kmt_manifest_deinit(&redact->manifest);
	(void)kmt_formats_free(redact->formats);
	kmt_addresses_deinit(&redact->addresses);
	kmt_codes_deinit(&redact->codes);
	(void)kmt_chunk_scratch_free(redact->scratch);
	kmt_close_fd(&redact->dirfd);
}

static int prepare(struct redact *redact, bool is_coarse, struct kmt_err *err)
{
	int r;

	(void)((r = make_manifest(redact, err)) < 0 ||
	       (r = kmt_replay_formats(redact->tape, &redact->formats, err)) < 0 ||
	       (r = kmt_chunk_scratch_new(&redact->scratch, err)) < 0);
	if (r < 0)
		return r;
	kmt_codes_init(&redact->codes, redact->manifest.long_bytes, redact->manifest.page_bytes);
	r = kmt_redact_find_code(redact->tape, &redact->codes, err);
	if (r < 0)
		return r;
	r = kmt_addresses_init(&redact->addresses, &redact->manifest, is_coarse);
	if (r == -ENOTSUP)
		return kmt_fail(err, r,
				"%s: a sample of 1 in %" PRIu64 " addresses tells too much "
				"of them to be redacted",
				redact->tape->path, redact->manifest.sample);
	redact->records = (struct kmt_redact_records){
		.formats = redact->formats,
		.addresses = &redact->addresses,
		.codes = &redact->codes,
	};
	return r;
}

/* Return: as kmt_share_redact(); -E2BIG if there are more pages than can have numbers. */
static int try(struct kmt_tape *tape, const char *path, bool is_coarse, char **ret_kept,
	       struct kmt_err *err)
{
	struct redact redact = { .tape = tape, .dirfd = -1 };
	bool is_made = false;
	int r;

	kmt_manifest_init(&redact.manifest);
	r = prepare(&redact, is_coarse, err);
	if (r == 0) {
		r = kmt_tape_create(path, &redact.dirfd, err);
		is_made = r == 0;
	}
	(void)(r < 0 || (r = write_formats(&redact, err)) < 0 ||
	       (r = write_cpus(&redact, err)) < 0 ||
	       (r = kmt_redact_symbols(tape, &redact.codes, redact.dirfd, err)) < 0 ||
	       (r = write_snapshots(&redact, err)) < 0 ||
	       (r = describe(&redact, ret_kept, err)) < 0 ||
	       (r = kmt_manifest_write(&redact.manifest, redact.dirfd, err)) < 0);
	deinit(&redact);
	if (r < 0 && is_made)
		kmt_remove_tree(path, false);
	return r;
}

int kmt_share_redact(struct kmt_tape *tape, const char *path, char **ret_kept, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *kept = NULL;
	int r;

	if (tape->manifest.is_distilled)
		return kmt_fail(
			err, -ENOTSUP,
			"%s: is distilled: redact the whole tape, then distill it (--redact "
			"--distill)",
			tape->path);
	r = try(tape, path, false, &kept, err);
	if (r == -E2BIG && kmt_addresses_may_be_coarse(&tape->manifest))
		r = try(tape, path, true, &kept, err);
	if (r == -E2BIG)
		return kmt_fail(err, -ENOTSUP,
				"%s: too many different addresses to give each page of them a "
				"number: redact a part of it (--range)",
				tape->path);
	if (r == 0)
		*ret_kept = KMT_STEAL(kept);
	return r;
}
