/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_EVENT_SET_H
#define KMT_RECORD_EVENT_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "kmemtape/err.h"
#include "kmemtape/padding.h"
#include "kmemtape/record.h"

/* The events to record, in the order in which they must be switched on. */
enum kmt_event_role {
	KMT_ROLE_FREE,	/* on before the allocations, off after them */
	KMT_ROLE_NAMES, /* tasks and modules: on as long as the frees */
	KMT_ROLE_ALLOC,
	KMT_ROLE_STACK, /* comes by itself, from triggers: nothing to switch */
};

#define KMT_EVENT_SET_MAX 96

struct kmt_event_set {
	const char *names[KMT_EVENT_SET_MAX];	   /* in the instance: "kmem/kfree"; borrowed */
	const char *tape_names[KMT_EVENT_SET_MAX]; /* on the tape, where probes are called the same
						      on all of them */
	enum kmt_event_role roles[KMT_EVENT_SET_MAX];
	bool has_stack[KMT_EVENT_SET_MAX]; /* a trigger of ours is set on it */
	size_t nr;
};

/**
 * kmt_event_set_add_set() - the events of a set
 * @set: one of enum kmt_record_set
 *
 * Return: 0; -ENOTSUP if this kernel lacks one that can't be done without, or what its events must
 * tell: nothing was added.
 */
int kmt_event_set_add_set(struct kmt_event_set *events, int instance_fd, unsigned int set,
			  struct kmt_err *err);

/* The events that tell names of tasks and modules, as far as this kernel has them. */
int kmt_event_set_add_names(struct kmt_event_set *events, int instance_fd, struct kmt_err *err);

/* One more; there must be room. */
void kmt_event_set_add(struct kmt_event_set *events, const char *name, const char *tape_name,
		       enum kmt_event_role role);

/* The set that an event or a probe belongs to, by its name on the tape; 0: to none (pairs, names)
 */
unsigned int kmt_event_set_of(const char *tape_name);

/* The word for one set: "slab". */
const char *kmt_event_set_word(unsigned int set);

/**
 * kmt_event_set_capture() - copy the format files, header_page and header_event to the tape
 * @padding: what the events' formats tell of it is added
 */
int kmt_event_set_capture(const struct kmt_event_set *events, int instance_fd, int tape_fd,
			  struct kmt_padding *padding, struct kmt_err *err);

/*
 * Switch all events of a role on or off; never allocates. Goes on after a failure. Those that have
 * stacks are the first to be on and the last to be off: their triggers make stacks in any case, and
 * a stack without its event must not follow an event that has none.
 */
int kmt_event_set_switch(const struct kmt_event_set *events, int instance_fd,
			 enum kmt_event_role role, bool is_on, struct kmt_err *err);

#endif
