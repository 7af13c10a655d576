/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_INSTANCE_H
#define KMT_RECORD_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/record.h"

/*
 * Our own tracefs instance, kmemtape-PID: buffers and enabled events that nobody else sees. The
 * top instance is never touched.
 */
struct kmt_instance {
	struct tracefs_instance *handle;
	int fd;		  /* its directory */
	int instances_fd; /* where that is: tracefs may be unmounted, or be out of sight, under way */
	uint32_t long_bytes;
	uint32_t subbuf_bytes;	/* with its header */
	uint64_t buffer_bytes;	/* of each CPU */
	bool has_buffer_percent; /* poll() waits until the buffer is that full */
	uint32_t wake_subbufs;	 /* that are whole by then; 0: unknown */
};

/* Remove instances of recorders that were killed. Those of living ones are busy, and stay. */
void kmt_instance_remove_stale(const char *tracing_path, const struct kmt_record_listener *listener);

/* Switch off and remove the instance of @recorder, which has died; in tracefs @tracefs_fd. What
 * other processes hold open stays, switched off. */
void kmt_instance_remove_of(int tracefs_fd, pid_t recorder);

/* Remove what is called so, if nobody uses it; else it stays as it is. */
void kmt_instance_remove_unused_of(int tracefs_fd, pid_t recorder);

/**
 * kmt_instance_new() - create the instance, everything off (tracing_on, too), and size its buffers
 * @buffer_bytes: of each CPU; 0 for the default
 * @nr_cpus: that will have a buffer
 */
int kmt_instance_new(const char *tracing_path, uint64_t buffer_bytes, size_t nr_cpus,
		     const struct kmt_record_listener *listener, struct kmt_instance **ret_instance,
		     struct kmt_err *err);

/* Remove it from the kernel. Return: 0, or -EBUSY if somebody else holds a file of it open. */
int kmt_instance_remove(struct kmt_instance *instance);

/* Removes it if that was not done. NULL is fine. Return: NULL. */
struct kmt_instance *kmt_instance_free(struct kmt_instance *instance);

KMT_DEFINE_FREEP(struct kmt_instance *, kmt_instance_free)

#endif
