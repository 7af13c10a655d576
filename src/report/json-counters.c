// SPDX-License-Identifier: LGPL-2.1-only
#include "json-counters.h"
#include "json-judgement.h"

static void put_items(struct builder *b, struct json_object *object,
		      const struct kmt_reconciliation *counted)
{
	struct json_object *items = put(b, object, "items", json_object_new_array());

	for (size_t i = 0; items && i < counted->nr_items; i++) {
		const struct kmt_bill_item *item = &counted->items[i];
		struct json_object *member = put_element(b, items, json_object_new_object());

		put_text(b, member, "name", item->name);
		put_int(b, member, "growth_bytes", item->growth_bytes);
		if (item->is_explained)
			put_int(b, member, "explained_bytes", item->explained_bytes);
	}
}

static void put_caches(struct builder *b, struct json_object *object,
		       const struct kmt_reconciliation *counted)
{
	struct json_object *caches = put(b, object, "caches", json_object_new_array());

	for (size_t i = 0; caches && i < counted->nr_caches; i++) {
		const struct kmt_cache_check *check = &counted->caches[i];
		struct json_object *member = put_element(b, caches, json_object_new_object());

		put_text(b, member, "cache", check->cache);
		put_int(b, member, "counted_objects", check->counted_objects);
		put_int(b, member, "counted_bytes", check->counted_bytes);
		put_int(b, member, "booked_low", check->booked_low);
		put_int(b, member, "booked_high", check->booked_high);
		put_uint(b, member, "slack_objects", check->slack_objects);
		put_bool(b, member, "contradicted", check->is_contradicted);
		put_bool(b, member, "reclaimable", check->is_reclaimable);
	}
}

static void put_vmallocs(struct builder *b, struct json_object *object,
			 const struct kmt_reconciliation *counted)
{
	struct json_object *list = put(b, object, "vmallocs", json_object_new_array());

	for (size_t i = 0; list && i < counted->nr_vmallocs; i++) {
		const struct kmt_vmalloc_row *row = &counted->vmallocs[i];
		struct json_object *member = put_element(b, list, json_object_new_object());

		put_text(b, member, "caller", row->caller);
		put_text(b, member, "module", row->module);
		put_text(b, member, "taint", row->taint);
		put_uint(b, member, "areas", row->areas);
		put_uint(b, member, "bytes", row->bytes);
		put_int(b, member, "grown_areas", row->grown_areas);
		put_int(b, member, "grown_bytes", row->grown_bytes);
		put_bool(b, member, "suppressed", row->is_suppressed);
		put_bool(b, member, "seen_by_events", row->is_seen_by_events);
		kmt_json_put_judgement(b, member, &row->judgement, true);
	}
}

void kmt_json_put_reconciliation(struct builder *b, struct json_object *root,
				 const struct kmt_reconciliation *counted)
{
	struct json_object *object = put(b, root, "reconciliation", json_object_new_object());

	put_uint(b, object, "snapshots", counted->nr_snapshots);
	if (counted->nr_snapshots < 2)
		return;
	put_uint(b, object, "from_ns", counted->from_ns);
	put_uint(b, object, "to_ns", counted->to_ns);
	put_int(b, object, "kernel_growth_bytes", counted->kernel_growth_bytes);
	put_int(b, object, "explained_bytes", counted->explained_bytes);
	put_items(b, object, counted);
	put_caches(b, object, counted);
	put_vmallocs(b, object, counted);
}
