// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/tape-format.h"
#include "manifest-json.h"

#define EVENTS_MAX     256u
#define PIDS_MAX       (2 * KMT_CPUS_MAX)
#define PROBES_MAX     64u
#define FILTERS_MAX    64u
#define COUNT_MAX      (UINT64_C(1) << 48) /* so that sums cannot overflow */
#define JSON_DEPTH_MAX 8
#define LETTERS	       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static int bad(const char *file, const char *name, const char *what, struct kmt_err *err)
{
	return kmt_fail(err, -EBADMSG, "%s: '%s' %s", file, name, what);
}

static int read_text(const char *file, const char *name, struct json_object *value, char *dst,
		     struct kmt_err *err)
{
	if (!json_object_is_type(value, json_type_string))
		return bad(file, name, "is not a text", err);
	if ((size_t)json_object_get_string_len(value) >= KMT_MANIFEST_TEXT_BYTES)
		return bad(file, name, "is too long", err);
	if (strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
		return bad(file, name, "has a zero byte in it", err);
	(void)snprintf(dst, KMT_MANIFEST_TEXT_BYTES, "%s", json_object_get_string(value));
	return 0;
}

static int read_uint(const char *file, const char *name, struct json_object *value, uint64_t min,
		     uint64_t max, uint64_t *ret_n, struct kmt_err *err)
{
	uint64_t n;

	if (!json_object_is_type(value, json_type_int))
		return bad(file, name, "is not a whole number", err);
	n = json_object_get_uint64(value);
	if (json_object_get_int64(value) < 0 || n < min || n > max)
		return kmt_fail(err, -EBADMSG, "%s: '%s' is not in %" PRIu64 "..%" PRIu64, file,
				name, min, max);
	*ret_n = n;
	return 0;
}

static int read_member(struct kmt_manifest *manifest, const struct kmt_manifest_member *member,
		       struct json_object *value, const char *file, struct kmt_err *err)
{
	void *field = (char *)manifest + member->offset;
	uint64_t n = 0;
	int r = 0;

	switch (member->type) {
	case KMT_MEMBER_TEXT:
		return read_text(file, member->name, value, field, err);
	case KMT_MEMBER_UINT32:
		r = read_uint(file, member->name, value, member->min, member->max, &n, err);
		*(uint32_t *)field = (uint32_t)n;
		return r;
	case KMT_MEMBER_UINT64:
		r = read_uint(file, member->name, value, member->min, member->max, &n, err);
		*(uint64_t *)field = n;
		return r;
	case KMT_MEMBER_INT64:
		if (!json_object_is_type(value, json_type_int))
			return bad(file, member->name, "is not a whole number", err);
		if (json_object_get_uint64(value) > INT64_MAX)
			return bad(file, member->name, "is out of range", err);
		*(int64_t *)field = json_object_get_int64(value);
		return 0;
	case KMT_MEMBER_BOOL:
		if (!json_object_is_type(value, json_type_boolean))
			return bad(file, member->name, "is neither true nor false", err);
		*(bool *)field = json_object_get_boolean(value);
		return 0;
	}
	return r;
}

static int read_members(struct kmt_manifest *manifest, struct json_object *root, const char *file,
			struct kmt_err *err)
{
	for (size_t i = 0; i < KMT_MANIFEST_MEMBERS; i++) {
		struct json_object *section = root, *value = NULL;
		int r;

		if (kmt_manifest_members[i].section &&
		    !json_object_object_get_ex(root, kmt_manifest_members[i].section, &section))
			section = NULL;
		if (section && json_object_is_type(section, json_type_object))
			(void)json_object_object_get_ex(section, kmt_manifest_members[i].name,
							&value);
		if (!value && kmt_manifest_members[i].is_needed)
			return bad(file, kmt_manifest_members[i].name, "is missing", err);
		if (!value)
			continue;
		r = read_member(manifest, &kmt_manifest_members[i], value, file, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The array @name of @root with at most @max entries; NULL in *ret_array if there is none. */
static int array_of(struct json_object *root, const char *name, size_t max, const char *file,
		    struct json_object **ret_array, size_t *ret_nr, struct kmt_err *err)
{
	struct json_object *array = NULL;

	*ret_array = NULL;
	*ret_nr = 0;
	if (!json_object_object_get_ex(root, name, &array))
		return 0;
	if (!json_object_is_type(array, json_type_array))
		return bad(file, name, "is not a list", err);
	if (json_object_array_length(array) > max)
		return bad(file, name, "is too long", err);
	*ret_array = array;
	*ret_nr = json_object_array_length(array);
	return 0;
}

static int read_cpus(struct kmt_manifest *manifest, struct json_object *root, const char *file,
		     struct kmt_err *err)
{
	struct json_object *array;
	size_t nr;
	int r;

	r = array_of(root, "cpus", KMT_CPUS_MAX, file, &array, &nr, err);
	for (size_t i = 0; r == 0 && i < nr; i++) {
		uint64_t cpu = 0;

		r = read_uint(file, "cpus", json_object_array_get_idx(array, i), 0,
			      KMT_CPUS_MAX - 1, &cpu, err);
		if (r == 0)
			r = kmt_manifest_add_cpu(manifest, (uint32_t)cpu);
	}
	return r;
}

/* SYSTEM:EVENT: it becomes a path, with nothing in it that could leave the tape. */
static bool is_event_name(const char *name)
{
	return strspn(name, LETTERS "0123456789_:") == strlen(name) && strchr(name, ':') &&
	       strchr(name, ':') == strrchr(name, ':') && name[0] != ':' &&
	       name[strlen(name) - 1] != ':';
}

static int read_events(struct kmt_manifest *manifest, struct json_object *root, const char *file,
		       struct kmt_err *err)
{
	char name[KMT_MANIFEST_TEXT_BYTES];
	struct json_object *array;
	size_t nr;
	int r;

	r = array_of(root, "events", EVENTS_MAX, file, &array, &nr, err);
	for (size_t i = 0; r == 0 && i < nr; i++) {
		r = read_text(file, "events", json_object_array_get_idx(array, i), name, err);
		if (r == 0 && !is_event_name(name))
			r = bad(file, "events", "has an entry that is not SYSTEM:EVENT", err);
		if (r == 0)
			r = kmt_manifest_add_event(manifest, name);
	}
	return r;
}

static int read_pids(struct kmt_manifest *manifest, struct json_object *root, const char *file,
		     struct kmt_err *err)
{
	struct json_object *array;
	size_t nr;
	int r;

	r = array_of(root, "recorder_pids", PIDS_MAX, file, &array, &nr, err);
	for (size_t i = 0; r == 0 && i < nr; i++) {
		uint64_t pid = 0;

		r = read_uint(file, "recorder_pids", json_object_array_get_idx(array, i), 0,
			      INT32_MAX, &pid, err);
		if (r == 0)
			r = kmt_manifest_add_recorder_pid(manifest, (int32_t)pid);
	}
	return r;
}

static int read_stats_row(struct kmt_manifest *manifest, struct json_object *row, const char *file,
			  struct kmt_err *err)
{
	struct kmt_cpu_stats stats = { 0 };
	uint64_t cpu = 0;
	struct {
		const char *name;
		uint64_t *value;
		uint64_t max;
	} fields[] = {
		{ "cpu", &cpu, KMT_CPUS_MAX - 1 },
		{ "overrun", &stats.overrun, COUNT_MAX },
		{ "commit_overrun", &stats.commit_overrun, COUNT_MAX },
		{ "dropped", &stats.dropped, COUNT_MAX },
		{ "read", &stats.read, COUNT_MAX },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct json_object *value;
		int r;

		if (!json_object_is_type(row, json_type_object) ||
		    !json_object_object_get_ex(row, fields[i].name, &value))
			return bad(file, fields[i].name, "is missing in 'cpu_stats'", err);
		r = read_uint(file, fields[i].name, value, 0, fields[i].max, fields[i].value, err);
		if (r < 0)
			return r;
	}
	stats.cpu = (uint32_t)cpu;
	return kmt_manifest_add_stats(manifest, &stats);
}

static int read_stats(struct kmt_manifest *manifest, struct json_object *root, const char *file,
		      struct kmt_err *err)
{
	struct json_object *array;
	size_t nr;
	int r;

	r = array_of(root, "cpu_stats", KMT_CPUS_MAX, file, &array, &nr, err);
	for (size_t i = 0; r == 0 && i < nr; i++)
		r = read_stats_row(manifest, json_object_array_get_idx(array, i), file, err);
	return r;
}

static int read_probe(struct kmt_manifest *manifest, struct json_object *row, const char *file,
		      struct kmt_err *err)
{
	struct json_object *event, *hits, *missed;
	char name[KMT_MANIFEST_TEXT_BYTES];
	struct kmt_probe_stats probe;
	int r;

	if (!json_object_is_type(row, json_type_object) ||
	    !json_object_object_get_ex(row, "event", &event) ||
	    !json_object_object_get_ex(row, "hits", &hits) ||
	    !json_object_object_get_ex(row, "missed", &missed))
		return bad(file, "probes", "has an entry that is none", err);
	(void)((r = read_text(file, "event", event, name, err)) < 0 ||
	       (r = read_uint(file, "hits", hits, 0, COUNT_MAX, &probe.hits, err)) < 0 ||
	       (r = read_uint(file, "missed", missed, 0, COUNT_MAX, &probe.missed, err)) < 0);
	if (r < 0)
		return r;
	if (strlen(name) >= sizeof(probe.event))
		return bad(file, "probes", "has an event whose name is too long", err);
	memcpy(probe.event, name, strlen(name) + 1);
	return kmt_manifest_add_probe(manifest, &probe);
}

static int read_probes(struct kmt_manifest *manifest, struct json_object *root, const char *file,
		       struct kmt_err *err)
{
	struct json_object *array;
	size_t nr;
	int r;

	r = array_of(root, "probes", PROBES_MAX, file, &array, &nr, err);
	for (size_t i = 0; r == 0 && i < nr; i++)
		r = read_probe(manifest, json_object_array_get_idx(array, i), file, err);
	return r;
}

static bool is_identifier(const char *name)
{
	return *name && strspn(name, LETTERS "0123456789_") == strlen(name) &&
	       !(*name >= '0' && *name <= '9');
}

/* Functions may have what compilers append: "foo.isra.0", "foo.llvm.123", "foo$x". */
static bool is_symbol(const char *name)
{
	return *name && strspn(name, LETTERS "0123456789_.$%") == strlen(name);
}

/* The text @name of @row, shorter than @bytes. */
static int read_row_text(const char *file, struct json_object *row, const char *name, char *dst,
			 size_t bytes, struct kmt_err *err)
{
	char text[KMT_MANIFEST_TEXT_BYTES];
	struct json_object *value;
	int r;

	if (!json_object_is_type(row, json_type_object) ||
	    !json_object_object_get_ex(row, name, &value))
		return bad(file, name, "is missing in an entry of a list", err);
	r = read_text(file, name, value, text, err);
	if (r < 0)
		return r;
	if (strlen(text) >= bytes)
		return bad(file, name, "is too long", err);
	memcpy(dst, text, strlen(text) + 1);
	return 0;
}

static bool has_pair(const struct kmt_manifest *manifest, const char *name)
{
	for (size_t i = 0; i < manifest->nr_pairs; i++)
		if (strcmp(manifest->pairs[i].name, name) == 0)
			return true;
	return false;
}

static int read_pair(struct kmt_manifest *manifest, struct json_object *row, const char *file,
		     struct kmt_err *err)
{
	struct kmt_pair pair = { .is_count = false };
	struct json_object *count;
	int r;

	(void)((r = read_row_text(file, row, "name", pair.name, sizeof(pair.name), err)) < 0 ||
	       (r = read_row_text(file, row, "alloc", pair.alloc, sizeof(pair.alloc), err)) < 0 ||
	       (r = read_row_text(file, row, "free", pair.free, sizeof(pair.free), err)) < 0 ||
	       (r = read_row_text(file, row, "module", pair.module, sizeof(pair.module), err)) < 0);
	if (r < 0)
		return r;
	if (!is_identifier(pair.name))
		return bad(file, "name", "of one of the 'pairs' is no identifier", err);
	if (has_pair(manifest, pair.name))
		return bad(file, "pairs", "has a name twice", err);
	if (!is_symbol(pair.alloc) || !is_symbol(pair.free))
		return bad(file, "pairs", "has an entry whose functions are none", err);
	if (strspn(pair.module, LETTERS "0123456789_-") != strlen(pair.module))
		return bad(file, "module", "of one of the 'pairs' is none", err);
	if (!json_object_object_get_ex(row, "count", &count) ||
	    !json_object_is_type(count, json_type_boolean))
		return bad(file, "count", "of one of the 'pairs' is neither true nor false", err);
	pair.is_count = json_object_get_boolean(count);
	return kmt_manifest_add_pair(manifest, &pair);
}

static int read_pairs(struct kmt_manifest *manifest, struct json_object *root, const char *file,
		      struct kmt_err *err)
{
	struct json_object *array;
	size_t nr;
	int r;

	r = array_of(root, "pairs", KMT_MANIFEST_PAIRS_MAX, file, &array, &nr, err);
	for (size_t i = 0; r == 0 && i < nr; i++)
		r = read_pair(manifest, json_object_array_get_idx(array, i), file, err);
	return r;
}

static int read_filters(struct kmt_manifest *manifest, struct json_object *root, const char *file,
			struct kmt_err *err)
{
	struct json_object *array;
	size_t nr;
	int r;

	r = array_of(root, "filters", FILTERS_MAX, file, &array, &nr, err);
	for (size_t i = 0; r == 0 && i < nr; i++) {
		struct json_object *row = json_object_array_get_idx(array, i);
		struct kmt_manifest_filter filter;

		r = read_row_text(file, row, "event", filter.event, sizeof(filter.event), err);
		if (r == 0 && !is_event_name(filter.event))
			r = bad(file, "filters", "has an entry that is not of SYSTEM:EVENT", err);
		if (r == 0)
			r = read_row_text(file, row, "text", filter.text, sizeof(filter.text), err);
		if (r == 0)
			r = kmt_manifest_add_filter(manifest, filter.event, filter.text);
	}
	return r;
}

/* A mask keeps one in 2^(its bits), and all spaces that are sampled are so at the same rate. */
static int read_disturbance(struct kmt_manifest *manifest, struct json_object *row,
			    const char *file, struct kmt_err *err)
{
	struct kmt_disturbance disturbance = { .from_ns = 0 };
	struct json_object *from, *to;
	int r;

	r = read_row_text(file, row, "what", disturbance.what, sizeof(disturbance.what), err);
	if (r < 0)
		return r;
	if (!json_object_object_get_ex(row, "from_ns", &from) ||
	    !json_object_object_get_ex(row, "to_ns", &to))
		return bad(file, "disturbances", "has an entry without its time", err);
	r = read_uint(file, "from_ns", from, 0, INT64_MAX, &disturbance.from_ns, err);
	if (r == 0)
		r = read_uint(file, "to_ns", to, disturbance.from_ns, INT64_MAX, &disturbance.to_ns,
			      err);
	if (r < 0)
		return r;
	if (manifest->nr_disturbances &&
	    manifest->disturbances[manifest->nr_disturbances - 1].to_ns > disturbance.to_ns)
		return bad(file, "disturbances", "is not in the order of time", err);
	manifest->disturbances[manifest->nr_disturbances++] = disturbance;
	return 0;
}

static int read_disturbances(struct kmt_manifest *manifest, struct json_object *root,
			     const char *file, struct kmt_err *err)
{
	struct json_object *array;
	size_t nr;
	int r;

	r = array_of(root, "disturbances", KMT_DISTURBANCES_MAX, file, &array, &nr, err);
	for (size_t i = 0; r == 0 && i < nr; i++)
		r = read_disturbance(manifest, json_object_array_get_idx(array, i), file, err);
	return r;
}

static int check_sample(const struct kmt_manifest *manifest, const char *file, struct kmt_err *err)
{
	const uint64_t masks[] = { manifest->sample_mask, manifest->sample_page_mask };
	bool is_masked = false;

	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		if (!masks[i])
			continue;
		is_masked = true;
		if (manifest->sample != UINT64_C(1) << __builtin_popcountll(masks[i]))
			return bad(file, "sample", "is not what the masks keep", err);
	}
	if (manifest->sample > 1 && !is_masked)
		return bad(file, "sample_mask", "is missing in a sample", err);
	return 0;
}

static int read_symbols(struct kmt_manifest *manifest, struct json_object *root, const char *file,
			struct kmt_err *err)
{
	char name[KMT_MANIFEST_TEXT_BYTES];
	struct json_object *value;
	int r;

	if (!json_object_object_get_ex(root, "symbols", &value))
		return 0;
	r = read_text(file, "symbols", value, name, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < KMT_MANIFEST_SYMBOLS; i++)
		if (strcmp(name, kmt_manifest_symbols[i]) == 0)
			manifest->symbols = (enum kmt_symbols_state)i;
	return 0; /* a state that we don't know counts as none */
}

static int read_command_status(struct kmt_manifest *manifest, struct json_object *root,
			       const char *file, struct kmt_err *err)
{
	struct json_object *value;
	uint64_t status = 0;
	int r;

	if (!json_object_object_get_ex(root, "command_status", &value))
		return 0;
	r = read_uint(file, "command_status", value, 0, 255, &status, err);
	manifest->has_command_status = r == 0;
	manifest->command_status = (int)status;
	return r;
}

static bool is_feature(const char *name)
{
	for (size_t i = 0; i < KMT_MANIFEST_FEATURES; i++)
		if (strcmp(kmt_manifest_features[i].name, name) == 0)
			return true;
	return false;
}

static int check_format(struct kmt_manifest *manifest, struct json_object *root, const char *file,
			struct kmt_err *err)
{
	char name[KMT_MANIFEST_TEXT_BYTES];
	struct json_object *value, *array;
	uint64_t version = 0;
	size_t nr;
	int r;

	if (!json_object_is_type(root, json_type_object) ||
	    !json_object_object_get_ex(root, "format", &value) ||
	    !json_object_is_type(value, json_type_string) ||
	    strcmp(json_object_get_string(value), KMT_MANIFEST_FORMAT) != 0)
		return kmt_fail(err, -EBADMSG, "%s: not the manifest of a kmemtape tape", file);
	if (!json_object_object_get_ex(root, "format_version", &value))
		return bad(file, "format_version", "is missing", err);
	r = read_uint(file, "format_version", value, 1, UINT32_MAX, &version, err);
	if (r < 0)
		return r;
	if (version > KMT_FORMAT_VERSION)
		return kmt_fail(err, -EPROTONOSUPPORT,
				"%s: tape format %" PRIu64
				", this kmemtape reads up to %d: take a newer one",
				file, version, KMT_FORMAT_VERSION);
	r = array_of(root, "incompat", EVENTS_MAX, file, &array, &nr, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < nr; i++) {
		r = read_text(file, "incompat", json_object_array_get_idx(array, i), name, err);
		if (r < 0)
			return r;
		if (!is_feature(name))
			return kmt_fail(err, -EPROTONOSUPPORT,
					"%s: needs a kmemtape that knows '%.64s'", file, name);
		manifest->is_distilled |= strcmp(name, KMT_MANIFEST_DISTILLED) == 0;
		manifest->is_small |= strcmp(name, KMT_MANIFEST_SMALL) == 0;
	}
	return 0;
}

static int read_all(struct kmt_manifest *manifest, struct json_object *root, const char *file,
		    struct kmt_err *err)
{
	int r;

	(void)((r = read_members(manifest, root, file, err)) < 0 ||
	       (r = read_symbols(manifest, root, file, err)) < 0 ||
	       (r = read_cpus(manifest, root, file, err)) < 0 ||
	       (r = read_events(manifest, root, file, err)) < 0 ||
	       (r = read_pids(manifest, root, file, err)) < 0 ||
	       (r = read_stats(manifest, root, file, err)) < 0 ||
	       (r = read_probes(manifest, root, file, err)) < 0 ||
	       (r = read_pairs(manifest, root, file, err)) < 0 ||
	       (r = read_filters(manifest, root, file, err)) < 0 ||
	       (r = read_disturbances(manifest, root, file, err)) < 0 ||
	       (r = read_command_status(manifest, root, file, err)) < 0);
	if (r < 0)
		return r == -ENOMEM ? kmt_fail(err, r, "%s: out of memory", file) : r;
	if (manifest->long_bytes != 4 && manifest->long_bytes != 8)
		return bad(file, "long_bytes", "is neither 4 nor 8", err);
	return check_sample(manifest, file, err);
}

int kmt_manifest_parse(struct kmt_manifest *manifest, const char *json, size_t bytes,
		       const char *name, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_json_putp) struct json_object *root = NULL;
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct kmt_manifest parsed;
	size_t offset;
	int r;

	if (!tokener)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", name);
	if (bytes > KMT_MANIFEST_BYTES_MAX) {
		json_tokener_free(tokener);
		return kmt_fail(err, -EFBIG, "%s: too long", name);
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT); /* nothing may follow */
	root = json_tokener_parse_ex(tokener, json, (int)bytes);
	offset = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	if (!root)
		return kmt_fail(err, -EBADMSG, "%s: offset %zu: not JSON, or cut short", name,
				offset);
	kmt_manifest_init(&parsed);
	r = check_format(&parsed, root, name, err);
	if (r == 0)
		r = read_all(&parsed, root, name, err);
	if (r < 0) {
		kmt_manifest_deinit(&parsed);
		return r;
	}
	kmt_manifest_deinit(manifest);
	*manifest = parsed;
	return 0;
}
