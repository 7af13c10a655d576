// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "builder.h"
#include "json-rows.h"
#include "ndjson.h"
#include "walk.h"

#define LINE_STYLE (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/* The same in each line: lines of many tapes may be put together. */
static void put_tape(struct builder *b, struct json_object *object, const struct kmt_result *result)
{
	put_text(b, object, "host", result->host);
	put_text(b, object, "kernel", result->kernel);
	put_text(b, object, "tape", result->path);
	put_text(b, object, "started_at", result->started_at);
	put_uint(b, object, "duration_ns", result->duration_ns);
	put_uint(b, object, "lost", result->lost);
	put_uint(b, object, "losses", result->totals.losses);
	put_bool(b, object, "complete", result->is_complete);
	put_uint(b, object, "sample", result->sample);
}

static bool print_line(const struct kmt_result *result, const struct kmt_row *row, FILE *file)
{
	struct json_object *object = json_object_new_object();
	struct builder builder = { .has_failed = !object };
	const char *text = NULL;

	put_tape(&builder, object, result);
	kmt_json_put_row(&builder, object, result, row);
	if (!builder.has_failed)
		text = json_object_to_json_string_ext(object, LINE_STYLE);
	if (text)
		(void)fprintf(file, "%s\n", text);
	json_object_put(object);
	return text;
}

int kmt_report_ndjson(const struct kmt_result *result, const struct kmt_report_options *options,
		      FILE *file, struct kmt_err *err)
{
	size_t nr = kmt_walk_nr(result, options);

	for (size_t i = 0; i < nr; i++)
		if (!print_line(result, &result->rows[i], file))
			return kmt_fail(err, -ENOMEM, "out of memory");
	return 0;
}
