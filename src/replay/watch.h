/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_WATCH_H
#define KMT_REPLAY_WATCH_H

#include "kmemtape/ledger.h"
#include "kmemtape/names.h"
#include "kmemtape/replay.h"
#include "kmemtape/symbols.h"

/* What is asked of a replay beyond the rows: the dossier of a call site, a table over time. */
struct kmt_watch;
struct kmt_frames;

struct kmt_watch_context {
	const struct kmt_tape *tape;
	const struct kmt_replay_options *options;
	const struct kmt_symbols *symbols;
	const struct kmt_stacks *stacks;
};

/**
 * kmt_watch_new() - understand what is asked, and watch the ledger for it
 * @ledger_options: complete; the watcher is filled in, and what accounts have to tell apart
 * @ret_watch: NULL if nothing is asked
 *
 * Return: 0; -EINVAL, -E2BIG as kmt_replay() says; -ENOMEM.
 */
int kmt_watch_new(const struct kmt_watch_context *context,
		  struct kmt_ledger_options *ledger_options, struct kmt_watch **ret_watch,
		  struct kmt_err *err);
struct kmt_watch *kmt_watch_free(struct kmt_watch *watch);

/* Before the first event. */
void kmt_watch_set_ledger(struct kmt_watch *watch, const struct kmt_ledger *ledger);

/* @event was booked, and is neither an allocation nor a free. Return: 0 or -ENOMEM. */
int kmt_watch_note(struct kmt_watch *watch, const struct kmt_event *event);

/**
 * kmt_watch_close() - all events are booked: find out what was meant; before kmt_ledger_finish()
 * @frames: of all stacks
 *
 * Return: 0; -ENOENT; -ENOMEM.
 */
int kmt_watch_close(struct kmt_watch *watch, struct kmt_frames *frames, uint64_t end_ns,
		    struct kmt_err *err);

/**
 * kmt_watch_fill() - put it into the result; behind kmt_ledger_finish()
 *
 * Return: 0; -E2BIG; -ENOMEM.
 */
int kmt_watch_fill(struct kmt_watch *watch, struct kmt_result *result, struct kmt_err *err);

KMT_DEFINE_FREEP(struct kmt_watch *, kmt_watch_free)

#endif
