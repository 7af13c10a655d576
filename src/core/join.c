// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "kmemtape/track.h"

#include "ledger-parts.h"

/*
 * Ledgers that had the events of a tape between them become the one that would have had all of
 * them. What they count adds up; of what one of them saw first, the place of the event in the order
 * of all decides who was.
 */

/* --- the parts, as they get their events --- */

static struct kmt_place place_of(const struct kmt_ledger *ledger, const struct kmt_event *event)
{
	const struct kmt_ledger_options *options = &ledger->options;

	return (struct kmt_place){
		.time_ns = event->time_ns,
		.number = options->number_of(options->number_context, event),
		.rank = kmt_event_rank(event),
	};
}

int kmt_ledger_note_opened(struct kmt_ledger *ledger, uint32_t index, const struct kmt_event *event,
			   uint32_t split_from)
{
	if (index >= ledger->room_places) {
		size_t room = ((size_t)index + 1) * 2;
		struct kmt_account_places *grown =
			reallocarray(ledger->places, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		ledger->places = grown;
		ledger->room_places = room;
	}
	ledger->places[index] = (struct kmt_account_places){
		.opened = place_of(ledger, event),
		.split_from = split_from,
	};
	return 0;
}

void kmt_ledger_note_named(struct kmt_ledger *ledger, uint32_t index, const struct kmt_event *event)
{
	ledger->places[index].named = place_of(ledger, event);
}

void kmt_ledger_free_parts(struct kmt_ledger *ledger)
{
	for (size_t i = 0; i < ledger->nr_parts; i++) {
		(void)kmt_ledger_free(ledger->parts[i].ledger);
		free(ledger->parts[i].accounts);
	}
	free(ledger->parts);
	ledger->parts = NULL;
	ledger->nr_parts = 0;
}

/* --- their accounts --- */

/* An account of a part, in the order in which one ledger would have opened them. */
struct opening {
	struct kmt_place place;
	uint32_t part, index;
	uint32_t before; /* the last one of the same account before it, + 1; 0: none */
};

static int compare_places(const struct kmt_place *a, const struct kmt_place *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

/* One event may open several, all of the same part. */
static int compare(const void *left, const void *right)
{
	const struct opening *a = left, *b = right;
	int order = compare_places(&a->place, &b->place);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static int list_openings(const struct kmt_ledger *whole, struct opening **ret_openings,
			 size_t *ret_nr)
{
	struct opening *openings;
	size_t nr = 0;

	for (size_t i = 0; i < whole->nr_parts; i++)
		nr += kmt_accounts_nr(whole->parts[i].ledger->accounts);
	openings = calloc(nr ? nr : 1, sizeof(*openings));
	if (!openings)
		return -ENOMEM;
	nr = 0;
	for (uint32_t i = 0; i < whole->nr_parts; i++) {
		const struct kmt_ledger *part = whole->parts[i].ledger;

		for (uint32_t k = 0; k < kmt_accounts_nr(part->accounts); k++)
			openings[nr++] = (struct opening){ part->places[k].opened, i, k, 0 };
	}
	qsort(openings, nr, sizeof(*openings), compare);
	*ret_openings = openings;
	*ret_nr = nr;
	return 0;
}

/* Its name is from the first free of all that told one. */
static void add_name(struct kmt_ledger *whole, struct kmt_account *to,
		     const struct kmt_account *from, const struct kmt_place *named)
{
	struct kmt_place *first = &whole->places[to->index].named;

	if (!from->freed_cache || (to->freed_cache && compare_places(first, named) <= 0))
		return;
	to->freed_cache = from->freed_cache;
	*first = *named;
}

static void add_account(struct kmt_account *to, const struct kmt_account *from)
{
	to->allocs += from->allocs;
	to->frees += from->frees;
	to->reused += from->reused;
	to->split += from->split;
	to->first_marked += from->first_marked;
	to->last_marked += from->last_marked;
	if (from->live_objects && (!to->live_objects || from->oldest_ns < to->oldest_ns))
		to->oldest_ns = from->oldest_ns;
	to->live_objects += from->live_objects;
	to->live_requested_bytes += from->live_requested_bytes;
	to->uncertain_objects += from->uncertain_objects;
	to->mature_objects += from->mature_objects;
	to->exposed_objects += from->exposed_objects;
}

/* Another part may have opened the account that this one's first block was split from before. */
static const struct kmt_account *first_of(const struct kmt_ledger *whole,
					  const struct kmt_part *part, uint32_t index)
{
	uint32_t split_from = part->ledger->places[index].split_from;

	return split_from == KMT_NO_ACCOUNT
		       ? kmt_accounts_at(part->ledger->accounts, index)
		       : kmt_accounts_at(whole->accounts, part->accounts[split_from]);
}

static int join_account(struct kmt_ledger *whole, const struct opening *opening)
{
	struct kmt_part *part = &whole->parts[opening->part];
	struct kmt_account *from = kmt_accounts_at(part->ledger->accounts, opening->index), *to;
	const struct kmt_account *first = first_of(whole, part, opening->index);
	uint32_t *index = &part->accounts[opening->index];
	int r = kmt_accounts_open(whole->accounts, &from->key, first->first_ns, first->first_pid,
				  index);

	if (r == 0 && whole->options.accounts_max &&
	    kmt_accounts_nr(whole->accounts) > whole->options.accounts_max)
		r = -EOVERFLOW;
	if (r < 0)
		return r;
	to = kmt_accounts_at(whole->accounts, *index);
	add_name(whole, to, from, &part->ledger->places[opening->index].named);
	add_account(to, from);
	return 0;
}

static struct kmt_track **track_of(const struct kmt_ledger *whole, const struct opening *opening)
{
	const struct kmt_ledger *part = whole->parts[opening->part].ledger;

	return &kmt_accounts_at(part->accounts, opening->index)->track;
}

/* All of an account at once, as to write a track takes longer than to add one. */
static int join_track(struct kmt_ledger *whole, struct kmt_account *to,
		      const struct opening *openings, uint32_t last)
{
	struct kmt_track **track = NULL;
	struct kmt_counts counts = { 0 };
	size_t nr = 0;

	for (uint32_t i = last; i; i = openings[i - 1].before) {
		struct kmt_track **of_part = track_of(whole, &openings[i - 1]);

		if (!*of_part)
			continue;
		track = of_part;
		kmt_track_add(*track, &counts);
		nr++;
	}
	if (nr > 1)
		return kmt_track_write(&to->track, &counts);
	if (nr == 1)
		to->track = KMT_STEAL(*track);
	return 0;
}

/* @lasts: nr of them, 0 */
static int join_openings(struct kmt_ledger *whole, struct opening *openings, size_t nr,
			 uint32_t *lasts)
{
	int r = 0;

	for (uint32_t i = 0; i < nr; i++) {
		const struct opening *opening = &openings[i];
		const uint32_t *index = &whole->parts[opening->part].accounts[opening->index];

		r = join_account(whole, opening);
		if (r < 0)
			return r;
		openings[i].before = lasts[*index];
		lasts[*index] = i + 1;
	}
	for (uint32_t i = 0; r == 0 && i < kmt_accounts_nr(whole->accounts); i++)
		r = join_track(whole, kmt_accounts_at(whole->accounts, i), openings, lasts[i]);
	return r;
}

static int join_accounts(struct kmt_ledger *whole)
{
	struct opening *openings;
	uint32_t *lasts;
	size_t nr;
	int r = list_openings(whole, &openings, &nr);

	if (r < 0)
		return r;
	lasts = calloc(nr ? nr : 1, sizeof(*lasts));
	whole->places = calloc(nr ? nr : 1, sizeof(*whole->places));
	r = lasts && whole->places ? join_openings(whole, openings, nr, lasts) : -ENOMEM;
	free(openings);
	free(lasts);
	free(KMT_STEAL(whole->places));
	return r;
}

/* --- all else --- */

/* Of what each of them gets the numbers are the same in all. */
static void add_totals(struct kmt_totals *to, const struct kmt_totals *from)
{
	for (int kind = 0; kind < KMT_EVENT_KINDS; kind++)
		if (!kmt_event_is_for_all(&(struct kmt_event){ .kind = (uint8_t)kind }))
			to->by_kind[kind] += from->by_kind[kind];
	to->allocs += from->allocs;
	to->frees += from->frees;
	to->failed_allocs += from->failed_allocs;
	to->zero_size += from->zero_size;
	to->null_frees += from->null_frees;
	to->paired += from->paired;
	to->reused += from->reused;
	to->replaced += from->replaced;
	to->late_frees += from->late_frees;
	to->unknown_frees += from->unknown_frees;
	to->unknown_other_frees += from->unknown_other_frees;
	to->split += from->split;
	to->joined += from->joined;
	to->filtered_frees += from->filtered_frees;
	to->unknown_rcu_frees += from->unknown_rcu_frees;
	to->unknown_bulk_frees += from->unknown_bulk_frees;
	to->deferred_frees += from->deferred_frees;
	to->live += from->live;
	to->uncertain += from->uncertain;
	if (from->last_ns > to->last_ns)
		to->last_ns = from->last_ns;
}

static void join_rest(struct kmt_ledger *whole, const struct kmt_ledger *part)
{
	add_totals(&whole->totals, &part->totals);
	kmt_peak_add(&whole->peak, &part->peak);
	for (size_t i = 0; i < whole->ended_grid.nr; i++)
		whole->ended_grid.allocs[i] += part->ended_grid.allocs[i];
}

static void start_from(struct kmt_ledger *whole, const struct kmt_ledger *part)
{
	whole->totals = part->totals;
	whole->peak = part->peak;
	whole->ended_grid = part->ended_grid;
	whole->has_started = part->has_started;
	whole->has_mark = part->has_mark;
	whole->end_ns = part->end_ns;
	whole->older_ns = part->older_ns;
	whole->grace_ns = part->grace_ns;
}

static int take_parts(struct kmt_ledger *whole, struct kmt_ledger **parts, size_t nr_parts)
{
	whole->parts = calloc(nr_parts, sizeof(*whole->parts));
	if (!whole->parts)
		return -ENOMEM;
	for (size_t i = 0; i < nr_parts; i++) {
		size_t nr = kmt_accounts_nr(parts[i]->accounts);
		uint32_t *accounts = calloc(nr ? nr : 1, sizeof(*accounts));

		if (!accounts)
			return -ENOMEM;
		whole->parts[whole->nr_parts++] =
			(struct kmt_part){ KMT_STEAL(parts[i]), accounts };
	}
	return 0;
}

static int join_all(struct kmt_ledger *whole)
{
	int r;

	start_from(whole, whole->parts[0].ledger);
	for (size_t i = 1; i < whole->nr_parts; i++)
		join_rest(whole, whole->parts[i].ledger);
	whole->grid = whole->ended_grid;
	whole->totals.peak_live = kmt_peak_highest(&whole->peak, whole->totals.live);
	for (size_t i = 0; i < whole->nr_parts; i++)
		kmt_cache_frees_join(&whole->unknown_frees, &whole->parts[i].ledger->unknown_frees);
	r = join_accounts(whole);
	for (size_t i = 0; i < whole->nr_parts; i++) {
		struct kmt_ledger *part = whole->parts[i].ledger;

		part->accounts = kmt_accounts_free(part->accounts);
		free(KMT_STEAL(part->places));
	}
	return r;
}

int kmt_ledger_join(struct kmt_ledger **parts, size_t nr_parts, struct kmt_ledger **ret_ledger,
		    struct kmt_err *err)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *whole = NULL;
	struct kmt_ledger_options options = parts[0]->options;
	int r;

	options.number_of = NULL;
	r = kmt_ledger_new(&options, &whole, err);
	if (r == 0)
		r = take_parts(whole, parts, nr_parts);
	if (r == 0)
		r = join_all(whole);
	for (size_t i = 0; i < nr_parts; i++)
		parts[i] = kmt_ledger_free(parts[i]);
	if (r < 0)
		return kmt_fail(err, r, "%s",
				r == -EOVERFLOW ? "too many accounts" : "out of memory");
	*ret_ledger = KMT_STEAL(whole);
	return 0;
}
