/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_LINES_PROCESS_H
#define KMT_CLI_LINES_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "kmemtape/lines.h"

/*
 * Source lines by another process: whatever debug information does to the libraries that read it,
 * the lines that are missing then are all that it costs, and a note says so.
 */
struct kmt_lines_process;

struct kmt_lines_limits {
	unsigned int cpu_s;   /* in all */
	unsigned int wall_ms; /* for an answer; 0: any, as long as cpu_s isn't over */
	uint64_t bytes;	      /* of memory that is its own, and not a file's */
};

/* The usual ones. A distribution's vmlinux takes some seconds, and some hundred MiB. */
extern const struct kmt_lines_limits kmt_lines_limits;

/**
 * kmt_lines_process_start() - while there is one thread
 * @source: what the process asks: used there only
 * @limits: borrowed during the call
 *
 * Return: 0 or negative errno
 */
int kmt_lines_process_start(struct kmt_lines_source *source, const struct kmt_lines_limits *limits,
			    struct kmt_lines_process **ret_process, struct kmt_err *err);

/* Ends it. */
struct kmt_lines_process *kmt_lines_process_free(struct kmt_lines_process *process);

/* To ask it; borrowed. */
struct kmt_lines_source *kmt_lines_process_source(struct kmt_lines_process *process);
pid_t kmt_lines_process_pid(const struct kmt_lines_process *process);

KMT_DEFINE_FREEP(struct kmt_lines_process *, kmt_lines_process_free)

#endif
