// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "kmemtape/snapshots.h"

#include "fuzz.h"

/* Input: the size of the pieces it comes in, less 1, then text of snapshots.zst. */

#define SUM_MAX (UINT64_C(1) << 62)

static bool want(void *context, const struct kmt_snapshot_head *head)
{
	return head->time_ns % 7 != 6;
}

static void check_slabs(const struct kmt_counters *counters)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < counters->nr_slabs; i++) {
		const struct kmt_slab *slab = &counters->slabs[i];

		MUST(i == 0 || strcmp(counters->slabs[i - 1].name, slab->name) < 0);
		MUST(kmt_counters_find_slab(counters, slab->name) == slab);
		MUST(*slab->name && strlen(slab->name) <= KMT_COUNTERS_NAME_MAX);
		sum += slab->active_objects * slab->object_bytes;
		MUST(sum < SUM_MAX);
	}
}

static int take(void *context, const struct kmt_snapshot_head *head, struct kmt_counters *counters)
{
	uint64_t sum = 0;

	MUST(counters->time_ns == head->time_ns);
	MUST(counters->nr_nodes >= 1 && counters->nr_nodes <= 1024);
	check_slabs(counters);
	for (size_t i = 0; i < counters->nr_callers; i++) {
		const struct kmt_vmalloc_caller *caller = &counters->callers[i];

		MUST(i == 0 || strcmp(counters->callers[i - 1].caller, caller->caller) < 0);
		MUST(kmt_counters_find_caller(counters, caller->caller) == caller);
		MUST(caller->areas > 0);
		sum += caller->bytes;
		MUST(sum < SUM_MAX);
	}
	for (size_t i = 0; i < KMT_MEM_KINDS; i++)
		MUST(counters->mem[i] == KMT_COUNTER_UNKNOWN || counters->mem[i] < SUM_MAX);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kmt_snapshot_sink sink = { NULL, want, take };
	struct kmt_snapshots *snapshots;
	size_t piece = size ? data[0] + 1u : 1;

	MUST(kmt_snapshots_new(&sink, &snapshots, NULL) == 0);
	for (size_t at = 1; at < size; at += piece) {
		size_t bytes = size - at < piece ? size - at : piece;
		char *copy = malloc(bytes); /* no longer than it must be */

		MUST(copy);
		memcpy(copy, data + at, bytes);
		MUST(kmt_snapshots_add(snapshots, copy, bytes) == 0);
		free(copy);
		if (bytes % 97 == 96)
			kmt_snapshots_skip(snapshots);
	}
	MUST(kmt_snapshots_finish(snapshots, size % 2) == 0);
	(void)kmt_snapshots_free(snapshots);
	return 0;
}
