/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_EVENT_SET_H
#define KMT_RECORD_EVENT_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "kmemtape/err.h"
#include "kmemtape/record.h"

/* The events to record, in the order in which they must be switched on. */
enum kmt_event_role {
	KMT_ROLE_FREE,	/* on before the allocations, off after them */
	KMT_ROLE_NAMES, /* tasks and modules: on as long as the frees */
	KMT_ROLE_ALLOC,
};

#define KMT_EVENT_SET_MAX 32

struct kmt_event_set {
	const char *names[KMT_EVENT_SET_MAX];	   /* in the instance: "kmem/kfree"; borrowed */
	const char *tape_names[KMT_EVENT_SET_MAX]; /* on the tape, where probes are called the same
						      on all of them */
	enum kmt_event_role roles[KMT_EVENT_SET_MAX];
	size_t nr;
};

/**
 * kmt_event_set_choose() - those events of @sets that this kernel has
 *
 * Return: 0; -ENOTSUP if one that can't be done without is missing.
 */
int kmt_event_set_choose(int instance_fd, unsigned int sets, struct kmt_event_set *ret_events,
			 struct kmt_err *err);

/* One more; there must be room. */
void kmt_event_set_add(struct kmt_event_set *events, const char *name, const char *tape_name,
		       enum kmt_event_role role);

/* Copy the format files of the events, header_page and header_event to the tape. */
int kmt_event_set_capture(const struct kmt_event_set *events, int instance_fd, int tape_fd,
			  struct kmt_err *err);

/* Switch all events of a role on or off; never allocates. Goes on after a failure. */
int kmt_event_set_switch(const struct kmt_event_set *events, int instance_fd,
			 enum kmt_event_role role, bool is_on, struct kmt_err *err);

#endif
