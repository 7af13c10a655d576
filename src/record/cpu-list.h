/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_CPU_LIST_H
#define KMT_RECORD_CPU_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/tape-format.h"

/* A set of CPUs, fixed in size so that it can be read again without an allocation. */
struct kmt_cpu_list {
	uint8_t bits[KMT_CPUS_MAX / 8];
	size_t nr;
};

bool kmt_cpu_list_has(const struct kmt_cpu_list *list, uint32_t cpu);

/**
 * kmt_cpu_list_parse() - "0-3,8,10-11", as /sys/devices/system/cpu/online has it
 *
 * Return: 0; -EINVAL if it is no such list; -ERANGE beyond KMT_CPUS_MAX.
 */
int kmt_cpu_list_parse(const char *text, struct kmt_cpu_list *ret_list);

/* kmt_cpu_list_online() - the CPUs that are online now. Return: 0 or negative errno. */
int kmt_cpu_list_online(struct kmt_cpu_list *ret_list);

/* The same of those that could be: per-CPU memory is for all of them. */
int kmt_cpu_list_possible(struct kmt_cpu_list *ret_list);

#endif
