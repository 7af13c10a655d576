// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "sums.h"

/* Does the sum of all have it? */
static bool is_counted(const struct kmt_result *result, const struct kmt_entry *entry)
{
	return kmt_result_counts(result, entry->account->key.space, entry->use);
}

static void add_entry(struct kmt_result *result, const struct kmt_entry *entry)
{
	const struct kmt_account *account = entry->account;
	uint64_t live_bytes = account->live_objects * account->key.bytes_alloc;
	struct kmt_space_sum *space = &result->spaces[account->key.space];

	space->allocs += account->allocs;
	space->frees += account->frees;
	space->live_objects += account->live_objects;
	space->live_bytes += live_bytes;
	if (account->key.space == KMT_SPACE_PAGE)
		result->page_bytes_by_use[entry->use] += live_bytes;
	if (is_counted(result, entry))
		result->live_bytes += live_bytes;
	if (!account->key.is_recorder)
		return;
	result->recorder_objects += account->live_objects;
	if (is_counted(result, entry))
		result->recorder_bytes += live_bytes;
}

static void be_exact(struct kmt_space_sum *space)
{
	double objects = (double)space->live_objects, bytes = (double)space->live_bytes;

	space->estimate = (struct kmt_estimate){
		objects, objects, objects, bytes, bytes, bytes,
	};
}

/* Number KMT_SPACES_MAX is of what is counted, over all spaces. */
static int estimate_all(const struct kmt_entries *entries, const struct kmt_samples *samples,
			struct kmt_result *result)
{
	KMT_CLEANUP(kmt_freep) uint32_t *sum_of = calloc(entries->nr + 1, sizeof(*sum_of));
	struct kmt_sample_sum sums[KMT_SPACES_MAX] = { 0 }, all = { 0 };

	if (!sum_of)
		return -ENOMEM;
	for (size_t i = 0; i < entries->nr; i++)
		sum_of[entries->entries[i].account->index] = entries->entries[i].account->key.space;
	kmt_samples_sum(samples, sum_of, sums);
	for (uint32_t i = 0; i < KMT_SPACES_MAX; i++) {
		if (result->spaces[i].is_recorded)
			kmt_samples_expect_unseen(samples, i, &sums[i]);
		kmt_sample_estimate(&sums[i], &result->spaces[i].estimate);
	}
	for (size_t i = 0; i < entries->nr; i++)
		sum_of[entries->entries[i].account->index] =
			is_counted(result, &entries->entries[i]) ? 0 : KMT_NO_ROW;
	kmt_samples_sum(samples, sum_of, &all);
	kmt_samples_expect_unseen(samples, KMT_SPACE_SLAB, &all);
	kmt_sample_estimate(&all, &result->estimate);
	result->is_estimated = true;
	return 0;
}

int kmt_sums_fill(const struct kmt_entries *entries, const struct kmt_samples *samples,
		  struct kmt_result *result)
{
	/* Older recorders didn't say, and events of a space are proof enough. */
	for (size_t i = 0; i < entries->nr; i++)
		result->spaces[entries->entries[i].account->key.space].is_recorded = true;
	for (size_t i = 0; i < entries->nr; i++)
		add_entry(result, &entries->entries[i]);
	for (size_t i = 0; i < KMT_SPACES_MAX; i++)
		be_exact(&result->spaces[i]);
	return result->sample > 1 ? estimate_all(entries, samples, result) : 0;
}

int kmt_sums_estimate_rows(const struct kmt_entries *entries, const struct kmt_samples *samples,
			   struct kmt_row *rows, size_t nr)
{
	KMT_CLEANUP(kmt_freep) struct kmt_sample_sum *sums = calloc(nr + 1, sizeof(*sums));
	KMT_CLEANUP(kmt_freep) uint32_t *sum_of = calloc(entries->nr + 1, sizeof(*sum_of));

	if (!sums || !sum_of)
		return -ENOMEM;
	for (size_t i = 0; i < entries->nr; i++)
		sum_of[entries->entries[i].account->index] = entries->entries[i].row;
	kmt_samples_sum(samples, sum_of, sums);
	for (size_t i = 0; i < nr; i++) {
		kmt_sample_estimate(&sums[i], &rows[i].estimate);
		rows[i].is_estimated = true;
	}
	return 0;
}
