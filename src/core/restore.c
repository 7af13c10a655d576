// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "kmemtape/track.h"

#include "ledger-parts.h"

/* No recording has as many events; and sums of all accounts' fit 64 bits. */
#define COUNT_MAX     (UINT64_C(1) << 40)
#define WIDTH_MIN_LOG 20u /* of a bucket: see history.c */
#define WIDTH_MAX_LOG 58u

static bool is_grid(const struct kmt_grid *grid, uint64_t end_ns)
{
	if (grid->nr == 0)
		return grid->width_ns == 0;
	if (grid->nr > KMT_HISTORY_POINTS || grid->width_ns & (grid->width_ns - 1) ||
	    grid->width_ns < UINT64_C(1) << WIDTH_MIN_LOG ||
	    grid->width_ns > UINT64_C(1) << WIDTH_MAX_LOG)
		return false;
	return end_ns >= grid->start_ns &&
	       (end_ns - grid->start_ns) / grid->width_ns >= grid->nr - 1;
}

static uint64_t sum_of(const uint32_t *counts, size_t nr)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < nr; i++)
		sum += counts[i];
	return sum;
}

/* Each object was born at a time, and has an age. */
static bool is_track(const struct kmt_account *account)
{
	struct kmt_counts counts;

	if (!account->track)
		return account->live_objects == 0;
	if (account->live_objects >= UINT32_MAX) /* some counts may have stopped there */
		return true;
	kmt_track_read(account->track, &counts);
	return sum_of(counts.born, KMT_HISTORY_POINTS) == account->live_objects &&
	       sum_of(counts.live_ages, KMT_AGE_BINS) == account->live_objects;
}

static bool is_account(const struct kmt_account *account, uint64_t end_ns)
{
	return account->key.space < KMT_SPACES_MAX && account->allocs <= COUNT_MAX &&
	       account->frees <= COUNT_MAX && account->reused <= COUNT_MAX &&
	       account->split <= (int64_t)COUNT_MAX && account->split >= -(int64_t)COUNT_MAX &&
	       account->first_marked <= COUNT_MAX && account->last_marked <= COUNT_MAX &&
	       account->live_objects == kmt_account_live(account) &&
	       account->live_objects <= COUNT_MAX &&
	       account->mature_objects <= account->live_objects &&
	       account->exposed_objects <= account->mature_objects &&
	       account->uncertain_objects <= account->live_objects && account->first_ns <= end_ns &&
	       account->oldest_ns <= end_ns && is_track(account);
}

/* Return: 0, -EEXIST, -ENOMEM. */
static int restore_account(struct kmt_ledger *ledger, const struct kmt_account *from)
{
	size_t nr = kmt_accounts_nr(ledger->accounts);
	struct kmt_account *to;
	uint32_t index;
	int r = kmt_accounts_open(ledger->accounts, &from->key, from->first_ns, from->first_pid,
				  &index);

	if (r < 0)
		return r;
	if (index != nr)
		return -EEXIST;
	to = kmt_accounts_at(ledger->accounts, index);
	*to = *from;
	to->index = index;
	to->is_watched = false;
	to->track = NULL;
	return kmt_track_copy(from->track, &to->track);
}

static int restore_accounts(struct kmt_ledger *ledger, const struct kmt_books *books)
{
	for (size_t i = 0; i < books->nr_accounts; i++) {
		int r = is_account(&books->accounts[i], books->end_ns)
				? restore_account(ledger, &books->accounts[i])
				: -EBADMSG;

		if (r < 0)
			return r == -EEXIST ? -EBADMSG : r;
	}
	return 0;
}

/* The first two are those without a name, as kmt_ledger_unknown_frees() gives them. */
static int restore_unknown_frees(struct kmt_ledger *ledger, const struct kmt_books *books)
{
	struct kmt_cache_frees_table *table = &ledger->unknown_frees;

	for (size_t i = 0; i < books->nr_unknown_frees; i++) {
		const struct kmt_cache_frees *frees = &books->unknown_frees[i];

		if (!frees->cache != (i < table->nr && !table->entries[i].cache) ||
		    frees->frees > COUNT_MAX || frees->last_marked > frees->frees ||
		    frees->first_marked > frees->last_marked)
			return -EBADMSG;
		if (frees->cache)
			kmt_cache_frees_add(table, frees->cache, false);
		if (table->nr <= i) /* it has been there */
			return -EBADMSG;
		table->entries[i] = *frees;
		table->entries[i].is_kfree = i == 0;
	}
	return 0;
}

/* What was allocated is live, or has ended one way or the other: see struct kmt_totals. */
static bool is_balanced(const struct kmt_ledger *ledger, const struct kmt_totals *totals)
{
	size_t nr = kmt_accounts_nr(ledger->accounts);
	uint64_t allocs = 0, live = 0, uncertain = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct kmt_account *account = kmt_accounts_at(ledger->accounts, (uint32_t)i);

		allocs += account->allocs;
		live += account->live_objects;
		uncertain += account->uncertain_objects;
	}
	return live == totals->live && uncertain == totals->uncertain &&
	       allocs == totals->allocs - totals->failed_allocs - totals->zero_size -
				 totals->replaced &&
	       allocs + totals->split == totals->paired + totals->reused + totals->live;
}

/* So that sums and differences of them are what they seem to be. */
static bool are_totals(const struct kmt_totals *totals)
{
	for (size_t i = 0; i < KMT_EVENT_KINDS; i++)
		if (totals->by_kind[i] > COUNT_MAX)
			return false;
	return totals->allocs <= COUNT_MAX && totals->frees <= COUNT_MAX &&
	       totals->failed_allocs <= totals->allocs && totals->zero_size <= totals->allocs &&
	       totals->replaced <= totals->allocs && totals->split <= COUNT_MAX &&
	       totals->null_frees <= totals->frees && totals->deferred_frees <= totals->frees &&
	       totals->paired <= COUNT_MAX && totals->reused <= COUNT_MAX &&
	       totals->unknown_frees <= totals->frees &&
	       totals->unknown_other_frees <= totals->frees && totals->unseen_frees <= totals->lost;
}

int kmt_ledger_restore(struct kmt_ledger *ledger, const struct kmt_books *books)
{
	int r;

	if (!is_grid(&books->grid, books->end_ns) || !are_totals(&books->totals) ||
	    books->totals.last_ns > books->end_ns)
		return -EBADMSG;
	(void)((r = restore_accounts(ledger, books)) < 0 ||
	       (r = restore_unknown_frees(ledger, books)) < 0);
	if (r < 0)
		return r;
	if (!is_balanced(ledger, &books->totals))
		return -EBADMSG;
	ledger->totals = books->totals;
	ledger->grid = ledger->ended_grid = books->grid;
	ledger->has_started = books->grid.nr > 0;
	ledger->end_ns = books->end_ns;
	return 0;
}
