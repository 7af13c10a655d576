// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "kmemtape/fs.h"
#include "kmemtape/tape-format.h"
#include "manifest-json.h"

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
					  const struct kmt_manifest_member *member)
{
	const void *field = (const char *)manifest + member->offset;

	switch (member->type) {
	case KMT_MEMBER_TEXT:
		return json_object_new_string(field);
	case KMT_MEMBER_UINT32:
		return json_object_new_uint64(*(const uint32_t *)field);
	case KMT_MEMBER_UINT64:
		return json_object_new_uint64(*(const uint64_t *)field);
	case KMT_MEMBER_INT64:
		return json_object_new_int64(*(const int64_t *)field);
	case KMT_MEMBER_BOOL:
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
	for (size_t i = 0; i < KMT_MANIFEST_MEMBERS; i++) {
		struct json_object *section = section_of(root, kmt_manifest_members[i].section);

		if (!section || !put(section, kmt_manifest_members[i].name,
				     member_to_json(manifest, &kmt_manifest_members[i])))
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

static bool put_disturbances(const struct kmt_manifest *m, struct json_object *root)
{
	struct json_object *disturbances = json_object_new_array();
	bool is_good = put(root, "disturbances", disturbances);

	for (size_t i = 0; is_good && i < m->nr_disturbances; i++) {
		const struct kmt_disturbance *d = &m->disturbances[i];
		struct json_object *row = json_object_new_object();

		is_good = append(disturbances, row) &&
			  put(row, "from_ns", json_object_new_uint64(d->from_ns)) &&
			  put(row, "to_ns", json_object_new_uint64(d->to_ns)) &&
			  put(row, "what", json_object_new_string(d->what));
	}
	return is_good;
}

static bool put_features(const struct kmt_manifest *m, struct json_object *root)
{
	struct json_object *names = json_object_new_array();
	bool is_good = put(root, "incompat", names);

	for (size_t i = 0; is_good && i < KMT_MANIFEST_FEATURES; i++)
		if (kmt_manifest_features[i].is_used(m))
			is_good = append(names,
					 json_object_new_string(kmt_manifest_features[i].name));
	return is_good;
}

static int write_manifest(const struct kmt_manifest *manifest, int dirfd,
			  int (*write_file)(int dirfd, const char *path, const char *text,
					    size_t size, struct kmt_err *err),
			  struct kmt_err *err)
{
	KMT_CLEANUP(kmt_json_putp) struct json_object *root = json_object_new_object();
	const char *text;
	size_t bytes;

	if (!root || !put(root, "format", json_object_new_string(KMT_MANIFEST_FORMAT)) ||
	    !put(root, "format_version", json_object_new_int(KMT_FORMAT_VERSION)) ||
	    !put_features(manifest, root) || !put_members(manifest, root) ||
	    !put(root, "symbols",
		 json_object_new_string(kmt_manifest_symbols[manifest->symbols])) ||
	    !put_arrays(manifest, root) || !put_stats(manifest, root) ||
	    (manifest->nr_probes && !put_probes(manifest, root)) ||
	    (manifest->nr_pairs && !put_pairs(manifest, root)) ||
	    (manifest->nr_filters && !put_filters(manifest, root)) ||
	    (manifest->nr_disturbances && !put_disturbances(manifest, root)) ||
	    (manifest->has_command_status &&
	     !put(root, "command_status", json_object_new_int(manifest->command_status))))
		return kmt_fail(err, -ENOMEM, "manifest.json: out of memory");

	text = json_object_to_json_string_length(
		root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &bytes);
	if (!text)
		return kmt_fail(err, -ENOMEM, "manifest.json: out of memory");
	return write_file(dirfd, "manifest.json", text, bytes, err);
}

int kmt_manifest_write(const struct kmt_manifest *manifest, int dirfd, struct kmt_err *err)
{
	return write_manifest(manifest, dirfd, kmt_write_file, err);
}

int kmt_manifest_write_synced(const struct kmt_manifest *manifest, int dirfd, struct kmt_err *err)
{
	return write_manifest(manifest, dirfd, kmt_write_file_synced, err);
}
