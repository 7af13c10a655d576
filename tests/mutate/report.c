// SPDX-License-Identifier: GPL-2.0-only
#include <json-c/json.h>
#include <stdint.h>
#include <string.h>

#include "report.h"

static uint64_t number(struct json_object *root, const char *group, const char *key)
{
	return json_object_get_uint64(
		json_object_object_get(json_object_object_get(root, group), key));
}

static uint64_t sum(struct json_object *list, const char *key)
{
	uint64_t n = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++)
		n += json_object_get_uint64(
			json_object_object_get(json_object_array_get_idx(list, i), key));
	return n;
}

/* ledger.h says that they do. */
static const char *check_books(struct json_object *root)
{
	struct json_object *spaces = json_object_object_get(root, "spaces"),
			   *sites = json_object_object_get(root, "sites");
	uint64_t paired = number(root, "matching", "paired"),
		 live = number(root, "matching", "live");

	if (!json_object_is_type(spaces, json_type_array) ||
	    !json_object_is_type(sites, json_type_array))
		return "the report has no spaces, or no sites";
	if (number(root, "events", "allocs") - number(root, "events", "failed_allocs") -
		    number(root, "events", "zero_size") - number(root, "matching", "replaced") +
		    number(root, "matching", "split") !=
	    paired + number(root, "matching", "reused") + live)
		return "the allocations don't add up";
	if (number(root, "events", "frees") - number(root, "events", "null_frees") -
		    number(root, "matching", "deferred_frees") +
		    number(root, "matching", "joined") !=
	    paired + number(root, "matching", "unknown_frees") +
		    number(root, "matching", "unknown_other_frees") +
		    number(root, "matching", "filtered_frees"))
		return "the frees don't add up";
	if (live > number(root, "matching", "peak_live"))
		return "more is live than ever was";
	if (sum(spaces, "live_objects") != live)
		return "the spaces have other live objects than all of it";
	if (sum(sites, "live_objects") != live)
		return "the rows have other live objects than all of it";
	return NULL;
}

const char *report_parse(const char *text, struct report *ret_report)
{
	struct json_object *root = json_tokener_parse(text);
	const char *leak, *problem;

	if (!root)
		return "the report isn't JSON";
	problem = check_books(root);
	leak = json_object_get_string(
		json_object_object_get(json_object_object_get(root, "verdict"), "leak"));
	*ret_report = (struct report){
		.is_there = true,
		.has_doubts = !json_object_get_boolean(json_object_object_get(
				      json_object_object_get(root, "tape"), "complete")) ||
			      json_object_array_length(json_object_object_get(root, "notes")) > 0,
		.is_likely = leak && strcmp(leak, "likely") == 0,
	};
	if (!leak)
		problem = "the report has no verdict";
	json_object_put(root);
	return problem;
}
