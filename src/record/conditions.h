/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_CONDITIONS_H
#define KMT_RECORD_CONDITIONS_H

#include <stdint.h>

#include "event-set.h"
#include "filter-text.h"
#include "kmemtape/manifest.h"
#include "kmemtape/record.h"

/*
 * What the kernel checks before it records an event, and which events it follows with a stack: the
 * `filter` and `trigger` files of our own instance's events.
 */
struct kmt_conditions {
	int instance_fd;
	uint64_t sample;     /* 1 in this many addresses: a power of two; 1 is all */
	uint32_t page_bytes; /* of this kernel */
	enum kmt_record_stacks stacks;
	const struct kmt_filter *filter; /* of allocations */
};

/**
 * kmt_conditions_set() - set the filters and triggers of all @events, before any of them is on
 * @manifest: sample, its masks, stacks and filters are filled in
 *
 * Events of stacks are added to @events. Objects are sampled by bits of their address just above
 * the page size, both where they are allocated and where they are freed, so that either both are
 * recorded or none; pages by their frame number, and where they are allocated only, because a
 * block may be freed in parts. Per-CPU memory, vmalloc areas and pairs are few: never sampled.
 *
 * Return: 0; -ENOTSUP, with what the kernel doesn't take; -EINVAL or -E2BIG if a filter is asked
 * that can't be had of these events.
 */
int kmt_conditions_set(const struct kmt_conditions *conditions, struct kmt_event_set *events,
		       struct kmt_manifest *manifest, const struct kmt_record_listener *listener,
		       struct kmt_err *err);

/* The bits that are zero in the slab addresses that are recorded. */
uint64_t kmt_conditions_slab_mask(uint64_t sample, uint32_t page_bytes);

/* No more stacks. Never allocates; to be called when allocations are off, and in any case before
   the instance is removed. */
void kmt_conditions_drop_stacks(int instance_fd, struct kmt_event_set *events);

#endif
