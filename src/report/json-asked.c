// SPDX-License-Identifier: LGPL-2.1-only
#include "json-asked.h"
#include "json-rows.h"

static const char *const running_names[] = {
	[KMT_RUNNING_TASK] = "task",
	[KMT_RUNNING_SOFTIRQ] = "softirq",
	[KMT_RUNNING_HARDIRQ] = "hardirq",
};

static void put_sizes(struct builder *b, struct json_object *object,
		      const struct kmt_dossier *dossier)
{
	struct json_object *list = put(b, object, "sizes", json_object_new_array());

	for (size_t i = 0; list && i < dossier->nr_sizes; i++) {
		const struct kmt_dossier_size *size = &dossier->sizes[i];
		struct json_object *member = put_element(b, list, json_object_new_object());

		put_uint(b, member, "requested_bytes", size->requested);
		put_uint(b, member, "allocated_bytes", size->allocated);
		put_uint(b, member, "allocs", size->allocs);
		put_uint(b, member, "live_objects", size->live);
	}
}

static void put_flags(struct builder *b, struct json_object *object,
		      const struct kmt_dossier *dossier)
{
	struct json_object *list = put(b, object, "gfp", json_object_new_array());

	for (size_t i = 0; list && i < dossier->nr_flags; i++) {
		struct json_object *member = put_element(b, list, json_object_new_object());

		put_address(b, member, "flags", dossier->flags[i].gfp);
		put_text(b, member, "names", dossier->flags[i].text);
		put_uint(b, member, "allocs", dossier->flags[i].allocs);
	}
}

static void put_tasks(struct builder *b, struct json_object *object,
		      const struct kmt_dossier *dossier)
{
	struct json_object *list = put(b, object, "allocated_by", json_object_new_array());

	for (size_t i = 0; list && i < dossier->nr_tasks; i++) {
		const struct kmt_dossier_task *task = &dossier->tasks[i];
		struct json_object *member = put_element(b, list, json_object_new_object());

		put_text(b, member, "comm", task->comm);
		if (task->pid >= 0)
			put_uint(b, member, "pid", (uint64_t)task->pid);
		put_text(b, member, "context", running_names[task->running]);
		put_uint(b, member, "allocs", task->allocs);
		put_uint(b, member, "live_objects", task->live);
	}
}

static void put_freer(struct builder *b, struct json_object *member,
		      const struct kmt_dossier_freer *freer)
{
	const struct kmt_lifetimes *lifetimes = &freer->lifetimes;

	put_address(b, member, "call_site", freer->call_site);
	put_text(b, member, "function", freer->function);
	if (freer->function || freer->offset)
		put_uint(b, member, "offset", freer->offset);
	put_text(b, member, "lines", freer->lines);
	put_text(b, member, "module", freer->module);
	put_text(b, member, "taint", freer->taint);
	if (member && !freer->module && !freer->is_unknown &&
	    json_object_object_add(member, "module", NULL) != 0)
		b->has_failed = true; /* null: known to be built in */
	put_uint(b, member, "frees", freer->frees);
	put_uint(b, member, "in_interrupt", freer->in_interrupt);
	if (!lifetimes->nr)
		return;
	put_uint(b, member, "lifetime_min_ns", lifetimes->min_ns);
	put_uint(b, member, "lifetime_mean_ns",
		 (uint64_t)(lifetimes->sum_ns / (double)lifetimes->nr));
	put_uint(b, member, "lifetime_max_ns", lifetimes->max_ns);
}

static void put_freers(struct builder *b, struct json_object *object,
		       const struct kmt_dossier *dossier)
{
	struct json_object *list = put(b, object, "freed_by", json_object_new_array());

	for (size_t i = 0; list && i < dossier->nr_freers; i++)
		put_freer(b, put_element(b, list, json_object_new_object()), &dossier->freers[i]);
}

static void put_ages(struct builder *b, struct json_object *object,
		     const struct kmt_dossier *dossier)
{
	struct json_object *list = put(b, object, "lifetimes", json_object_new_array());

	for (unsigned int i = 0; list && i < KMT_DOSSIER_AGES; i++) {
		struct json_object *member;

		if (!dossier->live_ages[i] && !dossier->freed_ages[i] && !dossier->reused_ages[i])
			continue;
		member = put_element(b, list, json_object_new_object());
		put_uint(b, member, "from_ns", i ? kmt_dossier_age_to(i - 1) : 0);
		if (i + 1 < KMT_DOSSIER_AGES)
			put_uint(b, member, "to_ns", kmt_dossier_age_to(i));
		put_uint(b, member, "live", dossier->live_ages[i]);
		put_uint(b, member, "freed", dossier->freed_ages[i]);
		put_uint(b, member, "reused", dossier->reused_ages[i]);
	}
}

static void put_object(struct builder *b, struct json_object *member,
		       const struct kmt_result *result, const struct kmt_dossier_object *object)
{
	put_address(b, member, "ptr", object->ptr);
	put_uint(b, member, "age_ns",
		 result->end_ns > object->time_ns ? result->end_ns - object->time_ns : 0);
	put_uint(b, member, "requested_bytes", object->requested);
	put_uint(b, member, "allocated_bytes", object->allocated);
	put_uint(b, member, "cpu", object->cpu);
	if (!object->has_details)
		return;
	put_text(b, member, "comm", object->comm);
	if (object->pid >= 0)
		put_uint(b, member, "pid", (uint64_t)object->pid);
	put_text(b, member, "context", running_names[object->running]);
	put_text(b, member, "gfp", object->gfp_text);
}

static void put_oldest(struct builder *b, struct json_object *object,
		       const struct kmt_result *result, const struct kmt_dossier *dossier)
{
	struct json_object *list = put(b, object, "oldest", json_object_new_array());

	for (size_t i = 0; list && i < dossier->nr_oldest; i++)
		put_object(b, put_element(b, list, json_object_new_object()), result,
			   &dossier->oldest[i]);
}

static void put_stacks(struct builder *b, struct json_object *object,
		       const struct kmt_result *result, const struct kmt_dossier *dossier)
{
	struct json_object *list;

	if (!result->nr_stacks)
		return;
	list = put(b, object, "call_stacks", json_object_new_array());
	for (size_t i = 0; list && i < result->nr_stacks; i++) {
		const struct kmt_stack_row *row = &result->stacks[i];
		struct json_object *member;

		if (!kmt_site_is(&row->site, &dossier->site))
			continue;
		member = put_element(b, list, json_object_new_object());
		put_uint(b, member, "allocs", row->allocs);
		put_uint(b, member, "live_objects", row->live_objects);
		put_uint(b, member, "live_bytes", row->live_bytes);
		kmt_json_put_frames(b, member, row->frames, row->nr_frames);
	}
}

void kmt_json_put_dossier(struct builder *b, struct json_object *object,
			  const struct kmt_result *result, const struct kmt_dossier *dossier)
{
	put_sizes(b, object, dossier);
	put_flags(b, object, dossier);
	put_tasks(b, object, dossier);
	put_freers(b, object, dossier);
	put_ages(b, object, dossier);
	put_oldest(b, object, result, dossier);
}

void kmt_json_put_explain(struct builder *b, struct json_object *root,
			  const struct kmt_result *result)
{
	struct json_object *list;

	if (!result->is_explanation)
		return;
	list = put(b, root, "explain", json_object_new_array());
	for (size_t i = 0; list && i < result->nr_dossiers; i++) {
		const struct kmt_dossier *dossier = &result->dossiers[i];
		struct json_object *object = put_element(b, list, json_object_new_object());
		const struct kmt_row *row = kmt_result_site(result, &dossier->site);

		if (row)
			kmt_json_put_row(b, object, result, row);
		put_uint(b, object, "live_of_any_age", dossier->live);
		put_uint(b, object, "remembered_objects", dossier->remembered);
		put_stacks(b, object, result, dossier);
		kmt_json_put_dossier(b, object, result, dossier);
	}
}

static void put_interval(struct builder *b, struct json_object *member,
			 const struct kmt_interval *line, uint64_t start_ns)
{
	put_uint(b, member, "from_ns", line->from_ns - start_ns);
	put_uint(b, member, "to_ns", line->to_ns - start_ns);
	put_uint(b, member, "allocs", line->allocs);
	put_uint(b, member, "frees", line->frees);
	put_uint(b, member, "reused", line->reused);
	put_int(b, member, "net", (int64_t)(line->allocs - line->frees - line->reused));
	put_uint(b, member, "live_objects", line->live_objects);
	put_uint(b, member, "live_bytes", line->live_bytes);
	put_uint(b, member, "losses", line->losses);
	put_uint(b, member, "lost", line->lost);
}

void kmt_json_put_intervals(struct builder *b, struct json_object *root,
			    const struct kmt_result *result)
{
	static const char *const words[] = {
		[KMT_BY_SITE] = "site", [KMT_BY_CACHE] = "cache", [KMT_BY_MODULE] = "module",
		[KMT_BY_COMM] = "comm", [KMT_BY_PID] = "pid",
	};
	struct json_object *object, *list;

	if (!result->interval_ns)
		return;
	object = put(b, root, "intervals", json_object_new_object());
	put_uint(b, object, "width_ns", result->interval_ns);
	if (result->only)
		put_text(b, object, words[result->only_by], result->only);
	list = put(b, object, "lines", json_object_new_array());
	for (size_t i = 0; list && i < result->nr_intervals; i++)
		put_interval(b, put_element(b, list, json_object_new_object()),
			     &result->intervals[i], result->intervals[0].from_ns);
}
