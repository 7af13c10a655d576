// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "kmemtape/cleanup.h"

#include "builder.h"
#include "firefox-samples.h"
#include "firefox-tables.h"
#include "firefox.h"
#include "walk.h"

/*
 * The processed format of
 * https://github.com/firefox-devtools/profiler/blob/main/docs-developer/CHANGELOG-formats.md, as of
 * this version: a newer reader makes of it what it wants.
 */
#define FORMAT_VERSION 60
#define GECKO_VERSION  30
#define STYLE	       (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define NS_PER_MS      1e6
#define NS_PER_US      1000

struct firefox {
	const struct kmt_result *result;
	const struct kmt_report_options *options;
	struct builder builder;
	struct kmt_firefox_tables tables;
	struct kmt_firefox_samples samples;
	int64_t live_bytes[KMT_HISTORY_POINTS]; /* of all, at the end of each bucket */
};

static void deinit(struct firefox *firefox)
{
	kmt_firefox_tables_deinit(&firefox->tables);
	kmt_firefox_samples_deinit(&firefox->samples);
}

static int gather(struct firefox *firefox)
{
	struct kmt_walk_sample sample;
	struct kmt_history history;
	struct kmt_walk walk;
	int r = 0;

	kmt_walk_start(&walk, firefox->result, firefox->options);
	while (r == 0 && kmt_walk_next(&walk, &sample)) {
		if (sample.row->history) {
			kmt_history_unpack(sample.row->history, &history);
			for (size_t i = 0; i < firefox->result->grid.nr; i++)
				firefox->live_bytes[i] += (int64_t)history.live_bytes[i];
		}
		if (sample.row->live_objects)
			r = kmt_firefox_samples_add(
				&firefox->samples, firefox->result, sample.row,
				kmt_firefox_tables_add(&firefox->tables, &sample));
	}
	kmt_firefox_samples_sort(&firefox->samples);
	return r;
}

/* Milliseconds since the start. */
static double bucket_ms(const struct firefox *firefox, size_t bucket)
{
	return (double)bucket * (double)firefox->result->grid.width_ns / NS_PER_MS;
}

/* There may be as many as stacks times points of history: too many for an object for each number.
 */
static void put_samples(struct firefox *firefox, struct json_object *thread, bool is_bytes)
{
	struct builder *b = &firefox->builder;
	struct json_object *samples = put(b, thread, "samples", json_object_new_object());
	const struct kmt_firefox_sample *list = firefox->samples.list;
	size_t nr = firefox->samples.nr;
	KMT_CLEANUP(kmt_freep) uint64_t *numbers = calloc(nr + 1, sizeof(*numbers));

	if (!numbers) {
		b->has_failed = true;
		return;
	}
	for (size_t i = 0; i < nr; i++)
		numbers[i] = list[i].stack;
	put_uints(b, samples, "stack", numbers, nr);
	for (size_t i = 0; i < nr; i++)
		numbers[i] = (list[i].bucket * firefox->result->grid.width_ns + NS_PER_US / 2) /
			     NS_PER_US;
	put_thousandths(b, samples, "time", numbers, nr);
	for (size_t i = 0; i < nr; i++)
		numbers[i] = is_bytes ? list[i].bytes : list[i].objects;
	put_uints(b, samples, "weight", numbers, nr);
	put_safe(b, samples, "weightType", is_bytes ? "bytes" : "samples");
	put_uint(b, samples, "length", nr);
}

static void put_thread(struct firefox *firefox, struct json_object *threads, const char *name,
		       uint64_t tid, bool is_bytes)
{
	static const char *const marker_columns[] = { "data",  "name",	   "startTime", "endTime",
						      "phase", "category", NULL };
	struct builder *b = &firefox->builder;
	struct json_object *thread = put_element(b, threads, json_object_new_object());

	put_safe(b, thread, "processType", "default");
	put_uint(b, thread, "processStartupTime", 0);
	(void)(thread && json_object_object_add(thread, "processShutdownTime", NULL));
	put_uint(b, thread, "registerTime", 0);
	(void)(thread && json_object_object_add(thread, "unregisterTime", NULL));
	(void)put(b, thread, "pausedRanges", json_object_new_array());
	put_safe(b, thread, "name", name);
	put_bool(b, thread, "isMainThread", is_bytes);
	put_safe(b, thread, "processName", "kernel");
	put_safe(b, thread, "pid", "0");
	put_uint(b, thread, "tid", tid);
	put_bool(b, thread, "showMarkersInTimeline", false);
	put_samples(firefox, thread, is_bytes);
	kmt_firefox_put_empty_table(b, thread, "markers", marker_columns);
}

/* All that was live, over time. */
static void put_counter(struct firefox *firefox, struct json_object *root)
{
	struct builder *b = &firefox->builder;
	struct json_object *counters = put(b, root, "counters", json_object_new_array());
	struct json_object *counter = put_element(b, counters, json_object_new_object());
	struct json_object *samples, *times, *counts;
	size_t nr = firefox->result->grid.nr;

	put_safe(b, counter, "name", "live");
	put_safe(b, counter, "category", "Memory");
	put_safe(b, counter, "description", "Live bytes");
	put_safe(b, counter, "pid", "0");
	put_uint(b, counter, "mainThreadIndex", 0);
	samples = put(b, counter, "samples", json_object_new_object());
	times = put(b, samples, "time", json_object_new_array());
	counts = put(b, samples, "count", json_object_new_array());
	for (size_t i = 0; i < nr; i++) {
		int64_t before = i ? firefox->live_bytes[i - 1] : 0;

		(void)put_element(b, times, real(bucket_ms(firefox, i + 1)));
		(void)put_element(b, counts,
				  json_object_new_int64(firefox->live_bytes[i] - before));
	}
	put_uint(b, samples, "length", nr);
}

struct remarks {
	struct builder *builder;
	struct json_object *entries;
};

static void put_remark(void *context, const char *line)
{
	struct remarks *remarks = context;
	struct json_object *entry =
		put_element(remarks->builder, remarks->entries, json_object_new_object());

	put_safe(remarks->builder, entry, "label", "Note");
	put_safe(remarks->builder, entry, "format", "string");
	put_safe(remarks->builder, entry, "value", line);
}

static void put_extra(struct firefox *firefox, struct json_object *meta)
{
	struct builder *b = &firefox->builder;
	struct json_object *list = put(b, meta, "extra", json_object_new_array());
	struct json_object *section = put_element(b, list, json_object_new_object());
	struct remarks remarks = { b, NULL };

	put_safe(b, section, "label", "Recording");
	remarks.entries = put(b, section, "entries", json_object_new_array());
	kmt_walk_remarks(firefox->result, firefox->options, put_remark, &remarks);
}

static void put_category(struct firefox *firefox, struct json_object *meta)
{
	struct builder *b = &firefox->builder;
	struct json_object *list = put(b, meta, "categories", json_object_new_array());
	struct json_object *category = put_element(b, list, json_object_new_object());
	struct json_object *parts;

	put_safe(b, category, "name", "Kernel");
	put_safe(b, category, "color", "grey");
	parts = put(b, category, "subcategories", json_object_new_array());
	(void)put_element(b, parts, json_object_new_string("Other"));
}

static void put_meta(struct firefox *firefox, struct json_object *root)
{
	static const char *const truths[] = { "usesOnlyOneStackType", "sourceCodeIsNotOnSearchfox",
					      "keepProfileThreadOrder", "symbolicated" };
	const struct kmt_result *result = firefox->result;
	struct builder *b = &firefox->builder;
	struct json_object *meta = put(b, root, "meta", json_object_new_object());
	int64_t start_ns = 0;

	(void)kmt_walk_wall_time(result, result->start_ns, &start_ns);
	put_uint(b, meta, "preprocessedProfileVersion", FORMAT_VERSION);
	put_uint(b, meta, "version", GECKO_VERSION);
	put_real(b, meta, "interval",
		 result->grid.width_ns ? (double)result->grid.width_ns / NS_PER_MS : 1);
	put_real(b, meta, "startTime", (double)start_ns / NS_PER_MS);
	put_uint(b, meta, "profilingStartTime", 0);
	put_real(b, meta, "profilingEndTime", (double)result->duration_ns / NS_PER_MS);
	put_uint(b, meta, "processType", 0);
	put_uint(b, meta, "stackwalk", 1);
	(void)put(b, meta, "markerSchema", json_object_new_array());
	put_safe(b, meta, "product", "kmemtape");
	put_safe(b, meta, "importedFrom", "kmemtape");
	put_text(b, meta, "arguments", result->path);
	put_text(b, meta, "oscpu", result->kernel);
	put_text(b, meta, "device", result->host);
	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		put_bool(b, meta, truths[i], true);
	put_category(firefox, meta);
	put_extra(firefox, meta);
}

static void fill(struct firefox *firefox, struct json_object *root)
{
	struct builder *b = &firefox->builder;
	struct json_object *threads;

	put_meta(firefox, root);
	kmt_firefox_tables_put(&firefox->tables, root);
	threads = put(b, root, "threads", json_object_new_array());
	put_thread(firefox, threads, "live bytes", 1, true);
	put_thread(firefox, threads, "live objects", 2, false);
	put_counter(firefox, root);
}

int kmt_report_firefox(const struct kmt_result *result, const struct kmt_report_options *options,
		       FILE *file, struct kmt_err *err)
{
	KMT_CLEANUP(deinit) struct firefox firefox = { .result = result, .options = options };
	struct json_object *root = json_object_new_object();
	const char *text = NULL;

	firefox.tables.result = result;
	firefox.tables.builder = &firefox.builder;
	if (root && gather(&firefox) == 0) {
		fill(&firefox, root);
		if (!firefox.builder.has_failed && kmt_firefox_tables_are_whole(&firefox.tables))
			text = json_object_to_json_string_ext(root, STYLE);
	}
	if (text)
		(void)fprintf(file, "%s\n", text);
	json_object_put(root);
	return text ? 0 : kmt_fail(err, -ENOMEM, "out of memory");
}
