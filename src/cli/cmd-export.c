// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/trace-dat.h"

#include "operand.h"
#include "opt.h"
#include "scratch.h"
#include "status.h"

static const char *const format_words[] = { "trace.dat", NULL };
static int format;
static const char *output;

static const struct kmt_opt options[] = {
	{ 0, "format", "FORMAT", KMT_OPT_WORD, &format, .words = format_words,
	  .help = "trace.dat, for 'trace-cmd report' and kernelshark\n[trace.dat]" },
	{ 'o', "output", "FILE", KMT_OPT_TEXT, &output,
	  .help = "the file: must not exist yet; '-' isn't possible,\nas it isn't written in one go" },
	KMT_STATUS_OPTION,
	{ 0 },
};

static int run(int argc, char **argv);

const struct kmt_command kmt_command_export = {
	.name = "export",
	.summary = "Write a tape's events as a file that trace-cmd reads",
	.usage = "[OPTION...] -o FILE TAPE",
	.notes = "The kernel's counters and the recorder's notes have no place in such a file:\n"
		 "keep the tape.\n",
	.run = run,
};

static int run(int argc, char **argv)
{
	const struct kmt_command *command = &kmt_command_export;
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	char directory[PATH_MAX], product[PATH_MAX + 8];
	struct kmt_sandbox sandbox = { .nr_reads = 0 };
	struct kmt_err err = { "" };
	int first, r;

	r = kmt_opt_parse(command, options, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r < 0 ? KMT_EXIT_USAGE : KMT_EXIT_DONE;
	if (argc - first != 1)
		return kmt_complain(command, KMT_EXIT_USAGE,
				    argc == first ? "which TAPE?" : "one TAPE at a time");
	if (!output)
		return kmt_complain(command, KMT_EXIT_USAGE, "-o FILE is missing: where to?");
	if (strcmp(output, "-") == 0)
		return kmt_complain(command, KMT_EXIT_USAGE,
				    "--output: a trace.dat isn't written in one go: name a file");
	if (faccessat(AT_FDCWD, output, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return kmt_complain(command, KMT_EXIT_FAILED,
				    "%s: exists: remove it or name another file", output);
	r = kmt_scratch_enter(command, argv[first], output, directory, &err);
	kmt_sandbox_write(&sandbox, directory);
	if (r == 0)
		r = kmt_operand_open(command, argv[first], &sandbox, &tape, &err);
	(void)snprintf(product, sizeof(product), "%s/" KMT_SCRATCH_PRODUCT, directory);
	if (r == 0) {
		kmt_status_watch(command, tape, 1);
		r = kmt_trace_dat_export(tape, product, &err);
		kmt_status_stop();
	}
	kmt_scratch_name_output(&err, product, output);
	if (r < 0)
		return kmt_complain(command, KMT_EXIT_FAILED, "%s", err.text);
	if (r == 1)
		(void)kmt_complain(command, KMT_EXIT_DONE,
				   "%s: the rest is in %s, with marks where events are missing",
				   err.text, output);
	return KMT_EXIT_DONE;
}
