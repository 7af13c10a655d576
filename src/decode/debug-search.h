/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DECODE_DEBUG_SEARCH_H
#define KMT_DECODE_DEBUG_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/lines.h"

/* Where debug information may lie on this machine: what the user named, then the usual places. */
struct kmt_debug_search;

#define KMT_DEBUG_FILES_MAX 200000u /* in one directory and below; a kernel's modules are 5000 */

/* @options: borrowed. Return: 0; -ENOENT and the like if there is no @options->debuginfo; -ENOMEM.
 */
int kmt_debug_search_new(const struct kmt_lines_options *options,
			 struct kmt_debug_search **ret_search, struct kmt_err *err);
struct kmt_debug_search *kmt_debug_search_free(struct kmt_debug_search *search);

/**
 * kmt_debug_search_visit() - the files that may be the ones of the kernel or a module
 * @module: NULL: the kernel
 * @build_id: "" unknown
 * @visit: 1 ends it. @is_by_name: the file is called as if it were the one; else only its build-id
 * can tell
 *
 * Files need not exist; directories are read once.
 *
 * Return: the last that @visit returned, 0 if it never was called; -ENOMEM.
 */
int kmt_debug_search_visit(struct kmt_debug_search *search, const char *module,
			   const char *build_id,
			   int (*visit)(void *context, const char *path, bool is_by_name),
			   void *context);

KMT_DEFINE_FREEP(struct kmt_debug_search *, kmt_debug_search_free)

#endif
