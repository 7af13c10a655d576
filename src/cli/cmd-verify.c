// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/replay.h"
#include "kmemtape/survey.h"
#include "kmemtape/symbols.h"
#include "kmemtape/units.h"

#include "operand.h"
#include "opt.h"
#include "status.h"

static bool is_quiet;

static const struct kmt_opt options[] = {
	{ 'q', "quiet", NULL, KMT_OPT_FLAG, &is_quiet, .help = "print problems only" },
	{ 0 },
};

static int run(int argc, char **argv);

const struct kmt_command kmt_command_verify = {
	.name = "verify",
	.summary = "Check every checksum and every record of a tape",
	.usage = "[OPTION...] TAPE",
	.notes =
		"Exits with 1 if the tape is cut or damaged, each problem in a line with file and\n"
		"offset. Events that were lost while recording are shown, but are no damage.\n",
	.run = run,
};

/* Return: problems found */
static uint64_t print_file(const struct kmt_tape *tape, const struct kmt_survey_file *file)
{
	char path[KMT_TAPE_CPU_PATH_BYTES], raw[KMT_UNITS_BYTES], lost[96] = "";

	kmt_tape_cpu_path(path, file->cpu);
	if (file->losses)
		(void)snprintf(lost, sizeof(lost),
			       ", lost %" PRIu64 " events in %" PRIu64 " places", file->lost,
			       file->losses);
	if (file->problems)
		kmt_print("%s", file->problem.text);
	if (file->problems > 1)
		kmt_print("%s/%s: and %" PRIu64 " more problems", tape->path, path,
			  file->problems - 1);
	if (!file->problems && !is_quiet)
		kmt_print("%s/%s: good, %" PRIu64 " chunks, %" PRIu64 " events, %s%s", tape->path,
			  path, file->chunks, file->events, kmt_format_size(raw, file->raw_bytes),
			  lost);
	return file->problems;
}

static void add_bytes(void *context, const char *text, size_t bytes)
{
	uint64_t *sum = context;

	(void)text;
	*sum += bytes;
}

/* Text files are chunk files too, where there are any. Return: problems found */
static uint64_t check_text(const struct kmt_tape *tape, const char *path)
{
	struct kmt_err err = { "" };
	uint64_t bytes = 0;
	int r;

	r = kmt_chunk_scan_text(tape->members, path, add_bytes, &bytes, &err);
	if (r == -ENOENT)
		return 0;
	if (r != KMT_CHUNK_END) {
		kmt_print("%s/%s", tape->path, err.text);
		return 1;
	}
	if (!is_quiet)
		kmt_print("%s/%s: good, %" PRIu64 " bytes of text", tape->path, path, bytes);
	return 0;
}

struct symbols_check {
	const struct kmt_tape *tape;
	uint64_t problems;
};

/* Return: none is there, which is how the symbols of a module may well be. */
static int check_module(void *context, unsigned int line, char **ret_text, size_t *ret_bytes)
{
	struct symbols_check *check = context;
	char path[64];

	(void)ret_text;
	(void)ret_bytes;
	(void)snprintf(path, sizeof(path), "symbols/%04u.zst", line);
	check->problems += check_text(check->tape, path);
	return -ENOENT;
}

/* What replay reads of them: others are not of the tape. Return: problems found */
static uint64_t check_symbols(const struct kmt_tape *tape)
{
	KMT_CLEANUP(kmt_symbols_freep) struct kmt_symbols *symbols = NULL;
	KMT_CLEANUP(kmt_freep) char *modules = NULL;
	struct symbols_check check = { tape, 0 };
	size_t bytes;

	if (kmt_tape_read_text(tape, "symbols/modules", &modules, &bytes, NULL) >= 0 &&
	    kmt_symbols_new(&symbols, NULL) == 0)
		(void)kmt_symbols_add_modules(symbols, modules, bytes, check_module, &check, NULL);
	return check.problems + check_text(tape, "symbols/kallsyms.zst");
}

/* What a distilled tape has instead of events. Return: problems found */
static uint64_t check_books(struct kmt_tape *tape)
{
	struct kmt_err err = { "" };

	if (!tape->manifest.is_distilled)
		return 0;
	if (kmt_replay_check_books(tape, &err) < 0) {
		printf("%s\n", err.text);
		return 1;
	}
	if (!is_quiet)
		printf("%s/books.zst: good, its numbers add up\n", tape->path);
	return 0;
}

static int run(int argc, char **argv)
{
	KMT_CLEANUP(kmt_freep) struct kmt_survey_file *files = NULL;
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	struct kmt_sandbox sandbox = { .nr_reads = 0 };
	struct kmt_err err = { "" };
	uint64_t problems = 0;
	int first, r;

	r = kmt_opt_parse(&kmt_command_verify, options, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r < 0 ? KMT_EXIT_USAGE : KMT_EXIT_DONE;
	kmt_status_is_quiet = is_quiet;
	if (argc - first != 1)
		return kmt_complain(&kmt_command_verify, KMT_EXIT_USAGE,
				    argc == first ? "which TAPE?" : "one TAPE at a time");
	r = kmt_operand_open(&kmt_command_verify, argv[first], &sandbox, &tape, &err);
	if (r == 0) {
		kmt_status_watch(&kmt_command_verify, tape, 1);
		r = kmt_survey(tape, true, &files, &err);
		kmt_status_stop();
	}
	if (r < 0)
		return kmt_complain(&kmt_command_verify, KMT_EXIT_FAILED, "%s%s", err.text,
				    r == -EBADMSG || r == -ENODATA ? " (see 'kmemtape recover')"
								   : "");
	for (size_t i = 0; i < tape->nr_cpus; i++)
		problems += print_file(tape, &files[i]);
	problems += check_symbols(tape);
	problems += check_books(tape);
	problems += check_text(tape, "snapshots.zst");
	if (kmt_members_damage(tape->members)) {
		kmt_print("%s", kmt_members_damage(tape->members));
		problems++;
	}
	if (!tape->manifest.is_closed) {
		kmt_print("%s/manifest.json: the recording was not closed", tape->path);
		problems++;
	}
	if (!is_quiet || problems)
		kmt_print(
			"%s: %s", tape->path,
			problems
				? "damaged or cut ('kmemtape recover' makes a good one of the rest)"
				: "good");
	return problems ? KMT_EXIT_FAILED : KMT_EXIT_DONE;
}
