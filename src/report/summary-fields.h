/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_SUMMARY_FIELDS_H
#define KMT_REPORT_SUMMARY_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "kmemtape/summary.h"

#include "json-pieces.h"

/*
 * Fields of a report that anybody may have written. What is absent is 0, NULL or false. Instead of
 * a check at each of a hundred, a reading remembers the first that isn't what it should be.
 */
struct kmt_reading {
	struct kmt_summary *summary;
	const char *name;  /* of the report */
	const char *part;  /* "tape", "sites" */
	const char *wrong; /* key of the first that is wrong; NULL: none is */
	bool is_out_of_memory;
};

/* Return: NULL if it is no JSON of @type, or longer than any part of a report is. */
struct json_object *kmt_reading_parse(struct kmt_reading *reading, const struct kmt_piece *piece,
				      enum json_type type);

uint64_t kmt_reading_uint(struct kmt_reading *reading, struct json_object *object, const char *key);
double kmt_reading_real(struct kmt_reading *reading, struct json_object *object, const char *key);
bool kmt_reading_bool(struct kmt_reading *reading, struct json_object *object, const char *key);

/* The summary's. Reports escape what isn't safe; this is how it was before. */
char *kmt_reading_text(struct kmt_reading *reading, struct json_object *object, const char *key);
char *kmt_reading_keep(struct kmt_reading *reading, struct json_object *text);

/* NULL if it isn't there. */
struct json_object *kmt_reading_member(struct kmt_reading *reading, struct json_object *object,
				       const char *key, enum json_type type);

/* Return: 0; -EBADMSG or -ENOMEM if something was wrong so far. */
int kmt_reading_check(const struct kmt_reading *reading, struct kmt_err *err);

#endif
