/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_MUTATE_LINES_H
#define KMT_TESTS_MUTATE_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "chunks.h"

/* lines_change() - a line or a word of a text on the heap: another, none, often, or a strange one
 */
void lines_change(uint8_t **text, size_t *bytes, uint64_t *state, char what[WHAT_BYTES]);

#endif
