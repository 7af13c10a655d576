// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/units.h"

#include "json-judgement.h"
#include "json-rows.h"

#define NS_PER_S   1e9
#define ROW_INDENT "    "

static void put_module(struct builder *b, struct json_object *object, const struct kmt_row *row)
{
	put_text(b, object, "module", row->module);
	put_text(b, object, "taint", row->taint);
	if (object && !row->module && !row->is_unknown &&
	    json_object_object_add(object, "module", NULL) != 0)
		b->has_failed = true; /* null: known to be built in */
}

const char *kmt_json_space(uint32_t space)
{
	static const char *const names[] = {
		[KMT_SPACE_SLAB] = "slab",
		[KMT_SPACE_PAGE] = "page",
		[KMT_SPACE_PERCPU] = "percpu",
		[KMT_SPACE_VMALLOC] = "vmalloc",
	};

	return space < KMT_SPACE_PAIR ? names[space] : "pair";
}

const char *kmt_json_use(enum kmt_use use)
{
	static const char *const names[KMT_USES] = {
		[KMT_USE_KERNEL] = "kernel",   [KMT_USE_SLAB] = "slab",
		[KMT_USE_VMALLOC] = "vmalloc", [KMT_USE_PERCPU] = "percpu",
		[KMT_USE_USER] = "user",       [KMT_USE_PAGE_TABLE] = "page_table",
		[KMT_USE_STACK] = "stack",     [KMT_USE_UNKNOWN] = "unknown",
	};

	return names[use];
}

static void put_owner(struct builder *b, struct json_object *object, const struct kmt_row *row)
{
	if (row->nr_owners > 1)
		put_uint(b, object, "owners", row->nr_owners);
	put_text(b, object, "owner", row->owner);
	put_text(b, object, "owner_module", row->owner_module);
	if (row->is_owners)
		put_bool(b, object, "judged_by_owner", true);
}

static void put_frame(struct builder *b, struct json_object *object, const struct kmt_frame *frame)
{
	char text[BUILDER_TEXT_BYTES], function[BUILDER_TEXT_BYTES / 2];

	put_address(b, object, "address", frame->address);
	if (frame->function) {
		(void)snprintf(text, sizeof(text), "%s+0x%" PRIx64,
			       kmt_escape(function, sizeof(function), frame->function),
			       frame->offset);
		(void)put(b, object, "symbol", json_object_new_string(text));
		put_text(b, object, "function", frame->function);
		put_uint(b, object, "offset", frame->offset);
	}
	put_text(b, object, "module", frame->module);
	put_text(b, object, "lines", frame->lines);
	put_bool(b, object, "helper", frame->is_helper);
}

void kmt_json_put_frames(struct builder *b, struct json_object *object,
			 const struct kmt_frame *frames, size_t nr)
{
	struct json_object *list = nr ? put(b, object, "frames", json_object_new_array()) : NULL;

	for (size_t i = 0; list && i < nr; i++)
		put_frame(b, put_element(b, list, json_object_new_object()), &frames[i]);
}

static void put_site(struct builder *b, struct json_object *object, enum kmt_group group,
		     const struct kmt_row *row)
{
	char text[BUILDER_TEXT_BYTES], function[BUILDER_TEXT_BYTES / 2];

	bool is_owner = group == KMT_BY_OWNER; /* all of a function */

	if (!is_owner || !row->function)
		put_address(b, object, "call_site", row->call_site);
	if (is_owner)
		put_text(b, object, "function", row->function);
	if (row->function && !is_owner) {
		(void)snprintf(text, sizeof(text), "%s+0x%" PRIx64,
			       kmt_escape(function, sizeof(function), row->function), row->offset);
		(void)put(b, object, "symbol", json_object_new_string(text));
		put_text(b, object, "function", row->function);
	}
	if ((row->function && !is_owner) || row->offset)
		put_uint(b, object, "offset", row->offset);
	put_text(b, object, "lines", row->lines);
	put_module(b, object, row);
	put_text(b, object, "cache", row->cache);
	if (row->nr_caches > 1)
		put_uint(b, object, "caches", row->nr_caches);
	put_owner(b, object, row);
	if (row->nr_stacks)
		put_uint(b, object, "stacks", row->nr_stacks);
	kmt_json_put_frames(b, object, row->frames, row->nr_frames);
}

static void put_name(struct builder *b, struct json_object *object, const struct kmt_result *result,
		     const struct kmt_row *row)
{
	if (result->group == KMT_BY_PID && row->pid >= 0)
		put_uint(b, object, "pid", (uint64_t)row->pid);
	switch (result->group) {
	case KMT_BY_SITE:
	case KMT_BY_STACK:
	case KMT_BY_OWNER:
		put_site(b, object, result->group, row);
		break;
	case KMT_BY_CACHE:
		put_text(b, object, "cache", row->cache);
		break;
	case KMT_BY_MODULE:
		put_module(b, object, row);
		break;
	case KMT_BY_PID:
	case KMT_BY_COMM:
		put_text(b, object, "comm", row->comm);
		break;
	}
}

/* What it has that is not of the slab, if it isn't. */
static void put_space(struct builder *b, struct json_object *object, const struct kmt_row *row)
{
	put_text(b, object, "space", kmt_json_space(row->space));
	put_text(b, object, "pair", row->pair);
	if (row->space != KMT_SPACE_PAGE)
		return;
	put_text(b, object, "use", kmt_json_use(row->use));
	put_text(b, object, "gfp", row->gfp);
	if (row->bytes_each)
		put_uint(b, object, "bytes_each", row->bytes_each);
}

void kmt_json_put_estimate(struct builder *b, struct json_object *object,
			   const struct kmt_estimate *estimate, bool has_size)
{
	struct json_object *member = put(b, object, "estimate", json_object_new_object());

	put_real(b, member, "objects", estimate->objects);
	put_real(b, member, "objects_low", estimate->objects_low);
	put_real(b, member, "objects_high", estimate->objects_high);
	if (!has_size)
		return;
	put_real(b, member, "bytes", estimate->bytes);
	put_real(b, member, "bytes_low", estimate->bytes_low);
	put_real(b, member, "bytes_high", estimate->bytes_high);
}

static void put_numbers(struct builder *b, struct json_object *object, const struct kmt_row *row,
			uint64_t duration_ns)
{
	put_uint(b, object, "allocs", row->allocs);
	put_uint(b, object, "frees", row->frees);
	put_uint(b, object, "reused", row->reused);
	if (kmt_row_has_size(row))
		put_uint(b, object, "alloc_bytes", row->alloc_bytes);
	put_uint(b, object, "live_objects", row->live_objects);
	if (kmt_row_has_size(row)) {
		put_uint(b, object, "live_bytes", row->live_bytes);
		put_uint(b, object, "requested_bytes", row->requested_bytes);
		put_uint(b, object, "mature_bytes", row->mature_bytes);
	}
	put_uint(b, object, "uncertain_objects", row->uncertain_objects);
	put_uint(b, object, "recorder_objects", row->recorder_objects);
	put_uint(b, object, "mature_objects", row->mature_objects);
	if (row->is_estimated)
		kmt_json_put_estimate(b, object, &row->estimate, kmt_row_has_size(row));
	put_uint(b, object, "certain_objects", row->judgement.certain_objects);
	put_uint(b, object, "live_estimate", row->judgement.live_estimate);
	if (row->live_objects)
		put_uint(b, object, "oldest_age_ns", row->oldest_age_ns);
	if (duration_ns) {
		put_real(b, object, "allocs_per_s",
			 (double)row->allocs * NS_PER_S / (double)duration_ns);
		put_real(b, object, "frees_per_s",
			 (double)row->frees * NS_PER_S / (double)duration_ns);
	}
	if (row->is_rest)
		put_bool(b, object, "not_told_apart", true);
	put_bool(b, object, "unloaded", row->is_unloaded);
	put_bool(b, object, "reclaimable", row->is_reclaimable);
	put_bool(b, object, "suppressed", row->is_suppressed);
}

void kmt_json_put_row(struct builder *b, struct json_object *object,
		      const struct kmt_result *result, const struct kmt_row *row)
{
	put_name(b, object, result, row);
	put_space(b, object, row);
	if (result->group != KMT_BY_COMM && result->group != KMT_BY_PID)
		put_text(b, object, "comm", row->comm);
	put_numbers(b, object, row, result->duration_ns);
	if (kmt_row_has_size(row))
		put_bool(b, object, "counted", kmt_result_counts(result, row->space, row->use));
	kmt_json_put_judgement(b, object, &row->judgement, kmt_row_has_size(row));
	kmt_json_put_history(b, object, row->history, &result->grid, kmt_row_has_size(row));
}

/* @text as json-c prints it at the outermost level, further in. No text in JSON has a line's end in
 * it. */
static void print_indented(FILE *file, const char *text)
{
	const char *end;

	while ((end = strchr(text, '\n'))) {
		(void)fwrite(text, 1, (size_t)(end + 1 - text), file);
		(void)fputs(ROW_INDENT, file);
		text = end + 1;
	}
	(void)fputs(text, file);
}

static bool print_row(const struct kmt_result *result, const struct kmt_row *row, FILE *file)
{
	struct json_object *object = json_object_new_object();
	struct builder builder = { .has_failed = !object };
	const char *text = NULL;

	kmt_json_put_row(&builder, object, result, row);
	if (!builder.has_failed)
		text = json_object_to_json_string_ext(object, JSON_STYLE);
	if (text)
		print_indented(file, text);
	json_object_put(object);
	return text;
}

bool kmt_json_print_rows(const struct kmt_result *result, uint64_t top, FILE *file)
{
	static const char *const names[] = {
		[KMT_BY_SITE] = "sites",   [KMT_BY_CACHE] = "caches", [KMT_BY_MODULE] = "modules",
		[KMT_BY_COMM] = "comms",   [KMT_BY_PID] = "pids",     [KMT_BY_STACK] = "stacks",
		[KMT_BY_OWNER] = "owners",
	};
	size_t nr = top && top < result->nr_rows ? top : result->nr_rows;
	bool is_whole = true;

	(void)fprintf(file, "  \"%s\":[", names[result->group]);
	for (size_t i = 0; i < nr && is_whole; i++) {
		(void)fputs(i ? ",\n" ROW_INDENT : "\n" ROW_INDENT, file);
		is_whole = print_row(result, &result->rows[i], file);
	}
	(void)fputs("\n  ]", file);
	return is_whole;
}
