/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_SHARDS_H
#define KMT_REPLAY_SHARDS_H

#include "shard.h"

/*
 * All shards of a replay. One books in the thread of the caller; several have a thread and a ledger
 * each, and what they have booked is joined at the end. The result is the same.
 */
struct kmt_shards;

/**
 * kmt_shards_new() - shards that have booked nothing
 * @nr: at least 1
 * @hooks: of the first: what concerns all is told once
 * @options: of each ledger
 */
int kmt_shards_new(unsigned int nr, const struct kmt_shard_hooks *hooks,
		   const struct kmt_ledger_options *options, struct kmt_shards **ret_shards,
		   struct kmt_err *err);
struct kmt_shards *kmt_shards_free(struct kmt_shards *shards);

/* Of shard @i; borrowed. The only one's is what kmt_shards_join() gives. */
struct kmt_ledger *kmt_shards_ledger(struct kmt_shards *shards, unsigned int i);

/* All events are booked. Return: 0; -EAGAIN: there are not enough threads to be had, or most of it
 * is for all shards; -EOVERFLOW as kmt_ledger_take() and kmt_ledger_check_objects(); -ENOMEM; other
 * negative errno of reading. */
int kmt_shards_run(struct kmt_shards *shards, const struct kmt_shard_context *context,
		   struct kmt_err *err);

/* Of all events that are booked, 0 if there are none. */
uint64_t kmt_shards_last_ns(const struct kmt_shards *shards);

/* Nothing is known behind; or UINT64_MAX. */
uint64_t kmt_shards_limit_ns(const struct kmt_shards *shards);

/* Snapshots that are passed, behind kmt_shards_finish(). */
size_t kmt_shards_snapshots(const struct kmt_shards *shards);

/* As those of a shard. */
int kmt_shards_end(struct kmt_shards *shards, uint64_t end_ns);
int kmt_shards_finish(struct kmt_shards *shards, uint64_t end_ns, uint64_t older_ns,
		      uint64_t grace_ns);

/**
 * kmt_shards_join() - what all have booked; behind kmt_shards_finish()
 * @ret_ledger: the caller's from now on
 */
int kmt_shards_join(struct kmt_shards *shards, struct kmt_ledger **ret_ledger, struct kmt_err *err);

KMT_DEFINE_FREEP(struct kmt_shards *, kmt_shards_free)

#endif
