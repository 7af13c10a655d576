/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_PROBES_H
#define KMT_RECORD_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "event-set.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/manifest.h"
#include "kmemtape/record.h"

/*
 * kprobe events in a group of our own, kmemtape_PID, switched on in our instance alone. On the tape
 * their system is "kmemtape"; what their fields mean is in kmemtape/formats.h. Which there are:
 * free-probes.h, vmalloc-probes.h, pairs.h.
 */
struct kmt_probes;

/* What may be asked while they are made. */
struct kmt_probes_kernel {
	const char *tracing_path;
	int instance_fd;
	unsigned int bits; /* of a long */
	bool has_kprobes;
	const void *btf; /* NULL: this kernel has none, or kmt_probes_seal() was called */
	size_t btf_bytes;
};

struct kmt_probe_spec {
	const char *event;    /* "rcu_free": in our group, and on the tape */
	const char *function; /* "kvfree_call_rcu", of a module "MODULE:FUNCTION" */
	const char *args;     /* as kprobe_events takes them */
	enum kmt_event_role role;
	bool is_return; /* when the function returns; else when it's called, and with its call_site
			 */
};

/* @tracing_path, @instance_fd: borrowed until the end. Return: 0 or negative errno. */
int kmt_probes_new(const char *tracing_path, int instance_fd, uint32_t long_bytes,
		   struct kmt_probes **ret_probes, struct kmt_err *err);

const struct kmt_probes_kernel *kmt_probes_kernel(const struct kmt_probes *probes);

/* One more; it's off. Return: 0 or negative errno of the kernel: see kmt_probes_reason(). */
int kmt_probes_create(struct kmt_probes *probes, const struct kmt_probe_spec *spec);

/* Remove the last one. */
void kmt_probes_drop_last(struct kmt_probes *probes);

/* Why the kernel refused one, in words. */
const char *kmt_probes_reason(int r);

/* No more will be made: what only that needs is given back. */
void kmt_probes_seal(struct kmt_probes *probes);

/* Name in the instance of one that was created: "kmemtape_123/rcu_free". NULL if there is none. */
const char *kmt_probes_name(const struct kmt_probes *probes, const char *event);

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

/* Remove those of @recorder, which has died, as its instance; in tracefs @tracefs_fd. */
void kmt_probes_remove_of(int tracefs_fd, pid_t recorder);

/* Remove them from the kernel; once our instance is gone. Return: 0, or -EBUSY if somebody uses
 * one.
 */
int kmt_probes_remove(struct kmt_probes *probes);

/* Removes them if that was not done. NULL is fine. Return: NULL. */
struct kmt_probes *kmt_probes_free(struct kmt_probes *probes);

KMT_DEFINE_FREEP(struct kmt_probes *, kmt_probes_free)

#endif
