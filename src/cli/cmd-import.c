// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "kmemtape/trace-dat.h"

#include "opt.h"
#include "sandbox.h"
#include "scratch.h"

static const char *output;

static const struct kmt_opt options[] = {
	{ 'o', "output", "TAPE", KMT_OPT_TEXT, &output,
	  .help = "the tape: a directory that doesn't exist yet, or is\nempty" },
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

/* An empty directory that is there stays, and becomes the tape. Else, only whole tapes get there.
 */
static int import(const char *path, struct kmt_err *err)
{
	bool is_there = faccessat(AT_FDCWD, output, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	struct kmt_sandbox sandbox = { .nr_reads = 0 };
	char directory[PATH_MAX], product[PATH_MAX + 8];
	int r = 0;

	if (!is_there)
		r = kmt_scratch_enter(&kmt_command_import, path, output, directory, err);
	if (r < 0)
		return r;
	if (!is_there)
		(void)snprintf(product, sizeof(product), "%s/" KMT_SCRATCH_PRODUCT, directory);
	kmt_sandbox_read(&sandbox, path);
	kmt_sandbox_write(&sandbox, is_there ? output : directory);
	r = kmt_sandbox_enter(&sandbox, err);
	if (r == 0)
		r = kmt_trace_dat_import(path, is_there ? output : product, err);
	if (r < 0 && !is_there)
		kmt_scratch_name_output(err, product, output);
	return r;
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
	r = import(argv[first], &err);
	return r < 0 ? kmt_complain(command, KMT_EXIT_FAILED, "%s", err.text) : KMT_EXIT_DONE;
}
