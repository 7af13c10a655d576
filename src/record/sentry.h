/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_SENTRY_H
#define KMT_RECORD_SENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event-set.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * Watches what the recorder has set in its tracefs instance: whoever is root can switch our events off, clear the buffer, or
 * read it. Nothing is put right: somebody meant it, and a fight helps nobody. It only has to be known.
 *
 * Files are compared with what they held before, and inotify, where there is one, tells of what was written and is the same
 * again, and of readers that take pages away. All is opened and allocated before events are on.
 */
struct kmt_sentry;

/* kmt_sentry_new() - open all that is to be watched. What can't be opened isn't. Return: 0 or -ENOMEM. */
int kmt_sentry_new(int instance_fd, const struct kmt_event_set *events, bool has_probes,
		   struct kmt_sentry **ret_sentry, struct kmt_err *err);

/* It is as it has to be, but for all that is still to be switched on. */
void kmt_sentry_expect_on(struct kmt_sentry *sentry);

/* The recorder itself has switched events: that is to be forgotten, and nothing else. */
void kmt_sentry_forget(struct kmt_sentry *sentry);

/* It is as it has to be now, and what the recorder itself did meanwhile is forgotten. */
void kmt_sentry_remember(struct kmt_sentry *sentry);

/* A CPU came, and its files. What is read there by others is seen from now on. */
void kmt_sentry_add_cpu(struct kmt_sentry *sentry, uint32_t cpu);

/**
 * kmt_sentry_look() - is everything as it was?
 *
 * Doesn't wait, never allocates.
 *
 * Return: NULL, or the first file that somebody else changed, wrote to or reads since the last look or before: in the
 * instance, "events/kmem/kfree/enable". Valid until the next call.
 */
const char *kmt_sentry_look(struct kmt_sentry *sentry);

/* Return: NULL */
struct kmt_sentry *kmt_sentry_free(struct kmt_sentry *sentry);

KMT_DEFINE_FREEP(struct kmt_sentry *, kmt_sentry_free)

#endif
