// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "kmemtape/report.h"

#include "builder.h"
#include "json-asked.h"
#include "json-counters.h"
#include "json-rows.h"

#define SCHEMA 1

static void put_verdict(struct builder *b, struct json_object *root,
			const struct kmt_verdict *verdict)
{
	struct json_object *object = put(b, root, "verdict", json_object_new_object());

	put_text(b, object, "leak", kmt_leak_name(verdict->leak));
	put_real(b, object, "confidence", verdict->confidence);
	put_text(b, object, "headline", verdict->headline);
	put_uint(b, object, "leaking_bytes", verdict->leaking_bytes);
	put_real(b, object, "rate_bytes_per_s", verdict->bytes_per_s);
	if (verdict->call_site)
		put_address(b, object, "call_site", verdict->call_site);
	put_text(b, object, "function", verdict->function);
	put_text(b, object, "caller", verdict->caller);
	put_text(b, object, "owner", verdict->owner);
	put_text(b, object, "owner_module", verdict->owner_module);
}

/* By which reports of the same code are told from others; a list, as any text may be a module. */
static void put_build_ids(struct builder *b, struct json_object *tape,
			  const struct kmt_result *result)
{
	struct json_object *list = put(b, tape, "build_ids", json_object_new_array());

	for (size_t i = 0; list && i < result->nr_build_ids; i++) {
		struct json_object *object = put_element(b, list, json_object_new_object());

		put_text(b, object, "module", result->build_ids[i].module);
		put_text(b, object, "build_id", result->build_ids[i].id);
	}
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
	put_uint(b, tape, "start_ns", result->start_ns);
	put_uint(b, tape, "end_ns", result->end_ns);
	put_bool(b, tape, "complete", result->is_complete);
	put_uint(b, tape, "sample", result->sample);
	put_text(b, tape, "host", result->host);
	put_build_ids(b, tape, result);
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

/* A list, since any text may be a cache's name. */
static void put_unknown_frees(struct builder *b, struct json_object *matching,
			      const struct kmt_result *result)
{
	struct json_object *list =
		put(b, matching, "unknown_frees_by_cache", json_object_new_array());

	for (size_t i = 0; list && i < result->nr_unknown_frees; i++) {
		struct json_object *member = put_element(b, list, json_object_new_object());

		put_text(b, member, "cache", result->unknown_frees[i].cache);
		put_uint(b, member, "frees", result->unknown_frees[i].frees);
	}
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
	put_unknown_frees(b, matching, result);
	put_uint(b, matching, "unknown_rcu_frees", totals->unknown_rcu_frees);
	put_uint(b, matching, "unknown_bulk_frees", totals->unknown_bulk_frees);
	put_uint(b, matching, "unknown_other_frees", totals->unknown_other_frees);
	put_uint(b, matching, "filtered_frees", totals->filtered_frees);
	put_uint(b, matching, "split", totals->split);
	put_uint(b, matching, "joined", totals->joined);
	put_uint(b, matching, "deferred_frees", totals->deferred_frees);
	put_uint(b, matching, "unseen_frees", totals->unseen_frees);
	put_uint(b, matching, "live", totals->live);
	put_uint(b, matching, "peak_live", totals->peak_live);
	put_uint(b, matching, "uncertain", totals->uncertain);
	put_uint(b, matching, "live_bytes", result->live_bytes);
	if (result->is_estimated)
		kmt_json_put_estimate(b, matching, &result->estimate, true);
	put_uint(b, matching, "recorder_objects", result->recorder_objects);
	put_uint(b, matching, "recorder_bytes", result->recorder_bytes);
	put_uint(b, matching, "older_ns", result->older_ns);
	put_uint(b, matching, "grace_ns", result->grace_ns);
	put_bool(b, matching, "free_probes", result->has_free_probes);
}

/* Of each that was recorded; of pages also what they were for. */
static void put_spaces(struct builder *b, struct json_object *root, const struct kmt_result *result)
{
	struct json_object *list = put(b, root, "spaces", json_object_new_array());

	for (uint32_t i = 0; list && i < KMT_SPACES_MAX; i++) {
		const struct kmt_space_sum *space = &result->spaces[i];
		struct json_object *object, *uses;

		if (!space->is_recorded)
			continue;
		object = put_element(b, list, json_object_new_object());
		put_text(b, object, "space", kmt_json_space(i));
		if (i >= KMT_SPACE_PAIR)
			put_text(b, object, "pair", result->pairs[i - KMT_SPACE_PAIR]);
		put_uint(b, object, "allocs", space->allocs);
		put_uint(b, object, "frees", space->frees);
		put_uint(b, object, "live_objects", space->live_objects);
		if (i < KMT_SPACE_PAIR)
			put_uint(b, object, "live_bytes", space->live_bytes);
		if (result->is_estimated)
			kmt_json_put_estimate(b, object, &space->estimate, i < KMT_SPACE_PAIR);
		if (i != KMT_SPACE_PAGE)
			continue;
		uses = put(b, object, "live_bytes_by_use", json_object_new_object());
		for (int use = 0; use < KMT_USES; use++)
			put_uint(b, uses, kmt_json_use((enum kmt_use)use),
				 result->page_bytes_by_use[use]);
	}
}

static void put_filters(struct builder *b, struct json_object *root,
			const struct kmt_result *result)
{
	struct json_object *list = put(b, root, "filters", json_object_new_array());

	for (size_t i = 0; list && i < result->nr_filters; i++)
		(void)put_element(b, list, safe_text(result->filters[i]));
}

/* The points of time of all curves. */
static void put_grid(struct builder *b, struct json_object *root, const struct kmt_grid *grid)
{
	struct json_object *object = put(b, root, "history", json_object_new_object());

	put_uint(b, object, "start_ns", grid->start_ns);
	put_uint(b, object, "bucket_ns", grid->width_ns);
	put_uint(b, object, "buckets", grid->nr);
}

static void put_suppressions(struct builder *b, struct json_object *root,
			     const struct kmt_result *result)
{
	struct json_object *list = put(b, root, "suppressions", json_object_new_array());

	for (size_t i = 0; list && i < result->nr_suppressions; i++) {
		const struct kmt_suppression_hits *hits = &result->suppressions[i];
		struct json_object *object = put_element(b, list, json_object_new_object());

		put_text(b, object, "pattern", hits->pattern);
		put_uint(b, object, "rows", hits->rows);
		put_uint(b, object, "objects", hits->objects);
		put_uint(b, object, "bytes", hits->bytes);
	}
}

static void put_notes(struct builder *b, struct json_object *root, const struct kmt_result *result)
{
	struct json_object *notes = put(b, root, "notes", json_object_new_array());

	for (size_t i = 0; notes && i < result->nr_notes; i++)
		(void)put_element(b, notes, safe_text(result->notes[i]));
}

void kmt_json_put_head(struct builder *b, struct json_object *root, const struct kmt_result *result)
{
	put_uint(b, root, "schema", SCHEMA);
	put_verdict(b, root, &result->verdict);
	put_tape(b, root, result);
	put_events(b, root, result);
	put_matching(b, root, result);
	put_spaces(b, root, result);
	put_filters(b, root, result);
	put_notes(b, root, result);
	kmt_json_put_reconciliation(b, root, &result->reconciliation);
	put_grid(b, root, &result->grid);
	put_suppressions(b, root, result);
	kmt_json_put_explain(b, root, result);
	kmt_json_put_intervals(b, root, result);
	put_uint(b, root, "rows", result->nr_rows);
}

int kmt_report_json(const struct kmt_result *result, const struct kmt_report_options *options,
		    FILE *file, struct kmt_err *err)
{
	struct json_object *root = json_object_new_object();
	struct builder builder = { .has_failed = !root };
	const char *text = NULL;
	bool is_whole = false;

	kmt_json_put_head(&builder, root, result);
	if (!builder.has_failed)
		text = json_object_to_json_string_ext(root, JSON_STYLE);
	if (text) {
		/* Its last line is the bracket that closes it. */
		fprintf(file, "%.*s,\n", (int)(strrchr(text, '\n') - text), text);
		is_whole = kmt_json_print_rows(result, options->top, file);
		fputs("\n}\n", file);
	}
	json_object_put(root);
	return is_whole ? 0 : kmt_fail(err, -ENOMEM, "out of memory");
}
