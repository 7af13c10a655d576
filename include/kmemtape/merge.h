/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_MERGE_H
#define KMEMTAPE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/event.h"

/*
 * Puts the events of many CPUs into one order: by time; at the same time frees first, because what
 * one CPU frees another may allocate within the clock's resolution; then by CPU, so that the order
 * depends on the tape alone. Each CPU's own order is kept.
 */
struct kmt_merge;

int kmt_merge_new(size_t nr_streams, struct kmt_merge **ret_merge, struct kmt_err *err);
struct kmt_merge *kmt_merge_free(struct kmt_merge *merge);

/* @event is the next one of @stream, which has none in there yet. Borrowed only during the call. */
void kmt_merge_push(struct kmt_merge *merge, size_t stream, const struct kmt_event *event);

/* Return: false if all streams are empty; else the stream whose event comes first. */
bool kmt_merge_first(const struct kmt_merge *merge, size_t *ret_stream, uint64_t *ret_time_ns);

/*
 * The first stream's event was taken. Return: true if @event, its next one, comes before those of
 * all other streams: then it may be taken at once, without kmt_merge_replace().
 */
bool kmt_merge_leads(const struct kmt_merge *merge, const struct kmt_event *event);

/* The first stream's event was taken; @event is its next one, NULL if it has no more. */
void kmt_merge_replace(struct kmt_merge *merge, const struct kmt_event *event);

KMT_DEFINE_FREEP(struct kmt_merge *, kmt_merge_free)

#endif
