/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_TASK_NAMES_H
#define KMT_SHARE_TASK_NAMES_H

#include "kmemtape/event.h"
#include "kmemtape/tape.h"

/* Which task has which name at a time, by what the tape tells from before. */
struct kmt_task_names;

int kmt_task_names_new(struct kmt_task_names **ret_names, struct kmt_err *err);
struct kmt_task_names *kmt_task_names_free(struct kmt_task_names *names);

/* The latest event of a task counts, in whatever order they come. Return: 0 or -ENOMEM. */
int kmt_task_names_note(struct kmt_task_names *names, const struct kmt_event *event);

/* kmt_task_names_write() - comms of @tape, with what was noted in place of what it says */
int kmt_task_names_write(const struct kmt_task_names *names, const struct kmt_tape *tape, int dirfd,
			 struct kmt_err *err);

KMT_DEFINE_FREEP(struct kmt_task_names *, kmt_task_names_free)

#endif
