// SPDX-License-Identifier: GPL-2.0-only
/* tapedump: print a tape as the script (script.h) from which mktape makes the same tape. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/tape.h"

#include "dump-cpu.h"
#include "fields.h"
#include "formats-dir.h"
#include "script-header.h"
#include "script.h"

#ifndef MKTAPE_FORMATS_DIR
#define MKTAPE_FORMATS_DIR "tests/formats"
#endif

/* A day of them, one a minute, on a large machine: zoneinfo and vmallocinfo have a few 100 KiB. */
#define SNAPSHOTS_BYTES_MAX ((size_t)1 << 30)

struct tapedump {
	const char *formats_base;
	bool has_all_symbols;
	struct kmt_tape *tape;
	struct formats_dir *formats;
	struct symtab symtab;
	char *modules;
	struct dump_cpu *cpus;
	bool *has_lines; /* by index of the CPU */
	uint64_t nr_unknown;
	bool has_bad_snapshots;
	FILE *events; /* printed first, so that we know which symbols are used */
};

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && entry->d_type == DT_DIR;
}

/* The directory of tests/formats with the same files; else the tape's own. */
static void find_formats(const struct tapedump *dump, char name[PATH_MAX])
{
	const struct kmt_manifest *manifest = &dump->tape->manifest;
	char path[PATH_MAX], events[PATH_MAX];
	struct dirent **entries;
	int nr = scandir(dump->formats_base, &entries, is_visible, alphasort);

	(void)snprintf(events, sizeof(events), "%s/events", dump->tape->path);
	if (!realpath(events, name))
		(void)snprintf(name, PATH_MAX, "%s", events);
	for (int i = 0; i < nr; i++) {
		KMT_CLEANUP(formats_dir_freep) struct formats_dir *other = NULL;

		(void)snprintf(path, sizeof(path), "%s/%s", dump->formats_base, entries[i]->d_name);
		if (formats_dir_load(path, manifest->is_big_endian, manifest->long_bytes,
				     formats_dir_groups(dump->formats), &other, NULL) == 0 &&
		    formats_dir_is_same(dump->formats, other))
			(void)snprintf(name, PATH_MAX, "%s", entries[i]->d_name);
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
}

static int read_symbols(struct tapedump *dump, const char *path, unsigned int line,
			struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int r;

	r = kmt_chunk_read_text(dump->tape->members, path, KMT_TAPE_SYMBOLS_BYTES_MAX, &text,
				&bytes, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (symtab_add_kallsyms(&dump->symtab, text, line) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return 0;
}

static int read_all_symbols(struct tapedump *dump, struct kmt_err *err)
{
	unsigned int line = 0;
	size_t bytes;
	int r;

	r = read_symbols(dump, "symbols/kallsyms.zst", 0, err);
	if (r < 0)
		return r;
	r = kmt_tape_read_text(dump->tape, "symbols/modules", &dump->modules, &bytes, err);
	if (r < 0 && r != -ENOENT)
		return r;
	for (const char *at = dump->modules; at && (at = strchr(at, '\n')); at++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "symbols/%04u.zst", ++line);
		r = read_symbols(dump, path, line, err);
		if (r < 0)
			return r;
	}
	if (symtab_sort(&dump->symtab) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return 0;
}

/* Return: false if it is a record that no format file tells about. */
static bool print_line(struct tapedump *dump, const struct dump_line *line, uint32_t cpu)
{
	static const char *const stamps[] = { [RING_STAMP_AUTO] = "",
					      [RING_STAMP_EXTEND] = " extend",
					      [RING_STAMP_ABSOLUTE] = " abs" };
	static const char *const words[] = {
		[DUMP_SUBBUF] = "subbuf", [DUMP_CHUNK] = "chunk", [DUMP_MARK] = "mark"
	};
	struct tep_event *event = NULL;

	if (line->kind == DUMP_EVENT) {
		event = fields_event(dump->formats, line->record, line->bytes);
		if (!event) {
			dump->nr_unknown++;
			return false;
		}
	}
	(void)fprintf(dump->events, "%" PRIu64 " %u", line->time_ns, cpu);
	if (event) {
		(void)fputs(stamps[line->stamp], dump->events);
		fields_print(dump->events, dump->formats, &dump->symtab, event, line->record,
			     line->bytes);
	} else if (line->kind == DUMP_LOST && line->number == 0) {
		(void)fputs(" lost ?", dump->events);
	} else if (line->kind == DUMP_LOST || line->kind == DUMP_PAD) {
		(void)fprintf(dump->events, " %s %" PRIu64,
			      line->kind == DUMP_LOST ? "lost" : "pad", line->number);
	} else {
		(void)fprintf(dump->events, " %s", words[line->kind]);
	}
	(void)fputc('\n', dump->events);
	return true;
}

/* All CPUs, the oldest line first; at the same time the lowest CPU. */
static void print_events(struct tapedump *dump)
{
	struct kmt_tape *tape = dump->tape;

	for (;;) {
		const struct dump_line *oldest = NULL;
		size_t oldest_at = 0;

		for (size_t i = 0; i < tape->nr_cpus; i++) {
			const struct dump_line *line = dump_cpu_peek(&dump->cpus[i]);

			if (line && (!oldest || line->time_ns < oldest->time_ns)) {
				oldest = line;
				oldest_at = i;
			}
		}
		if (!oldest)
			return;
		if (print_line(dump, oldest, kmt_chunk_reader_cpu(tape->cpus[oldest_at])))
			dump->has_lines[oldest_at] = true;
		dump_cpu_take(&dump->cpus[oldest_at]);
	}
}

static int read_events(struct tapedump *dump, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	struct kmt_tape *tape = dump->tape;
	int r;

	r = kmt_chunk_scratch_new(&scratch, err);
	if (r < 0)
		return r;
	dump->cpus = calloc(tape->nr_cpus + 1, sizeof(struct dump_cpu));
	dump->has_lines = calloc(tape->nr_cpus + 1, sizeof(bool));
	dump->events = tmpfile();
	if (!dump->cpus || !dump->has_lines || !dump->events)
		return kmt_fail(err, -ENOMEM, "out of memory, or no temporary file");
	for (size_t i = 0; i < tape->nr_cpus; i++) {
		r = dump_cpu_init(&dump->cpus[i], tape->cpus[i], scratch, &dump->formats->layout,
				  tape->manifest.end_ns, err);
		if (r < 0)
			return r;
	}
	print_events(dump);
	return 0;
}

/* Only if it isn't all that there are formats of. */
static void print_enabled(const struct tapedump *dump)
{
	const struct kmt_manifest *manifest = &dump->tape->manifest;
	bool is_default = true;
	char name[256];
	size_t nr = 0;

	for (size_t i = 0; i < dump->formats->nr_files; i++) {
		if (!formats_file_event(&dump->formats->files[i], name))
			continue;
		is_default &= nr < manifest->nr_events && strcmp(manifest->events[nr], name) == 0;
		nr++;
	}
	if (is_default && nr == manifest->nr_events)
		return;
	(void)fputs("enabled", stdout);
	for (size_t i = 0; i < manifest->nr_events; i++)
		(void)printf(" %s", manifest->events[i]);
	(void)fputc('\n', stdout);
}

static void print_symbols(const struct tapedump *dump)
{
	static const char *const names[] = { [KMT_SYMBOLS_NONE] = "none",
					     [KMT_SYMBOLS_HIDDEN] = "hidden",
					     [KMT_SYMBOLS_GOOD] = "good" };
	enum kmt_symbols_state state = dump->tape->manifest.symbols;
	int digits = (int)dump->tape->manifest.long_bytes * 2;
	size_t nr_printed = 0;

	for (unsigned int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < dump->symtab.nr; i++) {
			const struct symbol *symbol = &dump->symtab.symbols[i];

			if ((symbol->line != 0) != (pass != 0) ||
			    (!symbol->is_used && !dump->has_all_symbols))
				continue;
			nr_printed++;
			if (pass)
				(void)printf("module_symbol %u ", symbol->line);
			else
				(void)printf("symbol ");
			(void)printf("%0*" PRIx64 " %c ", digits, symbol->address, symbol->type);
			script_put_text(stdout, symbol->name, 1);
			if (!pass && symbol->module)
				(void)printf(" [%s]", symbol->module);
			(void)fputc('\n', stdout);
		}
		/* A module_symbol line needs the module line that it speaks of. */
		if (pass == 0 && dump->modules) {
			const char *at = dump->modules;

			for (const char *end; (end = strchr(at, '\n')); at = end + 1)
				(void)printf("module %.*s\n", (int)(end - at), at);
		}
	}
	if (state != (nr_printed ? KMT_SYMBOLS_GOOD : KMT_SYMBOLS_NONE))
		(void)printf("symbols %s\n", names[state]);
}

static void print_comms(const struct tapedump *dump)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char *save, *line;
	size_t bytes;

	if (kmt_tape_read_text(dump->tape, "comms", &text, &bytes, NULL) < 0)
		return;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *tab = strchr(line, '\t');

		if (!tab)
			continue;
		*tab = '\0';
		script_unescape(tab + 1);
		(void)printf("comm %s ", line);
		script_put_text(stdout, tab + 1, 0);
		(void)fputc('\n', stdout);
	}
}

static int note_bad_snapshots(const char *what)
{
	(void)fprintf(stderr, "tapedump: snapshots.zst: %s\n", what);
	return 1;
}

/* Return: false if the line isn't the head of snapshot @nr. */
static bool print_snapshot_head(const char *line, size_t nr)
{
	char why[16], again[96];
	uint64_t time_ns;

	if (sscanf(line, "==> snapshot %*u at %" SCNu64 " %15s <==", &time_ns, why) != 2)
		return false;
	(void)snprintf(again, sizeof(again), "==> snapshot %zu at %" PRIu64 " %s <==", nr, time_ns,
		       why);
	if (strcmp(line, again) != 0)
		return false;
	(void)printf("snapshot %" PRIu64 " %s\n", time_ns, why);
	return true;
}

/* Return: 0; 1 if it is damaged, or no text of snapshots; negative errno. */
static int print_snapshots(const struct tapedump *dump, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes, nr = 0;
	int r;

	r = kmt_chunk_read_text(dump->tape->members, "snapshots.zst", SNAPSHOTS_BYTES_MAX, &text,
				&bytes, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	for (char *line = text, *end; line < text + bytes; line = end + 1) {
		end = strchrnul(line, '\n');
		if (!*end)
			return note_bad_snapshots("the last line has no end");
		*end = '\0';
		if (print_snapshot_head(line, nr))
			nr++;
		else if (!nr)
			return note_bad_snapshots("no snapshot at the beginning");
		else
			(void)printf(*line ? "| %s\n" : "|\n", line);
	}
	return 0;
}

static int copy_events(const struct tapedump *dump, struct kmt_err *err)
{
	char block[65536];
	size_t n;

	rewind(dump->events);
	while ((n = fread(block, 1, sizeof(block), dump->events)) > 0)
		(void)fwrite(block, 1, n, stdout);
	if (ferror(dump->events) || fflush(stdout) != 0 || ferror(stdout))
		return kmt_fail(err, -EIO, "standard output: %s", strerror(errno));
	return 0;
}

static int print_tape(struct tapedump *dump, struct kmt_err *err)
{
	struct kmt_tape *tape = dump->tape;
	char formats[PATH_MAX];
	int r;

	find_formats(dump, formats);
	script_header_print(stdout, &tape->manifest, formats, dump->formats);
	print_enabled(dump);
	for (size_t i = 0; i < tape->nr_cpus; i++)
		if (!dump->has_lines[i])
			(void)printf("cpu %u\n", kmt_chunk_reader_cpu(tape->cpus[i]));
	print_symbols(dump);
	print_comms(dump);
	r = print_snapshots(dump, err);
	if (r < 0)
		return r;
	dump->has_bad_snapshots = r > 0;
	return copy_events(dump, err);
}

static void tapedump_deinit(struct tapedump *dump)
{
	for (size_t i = 0; dump->cpus && i < dump->tape->nr_cpus; i++)
		dump_cpu_deinit(&dump->cpus[i]);
	free(dump->cpus);
	free(dump->has_lines);
	kmt_fclosep(&dump->events);
	symtab_deinit(&dump->symtab);
	free(dump->modules);
	(void)formats_dir_free(dump->formats);
	(void)kmt_tape_free(dump->tape);
}

/* Return: 0; 1 if something was damaged; negative errno. */
static int run(struct tapedump *dump, const char *path, struct kmt_err *err)
{
	char events[PATH_MAX];
	int r;

	r = kmt_tape_open(path, &dump->tape, err);
	if (r < 0)
		return r;
	(void)snprintf(events, sizeof(events), "%s/events", path);
	r = formats_dir_load(events, dump->tape->manifest.is_big_endian,
			     dump->tape->manifest.long_bytes, FORMATS_ALL, &dump->formats, err);
	if (r < 0)
		return r;
	if (dump->formats->layout.subbuf_bytes != dump->tape->manifest.subbuf_bytes)
		return kmt_fail(err, -EBADMSG, "%s: header_page says %u, the manifest %u", path,
				dump->formats->layout.subbuf_bytes,
				dump->tape->manifest.subbuf_bytes);
	(void)((r = read_all_symbols(dump, err)) < 0 || (r = read_events(dump, err)) < 0 ||
	       (r = print_tape(dump, err)) < 0);
	if (r < 0)
		return r;
	if (dump->nr_unknown)
		(void)fprintf(stderr,
			      "tapedump: %" PRIu64 " records of events without a format file\n",
			      dump->nr_unknown);
	for (size_t i = 0; i < dump->tape->nr_cpus; i++)
		if (dump->cpus[i].is_damaged)
			return 1;
	return dump->has_bad_snapshots;
}

static void usage(FILE *out)
{
	(void)fputs("usage: tapedump TAPE [--all-symbols] [--formats DIR]\n"
		    "Print the text form of a tape, from which mktape makes it again.\n"
		    "  --all-symbols   also the symbols that no event needs\n"
		    "  --formats DIR   where to look for a name for the `formats` line\n"
		    "                  [" MKTAPE_FORMATS_DIR "]\n",
		    out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "all-symbols", no_argument, NULL, 'a' },
						 { "formats", required_argument, NULL, 'f' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	struct tapedump dump = { .formats_base = MKTAPE_FORMATS_DIR };
	struct kmt_err err = { "" };
	int c, r;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			dump.has_all_symbols = true;
			break;
		case 'f':
			dump.formats_base = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc) {
		usage(stderr);
		return 2;
	}
	r = run(&dump, argv[optind], &err);
	tapedump_deinit(&dump);
	if (r < 0)
		(void)fprintf(stderr, "tapedump: %s\n", err.text);
	return r == 0 ? 0 : 1;
}
