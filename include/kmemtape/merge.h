/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_MERGE_H
#define KMEMTAPE_MERGE_H

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

/**
 * kmt_merge_fill() - what comes next in a stream
 * @stream: at the beginning each one, in any order; later the one that kmt_merge_take() found dry
 * @events: borrowed until all of them are taken
 * @nr: 0: the stream has ended
 */
void kmt_merge_fill(struct kmt_merge *merge, size_t stream, const struct kmt_event *events,
		    size_t nr);

/**
 * kmt_merge_take() - the next events of all streams
 * @ret_events: in order; borrowed from who filled the streams
 * @max: at least 1
 * @ret_dry: the stream that has to be filled before more can be taken; SIZE_MAX: none
 *
 * Return: how many; 0 if all streams have ended.
 */
size_t kmt_merge_take(struct kmt_merge *merge, const struct kmt_event **ret_events, size_t max,
		      size_t *ret_dry);

KMT_DEFINE_FREEP(struct kmt_merge *, kmt_merge_free)

#endif
