/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DAT_EVENTS_H
#define KMT_DAT_EVENTS_H

#include "dat.h"

/* Which events were recorded: a trace.dat doesn't say, so that it takes a look at the records. */
#define KMT_DAT_NR_IDS (UINT16_MAX + 1)
struct kmt_dat_events {
	const struct kmt_dat *dat;
	uint64_t *counts; /* KMT_DAT_NR_IDS: of records, by the id of their event */
};

/* Is there one that tells of memory? */
bool kmt_dat_events_has_any(const struct kmt_dat_events *events);

/* There is one of them, or one of what belongs to it. */
bool kmt_dat_events_was_enabled(const struct kmt_dat_events *events,
				const struct kmt_dat_format *format);

/* Return: 0; -ENODATA if allocations were recorded, but not the frees that belong to them */
int kmt_dat_events_check(const struct kmt_dat_events *events, struct kmt_err *err);

/* The manifest's events, sets and stacks. Return: 0 or -ENOMEM. */
int kmt_dat_events_describe(const struct kmt_dat_events *events, struct kmt_manifest *manifest);

#endif
