/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DECODE_DEBUG_FUNCTIONS_H
#define KMT_DECODE_DEBUG_FUNCTIONS_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/lines.h"

/* The functions of an ELF file, by name. Static ones of different files may have the same. */
struct kmt_debug_functions;

#define KMT_DEBUG_NAMESAKES_MAX 64u /* the most of a distribution's kernel are about 40 */

/* Return: 0, also if it has no symbols; -ENOMEM. */
int kmt_debug_functions_new(Dwfl_Module *module, struct kmt_debug_functions **ret_functions);
struct kmt_debug_functions *kmt_debug_functions_free(struct kmt_debug_functions *functions);

/**
 * kmt_debug_functions_find() - where the functions are that a place may be in
 * @is_same_build: else the size has to be right, too
 * @ret_starts: their addresses in @module
 *
 * Return: how many; 0 if none can be, or more than KMT_DEBUG_NAMESAKES_MAX.
 */
size_t kmt_debug_functions_find(const struct kmt_debug_functions *functions,
				const struct kmt_lines_place *place, bool is_same_build,
				uint64_t ret_starts[KMT_DEBUG_NAMESAKES_MAX]);

KMT_DEFINE_FREEP(struct kmt_debug_functions *, kmt_debug_functions_free)

#endif
