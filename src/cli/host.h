/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_HOST_H
#define KMT_CLI_HOST_H

#include "kmemtape/counters.h"
#include "kmemtape/diagnosis.h"
#include "kmemtape/err.h"

#define KMT_HOST_READINGS_MAX 9u /* eight steps show whether something grows all the time */

/* What the kernel says about itself. Files that can't be read leave their part empty. */
struct kmt_host {
	struct kmt_counters readings[KMT_HOST_READINGS_MAX];
	size_t nr_readings;
	struct kmt_diagnosis_module *modules; /* as /proc/modules has them */
	size_t nr_modules;
	bool has_modules;
	uint64_t dying_cgroups; /* removed, and still holding memory; KMT_COUNTER_UNKNOWN */
};

void kmt_host_init(struct kmt_host *host);
void kmt_host_deinit(struct kmt_host *host);

/**
 * kmt_host_read() - take one more reading
 * @proc_fd: /proc
 *
 * Return: 0; negative errno if there is no meminfo; -ENOMEM.
 */
int kmt_host_read(struct kmt_host *host, int proc_fd, struct kmt_err *err);

/**
 * kmt_host_read_once() - what doesn't change while it is watched
 * @sys_fd: /sys, or -1
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_host_read_once(struct kmt_host *host, int proc_fd, int sys_fd);

#endif
