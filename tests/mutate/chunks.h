/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_MUTATE_CHUNKS_H
#define KMT_TESTS_MUTATE_CHUNKS_H

#include <stdbool.h>

#include "files.h"

/*
 * Changes within a chunk file whose headers and checksums are right again afterwards, so that they
 * get to where the data is read. Each says in @what what it did, and returns false if @file is not
 * made of chunks (any more), or has none.
 */
#define WHAT_BYTES 256

/* Of the data: bytes, or whole units (sub-buffers) and lines. */
bool chunks_change_data(struct file *file, uint64_t *state, char what[WHAT_BYTES]);

/* A field of a header, whose checksum is right again. */
bool chunks_change_header(struct file *file, uint64_t *state, char what[WHAT_BYTES]);

/* Nothing but less: the end is missing, from anywhere or from a chunk on. */
bool chunks_cut(struct file *file, uint64_t *state, char what[WHAT_BYTES]);

#endif
