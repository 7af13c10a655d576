// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "kmemtape/diff.h"
#include "kmemtape/judgement.h"

#include "opt.h"
#include "output.h"
#include "status.h"
#include "summaries.h"

/* What fails with --exit-code: the first unless told otherwise. */
static const char *const fail_words[] = { "worse", "cannot-tell", NULL };
#define FAIL_ON_UNTOLD 1

static int format, group, fail_on = -1;
static uint64_t top = UINT64_MAX, grace_ns = KMT_GRACE_NS;
static const char *output;
static bool wants_exit_code;

static const struct kmt_opt options[] = {
	{ 0, "format", "FORMAT", KMT_OPT_WORD, &format, .words = kmt_summaries_format_words,
	  .word_helps = kmt_summaries_format_helps, .help = "what to write [text]:" },
	{ 'o', "output", "FILE", KMT_OPT_TEXT, &output,
	  .help = "where to, replacing what is there; '-' for stdout\n[-]" },
	{ 0, "by", "WHAT", KMT_OPT_WORD, &group, .words = kmt_summaries_group_words,
	  .help = "compare each site, cache or module [site]" },
	{ 0, "grace", "TIME", KMT_OPT_TIME, &grace_ns, 0, UINT64_MAX,
	  .help = "of tapes: what is younger at the end is no leak\nyet [10s]" },
	{ 0, "top", "N", KMT_OPT_UINT, &top, 0, UINT32_MAX,
	  .help = "items at most, 0 for all, healthy ones included\n[what leaks; json: 0]" },
	{ 0, "exit-code", NULL, KMT_OPT_FLAG, &wants_exit_code,
	  .help = "exit with 3 when B is worse" },
	{ 0, "fail-on", "ANSWER", KMT_OPT_WORD, &fail_on, .words = fail_words,
	  .help = "worse, or cannot-tell: what --exit-code takes for a\nfailure [worse]" },
	KMT_STATUS_OPTION,
	{ 0 },
};

static int run(int argc, char **argv);

const struct kmt_command kmt_command_diff = {
	.name = "diff",
	.summary = "Compare two tapes: did the fix work, what does the bad host do?",
	.usage = "[OPTION...] A B",
	.notes = "A and B are tapes, or what 'kmemtape replay --format json' wrote of them.\n"
		 "Sites are matched by name, never by address. Exit status: 0 done, 1 failed,\n"
		 "2 wrong arguments, 3 with --exit-code: B leaks what A doesn't, or faster;\n"
		 "with --fail-on cannot-tell also if that can't be told.\n",
	.run = run,
};

static int check_usage(int argc, char **argv)
{
	if (argc != 2)
		return kmt_complain(&kmt_command_diff, KMT_EXIT_USAGE,
				    argc < 2 ? "which two, A and B?" : "two at a time, A and B");
	if (!wants_exit_code && fail_on >= 0)
		return kmt_complain(&kmt_command_diff, KMT_EXIT_USAGE,
				    "--fail-on is for --exit-code");
	return kmt_summaries_check_output(&kmt_command_diff, argv, (size_t)argc, output);
}

/* As kmt_summaries_format_words */
static int (*const writers[])(const struct kmt_diff *diff, uint64_t top, FILE *file,
			      struct kmt_err *err) = {
	kmt_diff_text,
	kmt_diff_json,
	kmt_diff_page,
};

static int write_diff(const struct kmt_diff *diff, FILE **file, struct kmt_err *err)
{
	int r = writers[format](diff, kmt_summaries_top(format, top), *file, err);
	int closed = kmt_output_close(file, output, r < 0 ? NULL : err);

	return r < 0 ? r : closed;
}

/* A change that can't be told may be one to the worse, whatever the others are. */
static int exit_code(const struct kmt_diff *diff)
{
	bool is_untold = diff->answer == KMT_ANSWER_UNTOLD ||
			 diff->nr_by_change[KMT_CHANGE_UNTOLD] ||
			 diff->nr_by_change[KMT_CHANGE_STILL];

	if (!wants_exit_code)
		return KMT_EXIT_DONE;
	return diff->answer == KMT_ANSWER_WORSE || (fail_on == FAIL_ON_UNTOLD && is_untold)
		       ? KMT_EXIT_LEAKS
		       : KMT_EXIT_DONE;
}

static void free_both(struct kmt_summary *(*tapes)[2])
{
	for (size_t i = 0; i < 2; i++)
		(*tapes)[i] = kmt_summary_free((*tapes)[i]);
}

static int run(int argc, char **argv)
{
	KMT_CLEANUP(free_both) struct kmt_summary *tapes[2] = { NULL, NULL };
	KMT_CLEANUP(kmt_diff_freep) struct kmt_diff *diff = NULL;
	KMT_CLEANUP(kmt_outputp) FILE *file = NULL;
	struct kmt_replay_options replay;
	struct kmt_err err = { "" };
	int first, r;

	r = kmt_opt_parse(&kmt_command_diff, options, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r < 0 ? KMT_EXIT_USAGE : KMT_EXIT_DONE;
	r = check_usage(argc - first, argv + first);
	if (r != KMT_EXIT_DONE)
		return r;
	replay = (struct kmt_replay_options){
		.group = (enum kmt_group)group,
		.grace_ns = grace_ns,
		.nr_threads = kmt_summaries_threads(),
	};
	r = kmt_output_open(&kmt_command_diff, argv[first], output, &file, &err);
	if (r == 0)
		r = kmt_summaries_load(&kmt_command_diff, argv + first, 2, &replay, tapes, &err);
	if (r == 0)
		r = kmt_diff_new(tapes[0], tapes[1], &diff, &err);
	if (r == 0)
		r = write_diff(diff, &file, &err);
	if (r < 0)
		return kmt_complain(&kmt_command_diff, KMT_EXIT_FAILED, "%s", err.text);
	return exit_code(diff);
}
