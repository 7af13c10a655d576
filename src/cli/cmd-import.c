// SPDX-License-Identifier: GPL-2.0-only
#include "opt.h"
#include "status.h"
#include "tape-output.h"

static const char *output;

static const struct kmt_opt options[] = {
	{ 'o', "output", "TAPE", KMT_OPT_TEXT, &output,
	  .help = "the tape: a directory that doesn't exist yet, or is\nempty" },
	KMT_STATUS_OPTION,
	{ 0 },
};

static int run(int argc, char **argv);

const struct kmt_command kmt_command_import = {
	.name = "import",
	.summary = "Make a tape of what trace-cmd recorded",
	.usage = "-o TAPE FILE",
	.notes = "FILE is a trace.dat, recorded with 'trace-cmd record -e kmem -C mono'.\n"
		 "'kmemtape replay FILE' does the same by itself, and keeps no tape.\n",
	.run = run,
};

static int import(const char *path, const char *product, struct kmt_err *err)
{
	return kmt_status_import(&kmt_command_import, path, product, err);
}

static int run(int argc, char **argv)
{
	const struct kmt_command *command = &kmt_command_import;
	struct kmt_err err = { "" };
	int first, r;

	r = kmt_opt_parse(command, options, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r < 0 ? KMT_EXIT_USAGE : KMT_EXIT_DONE;
	if (argc - first != 1)
		return kmt_complain(command, KMT_EXIT_USAGE,
				    argc == first ? "which FILE?" : "one FILE at a time");
	if (!output)
		return kmt_complain(command, KMT_EXIT_USAGE, "-o TAPE is missing: where to?");
	r = kmt_tape_output(command, argv[first], output, import, &err);
	return r < 0 ? kmt_complain(command, KMT_EXIT_FAILED, "%s", err.text) : KMT_EXIT_DONE;
}
