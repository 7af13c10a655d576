/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_LEDGER_H
#define KMEMTAPE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/account.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/event.h"

/*
 * The ledger takes every event of a tape, in order of time, and keeps the books: which object is
 * live, and what each account has allocated and got back. The rules that make the difference
 * between bookkeeping and a guess are all here; where they come from is said at each.
 */
struct kmt_ledger;

struct kmt_ledger_options {
	/* The kernel's own code: addresses outside belong to modules, and may change owners. */
	uint64_t kernel_from, kernel_to;
	uint32_t page_bytes;
	bool has_late_frees; /* see kmt_formats_has_late_frees() */
	bool by_comm, by_pid;
	uint64_t hash_seed; /* see kmt_liveset_set_seed() */
	const int32_t *recorder_pids; /* ascending, borrowed */
	size_t nr_recorder_pids;
};

struct kmt_totals {
	uint64_t by_kind[KMT_EVENT_KINDS];
	uint64_t allocs, frees;	 /* events; total is their sum */
	uint64_t failed_allocs;	 /* ptr 0 */
	uint64_t zero_size;	 /* allocations of no bytes: ZERO_SIZE_PTR */
	uint64_t null_frees;	 /* of NULL or ZERO_SIZE_PTR */
	uint64_t paired;	 /* objects seen allocated and freed */
	uint64_t reused;	 /* objects whose address was handed out again, their free unseen */
	uint64_t replaced;	 /* first of two events for one allocation */
	uint64_t late_frees;	 /* frees that were traced after the address was handed out again */
	uint64_t unknown_frees;	 /* of objects that no recorded allocation owns */
	uint64_t unknown_rcu_frees;  /* of these, by kfree_rcu() */
	uint64_t unknown_bulk_frees; /* of these, by kmem_cache_free_bulk() */
	uint64_t deferred_frees; /* of objects that were booked as freed when kfree_rcu() had them */
	uint64_t unseen_frees;	 /* of objects that a record had no room for; also in `lost` */
	uint64_t live, peak_live;
	uint64_t uncertain;	 /* live, and their free may be among the lost events */
	uint64_t lost, losses;	 /* events (as far as it is known how many), places */
	uint64_t last_loss_ns;	 /* end of the last loss on any CPU; 0: nothing was lost */
	uint64_t first_ns, last_ns;
};

int kmt_ledger_new(const struct kmt_ledger_options *options, struct kmt_ledger **ret_ledger,
		   struct kmt_err *err);
struct kmt_ledger *kmt_ledger_free(struct kmt_ledger *ledger);

/**
 * kmt_ledger_name_task() - what a task is called before the first event
 * @name: interned, must outlive the ledger
 */
int kmt_ledger_name_task(struct kmt_ledger *ledger, int32_t pid, const char *name);

/**
 * kmt_ledger_take() - book an event
 * @event: no older than those before; texts interned, and must outlive the ledger
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_ledger_take(struct kmt_ledger *ledger, const struct kmt_event *event);

/* @event is going to be taken soon. */
void kmt_ledger_prefetch(const struct kmt_ledger *ledger, const struct kmt_event *event);

/**
 * kmt_ledger_finish() - fill in what is live, by account
 * @end_ns: ages count back from here
 * @older_ns: younger objects are left out of the accounts' live_objects and the like, not of totals
 */
void kmt_ledger_finish(struct kmt_ledger *ledger, uint64_t end_ns, uint64_t older_ns);

/* Both borrowed until the next kmt_ledger_take(). */
const struct kmt_totals *kmt_ledger_totals(const struct kmt_ledger *ledger);
const struct kmt_account *kmt_ledger_accounts(const struct kmt_ledger *ledger, size_t *ret_nr);

/* The cache that an account's objects come from; NULL if unknown, else into @buf or borrowed. */
#define KMT_CACHE_NAME_BYTES 64
const char *kmt_account_cache(const struct kmt_account *account, uint32_t page_bytes,
			      char buf[KMT_CACHE_NAME_BYTES]);

KMT_DEFINE_FREEP(struct kmt_ledger *, kmt_ledger_free)

#endif
