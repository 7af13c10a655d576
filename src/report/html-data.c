// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdbool.h>

#include "builder.h"
#include "html-data.h"
#include "intern.h"
#include "json-asked.h"
#include "json-rows.h"
#include "page.h"
#include "walk.h"

#define STYLE		   (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
/* Together with the page itself, of which names beyond reason may make 250 KB, below 2 MB. */
#define HEAD_BYTES_MAX	   220000u
#define ROW_BYTES_MAX	   600000u /* with histories, stacks, reasons */
#define SHORT_BYTES_MAX	   800000u /* with those that have none */
#define DOSSIER_BYTES_MAX  300000u
#define STACK_BYTES_MAX	   280000u
#define LIST_LENGTH_MAX	   40u /* of what is no row */
#define LIST_LENGTH_LEAST  4u  /* if what is in it is long beyond reason */
#define DOSSIER_LENGTH_MAX 15u /* of lists of who allocates, who frees, ... */
#define FRAMES_MAX	   65u

struct printer {
	const struct kmt_result *result;
	FILE *file;
	bool is_short_of_memory;
};

/* Prints @object, which it takes, if that makes no more than @max bytes of @bytes. */
static bool print_within(struct printer *printer, struct json_object *object,
			 const struct builder *b, const char *before, size_t max, size_t *bytes)
{
	const char *text = b->has_failed ? NULL : json_object_to_json_string_ext(object, STYLE);
	size_t needed = text ? kmt_page_json_bytes(text) + 2 : 0;
	bool has_room = text && *bytes + needed <= max;

	printer->is_short_of_memory |= !text;
	if (has_room) {
		(void)fputs(before, printer->file);
		kmt_page_json(printer->file, text);
		*bytes += needed;
	}
	json_object_put(object);
	return has_room;
}

/* --- all but rows and stacks --- */

/* Lists that a tape may make long; each begins with what matters most. */
static void shorten(struct json_object *value, size_t most)
{
	if (json_object_is_type(value, json_type_array)) {
		size_t nr = json_object_array_length(value);

		if (nr > most)
			(void)json_object_array_del_idx(value, most, nr - most);
		for (size_t i = 0; i < json_object_array_length(value); i++)
			shorten(json_object_array_get_idx(value, i), most);
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			shorten(member, most);
		}
	}
}

static void put_points(struct builder *b, struct json_object *root,
		       const struct kmt_reconciliation *counted)
{
	struct json_object *list = put(b, root, "points", json_object_new_array());

	for (size_t i = 0; list && i < counted->nr_points; i++) {
		const struct kmt_counter_point *point = &counted->points[i];
		struct json_object *member = put_element(b, list, json_object_new_object());

		put_uint(b, member, "time_ns", point->time_ns);
		for (size_t item = 0; item < counted->nr_items; item++)
			put_int(b, member, counted->items[item].name, point->growth[item]);
	}
}

/* Only where something was lost. */
static void put_losses(struct builder *b, struct json_object *root, const struct kmt_result *result)
{
	struct json_object *list = put(b, root, "losses", json_object_new_array());

	for (size_t i = 0; list && i < result->nr_intervals; i++) {
		const struct kmt_interval *interval = &result->intervals[i];
		struct json_object *member;

		if (!interval->losses)
			continue;
		member = put_element(b, list, json_object_new_object());
		put_uint(b, member, "from_ns", interval->from_ns);
		put_uint(b, member, "to_ns", interval->to_ns);
		put_uint(b, member, "lost", interval->lost);
	}
}

static bool print_shortened(struct printer *printer, size_t most)
{
	const struct kmt_result *result = printer->result;
	struct kmt_result head = *result;
	struct json_object *root = json_object_new_object();
	struct builder b = { .has_failed = !root };
	size_t bytes = 0;

	head.is_explanation = false; /* "dossiers" have it, and "losses" what is wanted of the */
	head.interval_ns = 0;	     /* intervals */
	kmt_json_put_head(&b, root, &head);
	shorten(root, most);
	put_points(&b, root, &result->reconciliation);
	put_losses(&b, root, result);
	put_text(&b, root, "version", KMT_VERSION);
	return print_within(printer, root, &b, "", HEAD_BYTES_MAX, &bytes);
}

static void print_head(struct printer *printer)
{
	if (!print_shortened(printer, LIST_LENGTH_MAX) &&
	    !print_shortened(printer, LIST_LENGTH_LEAST))
		(void)fputs("{}", printer->file);
}

/* --- rows --- */

static void put_row_name(struct builder *b, struct json_object *object,
			 const struct kmt_result *result, const struct kmt_row *row)
{
	char name[KMT_NAME_BYTES];

	kmt_words_name(name, result->group, row);
	(void)put(b, object, "name", json_object_new_string(name)); /* escaped already */
}

static struct json_object *whole_row(struct builder *b, const struct kmt_result *result,
				     const struct kmt_row *row)
{
	struct json_object *object = json_object_new_object();

	b->has_failed = !object;
	put_row_name(b, object, result, row);
	kmt_json_put_row(b, object, result, row);
	return object;
}

static struct json_object *short_row(struct builder *b, const struct kmt_result *result,
				     const struct kmt_row *row)
{
	struct json_object *object = json_object_new_object();

	b->has_failed = !object;
	put_row_name(b, object, result, row);
	put_text(b, object, "module", row->module);
	put_text(b, object, "cache", row->cache);
	put_text(b, object, "class", kmt_class_name(row->judgement.class));
	put_real(b, object, "confidence", row->judgement.confidence);
	put_uint(b, object, "live_objects", row->live_objects);
	if (kmt_row_has_size(row)) {
		put_uint(b, object, "live_bytes", row->live_bytes);
		put_bool(b, object, "counted", kmt_result_counts(result, row->space, row->use));
	}
	if (row->is_estimated)
		kmt_json_put_estimate(b, object, &row->estimate, kmt_row_has_size(row));
	put_uint(b, object, "allocs", row->allocs);
	put_uint(b, object, "frees", row->frees);
	return object;
}

/* What there was no room for. */
static void print_rest(struct printer *printer, size_t first, size_t nr)
{
	uint64_t objects = 0, bytes = 0;
	const struct kmt_result *result = printer->result;

	for (size_t i = first; i < nr; i++) {
		const struct kmt_row *row = &result->rows[i];

		objects += row->live_objects;
		if (kmt_row_has_size(row) && kmt_result_counts(result, row->space, row->use))
			bytes += row->live_bytes;
	}
	(void)fprintf(printer->file,
		      "],\"rest\":{\"rows\":%zu,\"live_objects\":%" PRIu64
		      ",\"live_bytes\":%" PRIu64 "}",
		      nr - first, objects, bytes);
}

static void print_rows(struct printer *printer, uint64_t top)
{
	const struct kmt_result *result = printer->result;
	size_t nr = top && top < result->nr_rows ? top : result->nr_rows;
	bool is_whole = true;
	size_t bytes = 0, i;

	(void)fputs(",\"rows\":[", printer->file);
	for (i = 0; i < nr; i++) {
		const char *before = i ? ",\n" : "\n";
		const struct kmt_row *row = &result->rows[i];
		struct json_object *object;
		struct builder b;

		if (is_whole) {
			object = whole_row(&b, result, row);
			is_whole = print_within(printer, object, &b, before, ROW_BYTES_MAX, &bytes);
			if (is_whole)
				continue;
		}
		object = short_row(&b, result, row);
		if (!print_within(printer, object, &b, before, SHORT_BYTES_MAX, &bytes))
			break;
	}
	print_rest(printer, i, nr);
}

/* --- who allocates, who frees --- */

/* Says of each list how much of it is left out. */
static void cut_lists(struct builder *b, struct json_object *object)
{
	static const char *const names[] = { "sizes", "gfp", "allocated_by", "freed_by" };
	struct json_object *more = put(b, object, "more", json_object_new_object());

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct json_object *list = json_object_object_get(object, names[i]);
		size_t nr = list ? json_object_array_length(list) : 0;

		if (nr <= DOSSIER_LENGTH_MAX)
			continue;
		put_uint(b, more, names[i], nr - DOSSIER_LENGTH_MAX);
		(void)json_object_array_del_idx(list, DOSSIER_LENGTH_MAX, nr - DOSSIER_LENGTH_MAX);
	}
}

static const struct kmt_dossier *find_dossier(const struct kmt_result *result,
					      const struct kmt_row *row)
{
	struct kmt_site site = kmt_row_site(row);

	for (size_t i = 0; i < result->nr_dossiers; i++)
		if (kmt_site_is(&result->dossiers[i].site, &site))
			return &result->dossiers[i];
	return NULL;
}

/* By the number of their row: in that order, which has suspects first. */
static void print_dossiers(struct printer *printer, uint64_t top)
{
	const struct kmt_result *result = printer->result;
	size_t nr_rows = top && top < result->nr_rows ? top : result->nr_rows;
	size_t bytes = 0, nr = 0;

	(void)fputs(",\"dossiers\":[", printer->file);
	for (size_t i = 0; i < nr_rows && nr < result->nr_dossiers; i++) {
		const struct kmt_row *row = &result->rows[i];
		const struct kmt_dossier *dossier =
			row->call_site ? find_dossier(result, row) : NULL;
		struct json_object *object;
		struct builder b;

		if (!dossier)
			continue;
		object = json_object_new_object();
		b.has_failed = !object;
		put_uint(&b, object, "row", i);
		put_uint(&b, object, "live_of_any_age", dossier->live);
		put_uint(&b, object, "remembered_objects", dossier->remembered);
		kmt_json_put_dossier(&b, object, result, dossier);
		cut_lists(&b, object);
		if (!print_within(printer, object, &b, nr++ ? ",\n" : "\n", DOSSIER_BYTES_MAX,
				  &bytes))
			break;
	}
	(void)fputs("]", printer->file);
}

/* --- stacks, for the flame graph --- */

/* [BYTES, OBJECTS, outermost function, ..., innermost], functions as numbers */
static bool print_stack(struct printer *printer, const struct kmt_stack_row *row,
			const struct kmt_row *site, struct kmt_intern *names, bool is_first,
			size_t *bytes)
{
	struct json_object *holder = json_object_new_object(), *list;
	struct builder b = { .has_failed = !holder };
	uint64_t numbers[FRAMES_MAX + 2] = { kmt_row_scaled(site, row->live_bytes),
					     kmt_row_scaled(site, row->live_objects) };
	size_t nr = 2;

	for (size_t i = row->nr_frames; i > 0 && nr < FRAMES_MAX + 2; i--) {
		char name[KMT_NAME_BYTES];
		bool is_new;

		if (*bytes > STACK_BYTES_MAX) {
			json_object_put(holder);
			return false;
		}
		kmt_walk_frame_name(name, &row->frames[i - 1]);
		numbers[nr++] = kmt_intern_add(names, name, &is_new);
		if (is_new)
			*bytes += kmt_page_json_bytes(name) + 3;
	}
	put_uints(&b, holder, "list", numbers, nr);
	list = json_object_get(json_object_object_get(holder, "list"));
	json_object_put(holder);
	return print_within(printer, list, &b, is_first ? "\n" : ",\n", STACK_BYTES_MAX, bytes);
}

static int compare_sites(const void *left, const void *right)
{
	struct kmt_site a = kmt_row_site(*(const struct kmt_row *const *)left);
	struct kmt_site b = kmt_row_site(*(const struct kmt_row *const *)right);

	return kmt_site_compare(&a, &b);
}

/* Sites whose bytes are those of the sum, ascending. Return: on the heap; NULL for want of memory.
 */
static const struct kmt_row **list_counted(const struct kmt_result *result, size_t *ret_nr)
{
	const struct kmt_row **sites = calloc(result->nr_rows + 1, sizeof(*sites));
	size_t nr = 0;

	for (size_t i = 0; sites && i < result->nr_rows; i++) {
		const struct kmt_row *row = &result->rows[i];

		if (kmt_row_has_size(row) && kmt_result_counts(result, row->space, row->use))
			sites[nr++] = row;
	}
	if (sites)
		qsort(sites, nr, sizeof(*sites), compare_sites);
	*ret_nr = nr;
	return sites;
}

/* NULL: its bytes are in no sum */
static const struct kmt_row *find_counted(const struct kmt_row *const *sites, size_t nr,
					  const struct kmt_stack_row *stack)
{
	const struct kmt_row asked = { .call_site = stack->site.call_site,
				       .instance = stack->site.instance,
				       .space = stack->site.space,
				       .use = stack->site.use };
	const struct kmt_row *key = &asked;
	const struct kmt_row *const *found =
		bsearch(&key, sites, nr, sizeof(*sites), compare_sites);

	return found ? *found : NULL;
}

static void print_stacks(struct printer *printer)
{
	const struct kmt_result *result = printer->result;
	KMT_CLEANUP(kmt_intern_deinit) struct kmt_intern names = { .nr = 0 };
	size_t bytes = 0, nr = 0, nr_sites = 0;
	KMT_CLEANUP(kmt_freep)
	const struct kmt_row **sites = list_counted(result, &nr_sites);

	printer->is_short_of_memory |= !sites;
	(void)fputs(",\"stacks\":[", printer->file);
	for (size_t i = 0; sites && i < result->nr_stacks && bytes < STACK_BYTES_MAX; i++) {
		const struct kmt_stack_row *row = &result->stacks[i];
		const struct kmt_row *site = find_counted(sites, nr_sites, row);

		if (!site || !row->live_bytes || !row->nr_frames)
			continue;
		if (!print_stack(printer, row, site, &names, nr++ == 0, &bytes))
			break;
	}
	(void)fputs("],\"functions\":[", printer->file);
	for (size_t i = 0; i < names.nr; i++) {
		struct json_object *name = json_object_new_string(names.texts[i]);
		struct builder b = { .has_failed = !name };
		size_t used = 0;

		(void)print_within(printer, name, &b, i ? "," : "", SIZE_MAX, &used);
	}
	(void)fputc(']', printer->file);
	printer->is_short_of_memory |= names.has_failed;
}

int kmt_html_data_print(const struct kmt_result *result, uint64_t rows, FILE *file)
{
	struct printer printer = { .result = result, .file = file };

	kmt_page_data_begin(file);
	(void)fputs("{\"head\":", file);
	print_head(&printer);
	print_rows(&printer, rows);
	print_dossiers(&printer, rows);
	print_stacks(&printer);
	(void)fputs("}\n", file);
	kmt_page_data_end(file);
	return printer.is_short_of_memory ? -ENOMEM : 0;
}
