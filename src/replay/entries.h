/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_ENTRIES_H
#define KMT_REPLAY_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/ledger.h"
#include "kmemtape/symbols.h"

#include "frames.h"
#include "reconcile.h"
#include "rows.h"

/* Whose code an address was. */
struct kmt_code {
	uint64_t address; /* 0: not even that is known */
	struct kmt_symbol symbol;
	bool is_unknown;  /* there is no symbol */
	bool is_unloaded; /* its module went before the end */
};

/* The accounts of a finished ledger, with whose code it is and which cache: what rows are made of.
 */
struct kmt_entry {
	const struct kmt_account *account;
	struct kmt_code site;	       /* the call site, or who stands for it: see frames.h */
	struct kmt_code owner;	       /* whom it is for: the site, if no stack tells */
	const struct kmt_trace *trace; /* its stack; NULL */
	const char *cache;	       /* interned; NULL unknown */
	enum kmt_use use;	       /* of pages */
	const char *gfp;	       /* of pages without a stack; interned; NULL */
	uint32_t row;		       /* that it is in, by the last kmt_rows_fill() */
	const struct kmt_cache_sum *sum;
	const struct kmt_site_sum *site_sum; /* NULL: nobody has a stack */
};

/* A call site, whomever it is for. */
struct kmt_site_sum {
	uint64_t frees, reused;
};

#define KMT_NO_ROW UINT32_MAX

/* A cache over all call sites. Of unknown caches, one for each size of objects. */
struct kmt_cache_sum {
	uint64_t frees, reused;
	struct kmt_cache_limit limit;
};

struct kmt_entries {
	struct kmt_entry *entries;
	size_t nr;
	size_t nr_traced;	      /* of these, with a stack */
	struct kmt_frames *frames;    /* borrowed; of the traces */
	const char *const *blindness; /* borrowed; by space */
	struct kmt_cache_sum *sums;
	struct kmt_site_sum *site_sums;
};

/**
 * kmt_entries_init() - look all accounts up
 * @ledger: finished; borrowed
 * @reconciler: has compared
 * @entries: in no particular order
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_entries_init(struct kmt_entries *entries, const struct kmt_ledger *ledger,
		     const struct kmt_rows_context *context,
		     const struct kmt_reconciler *reconciler, uint64_t end_ns);
void kmt_entries_deinit(struct kmt_entries *entries);

/* Do the objects of both come from the same cache, as far as anybody knows? */
static inline bool kmt_entry_shares_cache(const struct kmt_entry *a, const struct kmt_entry *b)
{
	return a->sum == b->sum;
}

/* Is it for someone else than the call site? */
static inline bool kmt_entry_has_owner(const struct kmt_entry *entry)
{
	return entry->owner.address != entry->site.address;
}

/**
 * kmt_code_find_site() - the call site of an account, or who stands for it
 * @frames: NULL: nobody has a stack
 *
 * Return: 0 or -ENOMEM, then without the stack.
 */
int kmt_code_find_site(const struct kmt_symbols *symbols, struct kmt_frames *frames,
		       const struct kmt_account *account, uint64_t end_ns,
		       struct kmt_code *ret_site);

/* Orders by address, and by what was there; 0: the same code. */
int kmt_code_compare(const struct kmt_code *a, const struct kmt_code *b);

/* Orders by function, the parts that a compiler made of one being the same; 0: the same. */
int kmt_code_compare_functions(const struct kmt_code *a, const struct kmt_code *b);

/* Are they to be added to each other at all? By space, and pages by what they went to; 0: yes. */
int kmt_entry_compare_spaces(const struct kmt_entry *a, const struct kmt_entry *b);

/* Known caches by name, then unknown ones by size. */
int kmt_entry_compare_caches(const struct kmt_entry *a, const struct kmt_entry *b);

#endif
