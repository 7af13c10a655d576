// SPDX-License-Identifier: LGPL-2.1-only
#include "json-judgement.h"

static void put_reasons(struct builder *b, struct json_object *reasons, const char *name,
			const struct kmt_judgement *judgement, bool is_for)
{
	struct json_object *list = put(b, reasons, name, json_object_new_array());

	for (size_t i = 0; list && i < judgement->nr_reasons; i++)
		if (judgement->reasons[i].is_for == is_for)
			(void)put_element(b, list, safe_text(judgement->reasons[i].text));
}

static void put_trend(struct builder *b, struct json_object *object, const struct kmt_trend *trend,
		      bool has_size)
{
	struct json_object *member, *interval;

	put_real(b, object, has_size ? "rate_bytes_per_s" : "rate_objects_per_s",
		 trend->bytes_per_s);
	interval = put(b, object, "rate_interval", json_object_new_array());
	if (interval) {
		(void)put_element(b, interval, real(trend->low));
		(void)put_element(b, interval, real(trend->high));
	}
	member = put(b, object, "trend", json_object_new_object());
	put_text(b, member, "shape", kmt_shape_name(trend->shape));
	if (trend->since_ns)
		put_uint(b, member, "since_ns", trend->since_ns);
}

void kmt_json_put_judgement(struct builder *b, struct json_object *object,
			    const struct kmt_judgement *judgement, bool has_size)
{
	struct json_object *reasons;

	put_text(b, object, "class", kmt_class_name(judgement->class));
	put_real(b, object, "confidence", judgement->confidence);
	reasons = put(b, object, "reasons", json_object_new_object());
	put_reasons(b, reasons, "for", judgement, true);
	put_reasons(b, reasons, "against", judgement, false);
	put_trend(b, object, &judgement->trend, has_size);
}

/* Only the ages that occur. */
static void put_ages(struct builder *b, struct json_object *object,
		     const struct kmt_history *history)
{
	struct json_object *ages = put(b, object, "ages", json_object_new_array());

	for (unsigned int i = 0; ages && i < KMT_AGE_BINS; i++) {
		struct json_object *bin;

		if (!history->live_ages[i] && !history->freed_ages[i] && !history->reused_ages[i])
			continue;
		bin = put_element(b, ages, json_object_new_object());
		put_uint(b, bin, "from_ns", kmt_age_bin_from(i));
		put_uint(b, bin, "live", history->live_ages[i]);
		put_uint(b, bin, "freed", history->freed_ages[i]);
		put_uint(b, bin, "reused", history->reused_ages[i]);
	}
}

void kmt_json_put_history(struct builder *b, struct json_object *object,
			  const struct kmt_packed_history *packed, const struct kmt_grid *grid,
			  bool has_size)
{
	struct kmt_history history;
	struct json_object *curves;

	if (!packed)
		return;
	kmt_history_unpack(packed, &history);
	curves = put(b, object, "history", json_object_new_object());
	put_uints(b, curves, "live_objects", history.live, grid->nr);
	if (has_size)
		put_uints(b, curves, "live_bytes", history.live_bytes, grid->nr);
	put_uints(b, curves, "born", history.born, grid->nr);
	put_ages(b, object, &history);
}
