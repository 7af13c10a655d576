/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_ACCOUNT_H
#define KMEMTAPE_ACCOUNT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/history.h"

/*
 * Accounts: the finest grain of the books. One for each call site, object size, cache, and whatever
 * else the report is to be grouped by; sums by site, cache or module are made of them at the end.
 */
struct kmt_account_key {
	uint64_t call_site;
	uint64_t bytes_alloc;
	const char
		*cache;	  /* interned; NULL: kmalloc, or a kernel that doesn't tell on allocation */
	const char *comm; /* interned; NULL unless grouped by it */
	int32_t pid;	  /* 0 unless grouped by it */
	uint32_t generation; /* of the modules, see ledger.h; 0 for the kernel's own code */
	uint32_t is_kmalloc;
	uint32_t is_recorder; /* the recorder's own task allocated */
	uint32_t stack;	      /* see event.h */
	uint32_t space;	      /* likewise */
	uint32_t gfp; /* of pages without a stack, which have no other name but this, their size
			 and comm; else 0 */
	uint32_t reserved;
};

/*
 * call_site of what is not told apart, because a tape has more accounts than there may be: one for
 * each space and power of two in size, with nothing else in its key. No code is at this address.
 */
#define KMT_CALL_SITE_REST 1u

struct kmt_account {
	struct kmt_account_key key;
	uint64_t allocs, frees; /* next to the key: what each event touches is one cache line */
	const char
		*freed_cache; /* named by the first free of one of its objects; NULL if none did */
	uint64_t reused;
	int64_t split; /* blocks of pages that were made of a larger one, a part of which was freed;
			  less those that were split so themselves */
	uint64_t first_ns;		    /* of the first allocation */
	int32_t first_pid;		    /* task that ran then */
	uint32_t index;			    /* see kmt_accounts_open() */
	bool is_watched;		    /* see struct kmt_watcher */
	uint64_t first_marked, last_marked; /* objects live at the first and the last
					       kmt_ledger_mark() */

	/* Filled by kmt_ledger_finish(): of the objects that are old enough to count */
	uint64_t live_objects, live_requested_bytes;
	uint64_t uncertain_objects;
	uint64_t oldest_ns; /* when it was allocated; of no object, 0 */

	/* Likewise, however young the objects that count */
	uint64_t mature_objects;  /* older than the grace period */
	uint64_t exposed_objects; /* of these: allocated before the end of the last loss */
	struct kmt_track *track;  /* NULL: never held anything for long. Its own */
};

/* What is live of it just now. */
static inline uint64_t kmt_account_live(const struct kmt_account *account)
{
	return account->allocs + (uint64_t)account->split - account->frees - account->reused;
}

static inline bool kmt_account_is_rest(const struct kmt_account *account)
{
	return account->key.call_site == KMT_CALL_SITE_REST;
}

struct kmt_accounts;

int kmt_accounts_new(struct kmt_accounts **ret_accounts, struct kmt_err *err);
/* Before there is one in it: as kmt_liveset_set_seed(). */
void kmt_accounts_set_seed(struct kmt_accounts *accounts, uint64_t seed);
struct kmt_accounts *kmt_accounts_free(struct kmt_accounts *accounts);

/**
 * kmt_accounts_open() - the account with this key, a new one if there is none
 * @time_ns, @pid: become first_ns and first_pid of a new one
 * @ret_index: stays the same for good; accounts are numbered 0, 1, ... in the order they were
 * opened
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_accounts_open(struct kmt_accounts *accounts, const struct kmt_account_key *key,
		      uint64_t time_ns, int32_t pid, uint32_t *ret_index);

/* Return: whether there is one with this key. */
bool kmt_accounts_has(const struct kmt_accounts *accounts, const struct kmt_account_key *key);

/* Borrowed until the next kmt_accounts_open(). */
struct kmt_account *kmt_accounts_at(struct kmt_accounts *accounts, uint32_t index);

size_t kmt_accounts_nr(const struct kmt_accounts *accounts);

KMT_DEFINE_FREEP(struct kmt_accounts *, kmt_accounts_free)

#endif
