/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_CHUNK_FILE_H
#define KMT_TESTS_CHUNK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A chunk file in memory, whose headers and checksums are right whatever its data is: what is wrong
 * with the data gets past them.
 */
struct chunk_file {
	uint8_t *bytes; /* on the heap, of whoever made it */
	size_t size;
	uint32_t cpu, unit_bytes;
	uint64_t sequence, raw_total;
};

/* Its head. */
void chunk_file_init(struct chunk_file *file, uint32_t cpu, uint32_t unit_bytes);

/* A chunk of @raw, or a mark if there is no data. */
void chunk_file_add(struct chunk_file *file, const void *raw, size_t raw_bytes,
		    uint64_t drained_ns);

void chunk_file_close(struct chunk_file *file);

#endif
