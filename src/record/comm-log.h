/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_COMM_LOG_H
#define KMT_RECORD_COMM_LOG_H

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/* comms: names of the tasks that there are. What changes in between, the task events tell. */
struct kmt_comm_log;

/* kmt_comm_log_new() - create the file, and allocate a bit for each possible pid */
int kmt_comm_log_new(int tape_fd, struct kmt_comm_log **ret_log, struct kmt_err *err);

/* kmt_comm_log_look() - add the tasks that have no line yet; never allocates */
int kmt_comm_log_look(struct kmt_comm_log *log, struct kmt_err *err);

/* For who syncs it. Borrowed. */
int kmt_comm_log_fd(const struct kmt_comm_log *log);

/* Return: NULL */
struct kmt_comm_log *kmt_comm_log_free(struct kmt_comm_log *log);

KMT_DEFINE_FREEP(struct kmt_comm_log *, kmt_comm_log_free)

#endif
