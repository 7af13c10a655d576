// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>

#include <json-c/json.h>

#include "kmemtape/report.h"
#include "kmemtape/units.h"

#define SCHEMA	      1
#define ESCAPED_BYTES 1024

/*
 * json-c fails only for want of memory. Instead of a check at each of a hundred calls, a builder
 * remembers that one of them failed.
 */
struct builder {
	bool has_failed;
};

static struct json_object *put(struct builder *builder, struct json_object *object,
			       const char *name, struct json_object *value)
{
	if (value && object && json_object_object_add(object, name, value) == 0)
		return value;
	json_object_put(value);
	builder->has_failed = true;
	return NULL;
}

static void put_uint(struct builder *builder, struct json_object *object, const char *name,
		     uint64_t n)
{
	(void)put(builder, object, name, json_object_new_uint64(n));
}

static void put_bool(struct builder *builder, struct json_object *object, const char *name, bool b)
{
	(void)put(builder, object, name, json_object_new_boolean(b));
}

/* Absent means unknown. What comes from a tape need not be UTF-8; JSON must be. */
static void put_text(struct builder *builder, struct json_object *object, const char *name,
		     const char *text)
{
	char escaped[ESCAPED_BYTES];

	if (text && *text)
		(void)put(builder, object, name,
			  json_object_new_string(kmt_escape(escaped, sizeof(escaped), text)));
}

static void put_tape(struct builder *b, struct json_object *root, const struct kmt_result *result)
{
	struct json_object *tape = put(b, root, "tape", json_object_new_object());

	put_text(b, tape, "path", result->path);
	put_text(b, tape, "kernel", result->kernel);
	put_text(b, tape, "arch", result->arch);
	put_text(b, tape, "clock", result->clock);
	put_uint(b, tape, "cpus", result->nr_cpus);
	put_text(b, tape, "started_at", result->started_at);
	put_uint(b, tape, "duration_ns", result->duration_ns);
	put_bool(b, tape, "complete", result->is_complete);
	put_uint(b, tape, "sample", result->sample);
}

/* The four that every kernel has, and the others where they occurred. */
static void put_by_name(struct builder *b, struct json_object *events,
			const struct kmt_totals *totals)
{
	struct json_object *by_name = put(b, events, "by_name", json_object_new_object());

	for (int kind = KMT_EVENT_KMALLOC; kind <= KMT_EVENT_BULK_FREE; kind++)
		if (totals->by_kind[kind] ||
		    (kind != KMT_EVENT_KMALLOC_NODE && kind != KMT_EVENT_CACHE_ALLOC_NODE &&
		     kind != KMT_EVENT_RCU_FREE && kind != KMT_EVENT_BULK_FREE))
			put_uint(b, by_name, kmt_event_kind_name(kind), totals->by_kind[kind]);
}

static void put_events(struct builder *b, struct json_object *root, const struct kmt_result *result)
{
	struct json_object *events = put(b, root, "events", json_object_new_object());
	const struct kmt_totals *totals = &result->totals;

	put_uint(b, events, "total", totals->allocs + totals->frees);
	put_uint(b, events, "allocs", totals->allocs);
	put_uint(b, events, "frees", totals->frees);
	put_uint(b, events, "null_frees", totals->null_frees);
	put_uint(b, events, "failed_allocs", totals->failed_allocs);
	put_uint(b, events, "zero_size", totals->zero_size);
	put_uint(b, events, "lost", result->lost);
	put_uint(b, events, "losses", totals->losses);
	put_by_name(b, events, totals);
}

static void put_matching(struct builder *b, struct json_object *root,
			 const struct kmt_result *result)
{
	struct json_object *matching = put(b, root, "matching", json_object_new_object());
	const struct kmt_totals *totals = &result->totals;

	put_uint(b, matching, "paired", totals->paired);
	put_uint(b, matching, "reused", totals->reused);
	put_uint(b, matching, "replaced", totals->replaced);
	put_uint(b, matching, "late_frees", totals->late_frees);
	put_uint(b, matching, "unknown_frees", totals->unknown_frees);
	put_uint(b, matching, "unknown_rcu_frees", totals->unknown_rcu_frees);
	put_uint(b, matching, "unknown_bulk_frees", totals->unknown_bulk_frees);
	put_uint(b, matching, "deferred_frees", totals->deferred_frees);
	put_uint(b, matching, "unseen_frees", totals->unseen_frees);
	put_uint(b, matching, "live", totals->live);
	put_uint(b, matching, "peak_live", totals->peak_live);
	put_uint(b, matching, "uncertain", totals->uncertain);
	put_uint(b, matching, "live_bytes", result->live_bytes);
	put_uint(b, matching, "recorder_objects", result->recorder_objects);
	put_uint(b, matching, "recorder_bytes", result->recorder_bytes);
	put_uint(b, matching, "older_ns", result->older_ns);
}

static void put_module(struct builder *b, struct json_object *object, const struct kmt_row *row)
{
	put_text(b, object, "module", row->module);
	put_text(b, object, "taint", row->taint);
	if (!row->module && !row->is_unknown && json_object_object_add(object, "module", NULL) != 0)
		b->has_failed = true; /* null: known to be built in */
}

static void put_site(struct builder *b, struct json_object *object, const struct kmt_row *row)
{
	char text[ESCAPED_BYTES], function[ESCAPED_BYTES / 2];

	(void)snprintf(text, sizeof(text), "0x%" PRIx64, row->call_site);
	put_text(b, object, "call_site", text);
	if (row->function) {
		(void)snprintf(text, sizeof(text), "%s+0x%" PRIx64,
			       kmt_escape(function, sizeof(function), row->function), row->offset);
		(void)put(b, object, "symbol", json_object_new_string(text));
		put_text(b, object, "function", row->function);
	}
	if (row->function || row->offset)
		put_uint(b, object, "offset", row->offset);
	put_module(b, object, row);
	put_text(b, object, "cache", row->cache);
	if (row->nr_caches > 1)
		put_uint(b, object, "caches", row->nr_caches);
}

static void put_name(struct builder *b, struct json_object *object, const struct kmt_result *result,
		     const struct kmt_row *row)
{
	switch (result->group) {
	case KMT_BY_SITE:
		put_site(b, object, row);
		break;
	case KMT_BY_CACHE:
		put_text(b, object, "cache", row->cache);
		break;
	case KMT_BY_MODULE:
		put_module(b, object, row);
		break;
	case KMT_BY_PID:
		if (row->pid >= 0)
			put_uint(b, object, "pid", (uint64_t)row->pid);
		/* fall through */
	case KMT_BY_COMM:
		put_text(b, object, "comm", row->comm);
		break;
	}
}

static void put_rows(struct builder *b, struct json_object *root, const struct kmt_result *result,
		     uint64_t top)
{
	static const char *const names[] = {
		[KMT_BY_SITE] = "sites", [KMT_BY_CACHE] = "caches", [KMT_BY_MODULE] = "modules",
		[KMT_BY_COMM] = "comms", [KMT_BY_PID] = "pids",
	};
	struct json_object *rows = put(b, root, names[result->group], json_object_new_array());

	for (size_t i = 0; rows && i < result->nr_rows && (!top || i < top); i++) {
		const struct kmt_row *row = &result->rows[i];
		struct json_object *object = json_object_new_object();

		if (!object || json_object_array_add(rows, object) != 0) {
			json_object_put(object);
			b->has_failed = true;
			return;
		}
		put_name(b, object, result, row);
		put_uint(b, object, "allocs", row->allocs);
		put_uint(b, object, "frees", row->frees);
		put_uint(b, object, "reused", row->reused);
		put_uint(b, object, "live_objects", row->live_objects);
		put_uint(b, object, "live_bytes", row->live_bytes);
		put_uint(b, object, "requested_bytes", row->requested_bytes);
		put_uint(b, object, "uncertain_objects", row->uncertain_objects);
		put_uint(b, object, "recorder_objects", row->recorder_objects);
		if (row->live_objects)
			put_uint(b, object, "oldest_age_ns", row->oldest_age_ns);
	}
}

static void put_notes(struct builder *b, struct json_object *root, const struct kmt_result *result)
{
	struct json_object *notes = put(b, root, "notes", json_object_new_array());
	char text[ESCAPED_BYTES];

	for (size_t i = 0; notes && i < result->nr_notes; i++) {
		struct json_object *note =
			json_object_new_string(kmt_escape(text, sizeof(text), result->notes[i]));

		if (!note || json_object_array_add(notes, note) != 0) {
			json_object_put(note);
			b->has_failed = true;
		}
	}
}

int kmt_report_json(const struct kmt_result *result, const struct kmt_report_options *options,
		    FILE *file, struct kmt_err *err)
{
	struct json_object *root = json_object_new_object();
	struct builder builder = { .has_failed = !root };
	const char *text = NULL;

	put_uint(&builder, root, "schema", SCHEMA);
	put_tape(&builder, root, result);
	put_events(&builder, root, result);
	put_matching(&builder, root, result);
	put_notes(&builder, root, result);
	put_rows(&builder, root, result, options->top);
	if (!builder.has_failed)
		text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
								    JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(file, "%s\n", text);
	json_object_put(root);
	return text ? 0 : kmt_fail(err, -ENOMEM, "out of memory");
}
