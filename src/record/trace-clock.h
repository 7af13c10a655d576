/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_TRACE_CLOCK_H
#define KMT_RECORD_TRACE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "kmemtape/err.h"

/* The clock that stamps the events, and how to read it from user space. */
struct kmt_trace_clock {
	const char *name; /* static */
	clockid_t id;
	bool is_in_stats; /* no system call reads it, but a file of tracefs does */
	int instance_fd;  /* borrowed */
};

/**
 * kmt_trace_clock_choose() - set the best clock that the instance has
 * @instance_fd: borrowed for the life of @ret_clock
 *
 * Return: 0; -ENOTSUP if it has none that is coherent across CPUs.
 */
int kmt_trace_clock_choose(int instance_fd, struct kmt_trace_clock *ret_clock, struct kmt_err *err);

/* Trace clock in ns, never ahead of the kernel's; 0 if it can't be read. Any thread. */
uint64_t kmt_trace_clock_now(const struct kmt_trace_clock *clock);

/* Wall clock since 1970 minus trace clock. */
int64_t kmt_trace_clock_wall_offset(const struct kmt_trace_clock *clock);

/* How long the machine was suspended since its boot. */
uint64_t kmt_trace_clock_suspended_ns(void);

/* The time between two of these; 0 where it is too little to be told from chance. */
uint64_t kmt_trace_clock_suspended_between(uint64_t before_ns, uint64_t after_ns);

#endif
