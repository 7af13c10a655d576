// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/report.h"
#include "kmemtape/units.h"

#include "head.h"
#include "words.h"

#define NS_A_SECOND   UINT64_C(1000000000)
#define CLOCK_BYTES   32
#define SECONDS_BYTES 32

/* What isn't a row of the table begins with a '#', as in perf stat -I: for awk and the like. */
static void print_remark(FILE *file, const char *text)
{
	fprintf(file, "# %s\n", text);
}

/* Return: 0 or -ENOMEM. */
static int print_head(const struct kmt_result *result, FILE *file)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char *rest = NULL;
	size_t bytes;
	FILE *memory = open_memstream(&text, &bytes);

	if (!memory)
		return -ENOMEM;
	kmt_head_print(result, false, memory);
	if (fclose(memory) != 0)
		return -ENOMEM;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		print_remark(file, line);
	return 0;
}

static void print_subject(const struct kmt_result *result, FILE *file)
{
	static const char *const words[] = {
		[KMT_BY_SITE] = "call site", [KMT_BY_CACHE] = "cache", [KMT_BY_MODULE] = "module",
		[KMT_BY_COMM] = "task",	     [KMT_BY_PID] = "pid",
	};
	char only[KMT_ESCAPED_BYTES], width[KMT_UNITS_BYTES];

	fprintf(file, "# every %s", kmt_format_time(width, result->interval_ns));
	if (result->only)
		fprintf(file, ", of %s %s only", words[result->only_by],
			kmt_escape(only, sizeof(only), result->only));
	fprintf(file, "\n# of objects that were allocated during the recording\n");
	fprintf(file, "# SECONDS %-8s %8s %8s %7s %8s %8s %10s %s\n",
		result->wall_offset_ns ? "UTC" : "-", "ALLOCS", "FREES", "REUSED", "NET", "LIVE",
		"BYTES", "LOST");
}

/* Wall time, "-" if it isn't known. */
static const char *clock_text(char buf[CLOCK_BYTES], const struct kmt_result *result,
			      uint64_t time_ns)
{
	int64_t wall_ns;
	time_t s;
	struct tm tm;

	if (!result->wall_offset_ns || time_ns > INT64_MAX ||
	    __builtin_add_overflow(result->wall_offset_ns, (int64_t)time_ns, &wall_ns))
		return "-";
	s = (time_t)(wall_ns / (int64_t)NS_A_SECOND);
	if (!gmtime_r(&s, &tm) || !strftime(buf, CLOCK_BYTES, "%H:%M:%S", &tm))
		return "-";
	return buf;
}

/* As many decimals as tell one interval from the next. */
static const char *seconds_text(char buf[SECONDS_BYTES], uint64_t ns, uint64_t width_ns)
{
	int decimals = width_ns < 1000 ? 9 : width_ns < 1000000 ? 6 : 3;
	uint64_t fraction = ns % NS_A_SECOND;

	for (int i = decimals; i < 9; i++)
		fraction /= 10;
	(void)snprintf(buf, SECONDS_BYTES, "%" PRIu64 ".%0*" PRIu64, ns / NS_A_SECOND, decimals,
		       fraction);
	return buf;
}

/* The end of an interval stands for it, as in sar and vmstat. */
static void print_line(const struct kmt_result *result, const struct kmt_interval *line, FILE *file)
{
	int64_t net = (int64_t)(line->allocs - line->frees - line->reused);
	char seconds[SECONDS_BYTES], clock[CLOCK_BYTES];

	fprintf(file,
		"%9s %-8s %8" PRIu64 " %8" PRIu64 " %7" PRIu64 " %+8" PRId64 " %8" PRIu64
		" %10" PRIu64,
		seconds_text(seconds, line->to_ns - result->intervals[0].from_ns,
			     result->interval_ns),
		clock_text(clock, result, line->to_ns), line->allocs, line->frees, line->reused,
		net, line->live_objects, line->live_bytes);
	fprintf(file, " %" PRIu64 "%s\n", line->lost, line->losses ? "?" : "");
}

static void print_sum(const struct kmt_result *result, FILE *file)
{
	uint64_t allocs = 0, frees = 0, reused = 0, losses = 0;

	for (size_t i = 0; i < result->nr_intervals; i++) {
		allocs += result->intervals[i].allocs;
		frees += result->intervals[i].frees;
		reused += result->intervals[i].reused;
		losses += result->intervals[i].losses;
	}
	fprintf(file,
		"# in all: alloc %" PRIu64 " free %" PRIu64 " reused %" PRIu64 " live %" PRIu64
		"\n",
		allocs, frees, reused, allocs - frees - reused);
	if (losses)
		print_remark(file, "? events were lost: frees may be missing from there on");
}

int kmt_report_intervals(const struct kmt_result *result, FILE *file, struct kmt_err *err)
{
	if (print_head(result, file) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	print_subject(result, file);
	for (size_t i = 0; i < result->nr_intervals; i++)
		print_line(result, &result->intervals[i], file);
	print_sum(result, file);
	return 0;
}
