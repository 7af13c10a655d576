/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_BUDGET_H
#define KMT_RECORD_BUDGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * CPU time that the recorder, all of its threads together, may take: so many percent of one CPU in any second. Where it is
 * spent, drains wait; what then doesn't fit into the ring buffers the kernel counts as lost.
 */
struct kmt_budget {
	uint32_t percent; /* 0: no limit */
	pthread_mutex_t lock;
	bool is_on;
	bool was_spent;
	uint64_t last_ns, last_cpu_ns;
	int64_t left_ns; /* of CPU time */
};

#define KMT_BUDGET_NONE { .lock = PTHREAD_MUTEX_INITIALIZER }

/* It counts from now on. Before, and after kmt_budget_stop(), there is no limit. */
void kmt_budget_start(struct kmt_budget *budget);
void kmt_budget_stop(struct kmt_budget *budget);

/**
 * kmt_budget_wait_ns() - how long to wait before more is done
 *
 * Any thread. Return: 0 if there is something left, or no limit.
 */
uint64_t kmt_budget_wait_ns(struct kmt_budget *budget);

/* The same at a given time, with this much CPU time taken since whenever: for tests. */
uint64_t kmt_budget_wait_at(struct kmt_budget *budget, uint64_t now_ns, uint64_t cpu_ns);

#endif
