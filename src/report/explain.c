// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "kmemtape/report.h"
#include "kmemtape/spark.h"
#include "kmemtape/units.h"

#include "head.h"
#include "stack-tree.h"
#include "words.h"

#define WORD_INDENT 7 /* behind "  why: " */
#define MS	    UINT64_C(1000000)

static const char *const running_names[] = {
	[KMT_RUNNING_TASK] = "task",
	[KMT_RUNNING_SOFTIRQ] = "softirq",
	[KMT_RUNNING_HARDIRQ] = "hardirq",
};

/* A list, cut at the user's wish. */
struct shown {
	FILE *file;
	uint64_t top; /* 0: all */
};

static size_t shown_of(const struct shown *shown, size_t nr)
{
	return shown->top && shown->top < nr ? (size_t)shown->top : nr;
}

/* How many lines were cut off, and what no line was left for when it happened. */
static void print_rest(const struct shown *shown, size_t nr, uint64_t listed, uint64_t all,
		       const char *what)
{
	size_t more = nr - shown_of(shown, nr);

	if (more)
		fprintf(shown->file, "  and %zu more line%s (--top 0 shows all)\n", more,
			more == 1 ? "" : "s");
	if (listed < all)
		fprintf(shown->file,
			"  and %" PRIu64 " %s that the list, full by then, has no line for\n",
			all - listed, what);
}

static void print_identity(const struct kmt_dossier *dossier, const struct kmt_row *row, FILE *file)
{
	char name[KMT_NAME_BYTES], text[KMT_ESCAPED_BYTES];
	struct kmt_line line;

	kmt_words_name(name, KMT_BY_SITE, row);
	fprintf(file, "\n%s\n", name);
	kmt_line_begin(&line, file, "  ", 4, 3);
	kmt_line_add_sources(&line, row->lines);
	kmt_line_addf(&line, "call site 0x%" PRIx64, dossier->site.call_site);
	if (row->module)
		kmt_line_addf(&line, "module %s%s%s%s", kmt_escape(text, sizeof(text), row->module),
			      row->taint && *row->taint ? " (taint " : "",
			      row->taint ? row->taint : "", row->taint && *row->taint ? ")" : "");
	else
		kmt_line_add(&line, row->is_unknown ? "nobody knows whose code" : "built in");
	if (row->is_unloaded)
		kmt_line_add(&line, "the module was unloaded");
	if (row->cache)
		kmt_line_addf(&line, "cache %s%s", kmt_escape(text, sizeof(text), row->cache),
			      row->is_reclaimable ? " (reclaimable)" : "");
	if (row->nr_caches > 1)
		kmt_line_addf(&line, "and %u more cache%s", row->nr_caches - 1,
			      row->nr_caches == 2 ? "" : "s");
	kmt_line_end(&line);
}

static void print_numbers(const struct kmt_dossier *dossier, const struct kmt_row *row, FILE *file)
{
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];
	struct kmt_line line;

	kmt_line_begin(&line, file, "  ", 4, 3);
	kmt_line_addf(&line, "allocated %" PRIu64, dossier->allocs);
	kmt_line_addf(&line, "freed %" PRIu64, dossier->frees);
	kmt_line_addf(&line, "reused, free unseen %" PRIu64, dossier->reused);
	kmt_line_addf(&line, "live %" PRIu64, dossier->live);
	if (row->live_objects)
		kmt_line_addf(&line, "%s, the oldest %s", kmt_format_size(a, row->live_bytes),
			      kmt_format_time(b, row->oldest_age_ns));
	if (row->uncertain_objects)
		kmt_line_addf(&line, "%" PRIu64 " may have been freed while events were lost",
			      row->uncertain_objects);
	if (row->recorder_objects)
		kmt_line_addf(&line, "kmemtape's own %" PRIu64, row->recorder_objects);
	kmt_line_end(&line);
}

static void print_trend(const struct kmt_result *result, const struct kmt_row *row, bool is_utf8,
			FILE *file)
{
	const struct kmt_trend *trend = &row->judgement.trend;
	char spark[KMT_SPARK_BYTES], a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES], c[KMT_UNITS_BYTES];
	struct kmt_history history;
	struct kmt_line line;

	kmt_line_begin(&line, file, "  live over time: ", 4, 2);
	if (row->history) {
		kmt_history_unpack(row->history, &history);
		kmt_line_addf(&line, "|%s|",
			      kmt_spark_draw(spark, history.live, result->grid.nr,
					     KMT_SPARK_COLUMNS, is_utf8));
	} else {
		kmt_line_add(&line, "never much");
	}
	if (trend->shape != KMT_SHAPE_NONE)
		kmt_line_add(&line, kmt_shape_name(trend->shape));
	if (trend->bytes_per_s > 0)
		kmt_line_addf(&line, "%s (95 %%: %s to %s)", kmt_words_rate(a, trend->bytes_per_s),
			      kmt_words_rate(b, trend->low), kmt_words_rate(c, trend->high));
	if (trend->since_ns && trend->since_ns >= result->start_ns)
		kmt_line_addf(&line, "since %s after the start",
			      kmt_format_time(a, trend->since_ns - result->start_ns));
	kmt_line_end(&line);
}

static void print_judgement(const struct kmt_judgement *judgement, FILE *file)
{
	char confidence[KMT_UNITS_BYTES];

	fprintf(file, "  class %s, confidence %s\n", kmt_class_name(judgement->class),
		kmt_words_confidence(confidence, judgement->confidence));
	for (int is_for = 1; is_for >= 0; is_for--)
		for (size_t i = 0; i < judgement->nr_reasons; i++)
			if (judgement->reasons[i].is_for == is_for)
				kmt_words_wrap(file, is_for ? "  why: " : "  but: ", WORD_INDENT,
					       judgement->reasons[i].text);
}

/* What the kernel's own counters say of its cache, over all call sites. */
static void print_counters(const struct kmt_result *result, const struct kmt_row *row, FILE *file)
{
	const struct kmt_reconciliation *counted = &result->reconciliation;
	char cache[KMT_ESCAPED_BYTES];
	struct kmt_line line;

	for (size_t i = 0; row->cache && i < counted->nr_caches; i++) {
		const struct kmt_cache_check *check = &counted->caches[i];

		if (strcmp(check->cache, row->cache) != 0)
			continue;
		kmt_line_begin(&line, file, "  slabinfo: ", 4, 1);
		kmt_line_addf(&line, "%s grew by %" PRId64 " objects (+-%" PRIu64 "),",
			      kmt_escape(cache, sizeof(cache), check->cache),
			      check->counted_objects, check->slack_objects);
		kmt_line_addf(&line, "by the events of all call sites %" PRId64 " to %" PRId64 "%s",
			      check->booked_low, check->booked_high,
			      check->is_contradicted ? ": that is too many" : "");
		kmt_line_end(&line);
	}
}

static void print_sizes(const struct kmt_dossier *dossier, const struct shown *shown)
{
	uint64_t listed = 0;

	fprintf(shown->file, "\n   REQUESTED    ALLOCATED       ALLOCS         LIVE\n");
	for (size_t i = 0; i < dossier->nr_sizes; i++) {
		const struct kmt_dossier_size *size = &dossier->sizes[i];

		listed += size->allocs;
		if (i < shown_of(shown, dossier->nr_sizes))
			fprintf(shown->file,
				"%12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n",
				size->requested, size->allocated, size->allocs, size->live);
	}
	print_rest(shown, dossier->nr_sizes, listed, dossier->allocs, "allocations of sizes");
}

static void print_flags(const struct kmt_dossier *dossier, const struct shown *shown)
{
	uint64_t listed = 0;

	fprintf(shown->file, "\n      ALLOCS  GFP FLAGS\n");
	for (size_t i = 0; i < dossier->nr_flags; i++) {
		const struct kmt_dossier_flags *flags = &dossier->flags[i];
		char text[KMT_ESCAPED_BYTES];

		listed += flags->allocs;
		if (i < shown_of(shown, dossier->nr_flags))
			fprintf(shown->file, "%12" PRIu64 "  %s\n", flags->allocs,
				kmt_escape(text, sizeof(text), flags->text));
	}
	print_rest(shown, dossier->nr_flags, listed, dossier->allocs, "allocations with flags");
}

static void print_tasks(const struct kmt_dossier *dossier, const struct shown *shown)
{
	uint64_t listed = 0;

	fprintf(shown->file, "\n      ALLOCS         LIVE  IN           PID  ALLOCATED BY\n");
	for (size_t i = 0; i < dossier->nr_tasks; i++) {
		const struct kmt_dossier_task *task = &dossier->tasks[i];
		char comm[KMT_ESCAPED_BYTES], pid[16] = "-";

		listed += task->allocs;
		if (i >= shown_of(shown, dossier->nr_tasks))
			continue;
		if (task->pid >= 0)
			(void)snprintf(pid, sizeof(pid), "%d", task->pid);
		kmt_escape(comm, sizeof(comm), task->comm ? task->comm : "(unknown)");
		fprintf(shown->file, "%12" PRIu64 " %12" PRIu64 "  %-7s %8s  %s%s\n", task->allocs,
			task->live, running_names[task->running], pid, comm,
			task->pid == KMT_PID_OTHERS ? " (more of them)" : "");
	}
	print_rest(shown, dossier->nr_tasks, listed, dossier->allocs, "allocations by tasks");
	if (dossier->remembered < dossier->live)
		fprintf(shown->file,
			"  LIVE is of the %" PRIu64 " live objects whose birth is remembered\n",
			dossier->remembered);
}

static void name_freer(char name[KMT_NAME_BYTES], const struct kmt_dossier_freer *freer)
{
	struct kmt_row row = {
		.call_site = freer->call_site,
		.function = freer->function,
		.module = freer->module,
		.taint = freer->taint,
		.offset = freer->offset,
		.size = freer->size,
	};

	kmt_words_name(name, KMT_BY_SITE, &row);
}

static void print_freer(const struct kmt_dossier_freer *freer, FILE *file)
{
	const struct kmt_lifetimes *lifetimes = &freer->lifetimes;
	char name[KMT_NAME_BYTES], a[KMT_UNITS_BYTES] = "-", b[KMT_UNITS_BYTES] = "-",
				   c[KMT_UNITS_BYTES] = "-";

	if (lifetimes->nr) {
		kmt_format_time(a, lifetimes->min_ns);
		kmt_format_time(b, (uint64_t)(lifetimes->sum_ns / (double)lifetimes->nr));
		kmt_format_time(c, lifetimes->max_ns);
	}
	name_freer(name, freer);
	fprintf(file, "%12" PRIu64 " %8" PRIu64 " %9s %9s %9s  %s", freer->frees,
		freer->in_interrupt, a, b, c, name);
	if (freer->lines)
		fprintf(file, "  %s", kmt_escape(name, sizeof(name), freer->lines));
	fputc('\n', file);
}

static void print_freers(const struct kmt_dossier *dossier, const struct shown *shown)
{
	uint64_t listed = 0;

	if (dossier->frees == 0) {
		fprintf(shown->file, "\nNobody was seen to free any of its objects.\n");
		return;
	}
	fprintf(shown->file, "\n       FREES   IN IRQ  LIFE MIN      MEAN       MAX  FREED BY\n");
	for (size_t i = 0; i < dossier->nr_freers; i++) {
		listed += dossier->freers[i].frees;
		if (i < shown_of(shown, dossier->nr_freers))
			print_freer(&dossier->freers[i], shown->file);
	}
	print_rest(shown, dossier->nr_freers, listed, dossier->frees, "frees by call sites");
}

static const char *const age_names[KMT_DOSSIER_AGES] = {
	"below 1 ms",  "1 to 10 ms", "10 to 100 ms", "100 ms to 1 s", "1 to 10 s",
	"10 s to 1 m", "1 to 10 m",  "10 m to 1 h",  "1 to 10 h",     "10 h and more",
};

static void print_ages(const struct kmt_dossier *dossier, FILE *file)
{
	fprintf(file, "\n%16s %12s %12s %12s\n", "AGE", "LIVE", "FREED", "REUSED");
	for (unsigned int i = 0; i < KMT_DOSSIER_AGES; i++) {
		if (!dossier->live_ages[i] && !dossier->freed_ages[i] && !dossier->reused_ages[i])
			continue;
		fprintf(file, "%16s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n", age_names[i],
			dossier->live_ages[i], dossier->freed_ages[i], dossier->reused_ages[i]);
	}
}

/*
 * The block of Linux mm/kmemleak.c, print_unreferenced(), which maintainers know; there, too, what
 * an interrupt allocated is of "hardirq" or "softirq", pid 0.
 */
static void print_object(const struct kmt_result *result, const struct kmt_dossier_object *object,
			 const struct kmt_row *row, FILE *file)
{
	uint64_t age_ns = result->end_ns > object->time_ns ? result->end_ns - object->time_ns : 0;
	bool is_task = object->running == KMT_RUNNING_TASK;
	char name[KMT_NAME_BYTES], text[KMT_ESCAPED_BYTES];

	kmt_words_name(name, KMT_BY_SITE, row);
	fprintf(file, "unreferenced object 0x%08" PRIx64 " (size %" PRIu64 "):\n", object->ptr,
		object->allocated);
	if (object->has_details)
		kmt_escape(text, sizeof(text),
			   !is_task	  ? running_names[object->running]
			   : object->comm ? object->comm
					  : "(unknown)");
	if (object->has_details)
		fprintf(file, "  comm \"%s\", pid %d, age %" PRIu64 ".%03" PRIu64 "s%s\n", text,
			is_task ? object->pid : 0, age_ns / (1000 * MS), age_ns / MS % 1000,
			is_task ? "" : " (allocated in interrupt)");
	else
		fprintf(file, "  comm and pid not remembered, age %" PRIu64 ".%03" PRIu64 "s\n",
			age_ns / (1000 * MS), age_ns / MS % 1000);
	if (row->nr_stacks == 1) {
		fprintf(file, "  backtrace:\n");
		for (size_t i = 0; i < row->nr_frames; i++) {
			kmt_words_frame(name, &row->frames[i]);
			fprintf(file, "    [<%016" PRIx64 ">] %s\n", row->frames[i].address, name);
		}
		return;
	}
	fprintf(file, "  backtrace (call site only):\n    [<%016" PRIx64 ">] %s\n", row->call_site,
		name);
}

static void print_oldest(const struct kmt_result *result, const struct kmt_dossier *dossier,
			 const struct kmt_row *row, FILE *file)
{
	if (dossier->nr_oldest)
		fprintf(file, "\nThe oldest of %" PRIu64 " live objects:\n\n", dossier->live);
	for (size_t i = 0; i < dossier->nr_oldest; i++)
		print_object(result, &dossier->oldest[i], row, file);
}

static void print_dossier(const struct kmt_result *result, const struct kmt_dossier *dossier,
			  const struct kmt_report_options *options, FILE *file)
{
	const struct kmt_row *row = kmt_result_site(result, &dossier->site);
	struct shown shown = { file, options->top };

	if (!row)
		return; /* each site with an allocation has one */
	print_identity(dossier, row, file);
	print_numbers(dossier, row, file);
	print_trend(result, row, options->is_utf8, file);
	print_judgement(&row->judgement, file);
	print_counters(result, row, file);
	if (kmt_stack_tree_print(result, &dossier->site, options->top, options->is_utf8, file) < 0)
		fprintf(file, "\n(no memory for the stacks)\n");
	print_sizes(dossier, &shown);
	print_flags(dossier, &shown);
	print_tasks(dossier, &shown);
	print_freers(dossier, &shown);
	print_ages(dossier, file);
	print_oldest(result, dossier, row, file);
}

void kmt_report_explain(const struct kmt_result *result, const struct kmt_report_options *options,
			FILE *file)
{
	kmt_head_print(result, false, file);
	if (result->nr_dossiers > 1)
		fprintf(file, "\n%zu call sites have this name; one after the other:\n",
			result->nr_dossiers);
	for (size_t i = 0; i < result->nr_dossiers; i++)
		print_dossier(result, &result->dossiers[i], options, file);
	if (result->has_more_sites)
		fprintf(file, "\nThere are more: name one of them to see it.\n");
}
