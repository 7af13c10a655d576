// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "kmemtape/cleanup.h"

#include "builder.h"
#include "firefox-samples.h"
#include "firefox.h"
#include "intern.h"
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
#define NO_NUMBER      UINT32_MAX

/* Resources are libraries. */
#define RESOURCE_LIBRARY 1

/* Columns of a table in the making. */
struct column {
	uint64_t *numbers; /* on the heap; NO_NUMBER is null */
	size_t nr;
};

struct firefox {
	const struct kmt_result *result;
	struct builder builder;
	struct kmt_intern texts, libs, functions, stacks;
	struct column function_names, function_libs, stack_frames, stack_prefixes;
	struct kmt_firefox_samples samples;
	int64_t live_bytes[KMT_HISTORY_POINTS]; /* of all, at the end of each bucket */
};

static void deinit(struct firefox *firefox)
{
	kmt_intern_deinit(&firefox->texts);
	kmt_intern_deinit(&firefox->libs);
	kmt_intern_deinit(&firefox->functions);
	kmt_intern_deinit(&firefox->stacks);
	free(firefox->function_names.numbers);
	free(firefox->function_libs.numbers);
	free(firefox->stack_frames.numbers);
	free(firefox->stack_prefixes.numbers);
	kmt_firefox_samples_deinit(&firefox->samples);
}

static void append(struct firefox *firefox, struct column *column, uint64_t number)
{
	size_t nr = column->nr;

	if ((nr & (nr - 1)) == 0) { /* full at every power of two */
		uint64_t *grown =
			reallocarray(column->numbers, nr ? nr * 2 : 1, sizeof(*column->numbers));

		if (!grown) {
			firefox->builder.has_failed = true;
			return;
		}
		column->numbers = grown;
	}
	column->numbers[column->nr++] = number;
}

/* Of a name that is escaped. */
static uint32_t function_of(struct firefox *firefox, const char *name, uint32_t lib)
{
	uint32_t number;
	bool is_new;

	number = kmt_intern_addf(&firefox->functions, &is_new, "%" PRIu32 "\n%s", lib, name);
	if (is_new) {
		append(firefox, &firefox->function_names,
		       kmt_intern_add(&firefox->texts, name, NULL));
		append(firefox, &firefox->function_libs, lib);
	}
	return number;
}

static uint32_t stack_of(struct firefox *firefox, uint32_t prefix, uint32_t frame)
{
	uint32_t number;
	bool is_new;

	number = kmt_intern_addf(&firefox->stacks, &is_new, "%" PRIu32 " %" PRIu32, prefix, frame);
	if (is_new) {
		append(firefox, &firefox->stack_frames, frame);
		append(firefox, &firefox->stack_prefixes, prefix);
	}
	return number;
}

/* There is one frame for each function: addresses are others on each machine. */
static uint32_t add_stack(struct firefox *firefox, const struct kmt_walk_sample *sample)
{
	uint32_t stack = NO_NUMBER;
	char name[KMT_NAME_BYTES];

	if (kmt_walk_root_name(name, sample))
		stack = stack_of(firefox, stack, function_of(firefox, name, NO_NUMBER));
	for (size_t i = sample->nr_frames; i > 0; i--) {
		struct kmt_frame frame = sample->frames[i - 1];
		uint32_t lib = NO_NUMBER;

		if (frame.address)
			lib = kmt_intern_add(&firefox->libs,
					     frame.module ? frame.module : "vmlinux", NULL);
		frame.module = NULL; /* the library is shown in front of it */
		kmt_walk_frame_name(name, &frame);
		stack = stack_of(firefox, stack, function_of(firefox, name, lib));
	}
	return stack;
}

static int gather(struct firefox *firefox, const struct kmt_report_options *options)
{
	struct kmt_walk_sample sample;
	struct kmt_history history;
	struct kmt_walk walk;
	int r = 0;

	kmt_walk_start(&walk, firefox->result, options);
	while (r == 0 && kmt_walk_next(&walk, &sample)) {
		if (sample.row->history) {
			kmt_history_unpack(sample.row->history, &history);
			for (size_t i = 0; i < firefox->result->grid.nr; i++)
				firefox->live_bytes[i] += (int64_t)history.live_bytes[i];
		}
		if (sample.row->live_objects)
			r = kmt_firefox_samples_add(&firefox->samples, firefox->result, sample.row,
						    add_stack(firefox, &sample));
	}
	kmt_firefox_samples_sort(&firefox->samples);
	return r;
}

static void put_safe(struct builder *b, struct json_object *object, const char *key,
		     const char *text)
{
	(void)put(b, object, key, json_object_new_string(text));
}

static void add_null(struct builder *b, struct json_object *list)
{
	if (!list || json_object_array_add(list, NULL) != 0)
		b->has_failed = true;
}

/* As many of the same; @number NULL: null */
static void put_repeated(struct firefox *firefox, struct json_object *table, const char *key,
			 size_t nr, const int *number)
{
	struct builder *b = &firefox->builder;
	struct json_object *list = put(b, table, key, json_object_new_array());

	for (size_t i = 0; i < nr; i++) {
		if (number)
			(void)put_element(b, list, json_object_new_int(*number));
		else
			add_null(b, list);
	}
}

static void put_falses(struct firefox *firefox, struct json_object *table, const char *key,
		       size_t nr)
{
	struct builder *b = &firefox->builder;
	struct json_object *list = put(b, table, key, json_object_new_array());

	for (size_t i = 0; i < nr; i++)
		(void)put_element(b, list, json_object_new_boolean(false));
}

/* @otherwise: what stands for none; NULL: null */
static void put_column(struct firefox *firefox, struct json_object *table, const char *key,
		       const struct column *column, const int *otherwise)
{
	struct builder *b = &firefox->builder;
	struct json_object *list = put(b, table, key, json_object_new_array());

	for (size_t i = 0; i < column->nr; i++) {
		if (column->numbers[i] != NO_NUMBER)
			(void)put_element(b, list, json_object_new_uint64(column->numbers[i]));
		else if (otherwise)
			(void)put_element(b, list, json_object_new_int(*otherwise));
		else
			add_null(b, list);
	}
}

static const int minus_one = -1, zero;

static void put_stack_table(struct firefox *firefox, struct json_object *shared)
{
	struct json_object *table =
		put(&firefox->builder, shared, "stackTable", json_object_new_object());

	put_column(firefox, table, "frame", &firefox->stack_frames, NULL);
	put_column(firefox, table, "prefix", &firefox->stack_prefixes, NULL);
	put_uint(&firefox->builder, table, "length", firefox->stack_frames.nr);
}

static void put_frame_table(struct firefox *firefox, struct json_object *shared)
{
	static const char *const empty[] = { "nativeSymbol", "innerWindowID", "line", "column" };
	struct json_object *table =
		put(&firefox->builder, shared, "frameTable", json_object_new_object());
	size_t nr = firefox->function_names.nr;
	struct json_object *functions;

	put_repeated(firefox, table, "address", nr, &minus_one);
	put_repeated(firefox, table, "inlineDepth", nr, &zero);
	put_repeated(firefox, table, "category", nr, &zero);
	put_repeated(firefox, table, "subcategory", nr, &zero);
	functions = put(&firefox->builder, table, "func", json_object_new_array());
	for (size_t i = 0; i < nr; i++)
		(void)put_element(&firefox->builder, functions, json_object_new_uint64(i));
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		put_repeated(firefox, table, empty[i], nr, NULL);
	put_uint(&firefox->builder, table, "length", nr);
}

static void put_function_table(struct firefox *firefox, struct json_object *shared)
{
	struct json_object *table =
		put(&firefox->builder, shared, "funcTable", json_object_new_object());
	size_t nr = firefox->function_names.nr;

	put_falses(firefox, table, "isJS", nr);
	put_falses(firefox, table, "relevantForJS", nr);
	put_column(firefox, table, "name", &firefox->function_names, NULL);
	put_column(firefox, table, "resource", &firefox->function_libs, &minus_one);
	put_repeated(firefox, table, "source", nr, NULL);
	put_repeated(firefox, table, "lineNumber", nr, NULL);
	put_repeated(firefox, table, "columnNumber", nr, NULL);
	put_uint(&firefox->builder, table, "length", nr);
}

/* A resource for each library, in the same order. */
static void put_resource_table(struct firefox *firefox, struct json_object *shared)
{
	struct json_object *table =
		put(&firefox->builder, shared, "resourceTable", json_object_new_object());
	const int type = RESOURCE_LIBRARY;
	struct builder *b = &firefox->builder;
	struct json_object *libs, *names;
	size_t nr = firefox->libs.nr;

	libs = put(b, table, "lib", json_object_new_array());
	names = put(b, table, "name", json_object_new_array());
	for (size_t i = 0; i < nr; i++) {
		char name[KMT_NAME_BYTES];

		(void)kmt_escape(name, sizeof(name), firefox->libs.texts[i]);
		(void)put_element(b, libs, json_object_new_uint64(i));
		(void)put_element(
			b, names,
			json_object_new_uint64(kmt_intern_add(&firefox->texts, name, NULL)));
	}
	put_repeated(firefox, table, "host", nr, NULL);
	put_repeated(firefox, table, "type", nr, &type);
	put_uint(b, table, "length", nr);
}

static void put_empty_table(struct firefox *firefox, struct json_object *parent, const char *name,
			    const char *const *columns)
{
	struct json_object *table = put(&firefox->builder, parent, name, json_object_new_object());

	for (; *columns; columns++)
		(void)put(&firefox->builder, table, *columns, json_object_new_array());
	put_uint(&firefox->builder, table, "length", 0);
}

static void put_shared(struct firefox *firefox, struct json_object *root)
{
	static const char *const symbol_columns[] = { "libIndex", "address", "name", "functionSize",
						      NULL };
	static const char *const source_columns[] = { "uuid", "filename", NULL };
	struct builder *b = &firefox->builder;
	struct json_object *shared = put(b, root, "shared", json_object_new_object());
	struct json_object *texts;

	put_stack_table(firefox, shared);
	put_frame_table(firefox, shared);
	put_function_table(firefox, shared);
	put_resource_table(firefox, shared);
	put_empty_table(firefox, shared, "nativeSymbols", symbol_columns);
	put_empty_table(firefox, shared, "sources", source_columns);
	texts = put(b, shared, "stringArray", json_object_new_array());
	for (size_t i = 0; i < firefox->texts.nr; i++)
		(void)put_element(b, texts, json_object_new_string(firefox->texts.texts[i]));
}

/* The kernel and its modules, by which their symbols could be found. */
static void put_libs(struct firefox *firefox, struct json_object *root)
{
	struct builder *b = &firefox->builder;
	struct json_object *list = put(b, root, "libs", json_object_new_array());

	for (size_t i = 0; i < firefox->libs.nr; i++) {
		struct json_object *lib = put_element(b, list, json_object_new_object());
		const char *name = firefox->libs.texts[i];
		const char *id = kmt_result_build_id(firefox->result,
						     strcmp(name, "vmlinux") == 0 ? NULL : name);

		(void)put(b, lib, "name", safe_text(name));
		(void)put(b, lib, "path", safe_text(name));
		(void)put(b, lib, "debugName", safe_text(name));
		(void)put(b, lib, "debugPath", safe_text(name));
		put_safe(b, lib, "breakpadId", "");
		if (id)
			(void)put(b, lib, "codeId", safe_text(id));
		else if (!lib || json_object_object_add(lib, "codeId", NULL) != 0)
			b->has_failed = true;
		(void)put(b, lib, "arch", safe_text(firefox->result->arch));
	}
}

/* Milliseconds since the start. */
static double bucket_ms(const struct firefox *firefox, size_t bucket)
{
	return (double)bucket * (double)firefox->result->grid.width_ns / NS_PER_MS;
}

static void put_samples(struct firefox *firefox, struct json_object *thread, bool is_bytes)
{
	struct builder *b = &firefox->builder;
	struct json_object *samples = put(b, thread, "samples", json_object_new_object());
	struct json_object *stacks = put(b, samples, "stack", json_object_new_array());
	struct json_object *times = put(b, samples, "time", json_object_new_array());
	struct json_object *weights = put(b, samples, "weight", json_object_new_array());

	for (size_t i = 0; i < firefox->samples.nr; i++) {
		const struct kmt_firefox_sample *sample = &firefox->samples.list[i];

		(void)put_element(b, stacks, json_object_new_uint64(sample->stack));
		(void)put_element(b, times, real(bucket_ms(firefox, sample->bucket)));
		(void)put_element(
			b, weights,
			json_object_new_uint64(is_bytes ? sample->bytes : sample->objects));
	}
	put_safe(b, samples, "weightType", is_bytes ? "bytes" : "samples");
	put_uint(b, samples, "length", firefox->samples.nr);
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
	put_empty_table(firefox, thread, "markers", marker_columns);
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
	kmt_walk_remarks(firefox->result, put_remark, &remarks);
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
	put_libs(firefox, root);
	put_shared(firefox, root);
	threads = put(b, root, "threads", json_object_new_array());
	put_thread(firefox, threads, "live bytes", 1, true);
	put_thread(firefox, threads, "live objects", 2, false);
	put_counter(firefox, root);
}

static bool is_whole(const struct firefox *firefox)
{
	return !firefox->builder.has_failed && !firefox->texts.has_failed &&
	       !firefox->libs.has_failed && !firefox->functions.has_failed &&
	       !firefox->stacks.has_failed;
}

int kmt_report_firefox(const struct kmt_result *result, const struct kmt_report_options *options,
		       FILE *file, struct kmt_err *err)
{
	KMT_CLEANUP(deinit) struct firefox firefox = { .result = result };
	struct json_object *root = json_object_new_object();
	const char *text = NULL;

	if (root && gather(&firefox, options) == 0) {
		fill(&firefox, root);
		if (is_whole(&firefox))
			text = json_object_to_json_string_ext(root, STYLE);
	}
	if (text)
		(void)fprintf(file, "%s\n", text);
	json_object_put(root);
	return text ? 0 : kmt_fail(err, -ENOMEM, "out of memory");
}
