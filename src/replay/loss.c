// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "kmemtape/units.h"

#include "loss.h"
#include "probe-notes.h"

#define BULK_OBJECTS 64

/*
 * Frees in calls that no probe saw. Nobody but kfree_rcu(), whose objects have a probe of their
 * own, is known to pass more than BULK_OBJECTS objects to kmem_cache_free_bulk(): the network
 * passes 64 (net/core/skbuff.c).
 */
static uint64_t missed_frees(const struct kmt_manifest *manifest)
{
	uint64_t nr = 0, nr_bulks = 0;

	for (size_t i = 0; i < manifest->nr_probes; i++) {
		const struct kmt_probe_stats *probe = &manifest->probes[i];

		if (kmt_probe_is_alloc(probe->event))
			continue;
		/* All that are on the same function miss the same call. */
		if (strncmp(probe->event, "kmemtape:bulk_free", strlen("kmemtape:bulk_free")) != 0)
			nr += probe->missed;
		else if (probe->missed > nr_bulks)
			nr_bulks = probe->missed;
	}
	return nr + nr_bulks * BULK_OBJECTS;
}

/* When they were is unknown, so at the very end. */
int kmt_loss_book(struct kmt_ledger *ledger, const struct kmt_manifest *manifest, uint64_t end_ns)
{
	struct kmt_event loss = { .kind = KMT_EVENT_LOSS, .time_ns = end_ns };
	struct kmt_event unseen = { .kind = KMT_EVENT_UNSEEN,
				    .time_ns = end_ns,
				    .lost = missed_frees(manifest) };
	int r = unseen.lost ? kmt_ledger_take(ledger, &unseen) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < manifest->nr_stats; i++)
		loss.lost = kmt_sum(loss.lost, kmt_sum(manifest->stats[i].commit_overrun,
						       manifest->stats[i].dropped));
	return loss.lost ? kmt_ledger_take(ledger, &loss) : 0;
}

uint64_t kmt_loss_known(const struct kmt_ledger *ledger, const struct kmt_manifest *manifest)
{
	const struct kmt_totals *totals = kmt_ledger_totals(ledger);
	uint64_t counted = kmt_manifest_lost(manifest);
	uint64_t marked = totals->lost - totals->unseen_frees; /* these are on no CPU's account */

	return kmt_sum(counted > marked ? counted : marked, totals->unseen_frees);
}

/* Has everything that the kernel gave us to read become an event? */
static bool is_all_here(const struct kmt_totals *totals, const struct kmt_manifest *manifest,
			uint64_t other_events)
{
	uint64_t read = 0, decoded = other_events;

	if (totals->by_kind[KMT_EVENT_BULK_FREE])
		return false; /* several events of a record say nothing about records */
	for (size_t i = 0; i < manifest->nr_stats; i++)
		read += manifest->stats[i].read;
	for (size_t i = 0; i < KMT_EVENT_KINDS; i++)
		decoded += i == KMT_EVENT_LOSS || i == KMT_EVENT_UNSEEN ? 0 : totals->by_kind[i];
	return read == decoded;
}

uint64_t kmt_loss_if_all_read(const struct kmt_ledger *ledger, const struct kmt_manifest *manifest,
			      uint64_t other_events)
{
	return is_all_here(kmt_ledger_totals(ledger), manifest, other_events)
		       ? kmt_loss_known(ledger, manifest)
		       : KMT_UNKNOWN;
}

uint64_t kmt_loss_next_ns(const struct kmt_manifest *manifest, size_t nr_booked, uint64_t last_ns)
{
	uint64_t time_ns = manifest->start_ns > last_ns ? manifest->start_ns : last_ns;

	if (nr_booked >= manifest->nr_disturbances)
		return UINT64_MAX;
	return manifest->disturbances[nr_booked].to_ns > time_ns
		       ? manifest->disturbances[nr_booked].to_ns
		       : time_ns;
}

struct kmt_event kmt_loss_of(const struct kmt_manifest *manifest, size_t i, uint64_t time_ns)
{
	uint64_t from_ns = manifest->disturbances[i].from_ns;

	return (struct kmt_event){
		.kind = KMT_EVENT_LOSS,
		.time_ns = time_ns,
		.since_ns = from_ns < time_ns ? from_ns : time_ns,
	};
}

int kmt_loss_note(const struct kmt_manifest *manifest, struct kmt_result *result)
{
	char at[KMT_UNITS_BYTES], took[KMT_UNITS_BYTES], what[2 * KMT_DISTURBANCE_BYTES];
	int r = 0;

	for (size_t i = 0; r == 0 && i < manifest->nr_disturbances; i++) {
		const struct kmt_disturbance *d = &manifest->disturbances[i];
		uint64_t since_ns =
			d->from_ns > manifest->start_ns ? d->from_ns - manifest->start_ns : 0;

		(void)kmt_format_time(at, since_ns);
		(void)kmt_escape(what, sizeof(what), d->what);
		if (d->to_ns == KMT_DISTURBANCE_LASTS)
			r = kmt_result_note(
				result,
				"somebody else touched %s while it was recorded: from %s "
				"after the start on, events may be missing",
				what, at);
		else
			r = kmt_result_note(
				result,
				"somebody else touched %s while it was recorded: of %s, "
				"%s after the start, events may be missing",
				what, kmt_format_time(took, d->to_ns - d->from_ns), at);
	}
	return r;
}
