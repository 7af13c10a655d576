// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/ledger.h"
#include "kmemtape/liveset.h"
#include "kmemtape/tasks.h"
#include "kmemtape/track.h"
#include "kmemtape/units.h"

#include "ledger-parts.h"

/* Linux include/linux/slab.h: what kmalloc(0) returns; kfree() takes it, and nothing is freed. */
#define ZERO_SIZE_PTR 16u

/*
 * Until Linux 5.16 kmem_cache_free() was traced after the object was free; another CPU could
 * allocate it in between. Longer than an interrupt may take, much shorter than objects live.
 */
#define LATE_FREE_NS 1000000u

/*
 * Linux 6.12 traces a large kmalloc() of variable size twice, in __kmalloc_large_node_noprof() and
 * again in its caller. Nothing lies between the two but an interrupt.
 */
#define TRACED_TWICE_NS 100000u

/* Events this far ahead are looked up while the ones before them are booked: a cache miss or two.
 */
#define PREFETCH_EVENTS	       16
#define PREFETCH_OBJECT_EVENTS 8

int kmt_ledger_new(const struct kmt_ledger_options *options, struct kmt_ledger **ret_ledger,
		   struct kmt_err *err)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = calloc(1, sizeof(*ledger));
	int r;

	if (!ledger)
		return kmt_fail(err, -ENOMEM, "out of memory");
	ledger->options = *options;
	for (size_t i = 0; i < options->nr_recorder_pids; i++)
		ledger->recorder_mask |= UINT64_C(1) << (options->recorder_pids[i] & 63);
	if (kmt_cache_frees_init(&ledger->unknown_frees) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	(void)((r = kmt_liveset_new(&ledger->live, err)) < 0 ||
	       (r = kmt_accounts_new(&ledger->accounts, err)) < 0 ||
	       (r = kmt_tasks_new(&ledger->tasks, err)) < 0);
	if (r < 0)
		return r;
	ledger->quota.max = options->objects_max;
	kmt_liveset_set_seed(ledger->live, options->hash_seed);
	kmt_liveset_set_quota(ledger->live, &ledger->quota);
	kmt_tasks_set_quota(ledger->tasks, &ledger->quota);
	kmt_accounts_set_seed(ledger->accounts, options->hash_seed);
	*ret_ledger = KMT_STEAL(ledger);
	return 0;
}

struct kmt_ledger *kmt_ledger_free(struct kmt_ledger *ledger)
{
	if (!ledger)
		return NULL;
	(void)kmt_liveset_free(ledger->live);
	for (size_t i = 0; i < KMT_SPACES_MAX; i++)
		(void)kmt_liveset_free(ledger->others[i]);
	kmt_blocks_deinit(&ledger->blocks);
	free(ledger->references.all);
	(void)kmt_accounts_free(ledger->accounts);
	(void)kmt_tasks_free(ledger->tasks);
	kmt_ledger_free_parts(ledger);
	free(ledger->places);
	kmt_cache_frees_deinit(&ledger->unknown_frees);
	free(ledger);
	return NULL;
}

int kmt_ledger_name_task(struct kmt_ledger *ledger, int32_t pid, const char *name)
{
	return kmt_tasks_name(ledger->tasks, pid, name);
}

static bool is_recorder(const struct kmt_ledger *ledger, int32_t pid)
{
	if (!(ledger->recorder_mask >> (pid & 63) & 1))
		return false;
	for (size_t i = 0; i < ledger->options.nr_recorder_pids; i++)
		if (ledger->options.recorder_pids[i] == pid)
			return true;
	return false;
}

static bool is_kernel(const struct kmt_ledger *ledger, uint64_t address)
{
	return address - ledger->options.kernel_from <
	       ledger->options.kernel_to - ledger->options.kernel_from;
}

static const char *comm_of(const struct kmt_ledger *ledger, const struct kmt_event *event)
{
	if (event->context & CONTEXT_INTERRUPT)
		return "<interrupt>";
	return event->pid == 0 ? "<idle>" : kmt_tasks_find(ledger->tasks, event->pid);
}

/* Most ledgers have no watcher: then it costs a look at what is in the cache anyway. */
static inline bool is_watched(const struct kmt_ledger *ledger, const struct kmt_account *account)
{
	return ledger->options.watcher.is_watched && account->is_watched;
}

static __attribute__((noinline, cold)) int tell_alloc(struct kmt_ledger *ledger,
						      const struct kmt_account *account,
						      const struct kmt_event *event)
{
	const struct kmt_watcher *watcher = &ledger->options.watcher;

	return watcher->on_alloc(watcher->context, account, event, comm_of(ledger, event));
}

static __attribute__((noinline, cold)) int tell_free(struct kmt_ledger *ledger,
						     const struct kmt_account *account,
						     const struct kmt_object *object,
						     enum kmt_end how,
						     const struct kmt_event *event)
{
	const struct kmt_watcher *watcher = &ledger->options.watcher;

	return watcher->on_free(watcher->context, account, object, how, event,
				comm_of(ledger, event));
}

/* Of sizes no more than their magnitude is kept: a tape has as many as it likes. */
static uint64_t magnitude(uint64_t bytes)
{
	return bytes ? UINT64_C(1) << (63 - __builtin_clzll(bytes)) : 0;
}

int kmt_ledger_open_key(struct kmt_ledger *ledger, const struct kmt_account_key *key,
			const struct kmt_event *event, uint32_t split_from, uint32_t *ret_index)
{
	const struct kmt_watcher *watcher = &ledger->options.watcher;
	size_t nr = kmt_accounts_nr(ledger->accounts), max = ledger->options.accounts_max;
	struct kmt_account_key rest = {
		.call_site = KMT_CALL_SITE_REST,
		.bytes_alloc = magnitude(key->bytes_alloc),
		.space = key->space,
	};
	uint64_t first_ns = event->time_ns;
	int32_t first_pid = event->pid;
	int r;

	if (max && nr >= max && !kmt_accounts_has(ledger->accounts, key)) {
		if (kmt_ledger_is_part(ledger))
			return -EOVERFLOW;
		key = &rest;
	}
	if (split_from != KMT_NO_ACCOUNT) {
		first_ns = kmt_accounts_at(ledger->accounts, split_from)->first_ns;
		first_pid = kmt_accounts_at(ledger->accounts, split_from)->first_pid;
	}
	r = kmt_accounts_open(ledger->accounts, key, first_ns, first_pid, ret_index);
	if (r < 0 || *ret_index != nr)
		return r;
	if (watcher->is_watched) {
		struct kmt_account *account = kmt_accounts_at(ledger->accounts, *ret_index);

		account->is_watched = watcher->is_watched(watcher->context, account);
	}
	return kmt_ledger_is_part(ledger)
		       ? kmt_ledger_note_opened(ledger, *ret_index, event, split_from)
		       : 0;
}

static __attribute__((noinline, cold)) int open_account(struct kmt_ledger *ledger,
							const struct kmt_event *event,
							uint64_t bytes_alloc, bool is_of_recorder,
							uint32_t *ret_index)
{
	struct kmt_account_key key = {
		.call_site = event->call_site,
		.bytes_alloc = bytes_alloc,
		.cache = event->text,
		.stack = event->stack,
		.space = event->space,
		.is_kmalloc =
			event->kind == KMT_EVENT_KMALLOC || event->kind == KMT_EVENT_KMALLOC_NODE,
		.is_recorder = is_of_recorder,
	};
	bool is_nameless = event->space == KMT_SPACE_PAGE && event->stack == KMT_STACK_NONE;

	/* Without a call site it's the stack's frames that may be someone else's now. */
	if (ledger->generation && (event->stack & KMT_STACK_HAS_MODULE ||
				   (event->call_site && !is_kernel(ledger, event->call_site))))
		key.generation = ledger->generation;
	if (is_nameless)
		key.gfp = event->gfp;
	if (ledger->options.by_comm || is_nameless)
		key.comm = comm_of(ledger, event);
	if (ledger->options.by_pid)
		key.pid = event->context & CONTEXT_INTERRUPT ? -1 : event->pid;
	return kmt_ledger_open_key(ledger, &key, event, KMT_NO_ACCOUNT, ret_index);
}

static struct kmt_recent *recent_of(struct kmt_ledger *ledger, const struct kmt_event *event,
				    uint64_t bytes_alloc)
{
	uint64_t hash = (event->call_site ^ bytes_alloc << 32) * 0x9e3779b97f4a7c15;

	return &ledger->recent[hash >> (64 - KMT_RECENT_BITS)];
}

int kmt_ledger_open(struct kmt_ledger *ledger, const struct kmt_event *event, uint64_t bytes_alloc,
		    uint32_t *ret_index)
{
	struct kmt_recent *recent = recent_of(ledger, event, bytes_alloc);
	bool is_of_recorder =
		!(event->context & CONTEXT_INTERRUPT) && is_recorder(ledger, event->pid);
	uint64_t rest = (uint64_t)event->stack << 40 | (uint64_t)event->space << 32 |
			(uint32_t)event->kind << 1 | is_of_recorder;
	int r;

	if (!((recent->call_site ^ event->call_site) | (recent->bytes_alloc ^ bytes_alloc) |
	      ((uintptr_t)recent->cache ^ (uintptr_t)event->text) | (recent->rest ^ rest))) {
		*ret_index = recent->index;
		return 0;
	}
	r = open_account(ledger, event, bytes_alloc, is_of_recorder, ret_index);
	/* Of the others, the same event would have another account at another time. */
	if (r == 0 && !ledger->options.by_comm && !ledger->options.by_pid &&
	    event->space != KMT_SPACE_PAGE)
		*recent = (struct kmt_recent){ event->call_site, bytes_alloc, event->text, rest,
					       *ret_index };
	return r;
}

/* The second event of one large kmalloc: the first named a helper as the call site. */
static bool is_traced_twice(struct kmt_ledger *ledger, const struct kmt_event *event,
			    const struct kmt_object *object)
{
	/* KMALLOC_MAX_CACHE_SIZE of SLUB is two pages; what is larger comes from the page allocator
	 */
	return event->kind == KMT_EVENT_KMALLOC &&
	       event->bytes_alloc > 2 * (uint64_t)ledger->options.page_bytes &&
	       event->cpu == object->cpu && event->time_ns - object->time_ns <= TRACED_TWICE_NS &&
	       event->bytes_req == object->bytes_req &&
	       kmt_ledger_account_of(ledger, object)->key.is_kmalloc &&
	       kmt_ledger_account_of(ledger, object)->key.bytes_alloc == event->bytes_alloc &&
	       kmt_ledger_account_of(ledger, object)->key.call_site != event->call_site;
}

/* Most objects are not: the ages of the others are worth a closer look. */
static inline bool is_old(const struct kmt_object *object, const struct kmt_event *event)
{
	return event->time_ns - object->time_ns >= KMT_AGE_FIRST_NS;
}

/* An address that is live is handed out again: whoever owned it has given it back, unseen. */
static __attribute__((noinline, cold)) int close_old(struct kmt_ledger *ledger,
						     const struct kmt_event *event,
						     struct kmt_object *object)
{
	struct kmt_account *account = kmt_ledger_account_of(ledger, object);
	enum kmt_end how = KMT_END_REUSED;
	int r = 0;

	if (is_traced_twice(ledger, event, object)) {
		account->allocs--;
		ledger->totals.replaced++;
		how = KMT_END_REPLACED;
	} else {
		account->reused++;
		ledger->totals.reused++;
		if (is_old(object, event))
			r = kmt_track_death(&account->track, event->time_ns - object->time_ns,
					    true);
	}
	if (r == 0 && is_watched(ledger, account))
		r = tell_free(ledger, account, object, how, event);
	if (how == KMT_END_REUSED) { /* else it stays who was there before both events */
		object->displaced = object->account + 1;
		object->displaced_bin = (uint8_t)kmt_age_bin(event->time_ns - object->time_ns);
	}
	return r;
}

/*
 * The address of an object that kfree_rcu() was given belongs to nobody: that it is handed out
 * again needs no free in between. Such objects stay in the live set until then, or until their free
 * is traced; there cannot be more of them than addresses.
 */
static void drop_deferred(struct kmt_ledger *ledger, struct kmt_object *object)
{
	object->is_deferred = false;
	ledger->nr_deferred--;
}

static uint64_t live_now(const struct kmt_ledger *ledger)
{
	return kmt_liveset_size(ledger->live) - ledger->nr_deferred + ledger->nr_others;
}

int kmt_ledger_book_alloc(struct kmt_ledger *ledger, const struct kmt_event *event, uint32_t index,
			  struct kmt_object *object)
{
	struct kmt_account *account = kmt_accounts_at(ledger->accounts, index);

	object->time_ns = event->time_ns;
	object->account = index;
	object->cpu = event->cpu;
	account->allocs++;
	return is_watched(ledger, account) ? tell_alloc(ledger, account, event) : 0;
}

int kmt_ledger_book_end(struct kmt_ledger *ledger, const struct kmt_object *object,
			enum kmt_end how, const struct kmt_event *event)
{
	struct kmt_account *account = kmt_ledger_account_of(ledger, object);
	bool is_reused = how == KMT_END_REUSED;
	int r = 0;

	account->frees += !is_reused;
	account->reused += is_reused;
	ledger->totals.paired += !is_reused;
	ledger->totals.reused += is_reused;
	if (is_old(object, event))
		r = kmt_track_death(&account->track, event->time_ns - object->time_ns, is_reused);
	if (r == 0 && is_watched(ledger, account))
		r = tell_free(ledger, account, object, how, event);
	return r;
}

int kmt_ledger_space(struct kmt_ledger *ledger, uint32_t space, struct kmt_liveset **ret_set)
{
	struct kmt_liveset **set = &ledger->others[space];
	int r = 0;

	if (!*set) {
		r = kmt_liveset_new(set, NULL);
		if (r == 0) {
			kmt_liveset_set_seed(*set, ledger->options.hash_seed);
			kmt_liveset_set_quota(*set, &ledger->quota);
		}
		if (r == 0 && space == KMT_SPACE_PAGE)
			r = kmt_blocks_init(&ledger->blocks, *set, ledger->options.hash_seed,
					    &ledger->quota);
		if (r < 0)
			*set = kmt_liveset_free(*set);
	}
	*ret_set = *set;
	return r;
}

static int take_alloc(struct kmt_ledger *ledger, const struct kmt_event *event)
{
	struct kmt_object *object;
	uint32_t index;
	int r;

	ledger->totals.allocs++;
	if (event->ptr == 0) {
		ledger->totals.failed_allocs++;
		return 0;
	}
	if (event->ptr == ZERO_SIZE_PTR) {
		ledger->totals.zero_size++;
		return 0;
	}
	r = kmt_ledger_open(ledger, event, event->bytes_alloc, &index);
	if (r < 0)
		return r;
	r = kmt_liveset_add(ledger->live, event->ptr, &object);
	if (r < 0)
		return r;
	if (r == KMT_OBJECT_LIVE && !object->is_deferred) {
		r = close_old(ledger, event, object);
		if (r < 0)
			return r;
	} else {
		if (r == KMT_OBJECT_LIVE)
			drop_deferred(ledger, object);
		object->is_deferred = false;
		object->displaced = 0;
	}
	object->bytes_req = event->bytes_req < UINT32_MAX ? (uint32_t)event->bytes_req : UINT32_MAX;
	return kmt_ledger_book_alloc(ledger, event, index, object);
}

/* The free of the object that was there before, traced when its address had a new owner. */
static bool is_late(const struct kmt_ledger *ledger, const struct kmt_event *event,
		    const struct kmt_object *object)
{
	return ledger->options.has_late_frees && event->kind == KMT_EVENT_CACHE_FREE &&
	       object->displaced && event->cpu != object->cpu &&
	       event->time_ns - object->time_ns <= LATE_FREE_NS;
}

/* Return: 0 or -ENOMEM. */
static __attribute__((noinline, cold)) int take_late(struct kmt_ledger *ledger,
						     const struct kmt_event *event,
						     struct kmt_object *object)
{
	struct kmt_account *account = kmt_accounts_at(ledger->accounts, object->displaced - 1);
	int r = 0;

	account->reused--;
	account->frees++;
	ledger->totals.reused--;
	ledger->totals.late_frees++;
	object->displaced = 0;
	if (object->displaced_bin)
		r = kmt_track_death_is_free(&account->track, object->displaced_bin);
	if (r == 0 && is_watched(ledger, account))
		r = tell_free(ledger, account, NULL, KMT_END_LATE, event);
	return r;
}

void kmt_ledger_note_unknown(struct kmt_ledger *ledger, const struct kmt_event *event)
{
	if (ledger->options.is_filtered[event->space])
		ledger->totals.filtered_frees++;
	else
		ledger->totals.unknown_other_frees++;
}

/* Which cache it was of is told by few of them; of the others it may have been any that they can be
 * of. */
static __attribute__((noinline, cold)) void take_unknown_free(struct kmt_ledger *ledger,
							      const struct kmt_event *event)
{
	struct kmt_totals *totals = &ledger->totals;
	bool is_kfree = event->kind == KMT_EVENT_KFREE;

	if (ledger->options.is_filtered[KMT_SPACE_SLAB] ||
	    event->ptr & ledger->options.sample_mask[KMT_SPACE_SLAB]) {
		totals->filtered_frees++;
		return;
	}
	totals->unknown_frees++;
	totals->unknown_rcu_frees += event->kind == KMT_EVENT_RCU_FREE;
	totals->unknown_bulk_frees += event->kind == KMT_EVENT_BULK_FREE;
	kmt_cache_frees_add(&ledger->unknown_frees, event->text, is_kfree);
	if (event->kind != KMT_EVENT_KFREE && event->kind != KMT_EVENT_CACHE_FREE)
		kmt_cache_frees_add(&ledger->unknown_frees, event->text, !is_kfree);
}

/* By the first free that tells. */
static inline void name_cache(struct kmt_ledger *ledger, struct kmt_account *account,
			      const struct kmt_event *event)
{
	if (account->freed_cache || !event->text)
		return;
	account->freed_cache = event->text;
	if (kmt_ledger_is_part(ledger))
		kmt_ledger_note_named(ledger, account->index, event);
}

/* What kfree_rcu() was given is given back to the allocator: nothing new, but the cache's name. */
static __attribute__((noinline)) void take_deferred_free(struct kmt_ledger *ledger,
							 const struct kmt_event *event,
							 struct kmt_object *object)
{
	struct kmt_account *account = kmt_ledger_account_of(ledger, object);

	ledger->totals.deferred_frees++;
	name_cache(ledger, account, event);
	if (event->kind == KMT_EVENT_RCU_FREE)
		return; /* kfree_call_rcu_nolock() may pass it on to kvfree_call_rcu() */
	drop_deferred(ledger, object);
	kmt_liveset_remove(ledger->live, event->ptr, object);
}

/* Return: 0 or, of a watcher, -ENOMEM. */
static int take_free(struct kmt_ledger *ledger, const struct kmt_event *event)
{
	struct kmt_totals *totals = &ledger->totals;
	struct kmt_account *account;
	struct kmt_object *object;
	int r = 0;

	totals->frees++;
	if (event->ptr == 0 || event->ptr == ZERO_SIZE_PTR) {
		totals->null_frees++;
		return 0;
	}
	object = kmt_liveset_find(ledger->live, event->ptr);
	if (!object) {
		take_unknown_free(ledger, event);
		return 0;
	}
	if (object->is_deferred) {
		take_deferred_free(ledger, event, object);
		return 0;
	}
	totals->paired++;
	if (is_late(ledger, event, object))
		return take_late(ledger, event, object);
	account = kmt_ledger_account_of(ledger, object);
	account->frees++;
	name_cache(ledger, account, event);
	if (is_old(object, event))
		r = kmt_track_death(&account->track, event->time_ns - object->time_ns, false);
	if (r == 0 && is_watched(ledger, account))
		r = tell_free(ledger, account, object, KMT_END_FREED, event);
	if (event->kind == KMT_EVENT_RCU_FREE) {
		object->is_deferred = true;
		ledger->nr_deferred++;
		return r;
	}
	kmt_liveset_remove(ledger->live, event->ptr, object);
	return r;
}

static void start_time(struct kmt_ledger *ledger, uint64_t time_ns)
{
	ledger->totals.first_ns = time_ns;
	if (ledger->options.start_ns && ledger->options.start_ns < time_ns)
		time_ns = ledger->options.start_ns;
	kmt_grid_start(&ledger->grid, time_ns);
	kmt_peak_start(&ledger->peak, time_ns);
	ledger->has_started = true;
}

void kmt_ledger_begin(struct kmt_ledger *ledger, uint64_t time_ns)
{
	if (!ledger->has_started)
		start_time(ledger, time_ns);
}

/*
 * At the first event, and whenever a bucket ends, or a point of the peak comes. What was booked so
 * far is what was the case at all of them up to @time_ns. Return: 0 or -ENOMEM.
 */
static __attribute__((noinline, cold)) int pass_time(struct kmt_ledger *ledger, uint64_t time_ns)
{
	int r;

	if (!ledger->has_started)
		start_time(ledger, time_ns);
	r = kmt_tracks_pass(&ledger->grid, ledger->accounts, time_ns);
	kmt_peak_pass(&ledger->peak, time_ns, live_now(ledger));
	ledger->next_bucket_ns = kmt_grid_next_ns(&ledger->grid);
	if (kmt_peak_next_ns(&ledger->peak) < ledger->next_bucket_ns)
		ledger->next_bucket_ns = kmt_peak_next_ns(&ledger->peak);
	return r;
}

/* What is not of the slab. Return: 0 or -ENOMEM. */
static __attribute__((noinline)) int take_other(struct kmt_ledger *ledger,
						const struct kmt_event *event)
{
	struct kmt_totals *totals = &ledger->totals;

	switch (event->kind) {
	case KMT_EVENT_PAGE_ALLOC:
		return kmt_ledger_take_pages(ledger, event);
	case KMT_EVENT_PAGE_FREE:
		return kmt_ledger_free_pages(ledger, event);
	case KMT_EVENT_PERCPU_ALLOC:
	case KMT_EVENT_VMALLOC:
		return kmt_ledger_take_other(ledger, event);
	case KMT_EVENT_PAIR_ALLOC:
		return kmt_ledger_is_counted(ledger, event->space)
			       ? kmt_ledger_take_reference(ledger, event)
			       : kmt_ledger_take_other(ledger, event);
	case KMT_EVENT_PERCPU_FREE:
	case KMT_EVENT_VFREE:
		return kmt_ledger_free_other(ledger, event);
	case KMT_EVENT_PAIR_FREE:
		return kmt_ledger_is_counted(ledger, event->space)
			       ? kmt_ledger_free_reference(ledger, event)
			       : kmt_ledger_free_other(ledger, event);
	case KMT_EVENT_MODULE_LOAD:
	case KMT_EVENT_MODULE_FREE:
		ledger->generation++;
		memset(ledger->recent, 0, sizeof(ledger->recent));
		return 0;
	case KMT_EVENT_TASK_NAME:
		if ((ledger->options.by_comm || ledger->options.watcher.is_watched) && event->text)
			return kmt_tasks_name(ledger->tasks, event->pid, event->text);
		return 0;
	case KMT_EVENT_LOSS:
		totals->losses++;
		totals->lost = kmt_sum(totals->lost, event->lost);
		totals->unsized_losses += event->lost == 0;
		totals->last_loss_ns = event->time_ns;
		return 0;
	case KMT_EVENT_UNSEEN: /* as if the frees had been lost, but it is known how many */
		totals->unseen_frees = kmt_sum(totals->unseen_frees, event->lost);
		totals->lost = kmt_sum(totals->lost, event->lost);
		totals->last_loss_ns = event->time_ns;
		return 0;
	default:
		return 0;
	}
}

static inline int take(struct kmt_ledger *ledger, const struct kmt_event *event)
{
	if (event->time_ns >= ledger->next_bucket_ns) {
		int r = pass_time(ledger, event->time_ns);

		if (r < 0)
			return r;
	}
	ledger->totals.by_kind[event->kind]++;
	ledger->totals.last_ns = event->time_ns;
	if (event->kind > KMT_EVENT_BULK_FREE)
		return take_other(ledger, event);
	return event->kind <= KMT_EVENT_CACHE_ALLOC_NODE ? take_alloc(ledger, event)
							 : take_free(ledger, event);
}

static const struct kmt_liveset *set_of(const struct kmt_ledger *ledger,
					const struct kmt_event *event)
{
	return __builtin_expect(event->space == KMT_SPACE_SLAB, 1) ? ledger->live
								   : ledger->others[event->space];
}

static inline void prefetch(const struct kmt_ledger *ledger, const struct kmt_event *event)
{
	const struct kmt_liveset *set = set_of(ledger, event);

	if (set)
		kmt_liveset_prefetch(set, event->ptr);
}

static inline void prefetch_object(const struct kmt_ledger *ledger, const struct kmt_event *event)
{
	const struct kmt_liveset *set = set_of(ledger, event);

	if (set)
		kmt_liveset_prefetch_object(set, event->ptr);
}

int kmt_ledger_take_run(struct kmt_ledger *ledger, const struct kmt_event *const *events, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		int r;

		if (i + PREFETCH_EVENTS < nr)
			prefetch(ledger, events[i + PREFETCH_EVENTS]);
		if (i + PREFETCH_OBJECT_EVENTS < nr)
			prefetch_object(ledger, events[i + PREFETCH_OBJECT_EVENTS]);
		r = take(ledger, events[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int kmt_ledger_take(struct kmt_ledger *ledger, const struct kmt_event *event)
{
	return kmt_ledger_take_run(ledger, &event, 1);
}

int kmt_ledger_check_objects(struct kmt_ledger *ledger)
{
	struct kmt_references *references = &ledger->references;

	(void)kmt_liveset_tell(ledger->live);
	for (size_t i = 0; i < KMT_SPACES_MAX; i++)
		if (ledger->others[i])
			(void)kmt_liveset_tell(ledger->others[i]);
	if (ledger->blocks.starts)
		(void)kmt_liveset_tell(ledger->blocks.starts);
	(void)kmt_quota_tell(&ledger->quota, references->nr, &references->told);
	return kmt_tasks_tell(ledger->tasks);
}

static void count_live(void *context, uint64_t ptr, const struct kmt_object *object)
{
	struct kmt_ledger *ledger = context;
	struct kmt_account *account = kmt_ledger_account_of(ledger, object);
	/* What was allocated before the end of a loss may have been freed in it. */
	bool is_uncertain = object->time_ns < ledger->totals.last_loss_ns;
	const struct kmt_watcher *watcher = &ledger->options.watcher;

	if (object->is_deferred)
		return;
	if (is_watched(ledger, account) && ledger->walk_error == 0)
		ledger->walk_error = watcher->on_end(watcher->context, account, ptr, object);
	ledger->totals.uncertain += is_uncertain;
	if (ledger->walk_error == 0)
		ledger->walk_error = kmt_track_live(&account->track, &ledger->ended_grid,
						    object->time_ns, ledger->end_ns);
	if (ledger->end_ns - object->time_ns >= ledger->grace_ns) {
		account->mature_objects++;
		account->exposed_objects += is_uncertain;
	}
	if (ledger->end_ns - object->time_ns < ledger->older_ns)
		return;
	account->live_objects++;
	account->live_requested_bytes +=
		account->key.space == KMT_SPACE_PAGE ? account->key.bytes_alloc : object->bytes_req;
	account->uncertain_objects += is_uncertain;
	if (account->live_objects == 1 || object->time_ns < account->oldest_ns)
		account->oldest_ns = object->time_ns;
}

/* All that is live; of slab objects also those that are freed already, but for the allocator. */
static void walk(const struct kmt_ledger *ledger,
		 void (*visit)(void *context, uint64_t ptr, const struct kmt_object *object),
		 void *context)
{
	kmt_liveset_walk(ledger->live, visit, context);
	for (uint32_t i = 0; i < KMT_SPACES_MAX; i++)
		if (ledger->others[i] && kmt_ledger_is_counted(ledger, i))
			kmt_ledger_walk_references(ledger, i, visit, context);
		else if (ledger->others[i])
			kmt_liveset_walk(ledger->others[i], visit, context);
}

struct visitor {
	const struct kmt_ledger *ledger;
	void (*visit)(void *context, const struct kmt_account *account, uint64_t ptr,
		      const struct kmt_object *object);
	void *context;
	const struct kmt_part *part; /* that has the object; NULL: the ledger itself */
};

static void visit_live(void *context, uint64_t ptr, const struct kmt_object *object)
{
	const struct visitor *visitor = context;
	uint32_t index = visitor->part ? visitor->part->accounts[object->account] : object->account;

	if (!object->is_deferred)
		visitor->visit(visitor->context, kmt_accounts_at(visitor->ledger->accounts, index),
			       ptr, object);
}

void kmt_ledger_walk(const struct kmt_ledger *ledger,
		     void (*visit)(void *context, const struct kmt_account *account, uint64_t ptr,
				   const struct kmt_object *object),
		     void *context)
{
	struct visitor visitor = { ledger, visit, context };

	walk(ledger, visit_live, &visitor);
	for (size_t i = 0; i < ledger->nr_parts; i++) {
		visitor.part = &ledger->parts[i];
		walk(ledger->parts[i].ledger, visit_live, &visitor);
	}
}

/* What an earlier finish left. */
static void reset_accounts(struct kmt_ledger *ledger)
{
	size_t nr = kmt_accounts_nr(ledger->accounts);

	for (size_t i = 0; i < nr; i++) {
		struct kmt_account *account = kmt_accounts_at(ledger->accounts, (uint32_t)i);

		account->live_objects = account->live_requested_bytes = 0;
		account->uncertain_objects = account->oldest_ns = 0;
		account->mature_objects = account->exposed_objects = 0;
		kmt_track_reset_live(account->track);
	}
}

int kmt_ledger_finish(struct kmt_ledger *ledger, uint64_t end_ns, uint64_t older_ns,
		      uint64_t grace_ns)
{
	int r = 0;

	if (end_ns < ledger->totals.last_ns)
		end_ns = ledger->totals.last_ns;
	if (ledger->has_started && end_ns >= ledger->next_bucket_ns)
		r = pass_time(ledger, end_ns);
	if (r == 0 && ledger->has_started)
		r = kmt_tracks_finish(&ledger->grid, ledger->accounts, end_ns, &ledger->ended_grid);
	if (r < 0)
		return r;
	reset_accounts(ledger);
	ledger->totals.live = live_now(ledger);
	ledger->totals.peak_live = kmt_peak_highest(&ledger->peak, ledger->totals.live);
	ledger->totals.uncertain = 0;
	ledger->end_ns = end_ns;
	ledger->older_ns = older_ns;
	ledger->grace_ns = grace_ns;
	ledger->walk_error = 0;
	walk(ledger, count_live, ledger);
	return ledger->walk_error;
}

void kmt_ledger_mark(struct kmt_ledger *ledger)
{
	size_t nr = kmt_accounts_nr(ledger->accounts);
	bool is_first = !ledger->has_mark;

	ledger->has_mark = true;
	for (size_t i = 0; i < nr; i++) {
		struct kmt_account *account = kmt_accounts_at(ledger->accounts, (uint32_t)i);

		account->last_marked = kmt_account_live(account);
		if (is_first)
			account->first_marked = account->last_marked;
	}
	kmt_cache_frees_mark(&ledger->unknown_frees, is_first);
}

const struct kmt_cache_frees *kmt_ledger_unknown_frees(const struct kmt_ledger *ledger,
						       size_t *ret_nr)
{
	*ret_nr = ledger->unknown_frees.nr;
	return ledger->unknown_frees.entries;
}

const struct kmt_totals *kmt_ledger_totals(const struct kmt_ledger *ledger)
{
	return &ledger->totals;
}

const struct kmt_account *kmt_ledger_accounts(const struct kmt_ledger *ledger, size_t *ret_nr)
{
	*ret_nr = kmt_accounts_nr(ledger->accounts);
	return kmt_accounts_at(ledger->accounts, 0);
}

const struct kmt_grid *kmt_ledger_grid(const struct kmt_ledger *ledger)
{
	return &ledger->ended_grid;
}

uint64_t kmt_ledger_start_ns(const struct kmt_ledger *ledger)
{
	return ledger->grid.start_ns;
}

/* kmalloc's caches are told from their size; Linux 4.19 shortened 1024 to 1k, and so do we. */
const char *kmt_account_cache(const struct kmt_account *account, uint32_t page_bytes,
			      char buf[KMT_CACHE_NAME_BYTES])
{
	uint64_t bytes = account->key.bytes_alloc;

	if (account->key.space != KMT_SPACE_SLAB || kmt_account_is_rest(account))
		return NULL;
	if (!account->key.is_kmalloc)
		return account->key.cache ? account->key.cache : account->freed_cache;
	if (bytes > 2 * (uint64_t)page_bytes)
		return "kmalloc-large"; /* whole pages, not from a cache */
	(void)snprintf(buf, KMT_CACHE_NAME_BYTES, "kmalloc-%" PRIu64 "%s",
		       bytes >= 1024 && bytes % 1024 == 0 ? bytes / 1024 : bytes,
		       bytes >= 1024 && bytes % 1024 == 0 ? "k" : "");
	return buf;
}
