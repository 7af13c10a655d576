// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "json-text.h"
#include "kmemtape/fs.h"
#include "kmemtape/tape-format.h"
#include "manifest-json.h"

static void put_member(struct kmt_json_text *json, const struct kmt_manifest *manifest,
		       const struct kmt_manifest_member *member)
{
	const void *field = (const char *)manifest + member->offset;

	switch (member->type) {
	case KMT_MEMBER_TEXT:
		kmt_json_text_string(json, member->name, field);
		break;
	case KMT_MEMBER_UINT32:
		kmt_json_text_uint(json, member->name, *(const uint32_t *)field);
		break;
	case KMT_MEMBER_UINT64:
		kmt_json_text_uint(json, member->name, *(const uint64_t *)field);
		break;
	case KMT_MEMBER_INT64:
		kmt_json_text_int(json, member->name, *(const int64_t *)field);
		break;
	case KMT_MEMBER_BOOL:
		kmt_json_text_bool(json, member->name, *(const bool *)field);
		break;
	}
}

static bool is_other(const char *section, const char *last)
{
	return section && last ? strcmp(section, last) != 0 : section != last;
}

/* Those of a section stand together. */
static void put_members(struct kmt_json_text *json, const struct kmt_manifest *manifest)
{
	const char *last = NULL;

	for (size_t i = 0; i < KMT_MANIFEST_MEMBERS; i++) {
		const char *section = kmt_manifest_members[i].section;

		if (is_other(section, last)) {
			if (last)
				kmt_json_text_end_object(json);
			if (section)
				kmt_json_text_object(json, section);
		}
		put_member(json, manifest, &kmt_manifest_members[i]);
		last = section;
	}
	if (last)
		kmt_json_text_end_object(json);
}

static void put_arrays(struct kmt_json_text *json, const struct kmt_manifest *m)
{
	kmt_json_text_array(json, "cpus");
	for (size_t i = 0; i < m->nr_cpus; i++)
		kmt_json_text_uint(json, NULL, m->cpus[i]);
	kmt_json_text_end_array(json);
	kmt_json_text_array(json, "events");
	for (size_t i = 0; i < m->nr_events; i++)
		kmt_json_text_string(json, NULL, m->events[i]);
	kmt_json_text_end_array(json);
	kmt_json_text_array(json, "recorder_pids");
	for (size_t i = 0; i < m->nr_recorder_pids; i++)
		kmt_json_text_int(json, NULL, m->recorder_pids[i]);
	kmt_json_text_end_array(json);
}

static void put_stats(struct kmt_json_text *json, const struct kmt_manifest *m)
{
	kmt_json_text_array(json, "cpu_stats");
	for (size_t i = 0; i < m->nr_stats; i++) {
		kmt_json_text_object(json, NULL);
		kmt_json_text_uint(json, "cpu", m->stats[i].cpu);
		kmt_json_text_uint(json, "overrun", m->stats[i].overrun);
		kmt_json_text_uint(json, "commit_overrun", m->stats[i].commit_overrun);
		kmt_json_text_uint(json, "dropped", m->stats[i].dropped);
		kmt_json_text_uint(json, "read", m->stats[i].read);
		kmt_json_text_end_object(json);
	}
	kmt_json_text_end_array(json);
}

static void put_probes(struct kmt_json_text *json, const struct kmt_manifest *m)
{
	kmt_json_text_array(json, "probes");
	for (size_t i = 0; i < m->nr_probes; i++) {
		kmt_json_text_object(json, NULL);
		kmt_json_text_string(json, "event", m->probes[i].event);
		kmt_json_text_uint(json, "hits", m->probes[i].hits);
		kmt_json_text_uint(json, "missed", m->probes[i].missed);
		kmt_json_text_end_object(json);
	}
	kmt_json_text_end_array(json);
}

static void put_pairs(struct kmt_json_text *json, const struct kmt_manifest *m)
{
	kmt_json_text_array(json, "pairs");
	for (size_t i = 0; i < m->nr_pairs; i++) {
		kmt_json_text_object(json, NULL);
		kmt_json_text_string(json, "name", m->pairs[i].name);
		kmt_json_text_string(json, "alloc", m->pairs[i].alloc);
		kmt_json_text_string(json, "free", m->pairs[i].free);
		kmt_json_text_string(json, "module", m->pairs[i].module);
		kmt_json_text_bool(json, "count", m->pairs[i].is_count);
		kmt_json_text_end_object(json);
	}
	kmt_json_text_end_array(json);
}

static void put_filters(struct kmt_json_text *json, const struct kmt_manifest *m)
{
	kmt_json_text_array(json, "filters");
	for (size_t i = 0; i < m->nr_filters; i++) {
		kmt_json_text_object(json, NULL);
		kmt_json_text_string(json, "event", m->filters[i].event);
		kmt_json_text_string(json, "text", m->filters[i].text);
		kmt_json_text_end_object(json);
	}
	kmt_json_text_end_array(json);
}

static void put_disturbances(struct kmt_json_text *json, const struct kmt_manifest *m)
{
	kmt_json_text_array(json, "disturbances");
	for (size_t i = 0; i < m->nr_disturbances; i++) {
		kmt_json_text_object(json, NULL);
		kmt_json_text_uint(json, "from_ns", m->disturbances[i].from_ns);
		kmt_json_text_uint(json, "to_ns", m->disturbances[i].to_ns);
		kmt_json_text_string(json, "what", m->disturbances[i].what);
		kmt_json_text_end_object(json);
	}
	kmt_json_text_end_array(json);
}

static void put_features(struct kmt_json_text *json, const struct kmt_manifest *m)
{
	kmt_json_text_array(json, "incompat");
	for (size_t i = 0; i < KMT_MANIFEST_FEATURES; i++)
		if (kmt_manifest_features[i].is_used(m))
			kmt_json_text_string(json, NULL, kmt_manifest_features[i].name);
	kmt_json_text_end_array(json);
}

/* Without a heap: a recorder does it while events are on. */
static int write_json(int fd, const void *context)
{
	const struct kmt_manifest *manifest = context;
	struct kmt_json_text json;

	kmt_json_text_init(&json, fd);
	kmt_json_text_string(&json, "format", KMT_MANIFEST_FORMAT);
	kmt_json_text_int(&json, "format_version", KMT_FORMAT_VERSION);
	put_features(&json, manifest);
	put_members(&json, manifest);
	kmt_json_text_string(&json, "symbols", kmt_manifest_symbols[manifest->symbols]);
	put_arrays(&json, manifest);
	put_stats(&json, manifest);
	if (manifest->nr_probes)
		put_probes(&json, manifest);
	if (manifest->nr_pairs)
		put_pairs(&json, manifest);
	if (manifest->nr_filters)
		put_filters(&json, manifest);
	if (manifest->nr_disturbances)
		put_disturbances(&json, manifest);
	if (manifest->has_command_status)
		kmt_json_text_int(&json, "command_status", manifest->command_status);
	return kmt_json_text_finish(&json);
}

int kmt_manifest_write(const struct kmt_manifest *manifest, int dirfd, struct kmt_err *err)
{
	return kmt_write_file_by(dirfd, "manifest.json", false, write_json, manifest, err);
}

int kmt_manifest_write_synced(const struct kmt_manifest *manifest, int dirfd, struct kmt_err *err)
{
	return kmt_write_file_by(dirfd, "manifest.json", true, write_json, manifest, err);
}
