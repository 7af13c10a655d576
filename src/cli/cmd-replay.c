// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/fs.h"
#include "kmemtape/replay.h"
#include "kmemtape/report.h"
#include "kmemtape/site-query.h"
#include "kmemtape/suppression.h"
#include "kmemtape/tape.h"
#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "lines-process.h"
#include "lines-reader.h"
#include "look.h"
#include "operand.h"
#include "opt.h"
#include "output.h"
#include "page-replay.h"
#include "status.h"

#define THREADS_MAX	256
#define SECONDS_AN_HOUR 3600.0

/* As kmt_report_formats[] */
static const char *format_words[KMT_REPORT_FORMATS_MAX], *format_helps[KMT_REPORT_FORMATS_MAX];
/* As enum kmt_group */
static const char *const group_words[] = { "site", "cache", "module", "comm",
					   "pid",  "stack", "owner",  NULL };
static const char *const sort_words[] = { "suspicion", "bytes", "objects", "allocs", "age", NULL };
static const char *const fail_words[] = { "likely", "possible", NULL };

static int format, group = -1, order, fail_on = -1;
static uint64_t older_ns, grace_ns = KMT_GRACE_NS, top = UINT64_MAX, nr_threads = UINT64_MAX;
static uint64_t min_bytes, min_rate;
static struct kmt_opt_list suppression_files, owner_files;
static const char *explain, *only, *debuginfo, *output;
static uint64_t interval_ns;
static bool wants_exit_code, wants_lines, wants_tui, is_utf8, is_by_site_else;

static const struct kmt_opt options[] = {
	{ 0, "format", "FORMAT", KMT_OPT_WORD, &format, .words = format_words,
	  .word_helps = format_helps, .help = "what to write [text]:" },
	{ 'o', "output", "FILE", KMT_OPT_TEXT, &output,
	  .help = "where to, replacing what is there; '-' for stdout\n[-]" },
	{ 0, "tui", NULL, KMT_OPT_FLAG, &wants_tui,
	  .help = "look around in the report on the terminal; ? helps" },
	{ 0, "by", "WHAT", KMT_OPT_WORD, &group, .words = group_words,
	  .help = "one line for each site, cache, module, comm, pid,\nstack or owner: whom a site allocates for [site]" },
	{ 0, "sort", "ORDER", KMT_OPT_WORD, &order, .words = sort_words,
	  .help = "by suspicion, live bytes, live objects, allocs or\nage of the oldest live object [suspicion]" },
	{ 0, "grace", "TIME", KMT_OPT_TIME, &grace_ns, 0, UINT64_MAX,
	  .help = "what is younger at the end is no leak yet [10s]" },
	{ 0, "older", "TIME", KMT_OPT_TIME, &older_ns, 0, UINT64_MAX,
	  .help = "leave out what was younger when the tape ended\n[0]" },
	{ 0, "top", "N", KMT_OPT_UINT, &top, 0, UINT32_MAX,
	  .help = "rows at most, 0 for all, healthy ones included\n[text: 10 suspicious ones, openmetrics: 20,\nothers: 0]" },
	{ 0, "explain", "SITE", KMT_OPT_TEXT, &explain,
	  .help = "all that is known of foo, foo+0x4c, 0xADDRESS or\n'foo [module]', instead of the report" },
	{ 0, "interval", "TIME", KMT_OPT_TIME, &interval_ns, 1, UINT64_MAX,
	  .help = "what was allocated and freed in each interval, as\na table instead of the report" },
	{ 0, "only", "WHAT=NAME", KMT_OPT_TEXT, &only,
	  .help = "with --interval: of one site, cache, module, comm or\npid, as --by calls it" },
	{ 0, "lines", NULL, KMT_OPT_FLAG, &wants_lines,
	  .help = "show source lines, from debug information of the\nrecorded kernel and modules" },
	{ 0, "debuginfo", "PATH", KMT_OPT_TEXT, &debuginfo,
	  .help = "--lines, and look there first: a vmlinux, a module,\nor a directory with such" },
	{ 0, "suppress", "FILE", KMT_OPT_LIST, &suppression_files,
	  .help = "what is known: lines leak:PATTERN, as\nLeakSanitizer has them; may be given again" },
	{ 0, "owners", "FILE", KMT_OPT_LIST, &owner_files,
	  .help = "who allocates for others: lines helper PATTERN and\nowner PATTERN; may be given again" },
	{ 0, "exit-code", NULL, KMT_OPT_FLAG, &wants_exit_code,
	  .help = "exit with 3 when leaks were found" },
	{ 0, "fail-on", "VERDICT", KMT_OPT_WORD, &fail_on, .words = fail_words,
	  .help = "likely, or possible: what --exit-code takes for a\nleak [likely]" },
	{ 0, "min-bytes", "SIZE", KMT_OPT_SIZE, &min_bytes, 0, UINT64_MAX,
	  .help = "with --exit-code: forgive less than this [0]" },
	{ 0, "min-rate", "SIZE", KMT_OPT_SIZE, &min_rate, 0, UINT64_MAX,
	  .help = "with --exit-code: forgive what grows more slowly\nthan this an hour [0]" },
	{ 0, "threads", "N", KMT_OPT_UINT, &nr_threads, 0, THREADS_MAX,
	  .help = "that decode ahead; the result is the same\n[CPUs less one]" },
	KMT_STATUS_OPTION,
	{ 0 },
};

static int run(int argc, char **argv);

const struct kmt_command kmt_command_replay = {
	.name = "replay",
	.summary = "Rebuild a tape's live allocations, and say which call sites leak",
	.usage = "[OPTION...] TAPE",
	.notes = "Needs no privilege, and nothing of the machine that recorded. TAPE may also be\n"
		 "a trace.dat of trace-cmd.\n"
		 "Times take ns us ms s m h, sizes K M G T. Exit status: 0 done, 1 failed,\n"
		 "2 wrong arguments, 3 with --exit-code: leaks.\n",
	.run = run,
};

static void list_formats(void)
{
	for (size_t i = 0; kmt_report_formats[i].name; i++) {
		format_words[i] = kmt_report_formats[i].name;
		format_helps[i] = kmt_report_formats[i].help;
	}
}

/* Unless it was asked for. */
static void choose_group(void)
{
	if (group >= 0)
		return;
	is_by_site_else = kmt_report_formats[format].goes_by_stack;
	group = is_by_site_else ? KMT_BY_STACK : KMT_BY_SITE;
}

static bool is_for_terminal(void)
{
	return (!output || strcmp(output, "-") == 0) && isatty(STDOUT_FILENO);
}

/* In a pipe or a file the report is for a mail or a log, and stays ASCII. */
static bool is_utf8_terminal(void)
{
	if (!is_for_terminal())
		return false;
	(void)setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* Rows that the report shows; 0: all. */
static uint64_t row_limit(void)
{
	return top != UINT64_MAX ? top : kmt_report_formats[format].rows;
}

static int report_on(const struct kmt_result *result, FILE **file, struct kmt_err *err)
{
	struct kmt_report_options report = {
		.top = row_limit(),
		/* Who asks for an order or a number wants to see just that. */
		.hides_healthy = top == UINT64_MAX && order == KMT_SORT_SUSPICION,
		.is_utf8 = is_utf8,
	};
	int r = kmt_report_formats[format].write(result, &report, *file, err);
	int closed = kmt_output_close(file, output, r < 0 ? NULL : err);

	return r < 0 ? r : closed;
}

/* A loss that isn't shown is worse than no number. */
static void tell_doubts(const struct kmt_result *result)
{
	const struct kmt_report_format *chosen = &kmt_report_formats[format];
	char n[KMT_UNITS_BYTES];

	if (chosen->is_bare &&
	    (result->lost || result->totals.losses || !result->is_complete || result->sample > 1))
		(void)kmt_complain(&kmt_command_replay, 0,
				   "%s: %s%s events lost%s%s: %s has no place to say so",
				   result->path, kmt_words_lost(n, result),
				   result->lost || !result->totals.losses ? "" : " of",
				   result->is_complete ? "" : ", not complete",
				   result->sample > 1 ? ", a sample" : "", chosen->name);
}

static int load_suppressions(struct kmt_suppressions **ret_suppressions, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_suppressions_freep) struct kmt_suppressions *suppressions = NULL;
	int r = kmt_suppressions_new(&suppressions, err);

	for (size_t i = 0; r == 0 && i < suppression_files.nr; i++) {
		const char *path = suppression_files.texts[i];
		KMT_CLEANUP(kmt_freep) char *text = NULL;
		size_t bytes;

		r = kmt_read_file(AT_FDCWD, path, KMT_SUPPRESSIONS_BYTES_MAX, &text, &bytes, err);
		if (r == 0)
			r = kmt_suppressions_add(suppressions, path, text, bytes, err);
	}
	if (r == 0)
		*ret_suppressions = KMT_STEAL(suppressions);
	return r;
}

static int load_owners(struct kmt_owners **ret_owners, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_owners_freep) struct kmt_owners *owners = NULL;
	int r = kmt_owners_new(&owners, err);

	for (size_t i = 0; r == 0 && i < owner_files.nr; i++) {
		const char *path = owner_files.texts[i];
		KMT_CLEANUP(kmt_freep) char *text = NULL;
		size_t bytes;

		r = kmt_read_file(AT_FDCWD, path, KMT_OWNERS_BYTES_MAX, &text, &bytes, err);
		if (r == 0)
			r = kmt_owners_add(owners, path, text, bytes, err);
	}
	if (r == 0)
		*ret_owners = KMT_STEAL(owners);
	return r;
}

/* What a kernel's CI fails on: a verdict, of a leak that is worth it. */
static int exit_code(const struct kmt_verdict *verdict)
{
	enum kmt_leak least = fail_on == 1 ? KMT_LEAK_POSSIBLE : KMT_LEAK_LIKELY;

	if (!wants_exit_code || verdict->leak < least)
		return KMT_EXIT_DONE;
	if (verdict->is_unsized) /* objects of a pair: nobody knows that it is less */
		return KMT_EXIT_LEAKS;
	if (verdict->leaking_bytes < min_bytes ||
	    verdict->bytes_per_s * SECONDS_AN_HOUR < (double)min_rate)
		return KMT_EXIT_DONE;
	return KMT_EXIT_LEAKS;
}

/* "cache=dentry" to what it is, and its name. Return: false if it isn't of this form. */
static bool split_only(enum kmt_group *ret_group, const char **ret_name)
{
	const char *equals = only ? strchr(only, '=') : NULL;

	if (!equals || !equals[1])
		return false;
	for (int i = 0; i <= KMT_BY_PID; i++)
		if (strlen(group_words[i]) == (size_t)(equals - only) &&
		    strncmp(group_words[i], only, (size_t)(equals - only)) == 0) {
			*ret_group = (enum kmt_group)i;
			*ret_name = equals + 1;
			return true;
		}
	return false;
}

#define BAD_SITE "--%s: '%s' is no call site like foo, foo+0x4c, 0xADDRESS or 'foo [module]'"

static int check_asked(void)
{
	const struct kmt_command *command = &kmt_command_replay;
	struct kmt_site_query query;
	enum kmt_group only_by;
	uint64_t pid;
	const char *name;

	if ((explain || interval_ns) && !kmt_report_formats[format].has_asked)
		return kmt_complain(command, KMT_EXIT_USAGE, "--%s: %s has only rows",
				    explain ? "explain" : "interval",
				    kmt_report_formats[format].name);
	if (explain && group != KMT_BY_SITE)
		return kmt_complain(command, KMT_EXIT_USAGE,
				    "--explain is of a call site: no --by %s", group_words[group]);
	if (only && !interval_ns)
		return kmt_complain(command, KMT_EXIT_USAGE, "--only is for --interval");
	if (only && !split_only(&only_by, &name))
		return kmt_complain(command, KMT_EXIT_USAGE,
				    "--only: '%s' is not like cache=dentry (or site=, module=, "
				    "comm=, pid=)",
				    only);
	if (explain && kmt_site_query_parse(explain, &query) < 0)
		return kmt_complain(command, KMT_EXIT_USAGE, BAD_SITE, "explain", explain);
	if (only && only_by == KMT_BY_PID && strcmp(name, "<interrupt>") != 0 &&
	    (kmt_parse_uint(name, &pid) < 0 || pid > INT32_MAX))
		return kmt_complain(command, KMT_EXIT_USAGE, "--only: '%s' is no pid", name);
	if (only && only_by == KMT_BY_SITE && kmt_site_query_parse(name, &query) < 0)
		return kmt_complain(command, KMT_EXIT_USAGE, BAD_SITE, "only", name);
	return KMT_EXIT_DONE;
}

/* Names of tasks are what a redacted tape doesn't have: else all of them would be one. */
static int check_tape(const struct kmt_tape *tape, const struct kmt_replay_options *replay,
		      struct kmt_err *err)
{
	if (!tape->manifest.is_redacted ||
	    (replay->group != KMT_BY_COMM && (!replay->only || replay->only_by != KMT_BY_COMM)))
		return 0;
	return kmt_fail(err, -ENOTSUP,
			"%s: is redacted: it has no names of tasks to go by; --by pid tells them "
			"apart",
			tape->path);
}

/* A screen has it all: what would be printed instead can be opened there. */
static int check_tui(void)
{
	const char *other = format	  ? "--format"
			    : output	  ? "-o"
			    : explain	  ? "--explain"
			    : interval_ns ? "--interval"
					  : NULL;

	if (!wants_tui)
		return KMT_EXIT_DONE;
	if (other)
		return kmt_complain(&kmt_command_replay, KMT_EXIT_USAGE,
				    "--tui is a screen: %s is for what is printed", other);
	return kmt_look_check(&kmt_command_replay);
}

static int check_usage(int nr_operands)
{
	const struct kmt_command *command = &kmt_command_replay;

	if (nr_operands != 1)
		return kmt_complain(command, KMT_EXIT_USAGE,
				    nr_operands ? "one TAPE at a time" : "which TAPE?");
	if (!wants_exit_code && (fail_on >= 0 || min_bytes || min_rate))
		return kmt_complain(command, KMT_EXIT_USAGE, "--%s is for --exit-code",
				    fail_on >= 0 ? "fail-on"
				    : min_bytes	 ? "min-bytes"
						 : "min-rate");
	if (kmt_report_formats[format].is_binary && is_for_terminal())
		return kmt_complain(
			command, KMT_EXIT_USAGE,
			"--format: %s is nothing for a terminal: name a file with -o FILE",
			kmt_report_formats[format].name);
	return check_tui() == KMT_EXIT_DONE ? check_asked() : KMT_EXIT_USAGE;
}

/* In a process of its own, that is made before this one goes into its sandbox. */
static int start_lines(struct kmt_lines_process **ret_lines, struct kmt_replay_options *replay,
		       struct kmt_sandbox *sandbox, struct kmt_err *err)
{
	struct kmt_lines_reader reader;
	int r;

	kmt_lines_reader_init(&reader, debuginfo);
	r = kmt_lines_process_start(&reader.source, &kmt_lines_limits, ret_lines, err);
	if (r < 0)
		return r;
	replay->lines = kmt_lines_process_source(*ret_lines);
	sandbox->child = kmt_lines_process_pid(*ret_lines);
	return 0;
}

/* @ret_tape: is needed as long as the result is */
static int read_result(const struct kmt_operand *operand, struct kmt_replay_options *replay,
		       struct kmt_tape **ret_tape, struct kmt_result **ret_result,
		       struct kmt_err *err)
{
	bool is_page = kmt_report_formats[format].is_page;
	int r = kmt_operand_load(operand, ret_tape, err);

	if (r == 0)
		r = check_tape(*ret_tape, replay, err);
	if (r < 0)
		return r;
	kmt_status_watch(&kmt_command_replay, *ret_tape, is_page ? 2 : 1);
	r = is_page ? kmt_page_replay(*ret_tape, replay, ret_result, err)
		    : kmt_replay(*ret_tape, replay, ret_result, err);
	kmt_status_stop();
	return r;
}

static int run(int argc, char **argv)
{
	KMT_CLEANUP(kmt_suppressions_freep) struct kmt_suppressions *suppressions = NULL;
	KMT_CLEANUP(kmt_owners_freep) struct kmt_owners *owners = NULL;
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = NULL;
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	KMT_CLEANUP(kmt_lines_process_freep) struct kmt_lines_process *lines = NULL;
	KMT_CLEANUP(kmt_look_freep) struct kmt_look *look = NULL;
	struct kmt_sandbox sandbox = { .nr_reads = 0 };
	struct kmt_operand operand;
	struct kmt_replay_options replay;
	struct kmt_err err = { "" };
	KMT_CLEANUP(kmt_outputp) FILE *file = NULL;
	int first, r;

	list_formats();
	r = kmt_opt_parse(&kmt_command_replay, options, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r < 0 ? KMT_EXIT_USAGE : KMT_EXIT_DONE;
	choose_group();
	r = check_usage(argc - first);
	if (r != KMT_EXIT_DONE)
		return r;
	r = load_suppressions(&suppressions, &err);
	if (r == 0)
		r = load_owners(&owners, &err);
	replay = (struct kmt_replay_options){
		.group = (enum kmt_group)group,
		.is_by_site_else = is_by_site_else,
		.sort = (enum kmt_sort)order,
		.older_ns = older_ns,
		.grace_ns = grace_ns,
		.suppressions = suppressions,
		.lines_top = row_limit(),
		.owners = owners,
		.explain = explain,
		.interval_ns = interval_ns,
		.nr_threads = nr_threads == UINT64_MAX ? kmt_operand_threads(THREADS_MAX)
						       : (unsigned int)nr_threads,
	};
	(void)split_only(&replay.only_by, &replay.only);
	is_utf8 = is_utf8_terminal();
	if (r == 0)
		r = kmt_output_open(&kmt_command_replay, argv[first], output, &file, &err);
	if (r == 0)
		r = kmt_operand_enter(&kmt_command_replay, argv[first], &operand, &err);
	if (r == 0 && (wants_lines || debuginfo))
		r = start_lines(&lines, &replay, &sandbox, &err);
	if (r == 0 && wants_tui)
		r = kmt_look_new(argv[first], is_utf8, &sandbox, &look, &err);
	if (r == 0) {
		kmt_operand_allow(&operand, &sandbox);
		r = kmt_sandbox_enter(&sandbox, &err);
	}
	if (r == 0)
		r = look ? kmt_look_run(&look, &operand, &replay, check_tape, exit_code, &err)
			 : read_result(&operand, &replay, &tape, &result, &err);
	if (r == 0 && result)
		r = report_on(result, &file, &err);
	look = kmt_look_free(look); /* what is complained of is seen on the terminal as it was */
	if (r < 0)
		return kmt_complain(&kmt_command_replay, KMT_EXIT_FAILED, "%s", err.text);
	if (wants_tui)
		return r;
	tell_doubts(result);
	return exit_code(&result->verdict);
}
