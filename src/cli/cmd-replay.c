// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "kmemtape/replay.h"
#include "kmemtape/report.h"
#include "kmemtape/tape.h"

#include "opt.h"

#define THREADS_MAX 256

static const char *const format_words[] = { "text", "json", NULL };
static const char *const group_words[] = { "site", "cache", "module", "comm", "pid", NULL };
static const char *const sort_words[] = { "suspicion", "bytes", "objects", "allocs", "age", NULL };

static int format, group, order;
static uint64_t older_ns, grace_ns = KMT_GRACE_NS, top = UINT64_MAX, nr_threads = UINT64_MAX;

static const struct kmt_opt options[] = {
	{ 0, "format", "FORMAT", KMT_OPT_WORD, &format, .words = format_words,
	  .help = "text, or json (schema 1) [text]" },
	{ 0, "by", "WHAT", KMT_OPT_WORD, &group, .words = group_words,
	  .help = "one line for each site, cache, module, comm or\npid [site]" },
	{ 0, "sort", "ORDER", KMT_OPT_WORD, &order, .words = sort_words,
	  .help = "by suspicion, live bytes, live objects, allocs or\nage of the oldest live object [suspicion]" },
	{ 0, "older", "TIME", KMT_OPT_TIME, &older_ns, 0, UINT64_MAX,
	  .help = "leave out what was younger when the tape ended\n[0]" },
	{ 0, "grace", "TIME", KMT_OPT_TIME, &grace_ns, 0, UINT64_MAX,
	  .help = "what was younger when the tape ended is no leak yet\n[10s]" },
	{ 0, "top", "N", KMT_OPT_UINT, &top, 0, UINT32_MAX,
	  .help = "lines at most, 0 for all [text 20, json 0]" },
	{ 0, "threads", "N", KMT_OPT_UINT, &nr_threads, 0, THREADS_MAX,
	  .help = "that decode ahead; the result is the same\n[CPUs less one]" },
	{ 0 },
};

static int run(int argc, char **argv);

const struct kmt_command kmt_command_replay = {
	.name = "replay",
	.summary = "Rebuild the live allocations of a tape, and show who owns them",
	.usage = "[OPTION...] TAPE",
	.notes = "Needs no privilege, and nothing of the machine that recorded.\n"
		 "Times take ns us ms s m h.\n",
	.run = run,
};

static int report_on(const struct kmt_result *result, struct kmt_err *err)
{
	bool is_json = format == 1;
	struct kmt_report_options report = { .top = top == UINT64_MAX ? (is_json ? 0 : 20) : top };

	if (is_json)
		return kmt_report_json(result, &report, stdout, err);
	kmt_report_text(result, &report, stdout);
	return 0;
}

static unsigned int default_threads(void)
{
	long nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (nr_cpus <= 1)
		return 0;
	return nr_cpus > THREADS_MAX ? THREADS_MAX : (unsigned int)nr_cpus - 1;
}

static int run(int argc, char **argv)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = NULL;
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	struct kmt_replay_options replay;
	struct kmt_err err = { "" };
	int first, r;

	r = kmt_opt_parse(&kmt_command_replay, options, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r < 0 ? KMT_EXIT_USAGE : KMT_EXIT_DONE;
	if (argc - first != 1)
		return kmt_complain(&kmt_command_replay, KMT_EXIT_USAGE,
				    argc == first ? "which TAPE?" : "one TAPE at a time");
	replay = (struct kmt_replay_options){
		.group = (enum kmt_group)group,
		.sort = (enum kmt_sort)order,
		.older_ns = older_ns,
		.grace_ns = grace_ns,
		.nr_threads =
			nr_threads == UINT64_MAX ? default_threads() : (unsigned int)nr_threads,
	};
	r = kmt_tape_open(argv[first], &tape, &err);
	if (r == 0)
		r = kmt_replay(tape, &replay, &result, &err);
	if (r == 0)
		r = report_on(result, &err);
	if (r < 0)
		return kmt_complain(&kmt_command_replay, KMT_EXIT_FAILED, "%s", err.text);
	return KMT_EXIT_DONE;
}
