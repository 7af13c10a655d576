// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "kmemtape/record.h"
#include "kmemtape/units.h"

#include "opt.h"
#include "status.h"

#define NAME_BYTES 512
#define LINE_BYTES 256
#define HOUR_NS	   UINT64_C(3600000000000)
#define YEAR_NS	   (365 * 24 * HOUR_NS)
#define TIB_BYTES  (UINT64_C(1) << 40)

#define SAMPLE_MAX 64u

#define INVOKER_BYTES 64

#define CACHE_NAME_MAX	63
#define MODULE_NAME_MAX 55 /* MODULE_NAME_LEN is 56 on 64 bits */
#define COMM_MAX	15 /* TASK_COMM_LEN is 16 */

/* In the order of the bits of enum kmt_record_set; behind them, what is all of them. */
#define NR_SETS 4
static const char *const set_words[] = { "slab", "page", "percpu", "vmalloc", "all", NULL };

/* What the arguments say. */
static struct kmt_record_options options;
static const char *sets_text, *sample_text;
static uint64_t pid, max_cpu;
static bool has_all_stacks, has_no_stacks;
static bool is_quiet;
static struct kmt_opt_list pairs;

static const struct kmt_opt record_opts[] = {
	{ 'o', "output", "TAPE", KMT_OPT_TEXT, &options.path,
	  .help = "the tape to make, a directory\n[kmemtape-HOST-YYYYMMDD-HHMMSS.tape]" },
	{ 'd', "duration", "TIME", KMT_OPT_TIME, &options.duration_ns, 1000000, YEAR_NS,
	  .help = "stop after this time [at Ctrl-C]" },
	{ 'e', "events", "SETS", KMT_OPT_TEXT, &sets_text, .words = set_words,
	  .help = "what to record: slab,page,percpu,vmalloc or some\n"
		  "of these, or all [slab]" },
	{ 0, "stack", NULL, KMT_OPT_FLAG, &has_all_stacks,
	  .help = "record the stack of each allocation [of those that\n"
		  "have no other call site, as pages]" },
	{ 0, "no-stack", NULL, KMT_OPT_FLAG, &has_no_stacks, .help = "no stacks at all" },
	{ 0, "sample", "1/N", KMT_OPT_TEXT, &sample_text,
	  .help = "only objects at 1 in N addresses, and 1 in N pages;\n"
		  "N is a power of two up to 64 [1/1]" },
	{ 0, "cache", "NAME", KMT_OPT_TEXT, &options.filter.cache,
	  .help = "only allocations from this slab cache; may have *" },
	{ 0, "min-size", "SIZE", KMT_OPT_SIZE, &options.filter.min_bytes, 1, TIB_BYTES,
	  .help = "only allocations that are that large" },
	{ 0, "module", "NAME", KMT_OPT_TEXT, &options.filter.module,
	  .help = "only allocations by the code of this module" },
	{ 0, "pid", "PID", KMT_OPT_UINT, &pid, 1, INT32_MAX,
	  .help = "only allocations by this task (a thread)" },
	{ 0, "comm", "NAME", KMT_OPT_TEXT, &options.filter.comm,
	  .help = "only allocations by tasks of this name" },
	{ 0, "buffer", "SIZE", KMT_OPT_SIZE, &options.buffer_bytes, 256 << 10, TIB_BYTES,
	  .help = "ring buffer of each CPU [16M, and all\n"
		  "together at most 1/64 of the memory]" },
	{ 0, "max-size", "SIZE", KMT_OPT_SIZE, &options.max_bytes, 1 << 20, UINT64_MAX,
	  .help = "stop when the tape is that large; what is in\n"
		  "the buffers, and settling, add to it [none]" },
	{ 0, "ring", NULL, KMT_OPT_FLAG, &options.is_ring,
	  .help = "don't stop at --max-size: drop the oldest instead" },
	{ 0, "reserve", "SIZE", KMT_OPT_SIZE, &options.reserve_bytes, 0, UINT64_MAX - 1,
	  .help = "stop before less than this is free on the disk\n"
		  "[1 % of it, 64M to 1G]; 0: fill it" },
	{ 0, "max-cpu", "PERCENT", KMT_OPT_UINT, &max_cpu, 1, 100 * 1024,
	  .help = "take at most this much of one CPU in a second; what\n"
		  "can't be read in it is lost, and told [none]" },
	{ 0, "settle", "TIME", KMT_OPT_TIME, &options.settle_ns, 0, HOUR_NS,
	  .help = "watch frees for so long after the last allocation\n"
		  "was recorded [2s]; 7s sees all deferred frees" },
	{ 0, "snapshot-interval", "TIME", KMT_OPT_TIME, &options.snapshot_ns, 0, YEAR_NS,
	  .help = "copy the kernel's own counters (slabinfo and\n"
		  "such) so often [10s]; 0: at start and end only" },
	{ 0, "no-probes", NULL, KMT_OPT_FLAG, &options.has_no_probes,
	  .help = "no kprobes on kfree_rcu() and bulk frees, which are\n"
		  "not seen then, nor on vmalloc areas" },
	{ 0, "pair", "PAIR", KMT_OPT_LIST, &pairs,
	  .help = "calls of two functions are allocations and frees of\n"
		  "a kind of object: NAME=ALLOC:FREE[@MODULE], or\n"
		  "references: NAME=GET:PUT[@MODULE],count" },
	{ 0, "user", "USER", KMT_OPT_TEXT, &options.user,
	  .help = "whose tape it is, and who runs COMMAND; a name or\n"
		  "UID:GID [who called sudo or pkexec; COMMAND: root]" },
	{ 'q', "quiet", NULL, KMT_OPT_FLAG, &is_quiet,
	  .help = "no status line, no summary; only what went wrong" },
	{ 0 },
};

static int run_record(int argc, char **argv);

const struct kmt_command kmt_command_record = {
	.name = "record",
	.summary = "Record this kernel's memory events to a tape, as root.",
	.usage = "[OPTION...] [-- COMMAND ARG...]",
	.notes = "Recording ends at Ctrl-C, after --duration, at --max-size, or when COMMAND\n"
		 "ends; its exit status is then that of kmemtape. A second Ctrl-C ends the\n"
		 "settling. Times take ns us ms s m h, sizes K M G T.\n",
	.run = run_record,
};

/* The terminal shows a status line now, to be wiped before anything else is written. */
struct screen {
	bool is_terminal;
	bool has_status;
	struct kmt_record_status last;
};

static void wipe_status(struct screen *screen)
{
	if (screen->has_status)
		kmt_status_erase();
	screen->has_status = false;
}

static void show_note(void *context, const char *text)
{
	wipe_status(context);
	fprintf(stderr, "kmemtape record: %s\n", text);
}

static double ratio(const struct kmt_record_status *status)
{
	return status->file_bytes ? (double)status->raw_bytes / (double)status->file_bytes : 0;
}

/* "12.0 s  1.61 M events/s  312 MiB written, 4.2:1  lost 0  buffer 12 %" */
static void format_status(char line[LINE_BYTES], const struct kmt_record_status *status,
			  const struct kmt_record_status *last)
{
	char time[KMT_UNITS_BYTES], rate[KMT_UNITS_BYTES], size[KMT_UNITS_BYTES];
	char lost[KMT_UNITS_BYTES];
	uint64_t ns = status->elapsed_ns - last->elapsed_ns;
	uint64_t events = status->events - last->events;

	(void)snprintf(
		line, LINE_BYTES, "%s  %s events/s  %s written, %.1f:1  lost %s  buffer %u %%%s",
		kmt_format_time(time, status->elapsed_ns),
		kmt_format_count(rate, ns ? (uint64_t)((double)events * 1e9 / (double)ns) : 0),
		kmt_format_size(size, status->file_bytes), ratio(status),
		kmt_format_count(lost, status->lost), status->fill_percent,
		status->is_settling ? "  settling" : "");
}

static void show_status(void *context, const struct kmt_record_status *status)
{
	struct screen *screen = context;
	char line[LINE_BYTES];

	if (!screen->is_terminal)
		return;
	format_status(line, status, &screen->last);
	kmt_status_print(line);
	screen->has_status = true;
	screen->last = *status;
}

/* Peak of resident memory in KiB. ru_maxrss would count what the shell had before the exec. */
static unsigned long peak_kib(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmHWM: %lu", &kib) == 1)
			break;
	if (file)
		(void)fclose(file);
	return kib;
}

static uint64_t cpu_ns(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * 1000000000 +
	       ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000;
}

/* For all of it, as much as it took for what was read, with all that is done in any case: far too
 * much where hardly anything was read. 0: can't be told. */
static double needed_percent(const struct kmt_record_summary *summary)
{
	const struct kmt_record_status *status = &summary->status;

	if (status->events < status->lost || !status->elapsed_ns)
		return 0;
	return (double)summary->cpu_ns * 100 / (double)status->elapsed_ns *
	       (double)(status->lost + status->events) / (double)status->events;
}

static void print_loss(const struct kmt_record_summary *summary)
{
	const struct kmt_record_status *status = &summary->status;
	char lost[KMT_UNITS_BYTES], size[KMT_UNITS_BYTES];

	fprintf(stderr, "LOST %s events (%.2g %%): ", kmt_format_count(lost, status->lost),
		(double)status->lost * 100 / (double)(status->lost + status->events));
	if (summary->was_cpu_spent && needed_percent(summary) > 0)
		fprintf(stderr,
			"--max-cpu %u was too little; to read all\n"
			"  may take up to %.0f\n",
			options.max_cpu_percent, needed_percent(summary));
	else if (summary->was_cpu_spent)
		fprintf(stderr,
			"--max-cpu %u was too little, by far: less than\n"
			"  half was read\n",
			options.max_cpu_percent);
	else
		fprintf(stderr,
			"the ring buffers (%s a CPU) were too small; record with\n"
			"  a larger --buffer\n",
			kmt_format_size(size, summary->buffer_bytes));
}

static void print_summary(const struct kmt_record_summary *summary)
{
	const struct kmt_record_status *status = &summary->status;
	bool has_any = strcmp(summary->capabilities, "none") != 0;
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES], c[KMT_UNITS_BYTES];

	if (status->lost)
		print_loss(summary);
	fprintf(stderr, "%s events on %zu CPU%s in %s, and %s of settling%s\n",
		kmt_format_count(a, status->events), summary->nr_cpus,
		summary->nr_cpus == 1 ? "" : "s",
		kmt_format_time(b, status->elapsed_ns - summary->settle_ns),
		kmt_format_time(c, summary->settle_ns), status->lost ? "" : ", lost 0");
	fprintf(stderr, "%s raw, %s %s: %.1f:1, %.2f bytes/event\n",
		kmt_format_size(a, status->raw_bytes), kmt_format_size(b, status->file_bytes),
		summary->dropped_ns ? "written" : "on the tape", ratio(status),
		status->events ? (double)status->file_bytes / (double)status->events : 0);
	if (summary->dropped_ns)
		fprintf(stderr, "the newest %s of it are on the tape (--ring)\n",
			kmt_format_time(a, status->elapsed_ns - summary->dropped_ns));
	fprintf(stderr, "it took %s of CPU time (%s)\n", kmt_format_time(a, cpu_ns()),
		summary->priority);
	fprintf(stderr, "and %s of memory, of %s at most;\nring buffers took %s a CPU\n",
		kmt_format_size(a, peak_kib() * UINT64_C(1024)),
		kmt_format_size(b,
				KMT_RECORD_OWN_BYTES + KMT_RECORD_OWN_CPU_BYTES * summary->nr_cpus),
		kmt_format_size(c, summary->buffer_bytes));
	fprintf(stderr, "the recorder was %s, with %s%s%s\n", summary->user,
		has_any ? "" : "no capability", has_any ? summary->capabilities : "",
		has_any ? " only" : "");
	fprintf(stderr, "replay it with: kmemtape replay %s\n", options.path);
}

/* kmemtape-HOST-YYYYMMDD-HHMMSS.tape: sorts by host, then time. */
static void make_name(char name[NAME_BYTES])
{
	char host[256] = "", stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	(void)gethostname(host, sizeof(host) - 1);
	for (char *p = host; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '.' && *p != '_')
			*p = '-';
	(void)localtime_r(&now, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	(void)snprintf(name, NAME_BYTES, "kmemtape-%s-%s.tape", *host ? host : "host", stamp);
}

static int take_set(const char *word, size_t bytes)
{
	for (size_t i = 0; i < NR_SETS; i++)
		if (strlen(set_words[i]) == bytes && strncmp(word, set_words[i], bytes) == 0) {
			options.sets |= 1u << i;
			return 0;
		}
	if (bytes == 3 && strncmp(word, "all", 3) == 0) {
		options.sets |= KMT_RECORD_ALL;
		return 0;
	}
	return kmt_complain(&kmt_command_record, -EINVAL,
			    "--events: there is no set '%.*s': slab, page, percpu, vmalloc, all",
			    (int)bytes, word);
}

static int take_sets(const char *text)
{
	int r;

	options.sets = 0;
	do {
		size_t bytes = strcspn(text, ",");

		r = take_set(text, bytes);
		text += bytes;
	} while (r == 0 && *text++ == ',');
	return r;
}

static int take_sample(const char *text)
{
	uint64_t n;

	if (strncmp(text, "1/", 2) != 0 || kmt_parse_uint(text + 2, &n) < 0)
		return kmt_complain(&kmt_command_record, -EINVAL, "--sample: '%s' is not like 1/8",
				    text);
	if (n < 1 || n > SAMPLE_MAX || n & (n - 1))
		return kmt_complain(&kmt_command_record, -EINVAL,
				    "--sample: '%s' is not 1/N with N 1, 2, 4, 8, 16, 32 or 64",
				    text);
	options.sample = n;
	return 0;
}

static int take_pairs(void)
{
	struct kmt_err err;

	for (size_t i = 0; i < pairs.nr; i++)
		if (kmt_record_check_pair(pairs.texts[i], &err) < 0)
			return kmt_complain(&kmt_command_record, -EINVAL, "--pair: %s", err.text);
	options.pairs = pairs.texts;
	options.nr_pairs = pairs.nr;
	return 0;
}

/* It becomes a text in double quotes, and the kernel knows no way to have one in it. */
static int check_name(const char *option, const char *name, size_t bytes_max)
{
	if (!name)
		return 0;
	if (!*name || strlen(name) > bytes_max)
		return kmt_complain(&kmt_command_record, -EINVAL,
				    "--%s: '%s' does not have 1 to %zu characters", option, name,
				    bytes_max);
	for (const char *p = name; *p; p++)
		if (*p == '"' || iscntrl((unsigned char)*p))
			return kmt_complain(&kmt_command_record, -EINVAL,
					    "--%s: a name with quotes or control characters in it "
					    "can't be filtered by",
					    option);
	return 0;
}

static int check_filter(void)
{
	const struct kmt_record_filter *filter = &options.filter;
	int r;

	options.filter.pid = (int32_t)pid;
	options.max_cpu_percent = (uint32_t)max_cpu;
	(void)((r = check_name("cache", filter->cache, CACHE_NAME_MAX)) < 0 ||
	       (r = check_name("module", filter->module, MODULE_NAME_MAX)) < 0 ||
	       (r = check_name("comm", filter->comm, COMM_MAX)) < 0);
	return r;
}

/* What is more than a number or a word. */
static int take_texts(void)
{
	int r = check_filter();

	if (r == 0 && sets_text)
		r = take_sets(sets_text);
	if (r == 0 && sample_text)
		r = take_sample(sample_text);
	if (r == 0 && has_all_stacks && has_no_stacks)
		r = kmt_complain(&kmt_command_record, -EINVAL,
				 "--stack and --no-stack: which one?");
	if (r == 0 && options.is_ring && !options.max_bytes)
		r = kmt_complain(&kmt_command_record, -EINVAL,
				 "--ring: how much may it keep? Needs --max-size");
	if (has_all_stacks)
		options.stacks = KMT_RECORD_STACKS_ALL;
	else if (has_no_stacks)
		options.stacks = KMT_RECORD_STACKS_NONE;
	return r < 0 ? r : take_pairs();
}

/* Root is told by whom it was called; nobody else can be. */
static void find_invoker(char text[INVOKER_BYTES])
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");

	options.is_users_command = options.user;
	if (options.user || geteuid() != 0)
		return;
	if (uid && gid)
		(void)snprintf(text, INVOKER_BYTES, "%s:%s", uid, gid);
	else if ((uid = getenv("PKEXEC_UID")))
		(void)snprintf(text, INVOKER_BYTES, "%s", uid);
	else
		return;
	options.user = text;
}

static int parse(int argc, char **argv)
{
	int first, r;

	r = kmt_opt_parse(&kmt_command_record, record_opts, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r;
	r = take_texts();
	if (r < 0)
		return r;
	if (first == argc) {
		if (strcmp(argv[argc - 1], "--") == 0)
			return kmt_complain(&kmt_command_record, -EINVAL,
					    "there is no command behind '--'");
		return KMT_OPT_RUN;
	}
	if (strcmp(argv[first - 1], "--") != 0)
		return kmt_complain(&kmt_command_record, -EINVAL,
				    "'%s': a command to run goes behind '--', the tape behind -o",
				    argv[first]);
	options.command = argv + first;
	return KMT_OPT_RUN;
}

static int exit_code(const struct kmt_record_summary *summary)
{
	if (summary->has_command_status && !summary->was_command_stopped)
		return summary->command_status;
	return KMT_EXIT_DONE;
}

static int run_record(int argc, char **argv)
{
	struct screen screen = { .is_terminal = kmt_status_has_terminal() };
	struct kmt_record_summary summary;
	char name[NAME_BYTES], invoker[INVOKER_BYTES];
	struct kmt_err err;
	int r;

	kmt_record_options_init(&options);
	r = parse(argc, argv);
	if (r != KMT_OPT_RUN)
		return r == KMT_OPT_DONE ? KMT_EXIT_DONE : KMT_EXIT_USAGE;
	find_invoker(invoker);
	if (!options.path) {
		make_name(name);
		options.path = name;
	}
	options.listener = (struct kmt_record_listener){
		.note = show_note,
		.status = is_quiet ? NULL : show_status,
		.context = &screen,
	};
	r = kmt_record_run(&options, &summary, &err);
	(void)signal(SIGPIPE, SIG_IGN); /* the tape is whole, even if nobody reads what we say */
	wipe_status(&screen);
	if (r < 0)
		kmt_complain(&kmt_command_record, KMT_EXIT_FAILED, "%s", err.text);
	if (summary.has_tape && !is_quiet)
		print_summary(&summary);
	return r < 0 ? KMT_EXIT_FAILED : exit_code(&summary);
}
