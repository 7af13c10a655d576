/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_WATCHES_H
#define KMT_REPLAY_WATCHES_H

#include "distilled.h"
#include "watch.h"

/*
 * Several sites watched in one replay, each as if it alone had been asked for: what its dossier has
 * room for doesn't depend on the others.
 */
struct kmt_watches;

enum kmt_watched {
	KMT_WATCHED_SUSPECTS, /* by the names by which users may ask for them later */
	KMT_WATCHED_FIRST,    /* suspects, then others: each site as it is */
};

/**
 * kmt_watches_new() - watch the ledger for sites of a result
 * @rows: an earlier result of the same tape, by site
 * @context: its options are those of a replay that explains nothing; borrowed. A table over time
 *	that they ask for is made beside the dossiers
 *
 * Return: 0; -E2BIG as of one watch; -ENOMEM.
 */
int kmt_watches_new(const struct kmt_watch_context *context, const struct kmt_result *rows,
		    enum kmt_watched which, struct kmt_ledger_options *ledger_options,
		    struct kmt_watches **ret_watches, struct kmt_err *err);
struct kmt_watches *kmt_watches_free(struct kmt_watches *watches);

/* As those of one watch: see watch.h. */
void kmt_watches_set_ledger(struct kmt_watches *watches, const struct kmt_ledger *ledger);
int kmt_watches_note(struct kmt_watches *watches, const struct kmt_event *event);
int kmt_watches_close(struct kmt_watches *watches, struct kmt_frames *frames, uint64_t end_ns,
		      struct kmt_err *err);

/* As kmt_watch_fill(), of all of them. */
int kmt_watches_fill(struct kmt_watches *watches, struct kmt_result *result, struct kmt_err *err);

/* The dossiers of all of them, texts interned. Return: 0 or -ENOMEM. */
int kmt_watches_take(struct kmt_watches *watches, struct kmt_names *names,
		     struct kmt_distilled *distilled, struct kmt_err *err);

/* Is a result suspicious of any site? */
bool kmt_watches_are_due(const struct kmt_result *result);

KMT_DEFINE_FREEP(struct kmt_watches *, kmt_watches_free)

#endif
