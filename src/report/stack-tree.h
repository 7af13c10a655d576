/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_STACK_TREE_H
#define KMT_REPORT_STACK_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "kmemtape/result.h"

/**
 * kmt_stack_tree_print() - the stacks that lead to a call site, merged from there outward
 * @top: branches at most at each point; 0: all
 *
 * Return: 0 or -ENOMEM, with nothing printed.
 */
int kmt_stack_tree_print(const struct kmt_result *result, const struct kmt_site *site, uint64_t top,
			 bool is_utf8, FILE *file);

#endif
