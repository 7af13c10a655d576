// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kmemtape/fs.h"
#include "kmemtape/result.h"
#include "kmemtape/survey.h"
#include "kmemtape/units.h"

#include "operand.h"
#include "opt.h"

#define COLUMNS 80
#define INDENT	12

static const char *const format_words[] = { "text", "json", NULL };
static int format;

static const struct kmt_opt options[] = {
	{ 0, "format", "FORMAT", KMT_OPT_WORD, &format, .words = format_words,
	  .help = "text, or json: the tape's manifest as it is [text]" },
	{ 0 },
};

static int run(int argc, char **argv);

const struct kmt_command kmt_command_info = {
	.name = "info",
	.summary = "Show what is on a tape, without replaying it",
	.usage = "[OPTION...] TAPE",
	.run = run,
};

static void print_text(const char *name, const char *text)
{
	char escaped[2 * KMT_MANIFEST_TEXT_BYTES];

	if (*text)
		printf("%-12s%s\n", name, kmt_escape(escaped, sizeof(escaped), text));
}

static void print_time(const struct kmt_manifest *manifest)
{
	char duration[KMT_UNITS_BYTES], text[64] = "";
	int64_t wall_ns;
	struct tm tm;
	time_t s;

	if (manifest->start_ns && !__builtin_add_overflow(manifest->wall_offset_ns,
							  (int64_t)manifest->start_ns, &wall_ns)) {
		s = (time_t)(wall_ns / 1000000000);
		if (gmtime_r(&s, &tm))
			(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
		print_text("started", text);
	}
	if (manifest->end_ns > manifest->start_ns && manifest->start_ns)
		print_text("duration",
			   kmt_format_time(duration, manifest->end_ns - manifest->start_ns));
}

static void print_clock(const struct kmt_manifest *manifest)
{
	int64_t set_ns = kmt_manifest_clock_set_ns(manifest);
	char time[KMT_UNITS_BYTES];

	print_text("clock", manifest->clock);
	if (set_ns)
		printf("%-12sthe wall clock was set by %+lld s while recording\n", "",
		       (long long)(set_ns / 1000000000));
	if (manifest->suspended_ns)
		printf("%-12sthe machine was suspended for %s\n", "",
		       kmt_format_time(time, manifest->suspended_ns));
}

static void print_probes(const struct kmt_manifest *manifest)
{
	char escaped[2 * KMT_PROBE_NAME_BYTES];

	for (size_t i = 0; i < manifest->nr_probes; i++)
		printf("  %s: %" PRIu64 " calls, %" PRIu64 " missed\n",
		       kmt_escape(escaped, sizeof(escaped), manifest->probes[i].event),
		       manifest->probes[i].hits, manifest->probes[i].missed);
}

/* "sample      1 in 8 addresses, 1 in 8 page frames" */
static void print_sample(const struct kmt_manifest *manifest)
{
	uint64_t sample = manifest->sample;

	if (sample == 1)
		return;
	printf("%-12s", "sample");
	if (manifest->sample_mask)
		printf("1 in %" PRIu64 " addresses", sample);
	if (manifest->sample_page_mask)
		printf("%s1 in %" PRIu64 " page frames", manifest->sample_mask ? ", " : "", sample);
	printf("\n");
}

/* Names and events are of letters, checked when the manifest was read; conditions are any text. */
static void print_filters(const struct kmt_manifest *manifest)
{
	char escaped[2 * KMT_MANIFEST_TEXT_BYTES];

	if (manifest->nr_filters)
		printf("filters     not all allocations were recorded; all frees were\n");
	for (size_t i = 0; i < manifest->nr_filters; i++)
		printf("  %s: %s\n", manifest->filters[i].event,
		       kmt_escape(escaped, sizeof(escaped), manifest->filters[i].text));
}

static void print_disturbances(const struct kmt_manifest *manifest)
{
	char escaped[2 * KMT_DISTURBANCE_BYTES], at[KMT_UNITS_BYTES], took[KMT_UNITS_BYTES];

	if (manifest->nr_disturbances)
		printf("disturbed   by somebody else, who touched what record had set\n");
	for (size_t i = 0; i < manifest->nr_disturbances; i++) {
		const struct kmt_disturbance *d = &manifest->disturbances[i];
		uint64_t since_ns =
			d->from_ns > manifest->start_ns ? d->from_ns - manifest->start_ns : 0;

		printf("  at %s, for %s: %s\n", kmt_format_time(at, since_ns),
		       d->to_ns == KMT_DISTURBANCE_LASTS
			       ? "good"
			       : kmt_format_time(took, d->to_ns - d->from_ns),
		       kmt_escape(escaped, sizeof(escaped), d->what));
	}
}

static void print_pairs(const struct kmt_manifest *manifest)
{
	for (size_t i = 0; i < manifest->nr_pairs; i++) {
		const struct kmt_pair *pair = &manifest->pairs[i];

		printf("%-12s%s: %s, %s by %s%s%s\n", i ? "" : "pairs", pair->name, pair->alloc,
		       pair->is_count ? "counted down" : "freed", pair->free,
		       *pair->module ? " of " : "", pair->module);
	}
}

static void print_vmalloc(const struct kmt_manifest *manifest)
{
	if (!strstr(manifest->sets, "vmalloc"))
		return;
	print_text("vmalloc", strcmp(manifest->vmalloc, "events") == 0	 ? "by its events"
			      : strcmp(manifest->vmalloc, "probes") == 0 ? "by probes"
			      : *manifest->vmalloc			 ? manifest->vmalloc
						   : "by copies of vmallocinfo only");
}

static void print_events(const struct kmt_manifest *manifest)
{
	size_t column = (size_t)printf("%-*s", INDENT, "events");

	for (size_t i = 0; i < manifest->nr_events; i++) {
		size_t bytes = strlen(manifest->events[i]);

		if (i && column + 1 + bytes > COLUMNS) {
			printf("\n%*s", INDENT, "");
			column = INDENT;
		} else if (i) {
			column += (size_t)printf(" ");
		}
		column += (size_t)printf("%s", manifest->events[i]);
	}
	printf("\n");
}

static void print_manifest(const struct kmt_manifest *manifest)
{
	const char *host = kmt_known_host(manifest->host);
	char text[KMT_UNITS_BYTES * 3];

	print_text("recorder", manifest->recorder);
	print_text("kernel", manifest->kernel);
	print_text("version", manifest->kernel_version);
	(void)snprintf(text, sizeof(text), "%.40s, %u bit, %s-endian", manifest->arch,
		       manifest->long_bytes * 8, manifest->is_big_endian ? "big" : "little");
	print_text("arch", text);
	print_text("host", host ? host : "unknown");
	print_time(manifest);
	print_clock(manifest);
	print_text("sets", manifest->sets);
	print_events(manifest);
	print_vmalloc(manifest);
	print_text("stacks", manifest->stacks);
	print_sample(manifest);
	print_filters(manifest);
	print_disturbances(manifest);
	print_pairs(manifest);
	print_text("free probes", manifest->free_probes);
	print_probes(manifest);
	print_text("command", manifest->command);
	if (manifest->has_command_status)
		printf("%-12s%d\n", "  exited", manifest->command_status);
	if (manifest->is_redacted)
		print_text("redacted", "yes: addresses are made up, names of tasks left out");
	print_text("symbols", manifest->symbols == KMT_SYMBOLS_GOOD ? "yes"
			      : manifest->symbols == KMT_SYMBOLS_HIDDEN
				      ? "hidden by the kernel (kptr_restrict)"
				      : "no");
	print_text("closed", manifest->is_closed
				     ? "yes"
				     : "no: the recorder was stopped hard, or still runs");
	print_text("ended", manifest->ended_why);
}

static void print_files(const struct kmt_tape *tape, const struct kmt_survey_file *files)
{
	uint64_t raw_bytes = 0, zstd_bytes = 0;
	char raw[KMT_UNITS_BYTES], zstd[KMT_UNITS_BYTES];

	if (tape->manifest.is_distilled) {
		printf("%-12swhat was known at the end, instead of %zu CPUs' events\n", "distilled",
		       tape->manifest.nr_cpus);
		printf("%-12s%" PRIu64 "\n", "lost", kmt_manifest_lost(&tape->manifest));
		return;
	}
	for (size_t i = 0; i < tape->nr_cpus; i++) {
		raw_bytes += files[i].raw_bytes;
		zstd_bytes += files[i].zstd_bytes;
		if (files[i].problems)
			kmt_print("%-12s%s", "problem", files[i].problem.text);
	}
	if (kmt_members_damage(tape->members))
		kmt_print("%-12s%s", "problem", kmt_members_damage(tape->members));
	printf("%-12s%zu, %s raw, %s compressed", "CPUs", tape->nr_cpus,
	       kmt_format_size(raw, raw_bytes), kmt_format_size(zstd, zstd_bytes));
	if (zstd_bytes)
		printf(" (%.1f : 1)", (double)raw_bytes / (double)zstd_bytes);
	printf("\n%-12s%" PRIu64 "\n", "lost", kmt_manifest_lost(&tape->manifest));
}

/* Heads of snapshots are lines "==> snapshot N at CLOCK_NS WHEN <==". */
static const char snapshot_head[] = "==> snapshot ";

struct heads {
	uint64_t nr;
	size_t matched; /* bytes of the line that are those of a head */
	bool is_passed; /* whatever follows in this line */
};

static void count_heads(void *context, const char *text, size_t bytes)
{
	struct heads *heads = context;

	for (size_t i = 0; i < bytes;) {
		if (heads->is_passed) {
			const char *end = memchr(text + i, '\n', bytes - i);

			if (!end)
				return;
			i = (size_t)(end - text) + 1;
			heads->is_passed = false;
			heads->matched = 0;
		} else if (text[i] != snapshot_head[heads->matched]) {
			heads->is_passed = true; /* this byte may end the line */
		} else {
			i++;
			heads->is_passed = ++heads->matched == sizeof(snapshot_head) - 1;
			heads->nr += heads->is_passed;
		}
	}
}

static void print_snapshots(const struct kmt_tape *tape)
{
	struct heads heads = { .nr = 0 };

	if (kmt_chunk_scan_text(tape->members, "snapshots.zst", count_heads, &heads, NULL) < 0)
		return;
	printf("%-12s%" PRIu64 " of the kernel's counters\n", "snapshots", heads.nr);
}

static int print_json(const struct kmt_tape *tape, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL, *escaped = NULL;
	size_t bytes;
	int r;

	r = kmt_tape_read_text(tape, "manifest.json", &text, &bytes, err);
	if (r < 0)
		return r;
	if (kmt_escape_json(text, &escaped) < 0)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", tape->path);
	printf("%s\n", escaped);
	return 0;
}

static int run(int argc, char **argv)
{
	KMT_CLEANUP(kmt_freep) struct kmt_survey_file *files = NULL;
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	struct kmt_sandbox sandbox = { .nr_reads = 0 };
	struct kmt_err err = { "" };
	int first, r;

	r = kmt_opt_parse(&kmt_command_info, options, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r < 0 ? KMT_EXIT_USAGE : KMT_EXIT_DONE;
	if (argc - first != 1)
		return kmt_complain(&kmt_command_info, KMT_EXIT_USAGE,
				    argc == first ? "which TAPE?" : "one TAPE at a time");
	r = kmt_operand_open(&kmt_command_info, argv[first], &sandbox, &tape, &err);
	if (r == 0 && format == 1)
		r = print_json(tape, &err);
	else if (r == 0)
		r = kmt_survey(tape, false, &files, &err);
	if (r < 0)
		return kmt_complain(&kmt_command_info, KMT_EXIT_FAILED, "%s", err.text);
	if (format == 1)
		return KMT_EXIT_DONE;
	print_manifest(&tape->manifest);
	print_files(tape, files);
	print_snapshots(tape);
	return KMT_EXIT_DONE;
}
