/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DECODE_DEBUG_LIST_H
#define KMT_DECODE_DEBUG_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* What in a directory, and below it, is called like a kernel or a module. */
struct kmt_debug_list {
	char **files; /* sorted, so that the order of a directory changes nothing */
	size_t nr_files;
	char **id_dirs; /* directories called .build-id */
	size_t nr_id_dirs;
	size_t nr_seen;
};

/* Adds @dir, as far as it can be read. Links to directories are not followed. Return: 0 or -ENOMEM.
 */
int kmt_debug_list_scan(struct kmt_debug_list *list, const char *dir);
void kmt_debug_list_deinit(struct kmt_debug_list *list);

/* Is @path called foo.ko, foo.ko.debug, foo.ko.xz...? @module: NULL: of any */
bool kmt_debug_list_is_module(const char *path, const char *module);
/* vmlinux, vmlinux-6.12.1, vmlinux.debug... */
bool kmt_debug_list_is_kernel(const char *path);

#endif
