// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/units.h"

#include "json-rows.h"
#include "summary-fields.h"

#define SCHEMA 1

static const char **read_texts(struct kmt_reading *reading, struct json_object *list,
			       size_t *ret_nr)
{
	size_t nr = json_object_array_length(list);
	const char **texts = calloc(nr + 1, sizeof(*texts));

	if (!texts) {
		reading->is_out_of_memory = true;
		return NULL;
	}
	for (size_t i = 0; i < nr; i++) {
		struct json_object *text = json_object_array_get_idx(list, i);

		if (json_object_is_type(text, json_type_string))
			texts[(*ret_nr)++] = kmt_reading_keep(reading, text);
		else if (!reading->wrong)
			reading->wrong = "";
	}
	return texts;
}

static void read_verdict(struct kmt_reading *reading, struct json_object *object)
{
	struct kmt_summary *summary = reading->summary;
	const char *leak = kmt_reading_text(reading, object, "leak");

	for (int i = KMT_LEAK_POSSIBLE; leak && i <= KMT_LEAK_LIKELY; i++)
		if (strcmp(leak, kmt_leak_name((enum kmt_leak)i)) == 0)
			summary->leak = (enum kmt_leak)i;
	summary->confidence = kmt_reading_real(reading, object, "confidence");
	summary->headline = kmt_reading_text(reading, object, "headline");
	summary->leaking_bytes = kmt_reading_uint(reading, object, "leaking_bytes");
	summary->bytes_per_s = kmt_reading_real(reading, object, "rate_bytes_per_s");
}

static void read_build_ids(struct kmt_reading *reading, struct json_object *list)
{
	struct kmt_summary *summary = reading->summary;
	size_t nr = list ? json_object_array_length(list) : 0;

	free(summary->build_ids);
	summary->nr_build_ids = 0;
	summary->build_ids = calloc(nr + 1, sizeof(*summary->build_ids));
	if (!summary->build_ids) {
		reading->is_out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		struct json_object *object = json_object_array_get_idx(list, i);
		struct kmt_summary_build_id *build_id = &summary->build_ids[summary->nr_build_ids];

		if (!json_object_is_type(object, json_type_object))
			continue;
		build_id->module = kmt_reading_text(reading, object, "module");
		build_id->id = kmt_reading_text(reading, object, "build_id");
		summary->nr_build_ids += build_id->id != NULL;
	}
}

static void read_tape(struct kmt_reading *reading, struct json_object *object)
{
	struct kmt_summary *summary = reading->summary;

	summary->path = kmt_reading_text(reading, object, "path");
	summary->kernel = kmt_reading_text(reading, object, "kernel");
	summary->arch = kmt_reading_text(reading, object, "arch");
	summary->clock = kmt_reading_text(reading, object, "clock");
	summary->host = kmt_known_host(kmt_reading_text(reading, object, "host"));
	summary->started_at = kmt_reading_text(reading, object, "started_at");
	summary->nr_cpus = kmt_reading_uint(reading, object, "cpus");
	summary->duration_ns = kmt_reading_uint(reading, object, "duration_ns");
	summary->start_ns = kmt_reading_uint(reading, object, "start_ns");
	summary->end_ns = kmt_reading_uint(reading, object, "end_ns");
	summary->is_complete = kmt_reading_bool(reading, object, "complete");
	summary->sample = kmt_reading_uint(reading, object, "sample");
	read_build_ids(reading, kmt_reading_member(reading, object, "build_ids", json_type_array));
}

static void read_events(struct kmt_reading *reading, struct json_object *object)
{
	struct kmt_summary *summary = reading->summary;

	summary->events = kmt_reading_uint(reading, object, "total");
	summary->allocs = kmt_reading_uint(reading, object, "allocs");
	summary->frees = kmt_reading_uint(reading, object, "frees");
	summary->lost = kmt_reading_uint(reading, object, "lost");
	summary->losses = kmt_reading_uint(reading, object, "losses");
}

static void read_matching(struct kmt_reading *reading, struct json_object *object)
{
	struct kmt_summary *summary = reading->summary;

	summary->live_objects = kmt_reading_uint(reading, object, "live");
	summary->live_bytes = kmt_reading_uint(reading, object, "live_bytes");
	summary->uncertain = kmt_reading_uint(reading, object, "uncertain");
	summary->older_ns = kmt_reading_uint(reading, object, "older_ns");
	summary->grace_ns = kmt_reading_uint(reading, object, "grace_ns");
	summary->has_free_probes = kmt_reading_bool(reading, object, "free_probes");
}

static uint32_t space_of(const char *name)
{
	for (uint32_t i = 0; name && i < KMT_SPACE_PAIR; i++)
		if (strcmp(name, kmt_json_space(i)) == 0)
			return i;
	return name ? KMT_SPACE_PAIR : KMT_SPACE_SLAB;
}

static void read_spaces(struct kmt_reading *reading, struct json_object *list)
{
	struct kmt_summary *summary = reading->summary;
	size_t nr = json_object_array_length(list);

	free(summary->pairs);
	summary->nr_pairs = 0;
	summary->pairs = calloc(nr + 1, sizeof(*summary->pairs));
	if (!summary->pairs) {
		reading->is_out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		struct json_object *object = json_object_array_get_idx(list, i);
		const char *pair = NULL;
		uint32_t space;

		if (!json_object_is_type(object, json_type_object))
			continue;
		space = space_of(kmt_reading_text(reading, object, "space"));
		if (space < KMT_SPACE_PAIR)
			summary->is_space_recorded[space] = true;
		else
			pair = kmt_reading_text(reading, object, "pair");
		if (pair)
			summary->pairs[summary->nr_pairs++] = pair;
	}
}

static double read_scale(struct kmt_reading *reading, struct json_object *object,
			 const struct kmt_summary_row *row)
{
	struct json_object *estimate =
		kmt_reading_member(reading, object, "estimate", json_type_object);
	double bytes = kmt_reading_real(reading, estimate, "bytes");
	double objects = kmt_reading_real(reading, estimate, "objects");

	if (row->live_bytes && bytes > 0)
		return bytes / (double)row->live_bytes;
	return row->live_objects && objects > 0 ? objects / (double)row->live_objects : 1;
}

static void read_interval(struct kmt_reading *reading, struct json_object *object,
			  struct kmt_summary_row *row)
{
	struct json_object *list =
		kmt_reading_member(reading, object, "rate_interval", json_type_array);

	row->per_s = kmt_reading_real(reading, object,
				      row->space == KMT_SPACE_PAIR ? "rate_objects_per_s"
								   : "rate_bytes_per_s");
	row->per_s_low = row->per_s_high = row->per_s;
	if (!list || json_object_array_length(list) != 2)
		return;
	row->per_s_low = json_object_get_double(json_object_array_get_idx(list, 0));
	row->per_s_high = json_object_get_double(json_object_array_get_idx(list, 1));
	/* Whatever it was, it is an interval around the rate from here on: NaN is none. */
	if (!(row->per_s_low <= row->per_s))
		row->per_s_low = row->per_s;
	if (!(row->per_s_high >= row->per_s))
		row->per_s_high = row->per_s;
}

static void read_judgement(struct kmt_reading *reading, struct json_object *object,
			   struct kmt_summary_row *row)
{
	const char *class = kmt_reading_text(reading, object, "class");
	struct json_object *trend = kmt_reading_member(reading, object, "trend", json_type_object);

	for (int i = 0; class && i <= KMT_CLASS_LEAK; i++)
		if (strcmp(class, kmt_class_name((enum kmt_class)i)) == 0)
			row->class = (enum kmt_class)i;
	row->confidence = kmt_reading_real(reading, object, "confidence");
	row->since_ns = kmt_reading_uint(reading, trend, "since_ns");
	read_interval(reading, object, row);
}

static void read_name(struct kmt_reading *reading, struct json_object *object,
		      struct kmt_summary_row *row)
{
	struct json_object *unused;
	const char *address = kmt_reading_text(reading, object, "call_site");

	row->space = space_of(kmt_reading_text(reading, object, "space"));
	row->pair = kmt_reading_text(reading, object, "pair");
	row->use = kmt_reading_text(reading, object, "use");
	row->gfp = kmt_reading_text(reading, object, "gfp");
	row->function = kmt_reading_text(reading, object, "function");
	row->module = kmt_reading_text(reading, object, "module");
	row->is_unknown = !json_object_object_get_ex(object, "module", &unused);
	row->cache = kmt_reading_text(reading, object, "cache");
	row->comm = kmt_reading_text(reading, object, "comm");
	row->is_for_many = kmt_reading_uint(reading, object, "owners") > 1;
	if (!row->is_for_many || kmt_reading_bool(reading, object, "judged_by_owner")) {
		row->owner = kmt_reading_text(reading, object, "owner");
		row->owner_module = kmt_reading_text(reading, object, "owner_module");
	}
	row->has_offset = json_object_object_get_ex(object, "offset", &unused);
	row->offset = kmt_reading_uint(reading, object, "offset");
	if (address)
		(void)kmt_parse_uint(address, &row->address);
}

static void read_row(struct kmt_reading *reading, struct json_object *object,
		     struct kmt_summary_row *row)
{
	read_name(reading, object, row);
	row->allocs = kmt_reading_uint(reading, object, "allocs");
	row->frees = kmt_reading_uint(reading, object, "frees");
	row->live_objects = kmt_reading_uint(reading, object, "live_objects");
	row->live_bytes = kmt_reading_uint(reading, object, "live_bytes");
	row->mature_objects = kmt_reading_uint(reading, object, "mature_objects");
	row->mature_bytes = kmt_reading_uint(reading, object, "mature_bytes");
	row->recorder_objects = kmt_reading_uint(reading, object, "recorder_objects");
	row->oldest_age_ns = kmt_reading_uint(reading, object, "oldest_age_ns");
	row->is_unloaded = kmt_reading_bool(reading, object, "unloaded");
	row->is_suppressed = kmt_reading_bool(reading, object, "suppressed");
	row->scale = read_scale(reading, object, row);
	read_judgement(reading, object, row);
	reading->summary->has_rest |= kmt_reading_bool(reading, object, "not_told_apart");
}

/* Return: NULL if there is no room for another one. */
static struct kmt_summary_row *new_row(struct kmt_reading *reading)
{
	struct kmt_summary *summary = reading->summary;
	struct kmt_summary_row *row;

	if (summary->nr_rows == summary->rows_room) {
		size_t room = summary->rows_room ? 2 * summary->rows_room : 64;
		struct kmt_summary_row *rows = realloc(summary->rows, room * sizeof(*rows));

		if (!rows) {
			reading->is_out_of_memory = true;
			return NULL;
		}
		summary->rows = rows;
		summary->rows_room = room;
	}
	row = &summary->rows[summary->nr_rows++];
	*row = (struct kmt_summary_row){ .scale = 1 };
	return row;
}

static int add_row(struct kmt_reading *reading, const struct kmt_piece *piece, struct kmt_err *err)
{
	struct json_object *object;
	struct kmt_summary_row *row;

	if (reading->summary->nr_rows >= KMT_SUMMARY_ROWS_MAX)
		return kmt_fail(err, -E2BIG, "%s: more than %u rows", reading->name,
				KMT_SUMMARY_ROWS_MAX);
	object = kmt_reading_parse(reading, piece, json_type_object);
	row = object ? new_row(reading) : NULL;
	if (row)
		read_row(reading, object, row);
	json_object_put(object);
	return kmt_reading_check(reading, err);
}

/* "foo_init+0x1c/0x40 [foo]", as vmallocinfo has it, to its function. */
static void read_caller(char *caller, struct kmt_summary_row *row)
{
	char *end = caller ? strpbrk(caller, "+ ") : NULL;

	row->function = caller;
	if (!end)
		return;
	if (*end == '+') {
		row->offset = strtoull(end + 1, NULL, 16);
		row->has_offset = true;
	}
	*end = '\0';
}

/* What events show, too, is among the rows. */
static void read_vmalloc(struct kmt_reading *reading, struct json_object *object)
{
	struct kmt_summary_row *row;

	if (kmt_reading_bool(reading, object, "seen_by_events"))
		return;
	row = new_row(reading);
	if (!row)
		return;
	row->space = KMT_SPACE_VMALLOC;
	row->is_counted = true;
	read_caller(kmt_reading_text(reading, object, "caller"), row);
	row->module = kmt_reading_text(reading, object, "module");
	row->live_objects = kmt_reading_uint(reading, object, "areas");
	row->live_bytes = kmt_reading_uint(reading, object, "bytes");
	row->mature_objects = kmt_reading_uint(reading, object, "grown_areas");
	row->mature_bytes = kmt_reading_uint(reading, object, "grown_bytes");
	row->is_suppressed = kmt_reading_bool(reading, object, "suppressed");
	read_judgement(reading, object, row);
}

static void read_reconciliation(struct kmt_reading *reading, struct json_object *object)
{
	struct json_object *list = kmt_reading_member(reading, object, "vmallocs", json_type_array);
	size_t nr = list ? json_object_array_length(list) : 0;

	reading->summary->snapshots = kmt_reading_uint(reading, object, "snapshots");
	for (size_t i = 0; i < nr; i++) {
		struct json_object *element = json_object_array_get_idx(list, i);

		if (json_object_is_type(element, json_type_object))
			read_vmalloc(reading, element);
	}
}

static int read_rows(struct kmt_reading *reading, const struct kmt_piece *list, struct kmt_err *err)
{
	struct kmt_pieces pieces;
	struct kmt_piece piece;
	int r = kmt_pieces_open(&pieces, list->text, list->bytes, '[');

	while (r >= 0 && (r = kmt_pieces_next(&pieces, &piece)) > 0) {
		r = add_row(reading, &piece, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? kmt_fail(err, r, "%s: %s: no JSON", reading->name, reading->part) : 0;
}

/* Parts that are small enough to be objects. */
static const struct {
	const char *key;
	void (*read)(struct kmt_reading *reading, struct json_object *object);
	enum json_type type;
} parts[] = {
	{ "verdict", read_verdict, json_type_object },
	{ "tape", read_tape, json_type_object },
	{ "events", read_events, json_type_object },
	{ "matching", read_matching, json_type_object },
	{ "spaces", read_spaces, json_type_array },
	{ "reconciliation", read_reconciliation, json_type_object },
};

static int read_small(struct kmt_reading *reading, const struct kmt_piece *piece,
		      void (*read)(struct kmt_reading *reading, struct json_object *object),
		      enum json_type type, struct kmt_err *err)
{
	struct json_object *object = kmt_reading_parse(reading, piece, type);

	if (object)
		read(reading, object);
	json_object_put(object);
	return kmt_reading_check(reading, err);
}

static void read_filters(struct kmt_reading *reading, struct json_object *list)
{
	free(reading->summary->filters);
	reading->summary->nr_filters = 0;
	reading->summary->filters = read_texts(reading, list, &reading->summary->nr_filters);
}

static void read_notes(struct kmt_reading *reading, struct json_object *list)
{
	free(reading->summary->notes);
	reading->summary->nr_notes = 0;
	reading->summary->notes = read_texts(reading, list, &reading->summary->nr_notes);
}

static bool is_key(const struct kmt_piece *piece, const char *key)
{
	return piece->key_bytes == strlen(key) && memcmp(piece->key, key, piece->key_bytes) == 0;
}

/* What the whole is made of, by now. */
struct seen {
	bool has_schema, has_tape, has_rows;
	uint64_t nr_rows; /* as the report says; UINT64_MAX: it doesn't */
};

static int read_number(const struct kmt_piece *piece, uint64_t *ret_n)
{
	char digits[24];

	if (piece->bytes >= sizeof(digits))
		return -EBADMSG;
	memcpy(digits, piece->text, piece->bytes);
	digits[piece->bytes] = '\0';
	return kmt_parse_uint(digits, ret_n) < 0 ? -EBADMSG : 0;
}

static int read_schema(struct kmt_reading *reading, const struct kmt_piece *piece,
		       struct kmt_err *err)
{
	uint64_t schema;

	if (read_number(piece, &schema) < 0)
		return kmt_fail(err, -EBADMSG, "%s: schema is no number", reading->name);
	if (schema != SCHEMA)
		return kmt_fail(err, -EPROTONOSUPPORT,
				"%s: schema %" PRIu64 ", and this kmemtape knows %d", reading->name,
				schema, SCHEMA);
	return 0;
}

/* Return: 1 if it was one of these. */
static int read_rows_if(struct kmt_reading *reading, const struct kmt_piece *piece,
			struct seen *seen, struct kmt_err *err)
{
	static const struct {
		const char *key;
		enum kmt_group group;
		bool is_known;
	} lists[] = {
		{ "sites", KMT_BY_SITE, true },	    { "caches", KMT_BY_CACHE, true },
		{ "modules", KMT_BY_MODULE, true }, { "comms", KMT_BY_COMM, false },
		{ "pids", KMT_BY_PID, false },	    { "stacks", KMT_BY_STACK, false },
		{ "owners", KMT_BY_OWNER, false },
	};
	int r;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (!is_key(piece, lists[i].key))
			continue;
		if (!lists[i].is_known)
			return kmt_fail(err, -ENOTSUP,
					"%s: has %s, and no sites, caches or modules to compare",
					reading->name, lists[i].key);
		reading->part = lists[i].key;
		if (seen->has_rows)
			return kmt_fail(err, -EBADMSG, "%s: %s: more than one list of rows",
					reading->name, lists[i].key);
		reading->summary->group = lists[i].group;
		seen->has_rows = true;
		r = read_rows(reading, piece, err);
		return r < 0 ? r : 1;
	}
	return 0;
}

static int read_member(struct kmt_reading *reading, const struct kmt_piece *piece,
		       struct seen *seen, struct kmt_err *err)
{
	int r;

	if (is_key(piece, "schema")) {
		seen->has_schema = true;
		return read_schema(reading, piece, err);
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (is_key(piece, parts[i].key)) {
			reading->part = parts[i].key;
			seen->has_tape |= parts[i].read == read_tape;
			return read_small(reading, piece, parts[i].read, parts[i].type, err);
		}
	reading->part = "notes";
	if (is_key(piece, "notes"))
		return read_small(reading, piece, read_notes, json_type_array, err);
	reading->part = "filters";
	if (is_key(piece, "filters"))
		return read_small(reading, piece, read_filters, json_type_array, err);
	if (is_key(piece, "rows") && read_number(piece, &seen->nr_rows) < 0)
		return kmt_fail(err, -EBADMSG, "%s: rows is no number", reading->name);
	r = read_rows_if(reading, piece, seen, err);
	return r < 0 ? r : 0;
}

/* Of old reports, which don't say how many rows there were, by what is missing in the sum. */
static bool is_cut(const struct kmt_summary *summary, const struct seen *seen)
{
	uint64_t allocs = 0;

	size_t nr = 0;

	for (size_t i = 0; i < summary->nr_rows; i++) {
		nr += !summary->rows[i].is_counted;
		allocs = kmt_sum(allocs, summary->rows[i].allocs);
	}
	return seen->nr_rows != UINT64_MAX ? nr < seen->nr_rows : allocs < summary->allocs;
}

static int read_all(struct kmt_reading *reading, const char *text, size_t bytes,
		    struct kmt_err *err)
{
	struct seen seen = { .nr_rows = UINT64_MAX };
	struct kmt_pieces pieces;
	struct kmt_piece piece;
	int r = kmt_pieces_open(&pieces, text, bytes, '{');

	while (r >= 0 && (r = kmt_pieces_next(&pieces, &piece)) > 0) {
		r = read_member(reading, &piece, &seen, err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return kmt_fail(err, r, "%s: no JSON, or not all of it", reading->name);
	if (!seen.has_schema || !seen.has_tape || !seen.has_rows)
		return kmt_fail(err, -EBADMSG, "%s: no report of 'kmemtape replay --format json'",
				reading->name);
	reading->summary->is_cut = is_cut(reading->summary, &seen);
	return 0;
}

int kmt_summary_read(const char *text, size_t bytes, const char *name,
		     struct kmt_summary **ret_summary, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_summary_freep) struct kmt_summary *summary = calloc(1, sizeof(*summary));
	struct kmt_reading reading = { .summary = summary, .name = name };
	int r;

	if (!summary)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", name);
	if (bytes > KMT_SUMMARY_BYTES_MAX)
		return kmt_fail(err, -E2BIG, "%s: a report of more than %u MiB", name,
				(unsigned int)(KMT_SUMMARY_BYTES_MAX >> 20));
	r = read_all(&reading, text, bytes, err);
	if (r == 0)
		*ret_summary = KMT_STEAL(summary);
	return r;
}
