// SPDX-License-Identifier: LGPL-2.1-only
#include "kmemtape/diff.h"

#include "builder.h"
#include "diff-judge.h"
#include "summary-json.h"

#define SCHEMA	 1
#define NS_PER_S 1e9

static void put_side(struct builder *b, struct json_object *item_object, const char *name,
		     const struct kmt_diff *diff, const struct kmt_diff_item *item, int side)
{
	const struct kmt_summary *tape = diff->tapes[side];
	const struct kmt_diff_side *self = &item->sides[side];
	double s = (double)tape->duration_ns / NS_PER_S;
	struct json_object *object;

	if (!self->row)
		return;
	object = put(b, item_object, name, json_object_new_object());
	put_uint(b, object, "rows", self->nr_rows);
	kmt_summary_put_judgement(b, object, self->class, self->confidence, self->is_suspect);
	if (!self->row->is_counted) {
		put_uint(b, object, "allocs", self->allocs);
		put_uint(b, object, "frees", self->frees);
	}
	put_uint(b, object, "live_objects", self->live_objects);
	if (item->has_size)
		put_uint(b, object, "live_bytes", self->live_bytes);
	put_real(b, object, "left_objects", self->objects);
	if (item->has_size)
		put_real(b, object, "left_bytes", self->bytes);
	put_real(b, object, item->has_size ? "growth_bytes_per_s" : "growth_objects_per_s",
		 kmt_diff_growth(diff, item, side));
	if (s > 0 && !self->row->is_counted)
		put_real(b, object, "allocs_per_s", self->calls / s);
	if (tape->allocs)
		put_real(b, object,
			 item->has_size ? "left_bytes_per_million_allocs"
					: "left_objects_per_million_allocs",
			 kmt_diff_left_per_million(diff, item, side));
}

static void put_item(struct builder *b, struct json_object *list, const struct kmt_diff *diff,
		     const struct kmt_diff_item *item)
{
	static const char *const matches[] = {
		[KMT_MATCH_EXACT] = "offset",
		[KMT_MATCH_FUNCTION] = "function",
		[KMT_MATCH_NAME] = "name",
		[KMT_MATCH_GROUP] = "group",
	};
	struct json_object *object = put_element(b, list, json_object_new_object());

	put_text(b, object, "change", kmt_change_name(item->change));
	put_text(b, object, "why", item->why);
	kmt_summary_put_name(b, object, item->row);
	put_text(b, object, "matched_by", matches[item->match]);
	put_side(b, object, "a", diff, item, 0);
	put_side(b, object, "b", diff, item, 1);
}

static void put_counts(struct builder *b, struct json_object *root, const struct kmt_diff *diff)
{
	struct json_object *object = put(b, root, "changes", json_object_new_object());

	for (int i = 0; i < KMT_CHANGES; i++)
		put_uint(b, object, kmt_change_name((enum kmt_change)i), diff->nr_by_change[i]);
}

int kmt_diff_json(const struct kmt_diff *diff, uint64_t top, FILE *file, struct kmt_err *err)
{
	size_t nr = top && top < diff->nr_items ? top : diff->nr_items;
	struct json_object *root = json_object_new_object(), *list;
	struct builder b = { .has_failed = !root };

	put_uint(&b, root, "schema", SCHEMA);
	put_text(&b, root, "answer", kmt_answer_name(diff->answer));
	put_text(&b, root, "headline", diff->headline);
	put_bool(&b, root, "same_kernel_build", diff->is_same_kernel);
	put_bool(&b, root, "same_recording", diff->is_same_recording);
	kmt_summary_put(&b, put(&b, root, "a", json_object_new_object()), diff->tapes[0]);
	kmt_summary_put(&b, put(&b, root, "b", json_object_new_object()), diff->tapes[1]);
	put_counts(&b, root, diff);
	list = put(&b, root, "items", json_object_new_array());
	for (size_t i = 0; i < nr; i++)
		put_item(&b, list, diff, &diff->items[i]);
	return kmt_summary_json_print(&b, root, file, err);
}
