// SPDX-License-Identifier: GPL-2.0-only
/* mktape: make a tape from its text form (script.h); tapedump is the way back. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/tape.h"

#include "fields.h"
#include "formats-dir.h"
#include "script-header.h"
#include "script.h"
#include "spool.h"

#ifndef MKTAPE_FORMATS_DIR
#define MKTAPE_FORMATS_DIR "tests/formats"
#endif

#define PAD_DELTA_MAX ((UINT64_C(1) << 27) - 1)

struct mktape {
	const char *formats_base;
	struct script_header header;
	struct formats_dir *formats; /* NULL until the header is whole */
	struct spool **spools;	     /* by CPU */
	uint32_t nr_spools;
};

/* Where the words of an event line are. */
enum { WORD_TIME, WORD_CPU, WORD_WHAT };

static int load_formats(struct mktape *mk, struct kmt_err *err)
{
	const struct script_header *header = &mk->header;
	struct kmt_manifest *manifest = &mk->header.manifest;
	char path[PATH_MAX];
	int r;

	if (strchr(header->formats, '/'))
		(void)snprintf(path, sizeof(path), "%s", header->formats);
	else
		(void)snprintf(path, sizeof(path), "%s/%s", mk->formats_base, header->formats);
	r = formats_dir_load(path, manifest->is_big_endian, manifest->long_bytes,
			     header->format_groups, &mk->formats, err);
	if (r < 0)
		return r;
	if (manifest->subbuf_bytes && manifest->subbuf_bytes != mk->formats->layout.subbuf_bytes)
		return kmt_fail(err, -EINVAL, "subbuf %u, but header_page of %s says %u",
				manifest->subbuf_bytes, path, mk->formats->layout.subbuf_bytes);
	manifest->subbuf_bytes = mk->formats->layout.subbuf_bytes;
	return 0;
}

/* The header is whole: what follows are events. */
static int begin(struct mktape *mk, struct kmt_err *err)
{
	int r;

	if (mk->formats)
		return 0;
	r = script_header_finish(&mk->header, err);
	if (r < 0)
		return r;
	return load_formats(mk, err);
}

static struct spool *spool_of(struct mktape *mk, uint32_t cpu)
{
	struct spool **grown;

	if (cpu >= mk->nr_spools) {
		grown = reallocarray(mk->spools, cpu + 1, sizeof(*grown));
		if (!grown)
			return NULL;
		memset(grown + mk->nr_spools, 0, (cpu + 1 - mk->nr_spools) * sizeof(*grown));
		mk->spools = grown;
		mk->nr_spools = cpu + 1;
	}
	if (!mk->spools[cpu]) {
		mk->spools[cpu] = malloc(sizeof(struct spool));
		if (mk->spools[cpu])
			spool_init(mk->spools[cpu], cpu);
	}
	return mk->spools[cpu];
}

static int take_lost(struct spool *spool, const struct ring_layout *layout,
		     const struct script *script, struct kmt_err *err)
{
	uint64_t lost = 0;
	int r = 0;

	if (script->nr_words != WORD_WHAT + 2)
		return script_fail(script, err, "lost how many? A number or ?");
	if (strcmp(script->words[WORD_WHAT + 1], "?") != 0)
		r = script_number(script, WORD_WHAT + 1, 1,
				  layout->long_bytes == 8 ? UINT64_MAX : UINT32_MAX, &lost, err);
	if (r < 0)
		return r;
	if (spool->state.is_lossy && !spool->state.is_begun)
		return script_fail(script, err, "lost twice before the same sub-buffer");
	if (spool_close(spool, layout, 0) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	spool->state = (struct ring_state){ .is_lossy = true, .lost = lost };
	return 0;
}

static int take_pad(struct spool *spool, const struct ring_layout *layout, uint64_t time_ns,
		    const struct script *script, struct kmt_err *err)
{
	unsigned int room = ring_room(layout, &spool->state);
	uint64_t delta = spool->state.is_begun ? time_ns - spool->state.time_ns : 0;
	uint8_t *subbuf = spool_subbuf(spool, layout);
	uint64_t bytes = room;
	int r = 0;

	if (!subbuf)
		return kmt_fail(err, -ENOMEM, "out of memory");
	if (script->nr_words != WORD_WHAT + 2)
		return script_fail(script, err, "pad how many? A number of bytes or rest");
	if (strcmp(script->words[WORD_WHAT + 1], "rest") != 0)
		r = script_number(script, WORD_WHAT + 1, 8, room, &bytes, err);
	if (r < 0)
		return r;
	if (bytes < 8 || bytes % 4)
		return script_fail(script, err, "no room, or not a multiple of 4");
	if (delta == 1 || delta > PAD_DELTA_MAX)
		return script_fail(script, err, "a discarded record cannot be there at that time");
	ring_pad(layout, &spool->state, subbuf, time_ns, (unsigned int)bytes);
	return 0;
}

static int take_chunk(struct spool *spool, const struct ring_layout *layout, uint64_t time_ns,
		      bool is_mark, const struct script *script, struct kmt_err *err)
{
	bool has_data = spool->state.is_begun || spool->waiting;

	if (is_mark && has_data)
		return script_fail(script, err, "there is data: `chunk` before `mark`");
	if (!is_mark && !has_data)
		return script_fail(script, err, "there is no data for a chunk: take `mark`");
	if (spool_close(spool, layout, time_ns) < 0 || spool_flush(spool, time_ns) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return 0;
}

static int take_event(struct mktape *mk, struct spool *spool, uint64_t time_ns,
		      const struct script *script, struct kmt_err *err)
{
	const struct ring_layout *layout = &mk->formats->layout;
	enum ring_stamp stamp = RING_STAMP_AUTO;
	uint8_t record[RING_RECORD_BYTES_MAX];
	size_t at = WORD_WHAT;
	unsigned int bytes;
	uint8_t *subbuf;
	int r;

	if (strcmp(script->words[at], "abs") == 0)
		stamp = RING_STAMP_ABSOLUTE;
	if (strcmp(script->words[at], "extend") == 0)
		stamp = RING_STAMP_EXTEND;
	if (stamp != RING_STAMP_AUTO && ++at == script->nr_words)
		return script_fail(script, err, "which event?");
	r = fields_encode(mk->formats, &mk->header.symtab, script, at, record, &bytes, err);
	if (r < 0)
		return r;
	if (!ring_fits(layout, &spool->state, time_ns, stamp, bytes))
		r = spool_close(spool, layout, 0);
	subbuf = spool_subbuf(spool, layout);
	if (r < 0 || !subbuf)
		return kmt_fail(err, -ENOMEM, "out of memory");
	if (stamp == RING_STAMP_EXTEND && spool->state.is_begun && time_ns < spool->state.time_ns)
		return script_fail(script, err, "a time extend cannot go backwards");
	ring_add(layout, &spool->state, subbuf, time_ns, stamp, record, bytes);
	if (time_ns < spool->first_ns)
		spool->first_ns = time_ns;
	if (time_ns > spool->last_ns)
		spool->last_ns = time_ns;
	return 0;
}

static int take_action(struct mktape *mk, const struct script *script, struct kmt_err *err)
{
	const struct ring_layout *layout = &mk->formats->layout;
	const char *what = script->nr_words > WORD_WHAT ? script->words[WORD_WHAT] : "";
	uint64_t time_ns, cpu;
	struct spool *spool;
	int r;

	(void)((r = script_number(script, WORD_TIME, 0, UINT64_MAX, &time_ns, err)) < 0 ||
	       (r = script_number(script, WORD_CPU, 0, KMT_CPUS_MAX - 1, &cpu, err)) < 0);
	if (r < 0)
		return r;
	spool = spool_of(mk, (uint32_t)cpu);
	if (!spool)
		return kmt_fail(err, -ENOMEM, "out of memory");
	if (!*what)
		return script_fail(script, err, "what happened then?");
	if (strcmp(what, "lost") == 0)
		return take_lost(spool, layout, script, err);
	if (strcmp(what, "pad") == 0)
		return take_pad(spool, layout, time_ns, script, err);
	if (strcmp(what, "subbuf") == 0)
		return spool_close(spool, layout, 0);
	if (strcmp(what, "chunk") == 0)
		return take_chunk(spool, layout, time_ns, false, script, err);
	if (strcmp(what, "mark") == 0)
		return take_chunk(spool, layout, time_ns, true, script, err);
	return take_event(mk, spool, time_ns, script, err);
}

static int take_line(struct mktape *mk, const struct script *script, struct kmt_err *err)
{
	int r;

	if (strspn(script->words[0], "0123456789") == strlen(script->words[0])) {
		r = begin(mk, err);
		return r < 0 ? r : take_action(mk, script, err);
	}
	r = script_header_take(&mk->header, script, err);
	if (r == 0)
		return script_fail(script, err, "'%s' is neither a header line nor a time",
				   script->words[0]);
	if (r > 0 && mk->formats)
		return script_fail(script, err, "'%s' behind the first event", script->words[0]);
	return r;
}

static int read_script(struct mktape *mk, const char *name, struct kmt_err *err)
{
	struct script script;
	int r;

	r = script_open(&script, name, err);
	if (r < 0)
		return r;
	while ((r = script_next(&script, err)) == SCRIPT_LINE) {
		r = take_line(mk, &script, err);
		if (r < 0)
			break;
	}
	script_close(&script);
	return r;
}

/* Times that the script doesn't give are those of the first and the last event. */
static int complete_manifest(struct mktape *mk, struct kmt_err *err)
{
	struct kmt_manifest *manifest = &mk->header.manifest;
	uint64_t first_ns = UINT64_MAX, last_ns = 0;
	char name[256];

	for (uint32_t cpu = 0; cpu < mk->nr_spools; cpu++) {
		struct spool *spool = mk->spools[cpu];

		if (!spool)
			continue;
		if (spool->state.is_lossy && !spool->state.is_begun)
			return kmt_fail(err, -EINVAL, "CPU %u: lost, and no event behind it", cpu);
		if (spool_close(spool, &mk->formats->layout, 0) < 0 ||
		    kmt_manifest_add_cpu(manifest, cpu) < 0)
			return kmt_fail(err, -ENOMEM, "out of memory");
		first_ns = spool->first_ns < first_ns ? spool->first_ns : first_ns;
		last_ns = spool->last_ns > last_ns ? spool->last_ns : last_ns;
	}
	if (first_ns == UINT64_MAX)
		first_ns = 0;
	if (!mk->header.has_start)
		manifest->start_ns = first_ns;
	if (!mk->header.has_allocs_on)
		manifest->allocs_on_ns = manifest->start_ns;
	if (!mk->header.has_end)
		manifest->end_ns = last_ns;
	if (!mk->header.has_allocs_off)
		manifest->allocs_off_ns = manifest->end_ns;
	for (size_t i = manifest->nr_events ? mk->formats->nr_files : 0; i < mk->formats->nr_files;
	     i++)
		if (formats_file_event(&mk->formats->files[i], name) &&
		    kmt_manifest_add_event(manifest, name) < 0)
			return kmt_fail(err, -ENOMEM, "out of memory");
	return 0;
}

/* Symbols of kallsyms (@line 0) or of a line of symbols/modules; no file if there are none. */
static int write_symbols(const struct mktape *mk, int dirfd, const char *path, unsigned int line,
			 struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	const struct symtab *table = &mk->header.symtab;
	int digits = (int)mk->header.manifest.long_bytes * 2;
	int r = 0;

	for (size_t i = 0; r == 0 && i < table->nr; i++) {
		const struct symbol *symbol = &table->symbols[i];
		KMT_CLEANUP(kmt_freep) char *text = NULL;
		int n;

		if (symbol->line != line)
			continue;
		n = asprintf(&text, "%0*llx %c %s%s%s%s\n", digits,
			     (unsigned long long)symbol->address, symbol->type, symbol->name,
			     symbol->module ? "\t[" : "", symbol->module ? symbol->module : "",
			     symbol->module ? "]" : "");
		if (n < 0)
			return kmt_fail(err, -ENOMEM, "out of memory");
		if (!writer)
			r = kmt_chunk_writer_new(dirfd, path, 0, 1, &writer, err);
		if (r == 0)
			r = kmt_chunk_writer_text(writer, text, (size_t)n, err);
	}
	return r == 0 && writer ? kmt_chunk_writer_finish(writer, 0, err) : r;
}

/* As src/record/snapshot-log.c lays them out: each ends a chunk. */
static int write_snapshots(const struct mktape *mk, int dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	const struct script_header *header = &mk->header;
	char head[96];
	int r = 0;

	if (!header->nr_snapshots)
		return 0;
	r = kmt_chunk_writer_new(dirfd, "snapshots.zst", 0, 1, &writer, err);
	for (size_t i = 0; r == 0 && i < header->nr_snapshots; i++) {
		const struct script_snapshot *snapshot = &header->snapshots[i];

		(void)snprintf(head, sizeof(head), "==> snapshot %zu at %" PRIu64 " %s <==\n", i,
			       snapshot->time_ns, snapshot->why);
		r = kmt_chunk_writer_text(writer, head, strlen(head), err);
		if (r == 0)
			r = kmt_chunk_writer_text(writer, header->snapshot_texts + snapshot->from,
						  snapshot->bytes, err);
		if (r == 0)
			r = kmt_chunk_writer_flush(writer, 0, err);
	}
	if (r == 0 && header->manifest.is_closed)
		r = kmt_chunk_writer_finish(writer, 0, err);
	return r;
}

static int write_texts(const struct mktape *mk, int dirfd, struct kmt_err *err)
{
	const struct script_header *header = &mk->header;
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < mk->formats->nr_files; i++) {
		const struct formats_file *file = &mk->formats->files[i];

		(void)snprintf(path, sizeof(path), "events/%s", file->path);
		r = kmt_tape_write_text(dirfd, path, file->text, file->bytes, err);
	}
	if (r == 0)
		r = write_symbols(mk, dirfd, "symbols/kallsyms.zst", 0, err);
	for (unsigned int line = 1; r == 0 && line <= header->nr_module_lines; line++) {
		(void)snprintf(path, sizeof(path), "symbols/%04u.zst", line);
		r = write_symbols(mk, dirfd, path, line, err);
	}
	if (r == 0)
		r = kmt_tape_write_text(dirfd, "symbols/modules", header->modules,
					header->modules_bytes, err);
	if (r == 0)
		r = kmt_tape_write_text(dirfd, "comms", header->comms, header->comms_bytes, err);
	return r == 0 ? write_snapshots(mk, dirfd, err) : r;
}

static int write_tape(struct mktape *mk, const char *path, struct kmt_err *err)
{
	const struct kmt_manifest *manifest = &mk->header.manifest;
	KMT_CLEANUP(kmt_close_fd) int dirfd = -1;
	int r;

	for (size_t i = 0; i < manifest->nr_cpus; i++)
		if (!spool_of(mk, manifest->cpus[i]))
			return kmt_fail(err, -ENOMEM, "out of memory");
	r = complete_manifest(mk, err);
	if (r < 0)
		return r;
	r = kmt_tape_create(path, &dirfd, err);
	if (r < 0)
		return r;
	r = write_texts(mk, dirfd, err);
	for (uint32_t cpu = 0; r == 0 && cpu < mk->nr_spools; cpu++)
		if (mk->spools[cpu])
			r = spool_write(mk->spools[cpu], &mk->formats->layout, dirfd,
					manifest->is_closed, manifest->end_ns, err);
	return r < 0 ? r : kmt_manifest_write(manifest, dirfd, err);
}

static void mktape_deinit(struct mktape *mk)
{
	for (uint32_t cpu = 0; cpu < mk->nr_spools; cpu++) {
		if (mk->spools[cpu])
			spool_deinit(mk->spools[cpu]);
		free(mk->spools[cpu]);
	}
	free(mk->spools);
	(void)formats_dir_free(mk->formats);
	script_header_deinit(&mk->header);
}

static int make(const char *formats_base, char **scripts, int nr_scripts, const char *path,
		struct kmt_err *err)
{
	struct mktape mk = { .formats_base = formats_base };
	int r;

	r = script_header_init(&mk.header, err);
	for (int i = 0; r == 0 && i < nr_scripts; i++)
		r = read_script(&mk, scripts[i], err);
	if (r == 0)
		r = begin(&mk, err);
	if (r == 0)
		r = write_tape(&mk, path, err);
	mktape_deinit(&mk);
	return r;
}

static void usage(FILE *out)
{
	(void)fputs("usage: mktape SCRIPT... -o TAPE [--formats DIR]\n"
		    "Make a tape from its text form; `-` is standard input.\n"
		    "  -o, --output TAPE   new directory\n"
		    "  --formats DIR       where the directories of `formats` lines are\n"
		    "                      [" MKTAPE_FORMATS_DIR "]\n",
		    out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "output", required_argument, NULL, 'o' },
						 { "formats", required_argument, NULL, 'f' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	const char *formats_base = MKTAPE_FORMATS_DIR, *path = NULL;
	struct kmt_err err = { "" };
	int c;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			path = optarg;
			break;
		case 'f':
			formats_base = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			return 2;
		}
	}
	if (!path || optind == argc) {
		usage(stderr);
		return 2;
	}
	if (make(formats_base, argv + optind, argc - optind, path, &err) < 0) {
		(void)fprintf(stderr, "mktape: %s\n", err.text);
		return 1;
	}
	return 0;
}
