/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_MUTATE_JSON_H
#define KMT_TESTS_MUTATE_JSON_H

#include <stdbool.h>

#include "chunks.h"

/* json_change() - one value of a JSON file: another, of another type, missing, or more of it.
 * Return: false if it isn't JSON (any more) */
bool json_change(struct file *file, uint64_t *state, char what[WHAT_BYTES]);

#endif
