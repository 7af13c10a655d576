// SPDX-License-Identifier: GPL-2.0-only
#include "kmemtape/share.h"

#include "opt.h"
#include "status.h"
#include "tape-output.h"

#define REWRITE_TIMES 2 /* it looks at all before it writes */

static const char *output;

static const struct kmt_opt options[] = {
	{ 'o', "output", "NEW", KMT_OPT_TEXT, &output,
	  .help = "the new tape: a directory that doesn't exist yet, or\nis empty" },
	KMT_STATUS_OPTION,
	{ 0 },
};

static int run(int argc, char **argv);

const struct kmt_command kmt_command_recover = {
	.name = "recover",
	.summary = "Make a good tape of a damaged one, and say what is lost",
	.usage = "-o NEW TAPE",
	.notes = "What is lost is marked as lost on the new tape, so that no report takes it for\n"
		 "memory that was never freed. TAPE stays as it is.\n",
	.run = run,
};

static int recover(const char *path, const char *product, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	KMT_CLEANUP(kmt_freep) char *lost = NULL;
	struct kmt_err damage;
	int r = kmt_tape_open_damaged(path, &tape, &damage, err);

	if (r < 0)
		return r;
	kmt_status_watch(&kmt_command_recover, tape, REWRITE_TIMES);
	r = kmt_share_recover(tape, &damage, product, &lost, err);
	kmt_status_stop();
	if (r < 0)
		return r;
	if (*lost)
		kmt_print_lines(lost);
	else
		kmt_print("nothing is lost");
	return 0;
}

static int run(int argc, char **argv)
{
	const struct kmt_command *command = &kmt_command_recover;
	struct kmt_err err = { "" };
	int first, r;

	r = kmt_opt_parse(command, options, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r < 0 ? KMT_EXIT_USAGE : KMT_EXIT_DONE;
	if (argc - first != 1)
		return kmt_complain(command, KMT_EXIT_USAGE,
				    argc == first ? "which TAPE?" : "one TAPE at a time");
	if (!output)
		return kmt_complain(command, KMT_EXIT_USAGE, "-o NEW is missing: where to?");
	r = kmt_tape_output(command, argv[first], output, recover, &err);
	return r < 0 ? kmt_complain(command, KMT_EXIT_FAILED, "%s", err.text) : KMT_EXIT_DONE;
}
