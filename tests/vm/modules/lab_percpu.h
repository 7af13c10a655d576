/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_PERCPU_H
#define LAB_PERCPU_H

#include "lab.h"

#include <linux/cpumask.h>
#include <linux/percpu.h>

/*
 * What the kernel says that @bytes a CPU take: f67bed134a05 (v5.19) counts a pointer for each 4 bytes along, of the
 * cgroup that pays. Before, it said nothing, and kmemtape multiplies.
 */
static inline size_t lab_percpu_bytes(size_t bytes)
{
	size_t all = bytes * num_possible_cpus();

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 19, 0) && defined(CONFIG_MEMCG)
	all += bytes / 4 * sizeof(void *);
#endif
	return all;
}

#endif
