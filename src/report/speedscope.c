// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "kmemtape/cleanup.h"

#include "builder.h"
#include "intern.h"
#include "speedscope.h"
#include "walk.h"

#define SCHEMA	    "https://www.speedscope.app/file-format-schema.json"
#define STYLE	    (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define FRAMES_MAX  (KMT_WALK_FRAMES_MAX + 1) /* with what stands below one frame alone */
#define TITLE_BYTES (2 * KMT_NAME_BYTES)

struct speedscope {
	const struct kmt_result *result;
	const struct kmt_report_options *options;
	struct builder builder;
	struct kmt_intern frames;
};

static void deinit(struct speedscope *speedscope)
{
	kmt_intern_deinit(&speedscope->frames);
}

/* Their numbers, outermost first. */
static size_t list_frames(struct speedscope *speedscope, const struct kmt_walk_sample *sample,
			  uint64_t numbers[FRAMES_MAX])
{
	char name[KMT_NAME_BYTES];
	size_t nr = 0;

	if (kmt_walk_root_name(name, sample))
		numbers[nr++] = kmt_intern_add(&speedscope->frames, name, NULL);
	for (size_t i = sample->nr_frames; i > 0 && nr < FRAMES_MAX; i--) {
		kmt_walk_frame_name(name, &sample->frames[i - 1]);
		numbers[nr++] = kmt_intern_add(&speedscope->frames, name, NULL);
	}
	return nr;
}

/* A list in a list of lists. */
static void add_numbers(struct builder *b, struct json_object *list, const uint64_t *numbers,
			size_t nr)
{
	struct json_object *holder = json_object_new_object();

	put_uints(b, holder, "list", numbers, nr);
	(void)put_element(b, list, json_object_get(json_object_object_get(holder, "list")));
	json_object_put(holder);
}

static uint64_t bytes_of(const struct kmt_row *row)
{
	return row->live_bytes;
}

static uint64_t objects_of(const struct kmt_row *row)
{
	return row->live_objects;
}

static void put_profile(struct speedscope *speedscope, struct json_object *profiles,
			const char *name, const char *unit,
			uint64_t (*weight_of)(const struct kmt_row *))
{
	struct builder *b = &speedscope->builder;
	struct json_object *profile = put_element(b, profiles, json_object_new_object());
	struct json_object *samples, *weights;
	struct kmt_walk_sample sample;
	struct kmt_walk walk;
	uint64_t sum = 0;

	put_safe(b, profile, "type", "sampled");
	put_safe(b, profile, "name", name);
	put_safe(b, profile, "unit", unit);
	samples = put(b, profile, "samples", json_object_new_array());
	weights = put(b, profile, "weights", json_object_new_array());
	kmt_walk_start(&walk, speedscope->result, speedscope->options);
	while (kmt_walk_next(&walk, &sample)) {
		uint64_t numbers[FRAMES_MAX], weight = weight_of(sample.row);

		if (!weight)
			continue;
		add_numbers(b, samples, numbers, list_frames(speedscope, &sample, numbers));
		(void)put_element(b, weights, json_object_new_uint64(weight));
		sum += weight;
	}
	put_uint(b, profile, "startValue", 0);
	put_uint(b, profile, "endValue", sum);
}

/* There is no other place for what makes the numbers doubtful. */
static void put_title(struct speedscope *speedscope, struct json_object *root)
{
	const struct kmt_result *result = speedscope->result;
	char title[TITLE_BYTES], path[KMT_NAME_BYTES], lost[64] = "";
	char n[KMT_UNITS_BYTES];

	if (result->lost || result->totals.losses)
		(void)snprintf(lost, sizeof(lost), ", %s%s events lost", kmt_words_lost(n, result),
			       result->lost ? "" : " of");
	(void)snprintf(title, sizeof(title), "%s%s%s%s",
		       kmt_escape(path, sizeof(path), result->path), lost,
		       result->is_complete ? "" : ", not complete",
		       result->sample > 1 ? ", a sample" : "");
	put_safe(&speedscope->builder, root, "name", title);
}

static void fill(struct speedscope *speedscope, struct json_object *root)
{
	struct builder *b = &speedscope->builder;
	struct json_object *profiles, *shared, *frames;

	put_safe(b, root, "$schema", SCHEMA);
	put_safe(b, root, "exporter", "kmemtape " KMT_VERSION);
	put_title(speedscope, root);
	put_uint(b, root, "activeProfileIndex", 0);
	profiles = put(b, root, "profiles", json_object_new_array());
	put_profile(speedscope, profiles, "live bytes", "bytes", bytes_of);
	put_profile(speedscope, profiles, "live objects", "none", objects_of);
	shared = put(b, root, "shared", json_object_new_object());
	frames = put(b, shared, "frames", json_object_new_array());
	for (size_t i = 0; i < speedscope->frames.nr; i++)
		put_safe(b, put_element(b, frames, json_object_new_object()), "name",
			 speedscope->frames.texts[i]);
}

int kmt_report_speedscope(const struct kmt_result *result, const struct kmt_report_options *options,
			  FILE *file, struct kmt_err *err)
{
	KMT_CLEANUP(deinit)
	struct speedscope speedscope = { .result = result, .options = options };
	struct json_object *root = json_object_new_object();
	const char *text = NULL;

	fill(&speedscope, root);
	if (root && !speedscope.builder.has_failed && !speedscope.frames.has_failed)
		text = json_object_to_json_string_ext(root, STYLE);
	if (text)
		(void)fprintf(file, "%s\n", text);
	json_object_put(root);
	return text ? 0 : kmt_fail(err, -ENOMEM, "out of memory");
}
