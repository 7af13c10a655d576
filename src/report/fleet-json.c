// SPDX-License-Identifier: LGPL-2.1-only
#include "kmemtape/fleet.h"

#include "builder.h"
#include "naming.h"
#include "summary-json.h"

#define SCHEMA 1

static void put_part(struct builder *b, struct json_object *list, const struct kmt_fleet_part *part,
		     const struct kmt_summary_row *row)
{
	bool has_size = row->space < KMT_SPACE_PAIR;
	struct json_object *object = put_element(b, list, json_object_new_object());

	put_uint(b, object, "tape", part->tape);
	if (part->owner) {
		put_text(b, object, "owner", part->owner->owner);
		put_text(b, object, "owner_module", part->owner->owner_module);
	}
	kmt_summary_put_judgement(b, object, part->class, part->confidence, part->is_suspect);
	if (!row->is_counted)
		put_uint(b, object, "allocs", part->allocs);
	put_uint(b, object, "live_objects", part->live_objects);
	if (has_size) {
		put_uint(b, object, "live_bytes", part->live_bytes);
		put_real(b, object, "left_bytes", part->left_bytes);
	}
	put_real(b, object, has_size ? "growth_bytes_per_s" : "growth_objects_per_s", part->per_s);
}

static void put_site(struct builder *b, struct json_object *list, const struct kmt_fleet_site *site)
{
	struct json_object *object = put_element(b, list, json_object_new_object()), *parts;
	struct kmt_summary_row row = kmt_row_for(site->row, site->owner);
	bool has_size = row.space < KMT_SPACE_PAIR;

	kmt_summary_put_name(b, object, &row);
	put_uint(b, object, "hosts", site->nr_hosts);
	put_uint(b, object, "tapes", site->nr_tapes);
	put_uint(b, object, "leaking_hosts", site->nr_leaking_hosts);
	put_uint(b, object, "leaking_tapes", site->nr_leaking);
	put_text(b, object, "first_seen", site->first_seen);
	put_text(b, object, "last_seen", site->last_seen);
	put_text(b, object, "first_leak", site->first_leak);
	put_text(b, object, "last_leak", site->last_leak);
	if (has_size) {
		put_uint(b, object, "live_bytes_sum", site->live_bytes_sum);
		put_uint(b, object, "live_bytes_max", site->live_bytes_max);
	}
	put_real(b, object, has_size ? "growth_bytes_per_s_sum" : "growth_objects_per_s_sum",
		 site->per_s_sum);
	put_real(b, object, has_size ? "growth_bytes_per_s_max" : "growth_objects_per_s_max",
		 site->per_s_max);
	parts = put(b, object, "by_tape", json_object_new_array());
	for (size_t i = 0; i < site->nr_parts; i++)
		put_part(b, parts, &site->parts[i], site->row);
}

static void put_repeat(struct builder *b, struct json_object *list,
		       const struct kmt_fleet_repeat *repeat)
{
	struct json_object *object = put_element(b, list, json_object_new_object());

	put_text(b, object, "path", repeat->tape->path);
	put_uint(b, object, "tape", repeat->of);
}

int kmt_fleet_json(const struct kmt_fleet *fleet, uint64_t top, FILE *file, struct kmt_err *err)
{
	size_t nr = top && top < fleet->nr_sites ? top : fleet->nr_sites;
	struct json_object *root = json_object_new_object(), *list;
	struct builder b = { .has_failed = !root };

	put_uint(&b, root, "schema", SCHEMA);
	put_text(&b, root, "headline", fleet->headline);
	put_uint(&b, root, "hosts", fleet->nr_hosts);
	put_uint(&b, root, "leaking_hosts", fleet->nr_leaking_hosts);
	put_uint(&b, root, "leaking_tapes", fleet->nr_leaking_tapes);
	put_uint(&b, root, "doubtful_tapes", fleet->nr_doubtful);
	put_uint(&b, root, "short_tapes", fleet->nr_short);
	list = put(&b, root, "tapes", json_object_new_array());
	for (size_t i = 0; i < fleet->nr_tapes; i++)
		kmt_summary_put(&b, put_element(&b, list, json_object_new_object()),
				fleet->tapes[i]);
	list = put(&b, root, "repeats", json_object_new_array());
	for (size_t i = 0; i < fleet->nr_repeats; i++)
		put_repeat(&b, list, &fleet->repeats[i]);
	list = put(&b, root, "sites", json_object_new_array());
	for (size_t i = 0; i < nr; i++)
		put_site(&b, list, &fleet->sites[i]);
	return kmt_summary_json_print(&b, root, file, err);
}
