// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "kmemtape/tape-format.h"
#include "manifest-json.h"

const char *const kmt_manifest_symbols[KMT_MANIFEST_SYMBOLS] = {
	[KMT_SYMBOLS_NONE] = "none",
	[KMT_SYMBOLS_HIDDEN] = "hidden",
	[KMT_SYMBOLS_GOOD] = "good",
};

#define MEMBER(section, name, type, field, min, max, is_needed)                                   \
	{                                                                                         \
		section, name, KMT_MEMBER_##type, offsetof(struct kmt_manifest, field), min, max, \
			is_needed                                                                 \
	}

const struct kmt_manifest_member kmt_manifest_members[KMT_MANIFEST_MEMBERS] = {
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
	MEMBER("clock", "wall_offset_end_ns", INT64, wall_offset_end_ns, 0, 0, false),
	MEMBER("clock", "suspended_ns", UINT64, suspended_ns, 0, INT64_MAX, false),
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
	MEMBER("ring", "max_bytes", UINT64, ring_bytes, 0, INT64_MAX, false),
	MEMBER("ring", "dropped_ns", UINT64, dropped_ns, 0, INT64_MAX, false),
	MEMBER("ring", "began_ns", UINT64, began_ns, 0, INT64_MAX, false),
	MEMBER("ended", "why", TEXT, ended_why, 0, 0, false),
	MEMBER("ended", "time_ns", UINT64, ended_ns, 0, INT64_MAX, false),
	MEMBER("range", "from_ns", UINT64, range_from_ns, 0, INT64_MAX, false),
	MEMBER("range", "to_ns", UINT64, range_to_ns, 0, INT64_MAX, false),
	MEMBER(NULL, "recovered", TEXT, recovered, 0, 0, false),
	MEMBER(NULL, "redacted", BOOL, is_redacted, 0, 0, false),
	MEMBER(NULL, "closed", BOOL, is_closed, 0, 0, true),
};

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

static bool has_ended_early(const struct kmt_manifest *manifest)
{
	return manifest->ended_ns > 0; /* else frees that are missing behind look like leaks */
}

static bool is_ring(const struct kmt_manifest *manifest)
{
	return manifest->ring_bytes > 0; /* else most files are passed over */
}

static bool is_distilled(const struct kmt_manifest *manifest)
{
	return manifest->is_distilled; /* else there would be nothing on it */
}

static bool is_small(const struct kmt_manifest *manifest)
{
	return manifest->is_small; /* else its chunks can't be read */
}

const struct kmt_manifest_feature kmt_manifest_features[KMT_MANIFEST_FEATURES] = {
	{ "sampling", is_sampled },
	{ "filters", is_filtered },
	{ "no-slab", is_without_slab },
	{ "ended-early", has_ended_early },
	{ KMT_MANIFEST_DISTILLED, is_distilled },
	{ "segments", is_ring },
	{ KMT_MANIFEST_SMALL, is_small },
};
