/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_PROBES_H
#define KMT_RECORD_PROBES_H

#include <stdbool.h>
#include <stdint.h>

#include "event-set.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/manifest.h"
#include "kmemtape/record.h"

/*
 * Probes on what frees without an event: kfree_rcu() and kmem_cache_free_bulk(). kprobe events in a
 * group of our own, kmemtape_PID, switched on in our instance alone. On the tape their system is
 * "kmemtape"; what their fields mean is in kmemtape/formats.h.
 */
struct kmt_probes;

/**
 * kmt_probes_new() - create those that this kernel can have; all of them off
 * @instance_fd: of our instance
 * @is_wanted: false: none
 * @state: filled in: "on", or why not all of them are there
 *
 * Return: 0, even if this kernel has none; KMT_PROBES_LACKING if it has kprobe events, and not all that
 * were wanted could be made; -ENOMEM.
 */
#define KMT_PROBES_LACKING 1
int kmt_probes_new(const char *tracing_path, int instance_fd, uint32_t long_bytes, bool is_wanted,
		   char state[KMT_MANIFEST_TEXT_BYTES], struct kmt_probes **ret_probes,
		   struct kmt_err *err);

/* Add them to the events to record. Their names are borrowed until kmt_probes_free(). */
void kmt_probes_add_to(const struct kmt_probes *probes, struct kmt_event_set *events);

/**
 * kmt_probes_count() - what the kernel counts for them, to the manifest
 * @ret_missed: calls that they didn't see
 *
 * Return: 0 or negative errno.
 */
int kmt_probes_count(const struct kmt_probes *probes, struct kmt_manifest *manifest,
		     uint64_t *ret_missed, struct kmt_err *err);

/* Remove the probes of recorders that were killed. After their instances: what is on stays. */
void kmt_probes_remove_stale(const char *tracing_path, const struct kmt_record_listener *listener);

/* Remove them from the kernel; once our instance is gone. Return: 0, or -EBUSY if somebody uses one. */
int kmt_probes_remove(struct kmt_probes *probes);

/* Removes them if that was not done. NULL is fine. Return: NULL. */
struct kmt_probes *kmt_probes_free(struct kmt_probes *probes);

KMT_DEFINE_FREEP(struct kmt_probes *, kmt_probes_free)

#endif
