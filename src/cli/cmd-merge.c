// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "kmemtape/judgement.h"
#include "kmemtape/fleet.h"

#include "opt.h"
#include "output.h"
#include "status.h"
#include "summaries.h"

static int format, group;
static uint64_t top = UINT64_MAX, grace_ns = KMT_GRACE_NS;
static const char *output;

static const struct kmt_opt options[] = {
	{ 0, "format", "FORMAT", KMT_OPT_WORD, &format, .words = kmt_summaries_format_words,
	  .word_helps = kmt_summaries_format_helps, .help = "what to write [text]:" },
	{ 'o', "output", "FILE", KMT_OPT_TEXT, &output,
	  .help = "where to, replacing what is there; '-' for stdout\n[-]" },
	{ 0, "by", "WHAT", KMT_OPT_WORD, &group, .words = kmt_summaries_group_words,
	  .help = "one for each site, cache or module [site]" },
	{ 0, "grace", "TIME", KMT_OPT_TIME, &grace_ns, 0, UINT64_MAX,
	  .help = "of tapes: what is younger at the end is no leak\nyet [10s]" },
	{ 0, "top", "N", KMT_OPT_UINT, &top, 0, UINT32_MAX,
	  .help = "sites at most, 0 for all, healthy ones included\n[what leaks; json: 0]" },
	KMT_STATUS_OPTION,
	{ 0 },
};

static int run(int argc, char **argv);

const struct kmt_command kmt_command_merge = {
	.name = "merge",
	.summary = "Many tapes as one report: of a fleet, or of one host over days",
	.usage = "[OPTION...] TAPE|REPORT...",
	.notes = "Each is a tape, or what 'kmemtape replay --format json' wrote of one. Exit\n"
		 "status: 0 done, 1 failed, 2 wrong arguments.\n",
	.run = run,
};

static int check_usage(int argc, char **argv)
{
	const struct kmt_command *command = &kmt_command_merge;

	if (argc < 1)
		return kmt_complain(command, KMT_EXIT_USAGE, "which TAPEs, or reports of them?");
	if (argc > KMT_SUMMARIES_MAX)
		return kmt_complain(command, KMT_EXIT_USAGE, "more than %d at a time",
				    KMT_SUMMARIES_MAX);
	return kmt_summaries_check_output(&kmt_command_merge, argv, (size_t)argc, output);
}

/* As kmt_summaries_format_words */
static int (*const writers[])(const struct kmt_fleet *fleet, uint64_t top, FILE *file,
			      struct kmt_err *err) = {
	kmt_fleet_text,
	kmt_fleet_json,
	kmt_fleet_page,
};

static int write_fleet(const struct kmt_fleet *fleet, FILE **file, struct kmt_err *err)
{
	int r = writers[format](fleet, kmt_summaries_top(format, top), *file, err);
	int closed = kmt_output_close(file, output, r < 0 ? NULL : err);

	return r < 0 ? r : closed;
}

static void free_all(struct kmt_summary *(*tapes)[KMT_SUMMARIES_MAX])
{
	for (size_t i = 0; i < KMT_SUMMARIES_MAX; i++)
		(*tapes)[i] = kmt_summary_free((*tapes)[i]);
}

static int run(int argc, char **argv)
{
	KMT_CLEANUP(free_all) struct kmt_summary *tapes[KMT_SUMMARIES_MAX] = { NULL };
	KMT_CLEANUP(kmt_fleet_freep) struct kmt_fleet *fleet = NULL;
	KMT_CLEANUP(kmt_outputp) FILE *file = NULL;
	struct kmt_replay_options replay;
	struct kmt_err err = { "" };
	size_t nr;
	int first, r;

	r = kmt_opt_parse(&kmt_command_merge, options, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r < 0 ? KMT_EXIT_USAGE : KMT_EXIT_DONE;
	r = check_usage(argc - first, argv + first);
	if (r != KMT_EXIT_DONE)
		return r;
	nr = (size_t)(argc - first);
	replay = (struct kmt_replay_options){
		.group = (enum kmt_group)group,
		.grace_ns = grace_ns,
		.nr_threads = kmt_summaries_threads(),
	};
	r = kmt_output_open(&kmt_command_merge, argv[first], output, &file, &err);
	if (r == 0)
		r = kmt_summaries_load(&kmt_command_merge, argv + first, nr, &replay, tapes, &err);
	if (r == 0)
		r = kmt_fleet_new(tapes, nr, &fleet, &err);
	if (r == 0)
		r = write_fleet(fleet, &file, &err);
	if (r < 0)
		return kmt_complain(&kmt_command_merge, KMT_EXIT_FAILED, "%s", err.text);
	return KMT_EXIT_DONE;
}
