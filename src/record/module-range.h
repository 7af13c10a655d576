/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_MODULE_RANGE_H
#define KMT_RECORD_MODULE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtape/err.h"

/* Where a module's code is, or, as long as it isn't loaded, where the kernel's own code is. */
struct kmt_module_range {
	bool is_loaded;
	uint64_t start, end; /* the end is no part of it */
};

/**
 * kmt_module_range_find() - by the symbols of the module's functions
 * @path: "/proc/kallsyms"
 * @module: "kvm-intel" is kvm_intel
 *
 * Where its memory begins and how long it is, as /proc/modules has it, doesn't tell: since Linux
 * 6.4 code and data lie apart.
 *
 * Return: 0; -ENOTSUP if the file has no addresses; negative errno.
 */
int kmt_module_range_find(const char *path, const char *module, struct kmt_module_range *ret_range,
			  struct kmt_err *err);

/* Was the module, which was at @range, loaded again elsewhere? false if nothing tells. */
bool kmt_module_range_has_moved(const char *path, const char *module,
				const struct kmt_module_range *range);

#endif
