/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_CORE_LEDGER_PARTS_H
#define KMT_CORE_LEDGER_PARTS_H

#include "blocks.h"
#include "cache-frees.h"
#include "kmemtape/ledger.h"
#include "kmemtape/tasks.h"
#include "peak.h"

/* What the files of the ledger share. */

/* enum trace_flag_type: in these the task is just the one that was interrupted */
#define CONTEXT_INTERRUPT (0x08u | 0x10u)

/* One that was taken by a get, and not given back by a put. */
struct kmt_reference {
	struct kmt_object object;
	int32_t task;	/* that took it; -1: an interrupt */
	uint32_t older; /* of the same pointer */
};

/* Of all pairs that count; see references.c. */
struct kmt_references {
	struct kmt_reference *all;
	size_t nr, room;
	size_t nr_free; /* of `all`: a list that begins with first_free, by `older` */
	uint32_t first_free;
	uint64_t told; /* of nr, to the ledger's quota */
};

/*
 * Where the account of an allocation was found that said the same. What makes an account, but for
 * what is only part of it with some options or spaces.
 */
struct kmt_recent {
	uint64_t call_site, bytes_alloc;
	const char *cache;
	uint64_t rest;	/* stack, space, kind and is_recorder; 0: nothing is here */
	uint32_t index; /* of the account */
};

#define KMT_RECENT_BITS \
	9u /* most of what a busy kernel does comes from less than a hundred sites */

/* Where an event stands in the order of all. */
struct kmt_place {
	uint64_t time_ns, number; /* among those of its CPU */
	uint32_t rank;		  /* see kmt_event_rank() */
};

/* Of an account, in a ledger that is a part. */
struct kmt_account_places {
	struct kmt_place opened, named; /* by events: the account, its freed_cache */
	uint32_t split_from;		/* see kmt_ledger_open_key() */
};

/* A ledger that was joined to another. It has nothing but its live sets any more. */
struct kmt_part {
	struct kmt_ledger *ledger;
	uint32_t *accounts; /* what the other calls them */
};

struct kmt_ledger {
	uint64_t next_bucket_ns; /* at this time or later there is more to do than to book */
	struct kmt_ledger_options options;
	struct kmt_liveset *live; /* slab objects */
	struct kmt_liveset
		*others[KMT_SPACES_MAX]; /* of the other spaces; NULL: nothing of it came yet */
	struct kmt_blocks blocks;	 /* of others[KMT_SPACE_PAGE] */
	uint64_t nr_others;		 /* objects in them */
	struct kmt_references
		references; /* of pairs that count: their live sets have the pointers */
	struct kmt_accounts *accounts;
	struct kmt_tasks *tasks;
	struct kmt_totals totals;
	struct kmt_cache_frees_table unknown_frees;
	bool has_mark;
	uint64_t nr_deferred;	/* of the live set: freed, as far as anybody but the allocator is
				   concerned */
	uint32_t generation;	/* one more for each module that comes or goes */
	uint64_t recorder_mask; /* bit pid % 64 of every recorder pid: most are ruled out by it */
	bool has_started;
	struct kmt_account_places *places; /* of a part, by account */
	size_t room_places;
	struct kmt_part *parts; /* of a joined ledger */
	size_t nr_parts;
	struct kmt_grid grid, ended_grid; /* as it goes on, and as it was finished */
	uint64_t end_ns, older_ns, grace_ns;
	int walk_error; /* of a watcher, while the live set is walked */
	struct kmt_recent recent[1u << KMT_RECENT_BITS];
	struct kmt_peak peak;
	struct kmt_quota quota; /* of live sets, references and tasks */
};

/* The account of an allocation, as @event says it, of objects of @bytes_alloc. Return: 0 or
 * -ENOMEM. */
int kmt_ledger_open(struct kmt_ledger *ledger, const struct kmt_event *event, uint64_t bytes_alloc,
		    uint32_t *ret_index);

#define KMT_NO_ACCOUNT UINT32_MAX

/* The same by key; @event made it necessary. A new one is as old as @split_from, the account of the
 * block that its first block was a part of; KMT_NO_ACCOUNT: of none. */
int kmt_ledger_open_key(struct kmt_ledger *ledger, const struct kmt_account_key *key,
			const struct kmt_event *event, uint32_t split_from, uint32_t *ret_index);

/* A free, of another space than the slab's, of what nobody is known to have allocated. */
void kmt_ledger_note_unknown(struct kmt_ledger *ledger, const struct kmt_event *event);

static inline struct kmt_account *kmt_ledger_account_of(struct kmt_ledger *ledger,
							const struct kmt_object *object)
{
	return kmt_accounts_at(ledger->accounts, object->account);
}

/* An object ends: its account is booked, who watches is told. Return: 0 or -ENOMEM. */
int kmt_ledger_book_end(struct kmt_ledger *ledger, const struct kmt_object *object,
			enum kmt_end how, const struct kmt_event *event);

/* An allocation is booked but for its object. Return: 0 or -ENOMEM. */
int kmt_ledger_book_alloc(struct kmt_ledger *ledger, const struct kmt_event *event, uint32_t index,
			  struct kmt_object *object);

/* The live set of a space, made if need be. Return: 0 or -ENOMEM. */
int kmt_ledger_space(struct kmt_ledger *ledger, uint32_t space, struct kmt_liveset **ret_set);

/* pages.c: allocations and frees of page frames. Return: 0 or -ENOMEM. */
int kmt_ledger_take_pages(struct kmt_ledger *ledger, const struct kmt_event *event);
int kmt_ledger_free_pages(struct kmt_ledger *ledger, const struct kmt_event *event);

/* spaces.c: of per-CPU memory, vmalloc areas and own pairs, which come and go as they are. */
int kmt_ledger_take_other(struct kmt_ledger *ledger, const struct kmt_event *event);
int kmt_ledger_free_other(struct kmt_ledger *ledger, const struct kmt_event *event);

/* references.c: of pairs that count. Return: 0 or -ENOMEM. */
int kmt_ledger_take_reference(struct kmt_ledger *ledger, const struct kmt_event *event);
int kmt_ledger_free_reference(struct kmt_ledger *ledger, const struct kmt_event *event);

/* Each reference that is live, with its pointer. */
void kmt_ledger_walk_references(const struct kmt_ledger *ledger, uint32_t space,
				void (*visit)(void *context, uint64_t ptr,
					      const struct kmt_object *object),
				void *context);

/* join.c: of a ledger that is to be joined with others */
static inline bool kmt_ledger_is_part(const struct kmt_ledger *ledger)
{
	return ledger->options.number_of != NULL;
}

/* An account was opened by @event, as kmt_ledger_open_key() says; its freed_cache was named by it.
 * Return: 0 or -ENOMEM. */
int kmt_ledger_note_opened(struct kmt_ledger *ledger, uint32_t index, const struct kmt_event *event,
			   uint32_t split_from);
void kmt_ledger_note_named(struct kmt_ledger *ledger, uint32_t index,
			   const struct kmt_event *event);

void kmt_ledger_free_parts(struct kmt_ledger *ledger);

static inline bool kmt_ledger_is_counted(const struct kmt_ledger *ledger, uint32_t space)
{
	return space >= KMT_SPACE_PAIR &&
	       ledger->options.counted_pairs >> (space - KMT_SPACE_PAIR) & 1;
}

#endif
