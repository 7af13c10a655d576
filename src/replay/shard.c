// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "loss.h"
#include "shard.h"

/* So many are put into order at a time. */
#define RUN_EVENTS 256

static const struct kmt_manifest *manifest_of(const struct kmt_shard *shard)
{
	return &shard->context.tape->manifest;
}

int kmt_shard_init(struct kmt_shard *shard, const struct kmt_shard_context *context,
		   struct kmt_ledger *ledger, struct kmt_err *err)
{
	size_t nr = context->tape->nr_cpus;

	shard->context = *context;
	shard->ledger = ledger;
	shard->limit_ns = context->limit_ns;
	shard->first_ns = UINT64_MAX;
	shard->shares = calloc(nr ? nr : 1, sizeof(*shard->shares));
	if (!shard->shares)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return kmt_merge_new(nr, &shard->merge, err);
}

void kmt_shard_deinit(struct kmt_shard *shard)
{
	shard->merge = kmt_merge_free(shard->merge);
	free(shard->shares);
	shard->shares = NULL;
}

/* Asked of few events, so that a search will do. */
uint64_t kmt_shard_number_of(void *context, const struct kmt_event *event)
{
	const struct kmt_shard *shard = context;

	for (size_t i = 0; i < shard->context.tape->nr_cpus; i++) {
		const struct kmt_share *share = shard->shares[i];

		if (share && (uintptr_t)event - (uintptr_t)share->batch.events <
				     share->batch.nr * sizeof(*event))
			return kmt_share_number(share, event);
	}
	return 0;
}

/* --- what is booked at its time --- */

static uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_disturbed_ns(const struct kmt_shard *shard)
{
	return kmt_loss_next_ns(manifest_of(shard), shard->nr_disturbed, shard->disturbed_ns);
}

static void set_stop(struct kmt_shard *shard)
{
	uint64_t snapshot_ns =
		kmt_reconciler_next_ns(shard->context.reconciler, shard->nr_snapshots);

	shard->stop_ns = min_of(min_of(snapshot_ns, next_disturbed_ns(shard)), shard->limit_ns);
}

/* All before @time_ns is booked: the snapshots that were taken by then are to be compared with
 * that. */
static void pass_snapshots(struct kmt_shard *shard, uint64_t time_ns)
{
	size_t nr = kmt_reconciler_count(shard->context.reconciler, shard->nr_snapshots, time_ns);

	if (nr > shard->nr_snapshots)
		kmt_ledger_mark(shard->ledger);
	shard->nr_snapshots = nr;
	set_stop(shard);
}

static int tell(const struct kmt_shard *shard, const struct kmt_event *event)
{
	return shard->hooks.on_other ? shard->hooks.on_other(shard->hooks.context, event) : 0;
}

static int tell_module(const struct kmt_shard *shard, const struct kmt_event *event)
{
	return shard->hooks.on_module && event->text
		       ? shard->hooks.on_module(shard->hooks.context, event)
		       : 0;
}

static bool is_of_module(const struct kmt_event *event)
{
	return event->kind == KMT_EVENT_MODULE_LOAD || event->kind == KMT_EVENT_MODULE_FREE;
}

static int book(struct kmt_shard *shard, const struct kmt_event *event)
{
	int r;

	if (is_of_module(event) && tell_module(shard, event) < 0)
		return -ENOMEM;
	r = kmt_ledger_take(shard->ledger, event);
	if (r < 0 || kmt_event_is_alloc(event) || kmt_event_is_free(event))
		return r;
	return tell(shard, event);
}

/* Those that ended by @until_ns are booked, not behind @time_ns. */
static int pass_disturbances(struct kmt_shard *shard, uint64_t until_ns, uint64_t time_ns)
{
	int r = 0;

	while (r == 0 && next_disturbed_ns(shard) <= until_ns) {
		struct kmt_event loss;

		shard->disturbed_ns = next_disturbed_ns(shard);
		loss = kmt_loss_of(manifest_of(shard), shard->nr_disturbed++,
				   min_of(shard->disturbed_ns, time_ns));
		r = book(shard, &loss);
	}
	return r;
}

/* What is to be done before the first event behind stop_ns is booked. */
static int pass(struct kmt_shard *shard, uint64_t time_ns)
{
	int r = pass_disturbances(shard, time_ns, time_ns);

	pass_snapshots(shard, time_ns);
	return r;
}

/* --- the events of the CPUs --- */

/* A feed's next batch; nr is 0 at its end. */
static struct kmt_batch next_batch(struct kmt_shard *shard, size_t feed)
{
	uint64_t first_ns;

	if (kmt_feeds_next(shard->context.feeds, shard->number, feed, &shard->shares[feed],
			   &first_ns) == 1) {
		shard->first_ns = min_of(shard->first_ns, first_ns);
		return shard->shares[feed]->batch;
	}
	shard->shares[feed] = NULL;
	shard->limit_ns = min_of(shard->limit_ns, kmt_feeds_limit_ns(shard->context.feeds, feed));
	set_stop(shard);
	return (struct kmt_batch){ .nr = 0 };
}

/*
 * Names of tasks are as if they had been given when the ring begins: the time before it, of which a
 * CPU may have much more than another, is none in which nothing was allocated.
 */
static int book_dropped(struct kmt_shard *shard, const struct kmt_event *event)
{
	struct kmt_event name = *event;

	if (is_of_module(event))
		return tell_module(shard, event);
	if (event->kind != KMT_EVENT_TASK_NAME)
		return 0;
	name.time_ns = manifest_of(shard)->dropped_ns;
	return book(shard, &name);
}

/* Of a ring: what isn't there of all CPUs. Symbols and names of tasks count all the same. */
static int pass_over_dropped(struct kmt_shard *shard, size_t feed, struct kmt_batch *batch)
{
	while (batch->nr && batch->events->time_ns < manifest_of(shard)->dropped_ns) {
		int r = book_dropped(shard, batch->events);

		if (r < 0)
			return r;
		batch->events++;
		if (--batch->nr == 0)
			*batch = next_batch(shard, feed);
	}
	return 0;
}

static int fill_merge(struct kmt_shard *shard)
{
	for (size_t i = 0; i < shard->context.tape->nr_cpus; i++) {
		struct kmt_batch batch = next_batch(shard, i);
		int r = pass_over_dropped(shard, i, &batch);

		if (r < 0)
			return r;
		kmt_merge_fill(shard->merge, i, batch.events, batch.nr);
	}
	if (shard->first_ns <= shard->limit_ns && shard->first_ns < UINT64_MAX)
		kmt_ledger_begin(shard->ledger, min_of(shard->first_ns, next_disturbed_ns(shard)));
	return 0;
}

/*
 * Return: how many events come before the next stop, and before the next one that somebody else
 * than the ledger has to know of.
 */
static size_t length_of_run(const struct kmt_shard *shard, const struct kmt_event **events,
			    size_t nr)
{
	size_t length = 0;

	while (length < nr && events[length]->time_ns <= shard->stop_ns &&
	       kmt_event_is_alloc_or_free(events[length]))
		length++;
	return length;
}

/* Return: 1; 0 at the first event behind the limit; negative errno. */
static int book_next(struct kmt_shard *shard, const struct kmt_event *event)
{
	int r = 0;

	if (!event->kind) /* see kmt_share_close() */
		return 1;
	if (event->time_ns > shard->stop_ns) {
		if (event->time_ns > shard->limit_ns)
			return 0;
		r = pass(shard, event->time_ns - 1);
	}
	if (r == 0)
		r = book(shard, event);
	return r < 0 ? r : 1;
}

/* Likewise. */
static int book_run(struct kmt_shard *shard, const struct kmt_event **events, size_t nr)
{
	int r = 1;

	for (size_t i = 0; i < nr && r > 0; i++) {
		size_t length = length_of_run(shard, events + i, nr - i);

		r = kmt_ledger_take_run(shard->ledger, events + i, length);
		if (r < 0)
			return r;
		i += length;
		r = i < nr ? book_next(shard, events[i]) : 1;
	}
	return r;
}

static int run(struct kmt_shard *shard)
{
	const struct kmt_event *events[RUN_EVENTS];
	size_t nr, dry;
	int r;

	set_stop(shard);
	r = fill_merge(shard);
	if (r < 0)
		return r;
	while ((nr = kmt_merge_take(shard->merge, events, RUN_EVENTS, &dry)) > 0) {
		struct kmt_batch batch;

		r = book_run(shard, events, nr);
		if (r <= 0)
			return r;
		if (dry == SIZE_MAX)
			continue;
		/* The stream of the merge that has run out gets its feed's next batch. */
		batch = next_batch(shard, dry);
		kmt_merge_fill(shard->merge, dry, batch.events, batch.nr);
	}
	return 0;
}

int kmt_shard_run(struct kmt_shard *shard)
{
	int r = run(shard);

	if (r == 0)
		r = kmt_ledger_check_objects(shard->ledger);
	kmt_feeds_leave(shard->context.feeds, shard->number);
	return r;
}

/* --- the end --- */

/* What was lost without a mark: who watches has to know it, too. */
int kmt_shard_end(struct kmt_shard *shard, uint64_t end_ns)
{
	const struct kmt_totals *totals = kmt_ledger_totals(shard->ledger);
	struct kmt_event loss = { .kind = KMT_EVENT_LOSS, .time_ns = end_ns };
	uint64_t lost;
	int r = pass_disturbances(shard, UINT64_MAX - 1, end_ns);

	if (r < 0)
		return r;
	lost = totals->lost;
	r = kmt_loss_book(shard->ledger, manifest_of(shard), end_ns);
	loss.lost = totals->lost - lost;
	return r < 0 || !loss.lost ? r : tell(shard, &loss);
}

int kmt_shard_finish(struct kmt_shard *shard, uint64_t end_ns, uint64_t older_ns, uint64_t grace_ns)
{
	pass_snapshots(shard, end_ns);
	return kmt_ledger_finish(shard->ledger, end_ns, older_ns, grace_ns);
}
