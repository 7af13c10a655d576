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
#include "kmemtape/liveset.h"

/*
 * The ledger takes every event of a tape, in order of time, and keeps the books: which object is
 * live, and what each account has allocated and got back. The rules that make the difference
 * between bookkeeping and a guess are all here; where they come from is said at each.
 */
struct kmt_ledger;

/* How an object of a watched account stops being live. */
enum kmt_end {
	KMT_END_FREED,
	KMT_END_REUSED,	  /* its address was handed out again: freed before, unseen */
	KMT_END_LATE,	  /* was told as KMT_END_REUSED; now its free came after all */
	KMT_END_REPLACED, /* it never was: the first of two events for one allocation */
};

/*
 * Who wants to know of each object of some accounts. @account and @object are borrowed for the time
 * of the call; @comm is interned, NULL unknown, "<interrupt>" or "<idle>". All return 0 or -ENOMEM,
 * which kmt_ledger_take() and kmt_ledger_finish() pass on.
 */
struct kmt_watcher {
	void *context;

	/* Asked once for each account, when it is opened. NULL: nobody watches. */
	bool (*is_watched)(void *context, const struct kmt_account *account);

	/* @event: the allocation. Booked already; so is the end of what was live there before. */
	int (*on_alloc)(void *context, const struct kmt_account *account,
			const struct kmt_event *event, const char *comm);

	/*
	 * @object: what ends, still in the live set; of KMT_END_LATE NULL
	 * @event: a free, with the task that ran then; of KMT_END_REUSED and KMT_END_REPLACED the
	 * allocation that took its place. event->ptr is its address in any case.
	 */
	int (*on_free)(void *context, const struct kmt_account *account,
		       const struct kmt_object *object, enum kmt_end how,
		       const struct kmt_event *event, const char *comm);

	/* By kmt_ledger_finish(): each that is live, of any age, in no order; accounts are summed
	 * up later. */
	int (*on_end)(void *context, const struct kmt_account *account, uint64_t ptr,
		      const struct kmt_object *object);
};

struct kmt_ledger_options {
	/* The kernel's own code: addresses outside belong to modules, and may change owners. */
	uint64_t kernel_from, kernel_to;
	uint32_t page_bytes;
	bool has_late_frees; /* see kmt_formats_has_late_frees() */
	bool by_comm, by_pid;
	uint64_t hash_seed;  /* see kmt_liveset_set_seed() */
	size_t accounts_max; /* more are not told apart: KMT_CALL_SITE_REST; 0: as many as come */
	/*
	 * Of live objects, and of tasks with a name, at the worst of each kind; 0: as many as come.
	 * One takes 64 bytes.
	 */
	uint64_t objects_max;
	const int32_t *recorder_pids; /* ascending, borrowed */
	size_t nr_recorder_pids;
	uint64_t start_ns; /* of the recording; 0, or later than the first event: that one's time */
	uint32_t nr_possible_cpus; /* of per-CPU memory where the kernel doesn't tell its size; 0: 1
				    */
	/*
	 * Sampling: of slab objects only those with no bit of this in their address were recorded
	 * (manifest.h). Frees of others, which some events see all the same, are no frees of
	 * unknown objects.
	 */
	uint64_t sample_mask[KMT_SPACES_MAX];
	bool is_filtered[KMT_SPACES_MAX]; /* not all allocations were recorded, but all frees: what
					     is not known was left out on purpose */
	uint32_t counted_pairs; /* bit i: pair i is of references, a get and a put on a pointer */
	struct kmt_watcher watcher;
	/*
	 * Of a ledger that gets just a part of all events, and is to be joined with those that get
	 * the others: the number of an allocation or a free among its CPU's events, to tell what
	 * came first. NULL: it gets all events.
	 */
	uint64_t (*number_of)(void *context, const struct kmt_event *event);
	void *number_context;
};

struct kmt_totals {
	uint64_t by_kind[KMT_EVENT_KINDS];
	uint64_t allocs, frees; /* events; total is their sum */
	uint64_t failed_allocs; /* ptr 0 */
	uint64_t zero_size;	/* allocations of no bytes: ZERO_SIZE_PTR */
	uint64_t null_frees;	/* of NULL or ZERO_SIZE_PTR */
	uint64_t paired;	/* objects seen allocated and freed */
	uint64_t reused;	/* objects whose address was handed out again, their free unseen */
	uint64_t replaced;	/* first of two events for one allocation */
	uint64_t late_frees;	/* frees that were traced after the address was handed out again */
	uint64_t unknown_frees; /* of objects that no recorded allocation owns */
	uint64_t unknown_other_frees; /* likewise, in other spaces than the slab's; not in
					 unknown_frees */
	/*
	 * Pages: blocks that were made of larger ones when a part of these was freed, less those;
	 * and what one free ended beyond the first. With them the books balance:
	 *   allocs - failed_allocs - zero_size - replaced + split = paired + reused + live
	 *   frees - null_frees - deferred_frees + joined =
	 *	paired + unknown_frees + unknown_other_frees + filtered_frees
	 */
	uint64_t split, joined;
	uint64_t filtered_frees;     /* of objects that were left out by sampling or by a filter */
	uint64_t unknown_rcu_frees;  /* of these, by kfree_rcu() */
	uint64_t unknown_bulk_frees; /* of these, by kmem_cache_free_bulk() */
	uint64_t
		deferred_frees; /* of objects that were booked as freed when kfree_rcu() had them */
	uint64_t unseen_frees;	/* of objects that a record had no room for; also in `lost` */
	uint64_t live;
	uint64_t peak_live;	 /* by kmt_ledger_finish(): most at points of time, see peak.h */
	uint64_t uncertain;	 /* live, and their free may be among the lost events */
	uint64_t lost, losses;	 /* events (as far as it is known how many), places */
	uint64_t unsized_losses; /* of these: where nobody knows how many */
	uint64_t last_loss_ns;	 /* end of the last loss on any CPU; 0: nothing was lost */
	uint64_t first_ns, last_ns;
};

int kmt_ledger_new(const struct kmt_ledger_options *options, struct kmt_ledger **ret_ledger,
		   struct kmt_err *err);
struct kmt_ledger *kmt_ledger_free(struct kmt_ledger *ledger);

/**
 * kmt_ledger_name_task() - what a task is called before the first event
 * @name: interned, must outlive the ledger
 *
 * Return: 0; -ENOMEM; -EOVERFLOW as kmt_ledger_check_objects().
 */
int kmt_ledger_name_task(struct kmt_ledger *ledger, int32_t pid, const char *name);

/**
 * kmt_ledger_take() - book an event
 * @event: no older than those before; texts interned, and must outlive the ledger
 *
 * Return: 0; -ENOMEM; -EOVERFLOW: that of kmt_ledger_check_objects() is due; or, of a part, it has
 * more accounts than there may be in all, and who comes too late to be told apart is only known
 * where all events are.
 */
int kmt_ledger_take(struct kmt_ledger *ledger, const struct kmt_event *event);

/* The same of several events: those ahead are looked up while the ones before them are booked. */
int kmt_ledger_take_run(struct kmt_ledger *ledger, const struct kmt_event *const *events,
			size_t nr);

/**
 * kmt_ledger_check_objects() - whether there were more objects than there may be
 *
 * Tables are only looked at when they grow. What this says depends on the events alone.
 *
 * Return: 0, -EOVERFLOW.
 */
int kmt_ledger_check_objects(struct kmt_ledger *ledger);

/* kmt_ledger_begin() - the first event of all is at @time_ns, whoever gets it */
void kmt_ledger_begin(struct kmt_ledger *ledger, uint64_t time_ns);

/* Each object that is live, of any age, in no order; behind kmt_ledger_finish(). */
void kmt_ledger_walk(const struct kmt_ledger *ledger,
		     void (*visit)(void *context, const struct kmt_account *account, uint64_t ptr,
				   const struct kmt_object *object),
		     void *context);

/**
 * kmt_ledger_finish() - fill in what is live, by account
 * @end_ns: ages count back from here
 * @older_ns: younger objects are left out of the accounts' live_objects and the like, not of totals
 * @grace_ns: younger objects are not mature
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_ledger_finish(struct kmt_ledger *ledger, uint64_t end_ns, uint64_t older_ns,
		      uint64_t grace_ns);

/**
 * kmt_ledger_join() - one ledger of those that had the events of a tape between them
 * @parts: each with number_of, begun at the same time, finished with the same arguments, and marked
 *	at the same times. All events of an address came to the same one, those of page frames all
 *	to one; those that kmt_event_is_for_all() came to each of them
 *
 * The joined ledger is what one would be that had got all events. Parts are taken, in @parts they
 * are NULL then. It takes no event any more.
 *
 * Return: 0; -ENOMEM; -EOVERFLOW, as kmt_ledger_take(); with all parts released.
 */
int kmt_ledger_join(struct kmt_ledger **parts, size_t nr_parts, struct kmt_ledger **ret_ledger,
		    struct kmt_err *err);

/* Both borrowed until the next kmt_ledger_take(). */
const struct kmt_totals *kmt_ledger_totals(const struct kmt_ledger *ledger);
const struct kmt_account *kmt_ledger_accounts(const struct kmt_ledger *ledger, size_t *ret_nr);

/* Of the accounts' tracks, by kmt_ledger_finish(). Without events it has no buckets. */
const struct kmt_grid *kmt_ledger_grid(const struct kmt_ledger *ledger);

/* Of the grids of time: see kmt_ledger_options. 0 before the first event. */
uint64_t kmt_ledger_start_ns(const struct kmt_ledger *ledger);

/**
 * kmt_ledger_mark() - keep what is live right now
 *
 * The first and the last call count: see struct kmt_account and below. For a comparison with what
 * was counted at these times.
 */
void kmt_ledger_mark(struct kmt_ledger *ledger);

/* Frees of objects that no recorded allocation owns: older ones, or of allocations that emit
 * nothing. */
struct kmt_cache_frees {
	const char *cache; /* interned; NULL unknown */
	bool is_kfree;	   /* cache is NULL: by kfree(); else by kmem_cache_free() without a name */
	uint64_t frees;
	uint64_t first_marked, last_marked;
};

/* By cache, each once; the first two are those without a name. Borrowed as above. */
const struct kmt_cache_frees *kmt_ledger_unknown_frees(const struct kmt_ledger *ledger,
						       size_t *ret_nr);

/*
 * Books that were closed: what a ledger says behind kmt_ledger_finish(), with no @older_ns, of
 * which each object is in the accounts, but no longer by itself.
 */
struct kmt_books {
	struct kmt_totals totals;
	struct kmt_grid grid;
	uint64_t end_ns;
	struct kmt_account *accounts; /* in their order; with their tracks */
	size_t nr_accounts;
	struct kmt_cache_frees *unknown_frees; /* as kmt_ledger_unknown_frees() */
	size_t nr_unknown_frees;
};

/**
 * kmt_ledger_restore() - take over closed books, instead of events and kmt_ledger_finish()
 * @ledger: new
 * @books: untrusted; copied, but for the texts, which are interned
 *
 * Return: 0; -EBADMSG if they can't be of any ledger: counts that don't add up, the same account
 * twice; -ENOMEM.
 */
int kmt_ledger_restore(struct kmt_ledger *ledger, const struct kmt_books *books);

/* The cache that an account's objects come from; NULL if unknown, else into @buf or borrowed. */
#define KMT_CACHE_NAME_BYTES 64
const char *kmt_account_cache(const struct kmt_account *account, uint32_t page_bytes,
			      char buf[KMT_CACHE_NAME_BYTES]);

KMT_DEFINE_FREEP(struct kmt_ledger *, kmt_ledger_free)

#endif
