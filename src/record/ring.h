/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_RING_H
#define KMT_RECORD_RING_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * CPU files of a bounded size in all: each goes on in another file now and then (a segment), and
 * the oldest of all CPUs are removed when there are too many. May be used by all drains at once.
 */
struct kmt_ring;


/**
 * kmt_ring_new() - allocate all
 * @tape_fd: borrowed
 * @max_bytes: that all CPU files together and snapshots of kmt_ring_snapshot_bytes() never exceed
 *
 * Return: 0; -EINVAL if that is too little for so many CPUs; -ENOMEM.
 */
int kmt_ring_new(int tape_fd, uint64_t max_bytes, size_t nr_cpus, struct kmt_ring **ret_ring,
		 struct kmt_err *err);

uint64_t kmt_ring_snapshot_bytes(uint64_t max_bytes);

/* A file that is so long should go on in another. */
uint64_t kmt_ring_segment_bytes(const struct kmt_ring *ring);

/**
 * kmt_ring_grow() - a file has grown, within one chunk: makes room again
 *
 * Return: bytes that were removed for it
 */
uint64_t kmt_ring_grow(struct kmt_ring *ring, uint64_t bytes);

/**
 * kmt_ring_close() - a file goes on in another one, and may be removed
 * @number: of the one that is closed
 * @bytes: that it has
 * @end_ns: it has nothing of this CPU from then on
 */
void kmt_ring_close(struct kmt_ring *ring, uint32_t cpu, uint32_t number, uint64_t bytes,
		    uint64_t end_ns);

/* What was before is not there of all CPUs; 0: nothing was removed. */
uint64_t kmt_ring_dropped_ns(struct kmt_ring *ring);

struct kmt_ring *kmt_ring_free(struct kmt_ring *ring);

KMT_DEFINE_FREEP(struct kmt_ring *, kmt_ring_free)

#endif
