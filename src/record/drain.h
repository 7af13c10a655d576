/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_DRAIN_H
#define KMT_RECORD_DRAIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "budget.h"
#include "kmemtape/chunk.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "ring.h"
#include "syncer.h"
#include "trace-clock.h"

/* What all drains of a recording share; outlives them. */
struct kmt_drain_shared {
	const struct kmt_trace_clock *clock;
	uint64_t opened_ns; /* trace clock, before any event */
	int instance_fd;
	int tape_fd;
	int stop_fd; /* eventfd: readable from kmt_drain_shared_stop() on */
	int wake_fd; /* eventfd: a drain tells the main thread that something happened */
	const struct kmt_padding *padding; /* of the events; outlives the drains */
	uint32_t subbuf_bytes;
	size_t nr_cpus; /* that may come */
	bool has_buffer_percent;
	uint32_t wake_subbufs; /* as in struct kmt_instance */
	/* Of all CPU files together: the main thread wants to know; nothing is written beyond. */
	_Atomic uint64_t end_bytes, stop_bytes;
	_Atomic uint64_t file_bytes;	/* so far */
	_Atomic uint64_t removed_bytes; /* of these, by the ring */
	struct kmt_ring *ring;		/* NULL: none */
	struct kmt_syncer *syncer;
	atomic_bool is_stopping;
	struct kmt_budget budget;
};

int kmt_drain_shared_init(struct kmt_drain_shared *shared, struct kmt_err *err);
void kmt_drain_shared_deinit(struct kmt_drain_shared *shared);

/* That the files have now. */
uint64_t kmt_drain_shared_bytes(struct kmt_drain_shared *shared);

/* Tell all drains to empty their buffers once more, and to end. */
void kmt_drain_shared_stop(struct kmt_drain_shared *shared);

#define KMT_DRAIN_FULL 1 /* stop_bytes were reached */

enum kmt_drain_priority {
	KMT_PRIORITY_NORMAL = 0,
	KMT_PRIORITY_NICE,
	KMT_PRIORITY_FIFO,
};

/* One CPU: its ring buffer, its file on the tape, and the thread that moves the one to the other.
 */
struct kmt_drain;

/* kmt_drain_new() - open and allocate everything. @shared: borrowed */
int kmt_drain_new(struct kmt_drain_shared *shared, uint32_t cpu, struct kmt_drain **ret_drain,
		  struct kmt_err *err);

/* kmt_drain_start() - start the thread; returns when it runs, with its tid and priority known. */
int kmt_drain_start(struct kmt_drain *drain, struct kmt_err *err);

/**
 * kmt_drain_join() - wait for the end of the thread, after kmt_drain_shared_stop()
 *
 * Return: 0; KMT_DRAIN_FULL, or negative errno: why the thread ended early.
 */
int kmt_drain_join(struct kmt_drain *drain, struct kmt_err *err);

/* kmt_drain_finish() - flush and close the file; after kmt_drain_join() */
int kmt_drain_finish(struct kmt_drain *drain, struct kmt_err *err);

/* Back to its CPU, which was offline. */
void kmt_drain_pin(struct kmt_drain *drain);

/* Up to when all that its CPU gave us is in the file; after kmt_drain_join(). */
uint64_t kmt_drain_written_ns(const struct kmt_drain *drain);

/* It ended early. */
bool kmt_drain_has_failed(const struct kmt_drain *drain);
uint32_t kmt_drain_cpu(const struct kmt_drain *drain);
pid_t kmt_drain_tid(const struct kmt_drain *drain);
enum kmt_drain_priority kmt_drain_priority(const struct kmt_drain *drain);
const struct kmt_chunk_writer *kmt_drain_writer(const struct kmt_drain *drain); /* borrowed */

/* Stops and joins if that was not done. NULL is fine. Return: NULL. */
struct kmt_drain *kmt_drain_free(struct kmt_drain *drain);

#endif
