// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "kmemtape/fs.h"
#include "kmemtape/manifest.h"
#include "kmemtape/tape-format.h"

#define FORMAT_NAME    "kmemtape"
#define EVENTS_MAX     256u
#define PIDS_MAX       (2 * KMT_CPUS_MAX)
#define PROBES_MAX     64u
#define FILTERS_MAX    64u
#define COUNT_MAX      (UINT64_C(1) << 48) /* so that sums cannot overflow */
#define JSON_DEPTH_MAX 8
#define LETTERS	       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char *const symbols_names[] = {
	[KMT_SYMBOLS_NONE] = "none",
	[KMT_SYMBOLS_HIDDEN] = "hidden",
	[KMT_SYMBOLS_GOOD] = "good",
};

static struct json_object *put_json(struct json_object *object)
{
	json_object_put(object);
	return NULL;
}

KMT_DEFINE_FREEP(struct json_object *, put_json)

/* One row for each plain member, so that writing and parsing cannot drift apart. */
enum member_type { TEXT, UINT32, UINT64, INT64, BOOL };

struct member {
	const char *section; /* NULL: top level */
	const char *name;
	enum member_type type;
	size_t offset;
	uint64_t min, max; /* of UINT32 and UINT64 */
	bool is_needed;
};

#define MEMBER(section, name, type, field, min, max, is_needed)                                \
	{                                                                                      \
		section, name, type, offsetof(struct kmt_manifest, field), min, max, is_needed \
	}

static const struct member members[] = {
	MEMBER(NULL, "recorder", TEXT, recorder, 0, 0, false),
	MEMBER("kernel", "release", TEXT, kernel, 0, 0, false),
	MEMBER("kernel", "version", TEXT, kernel_version, 0, 0, false),
	MEMBER("kernel", "arch", TEXT, arch, 0, 0, false),
	MEMBER("kernel", "host", TEXT, host, 0, 0, false),
	MEMBER("kernel", "big_endian", BOOL, is_big_endian, 0, 0, true),
	MEMBER("kernel", "long_bytes", UINT32, long_bytes, 4, 8, true),
	MEMBER("kernel", "page_bytes", UINT32, page_bytes, 1024, 1 << 20, true),
	MEMBER("buffer", "subbuf_bytes", UINT32, subbuf_bytes, 64, KMT_CHUNK_RAW_BYTES_MAX, true),
	MEMBER("clock", "name", TEXT, clock, 0, 0, true),
	MEMBER("clock", "wall_offset_ns", INT64, wall_offset_ns, 0, 0, false),
	MEMBER("time", "start_ns", UINT64, start_ns, 0, INT64_MAX, false),
	MEMBER("time", "allocs_on_ns", UINT64, allocs_on_ns, 0, INT64_MAX, false),
	MEMBER("time", "allocs_off_ns", UINT64, allocs_off_ns, 0, INT64_MAX, false),
	MEMBER("time", "end_ns", UINT64, end_ns, 0, INT64_MAX, false),
	MEMBER(NULL, "sample", UINT64, sample, 1, UINT64_C(1) << 32, false),
	MEMBER(NULL, "sample_mask", UINT64, sample_mask, 0, UINT32_MAX, false),
	MEMBER(NULL, "sample_page_mask", UINT64, sample_page_mask, 0, UINT32_MAX, false),
	MEMBER(NULL, "sets", TEXT, sets, 0, 0, false),
	MEMBER(NULL, "vmalloc", TEXT, vmalloc, 0, 0, false),
	MEMBER(NULL, "stacks", TEXT, stacks, 0, 0, false),
	MEMBER(NULL, "possible_cpus", UINT32, nr_possible_cpus, 0, KMT_CPUS_MAX, false),
	MEMBER(NULL, "free_probes", TEXT, free_probes, 0, 0, false),
	MEMBER(NULL, "command", TEXT, command, 0, 0, false),
	MEMBER(NULL, "closed", BOOL, is_closed, 0, 0, true),
};

/*
 * What a reader must know of, or it would tell something else than what was recorded. They are on
 * the tape only when they are used, so that most tapes can be read by every reader.
 */
static bool is_sampled(const struct kmt_manifest *manifest)
{
	return manifest->sample > 1; /* else totals are too small */
}

static bool is_filtered(const struct kmt_manifest *manifest)
{
	return manifest->nr_filters > 0; /* else frees look as if allocations had been missed */
}

static bool is_without_slab(const struct kmt_manifest *manifest)
{
	return *manifest->sets && !strstr(manifest->sets, "slab"); /* else nothing looks leaked */
}

static const struct feature {
	const char *name;
	bool (*is_used)(const struct kmt_manifest *manifest);
} features[] = {
	{ "sampling", is_sampled },
	{ "filters", is_filtered },
	{ "no-slab", is_without_slab },
};

void kmt_manifest_init(struct kmt_manifest *manifest)
{
	*manifest = (struct kmt_manifest){ .sample = 1 };
}

void kmt_manifest_deinit(struct kmt_manifest *manifest)
{
	free(manifest->cpus);
	for (size_t i = 0; i < manifest->nr_events; i++)
		free(manifest->events[i]);
	free(manifest->events);
	free(manifest->recorder_pids);
	free(manifest->stats);
	free(manifest->probes);
	free(manifest->pairs);
	free(manifest->filters);
	kmt_manifest_init(manifest);
}

/* Room for one more, at the end. Return: false if out of memory, with the array unchanged. */
#define GROW(array, nr)                                                         \
	({                                                                      \
		void *_grown = reallocarray(array, (nr) + 1, sizeof(*(array))); \
		if (_grown)                                                     \
			(array) = _grown;                                       \
		_grown != NULL;                                                 \
	})

int kmt_manifest_add_cpu(struct kmt_manifest *manifest, uint32_t cpu)
{
	size_t at = 0;

	while (at < manifest->nr_cpus && manifest->cpus[at] < cpu)
		at++;
	if (at < manifest->nr_cpus && manifest->cpus[at] == cpu)
		return 0;
	if (!GROW(manifest->cpus, manifest->nr_cpus))
		return -ENOMEM;
	memmove(manifest->cpus + at + 1, manifest->cpus + at,
		(manifest->nr_cpus - at) * sizeof(*manifest->cpus));
	manifest->cpus[at] = cpu;
	manifest->nr_cpus++;
	return 0;
}

int kmt_manifest_add_event(struct kmt_manifest *manifest, const char *name)
{
	char *copy = strdup(name);

	if (!copy || !GROW(manifest->events, manifest->nr_events)) {
		free(copy);
		return -ENOMEM;
	}
	manifest->events[manifest->nr_events++] = copy;
	return 0;
}

int kmt_manifest_add_recorder_pid(struct kmt_manifest *manifest, int32_t pid)
{
	size_t at = 0;

	while (at < manifest->nr_recorder_pids && manifest->recorder_pids[at] < pid)
		at++;
	if (!GROW(manifest->recorder_pids, manifest->nr_recorder_pids))
		return -ENOMEM;
	memmove(manifest->recorder_pids + at + 1, manifest->recorder_pids + at,
		(manifest->nr_recorder_pids - at) * sizeof(*manifest->recorder_pids));
	manifest->recorder_pids[at] = pid;
	manifest->nr_recorder_pids++;
	return 0;
}

int kmt_manifest_add_stats(struct kmt_manifest *manifest, const struct kmt_cpu_stats *stats)
{
	if (!GROW(manifest->stats, manifest->nr_stats))
		return -ENOMEM;
	manifest->stats[manifest->nr_stats++] = *stats;
	return 0;
}

int kmt_manifest_add_probe(struct kmt_manifest *manifest, const struct kmt_probe_stats *probe)
{
	if (!GROW(manifest->probes, manifest->nr_probes))
		return -ENOMEM;
	manifest->probes[manifest->nr_probes++] = *probe;
	return 0;
}

int kmt_manifest_add_pair(struct kmt_manifest *manifest, const struct kmt_pair *pair)
{
	if (!GROW(manifest->pairs, manifest->nr_pairs))
		return -ENOMEM;
	manifest->pairs[manifest->nr_pairs++] = *pair;
	return 0;
}

int kmt_manifest_add_filter(struct kmt_manifest *manifest, const char *event, const char *text)
{
	struct kmt_manifest_filter *filter;

	if (!GROW(manifest->filters, manifest->nr_filters))
		return -ENOMEM;
	filter = &manifest->filters[manifest->nr_filters++];
	(void)snprintf(filter->event, sizeof(filter->event), "%s", event);
	(void)snprintf(filter->text, sizeof(filter->text), "%s", text);
	return 0;
}

uint64_t kmt_manifest_lost(const struct kmt_manifest *manifest)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < manifest->nr_stats; i++)
		lost += manifest->stats[i].overrun + manifest->stats[i].commit_overrun +
			manifest->stats[i].dropped;
	return lost;
}

/* Adds @value to @object, and takes it. Return: false if out of memory. */
static bool put(struct json_object *object, const char *name, struct json_object *value)
{
	if (!value)
		return false;
	if (json_object_object_add(object, name, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static struct json_object *member_to_json(const struct kmt_manifest *manifest,
					  const struct member *member)
{
	const void *field = (const char *)manifest + member->offset;

	switch (member->type) {
	case TEXT:
		return json_object_new_string(field);
	case UINT32:
		return json_object_new_uint64(*(const uint32_t *)field);
	case UINT64:
		return json_object_new_uint64(*(const uint64_t *)field);
	case INT64:
		return json_object_new_int64(*(const int64_t *)field);
	case BOOL:
		return json_object_new_boolean(*(const bool *)field);
	}
	return NULL;
}

/* The object @name of @root, made if it isn't there. Borrowed. */
static struct json_object *section_of(struct json_object *root, const char *name)
{
	struct json_object *section;

	if (!name)
		return root;
	if (json_object_object_get_ex(root, name, &section))
		return section;
	section = json_object_new_object();
	return section && put(root, name, section) ? section : NULL;
}

static bool put_members(const struct kmt_manifest *manifest, struct json_object *root)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		struct json_object *section = section_of(root, members[i].section);

		if (!section ||
		    !put(section, members[i].name, member_to_json(manifest, &members[i])))
			return false;
	}
	return true;
}

static bool append(struct json_object *array, struct json_object *value)
{
	if (!value)
		return false;
	if (json_object_array_add(array, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static bool put_arrays(const struct kmt_manifest *m, struct json_object *root)
{
	struct json_object *cpus = json_object_new_array();
	struct json_object *events, *pids;
	bool is_good = put(root, "cpus", cpus);

	for (size_t i = 0; is_good && i < m->nr_cpus; i++)
		is_good = append(cpus, json_object_new_uint64(m->cpus[i]));
	events = json_object_new_array();
	is_good = put(root, "events", events) && is_good;
	for (size_t i = 0; is_good && i < m->nr_events; i++)
		is_good = append(events, json_object_new_string(m->events[i]));
	pids = json_object_new_array();
	is_good = put(root, "recorder_pids", pids) && is_good;
	for (size_t i = 0; is_good && i < m->nr_recorder_pids; i++)
		is_good = append(pids, json_object_new_int(m->recorder_pids[i]));
	return is_good;
}

static bool put_stats(const struct kmt_manifest *m, struct json_object *root)
{
	struct json_object *stats = json_object_new_array();
	bool is_good = put(root, "cpu_stats", stats);

	for (size_t i = 0; is_good && i < m->nr_stats; i++) {
		const struct kmt_cpu_stats *s = &m->stats[i];
		struct json_object *row = json_object_new_object();

		is_good = append(stats, row) && put(row, "cpu", json_object_new_uint64(s->cpu)) &&
			  put(row, "overrun", json_object_new_uint64(s->overrun)) &&
			  put(row, "commit_overrun", json_object_new_uint64(s->commit_overrun)) &&
			  put(row, "dropped", json_object_new_uint64(s->dropped)) &&
			  put(row, "read", json_object_new_uint64(s->read));
	}
	return is_good;
}

static bool put_probes(const struct kmt_manifest *m, struct json_object *root)
{
	struct json_object *probes = json_object_new_array();
	bool is_good = put(root, "probes", probes);

	for (size_t i = 0; is_good && i < m->nr_probes; i++) {
		const struct kmt_probe_stats *p = &m->probes[i];
		struct json_object *row = json_object_new_object();

		is_good = append(probes, row) &&
			  put(row, "event", json_object_new_string(p->event)) &&
			  put(row, "hits", json_object_new_uint64(p->hits)) &&
			  put(row, "missed", json_object_new_uint64(p->missed));
	}
	return is_good;
}

static bool put_pairs(const struct kmt_manifest *m, struct json_object *root)
{
	struct json_object *pairs = json_object_new_array();
	bool is_good = put(root, "pairs", pairs);

	for (size_t i = 0; is_good && i < m->nr_pairs; i++) {
		const struct kmt_pair *p = &m->pairs[i];
		struct json_object *row = json_object_new_object();

		is_good = append(pairs, row) && put(row, "name", json_object_new_string(p->name)) &&
			  put(row, "alloc", json_object_new_string(p->alloc)) &&
			  put(row, "free", json_object_new_string(p->free)) &&
			  put(row, "module", json_object_new_string(p->module)) &&
			  put(row, "count", json_object_new_boolean(p->is_count));
	}
	return is_good;
}

static bool put_filters(const struct kmt_manifest *m, struct json_object *root)
{
	struct json_object *filters = json_object_new_array();
	bool is_good = put(root, "filters", filters);

	for (size_t i = 0; is_good && i < m->nr_filters; i++) {
		struct json_object *row = json_object_new_object();

		is_good = append(filters, row) &&
			  put(row, "event", json_object_new_string(m->filters[i].event)) &&
			  put(row, "text", json_object_new_string(m->filters[i].text));
	}
	return is_good;
}

static bool put_features(const struct kmt_manifest *m, struct json_object *root)
{
	struct json_object *names = json_object_new_array();
	bool is_good = put(root, "incompat", names);

	for (size_t i = 0; is_good && i < sizeof(features) / sizeof(features[0]); i++)
		if (features[i].is_used(m))
			is_good = append(names, json_object_new_string(features[i].name));
	return is_good;
}

int kmt_manifest_write(const struct kmt_manifest *manifest, int dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(put_jsonp) struct json_object *root = json_object_new_object();
	const char *text;
	size_t bytes;

	if (!root || !put(root, "format", json_object_new_string(FORMAT_NAME)) ||
	    !put(root, "format_version", json_object_new_int(KMT_FORMAT_VERSION)) ||
	    !put_features(manifest, root) || !put_members(manifest, root) ||
	    !put(root, "symbols", json_object_new_string(symbols_names[manifest->symbols])) ||
	    !put_arrays(manifest, root) || !put_stats(manifest, root) ||
	    (manifest->nr_probes && !put_probes(manifest, root)) ||
	    (manifest->nr_pairs && !put_pairs(manifest, root)) ||
	    (manifest->nr_filters && !put_filters(manifest, root)) ||
	    (manifest->has_command_status &&
	     !put(root, "command_status", json_object_new_int(manifest->command_status))))
		return kmt_fail(err, -ENOMEM, "manifest.json: out of memory");

	text = json_object_to_json_string_length(
		root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &bytes);
	if (!text)
		return kmt_fail(err, -ENOMEM, "manifest.json: out of memory");
	return kmt_write_file(dirfd, "manifest.json", text, bytes, err);
}

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

static int read_member(struct kmt_manifest *manifest, const struct member *member,
		       struct json_object *value, const char *file, struct kmt_err *err)
{
	void *field = (char *)manifest + member->offset;
	uint64_t n = 0;
	int r = 0;

	switch (member->type) {
	case TEXT:
		return read_text(file, member->name, value, field, err);
	case UINT32:
		r = read_uint(file, member->name, value, member->min, member->max, &n, err);
		*(uint32_t *)field = (uint32_t)n;
		return r;
	case UINT64:
		r = read_uint(file, member->name, value, member->min, member->max, &n, err);
		*(uint64_t *)field = n;
		return r;
	case INT64:
		if (!json_object_is_type(value, json_type_int))
			return bad(file, member->name, "is not a whole number", err);
		if (json_object_get_uint64(value) > INT64_MAX)
			return bad(file, member->name, "is out of range", err);
		*(int64_t *)field = json_object_get_int64(value);
		return 0;
	case BOOL:
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
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		struct json_object *section = root, *value = NULL;
		int r;

		if (members[i].section &&
		    !json_object_object_get_ex(root, members[i].section, &section))
			section = NULL;
		if (section && json_object_is_type(section, json_type_object))
			(void)json_object_object_get_ex(section, members[i].name, &value);
		if (!value && members[i].is_needed)
			return bad(file, members[i].name, "is missing", err);
		if (!value)
			continue;
		r = read_member(manifest, &members[i], value, file, err);
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
	for (size_t i = 0; i < sizeof(symbols_names) / sizeof(symbols_names[0]); i++)
		if (strcmp(name, symbols_names[i]) == 0)
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
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (strcmp(features[i].name, name) == 0)
			return true;
	return false;
}

static int check_format(struct json_object *root, const char *file, struct kmt_err *err)
{
	char name[KMT_MANIFEST_TEXT_BYTES];
	struct json_object *value, *array;
	uint64_t version = 0;
	size_t nr;
	int r;

	if (!json_object_is_type(root, json_type_object) ||
	    !json_object_object_get_ex(root, "format", &value) ||
	    !json_object_is_type(value, json_type_string) ||
	    strcmp(json_object_get_string(value), FORMAT_NAME) != 0)
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
	KMT_CLEANUP(put_jsonp) struct json_object *root = NULL;
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
	r = check_format(root, name, err);
	if (r < 0)
		return r;
	kmt_manifest_init(&parsed);
	r = read_all(&parsed, root, name, err);
	if (r < 0) {
		kmt_manifest_deinit(&parsed);
		return r;
	}
	kmt_manifest_deinit(manifest);
	*manifest = parsed;
	return 0;
}
