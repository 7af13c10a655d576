// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/units.h"

#include "intern.h"
#include "json-rows.h"
#include "openmetrics.h"
#include "walk.h"

#define NS_PER_S     1e9
#define LABELS_BYTES (6 * KMT_NAME_BYTES)

/* What all rows with the same labels have: code that was loaded twice is one series. */
struct series {
	uint64_t live_bytes, live_objects;
	double bytes_per_s;
	enum kmt_class class; /* of the first, which is the most suspicious */
	double confidence;
};

struct table {
	const struct kmt_result *result;
	FILE *file;
	struct kmt_intern labels;
	struct series *series; /* by number of the labels */
	uint64_t shown_bytes;
};

static void deinit(struct table *table)
{
	kmt_intern_deinit(&table->labels);
	free(table->series);
}

/* Within quotes; in an escaped text, only these two are left to be escaped. */
static void put_value(char *to, size_t bytes, const char *text)
{
	char escaped[KMT_NAME_BYTES];
	size_t nr = 0;

	for (const char *c = kmt_escape(escaped, sizeof(escaped), text); *c && nr + 3 < bytes;
	     c++) {
		if (*c == '"' || *c == '\\')
			to[nr++] = '\\';
		to[nr++] = *c;
	}
	to[nr] = '\0';
}

static void add_label(char labels[LABELS_BYTES], const char *key, const char *text)
{
	char quoted[2 * KMT_NAME_BYTES];
	size_t used = strlen(labels);

	if (!text || !*text)
		return;
	put_value(quoted, sizeof(quoted), text);
	(void)snprintf(labels + used, LABELS_BYTES - used, "%s%s=\"%s\"", used ? "," : "", key,
		       quoted);
}

static const char *word_of(enum kmt_group group)
{
	static const char *const words[] = {
		[KMT_BY_SITE] = "site",	  [KMT_BY_CACHE] = "cache", [KMT_BY_MODULE] = "module",
		[KMT_BY_COMM] = "comm",	  [KMT_BY_PID] = "pid",	    [KMT_BY_STACK] = "site",
		[KMT_BY_OWNER] = "owner",
	};

	return words[group];
}

/* Without addresses, which are others after each boot. */
static void name_row(char labels[LABELS_BYTES], const struct kmt_result *result,
		     const struct kmt_walk_sample *sample)
{
	const struct kmt_frame *frame = &sample->frames[0];
	const struct kmt_row *row = sample->row;
	char name[KMT_NAME_BYTES];

	if (frame->function && frame->address && result->group != KMT_BY_OWNER)
		(void)snprintf(name, sizeof(name), "%.512s+0x%" PRIx64, frame->function,
			       frame->offset);
	else if (frame->function)
		(void)snprintf(name, sizeof(name), "%s", frame->function);
	else
		(void)snprintf(name, sizeof(name), "(unknown)");
	*labels = '\0';
	add_label(labels, word_of(result->group), name);
	if (result->group != KMT_BY_MODULE)
		add_label(labels, "module", frame->module);
	if (result->group != KMT_BY_CACHE)
		add_label(labels, "cache", row->cache);
	add_label(labels, "space", kmt_json_space(row->space));
}

/* Return: 0 or -ENOMEM. */
static int gather(struct table *table, const struct kmt_report_options *options)
{
	char labels[LABELS_BYTES];
	struct kmt_walk_sample sample;
	struct kmt_walk walk;

	kmt_walk_start(&walk, table->result, options);
	table->series = calloc(walk.nr + 1, sizeof(*table->series));
	if (!table->series)
		return -ENOMEM;
	while (kmt_walk_next(&walk, &sample)) {
		const struct kmt_row *row = sample.row;
		struct series *series;
		bool is_new;

		name_row(labels, table->result, &sample);
		series = &table->series[kmt_intern_add(&table->labels, labels, &is_new)];
		if (is_new) {
			series->class = row->judgement.class;
			series->confidence = row->judgement.confidence;
		}
		series->live_bytes += row->live_bytes;
		series->live_objects += row->live_objects;
		series->bytes_per_s += row->judgement.trend.bytes_per_s;
		table->shown_bytes += row->live_bytes;
	}
	return table->labels.has_failed ? -ENOMEM : 0;
}

static void begin(FILE *file, const char *name, const char *unit, const char *help)
{
	(void)fprintf(file, "# HELP kmemtape_%s %s\n# TYPE kmemtape_%s gauge\n", name, help, name);
	if (unit)
		(void)fprintf(file, "# UNIT kmemtape_%s %s\n", name, unit);
}

static void end_gauge(FILE *file, double x)
{
	(void)fprintf(file, " %.3f\n", isfinite(x) ? x : 0);
}

static void put_count(FILE *file, const char *name, const char *unit, const char *help, uint64_t n)
{
	begin(file, name, unit, help);
	(void)fprintf(file, "kmemtape_%s %" PRIu64 "\n", name, n);
}

static void put_gauge(FILE *file, const char *name, const char *unit, const char *help, double x)
{
	begin(file, name, unit, help);
	(void)fprintf(file, "kmemtape_%s", name);
	end_gauge(file, x);
}

static void put_verdict(const struct table *table)
{
	const struct kmt_verdict *verdict = &table->result->verdict;
	FILE *file = table->file;

	begin(file, "verdict", NULL, "1 for what the first line of the report says.");
	for (int leak = KMT_LEAK_NONE; leak <= KMT_LEAK_LIKELY; leak++)
		(void)fprintf(file, "kmemtape_verdict{leak=\"%s\"} %d\n",
			      kmt_leak_name((enum kmt_leak)leak), (int)verdict->leak == leak);
	put_gauge(file, "verdict_confidence_ratio", "ratio", "Confidence in the verdict.",
		  verdict->confidence);
	put_count(file, "suspects_bytes", "bytes",
		  "What the suspects hold that is older than the grace period.",
		  verdict->leaking_bytes);
	put_gauge(file, "suspects_growth_bytes_per_second", NULL, "Growth of all suspects.",
		  verdict->bytes_per_s);
}

static void put_tape(const struct table *table)
{
	const struct kmt_result *result = table->result;
	char labels[LABELS_BYTES] = "";
	FILE *file = table->file;
	int64_t end_ns;

	add_label(labels, "host", result->host);
	add_label(labels, "kernel", result->kernel);
	add_label(labels, "arch", result->arch);
	begin(file, "recording_info", NULL, "What was recorded.");
	(void)fprintf(file, "kmemtape_recording_info{%s} 1\n", labels);
	put_gauge(file, "recording_duration_seconds", "seconds", "Length of the recording.",
		  (double)result->duration_ns / NS_PER_S);
	if (kmt_walk_wall_time(result, result->end_ns, &end_ns))
		put_gauge(file, "recording_end_timestamp_seconds", "seconds",
			  "End of the recording, since 1970.", (double)end_ns / NS_PER_S);
	put_count(file, "recording_complete", NULL,
		  "1 if the recording is whole; else what was freed may look live.",
		  result->is_complete);
	put_count(file, "recording_sample", NULL,
		  "1 in this many addresses was recorded; numbers are as recorded.",
		  result->sample);
	put_count(file, "lost_events", NULL,
		  "Events that the kernel lost; what they freed may look live.", result->lost);
	put_count(file, "losses", NULL,
		  "Places where events were lost; of some nobody knows how many.",
		  result->totals.losses);
	put_count(file, "live_bytes", "bytes", "Allocated in the recording, and not seen freed.",
		  result->live_bytes);
}

/* One metric of all series. */
static void put_series(const struct table *table, const char *what, const char *unit,
		       const char *help, double (*value)(const struct series *series))
{
	const char *word = word_of(table->result->group);
	char name[64];

	if (!table->labels.nr)
		return;
	(void)snprintf(name, sizeof(name), "%s_%s", word, what);
	begin(table->file, name, unit, help);
	for (size_t i = 0; i < table->labels.nr; i++) {
		(void)fprintf(table->file, "kmemtape_%s{%s} %.17g\n", name, table->labels.texts[i],
			      value(&table->series[i]));
	}
}

static double live_bytes(const struct series *series)
{
	return (double)series->live_bytes;
}

static double live_objects(const struct series *series)
{
	return (double)series->live_objects;
}

/* Three decimals mean something. */
static double growth(const struct series *series)
{
	return isfinite(series->bytes_per_s) ? round(series->bytes_per_s * 1000) / 1000 : 0;
}

static void put_classes(const struct table *table)
{
	const char *word = word_of(table->result->group);
	char name[64];

	if (!table->labels.nr)
		return;
	(void)snprintf(name, sizeof(name), "%s_class_confidence_ratio", word);
	begin(table->file, name, "ratio", "What it is, and the confidence in that.");
	for (size_t i = 0; i < table->labels.nr; i++) {
		(void)fprintf(table->file, "kmemtape_%s{%s,class=\"%s\"}", name,
			      table->labels.texts[i], kmt_class_name(table->series[i].class));
		end_gauge(table->file, table->series[i].confidence);
	}
}

static void put_rows(const struct table *table)
{
	put_series(table, "live_bytes", "bytes", "Live bytes of the most suspicious.", live_bytes);
	put_series(table, "live_objects", NULL, "Live objects of the most suspicious.",
		   live_objects);
	put_series(table, "growth_bytes_per_second", NULL,
		   "Slope of the live bytes; 0 where there is no trend.", growth);
	put_classes(table);
	put_count(table->file, "other_live_bytes", "bytes", "Live bytes of all that has no series.",
		  table->result->live_bytes > table->shown_bytes
			  ? table->result->live_bytes - table->shown_bytes
			  : 0);
}

int kmt_report_openmetrics(const struct kmt_result *result,
			   const struct kmt_report_options *options, FILE *file,
			   struct kmt_err *err)
{
	KMT_CLEANUP(deinit) struct table table = { .result = result, .file = file };

	if (gather(&table, options) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	put_tape(&table);
	put_verdict(&table);
	put_rows(&table);
	(void)fputs("# EOF\n", file);
	return 0;
}
