/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_MODULE_LIST_H
#define KMT_RECORD_MODULE_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtape/err.h"

#define KMT_MODULE_NAME_BYTES 64 /* MODULE_NAME_LEN is 64 less a pointer */

/* A line of /proc/modules: name size uses users state address (taint) */
struct kmt_module_entry {
	char name[KMT_MODULE_NAME_BYTES];
	unsigned long long size, address;
	char taint[16];
	bool is_live; /* its init function has returned */
};

/**
 * kmt_module_list_read() - hand each line of /proc/modules to @note
 * @path: of the list. Where there is none, the kernel has no modules
 * @note: a negative errno of it ends the reading
 *
 * Return: 0 or negative errno.
 */
int kmt_module_list_read(const char *path,
			 int (*note)(void *context, const struct kmt_module_entry *entry,
				     struct kmt_err *err),
			 void *context, struct kmt_err *err);

#endif
