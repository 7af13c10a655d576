/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_BIG_LONG_FILE_H
#define KMEMTAPE_TOOLS_BIG_LONG_FILE_H

#include <sys/types.h>

#include "period.h"

/*
 * The file of a CPU that repeats, as long as one likes: its beginning is a real file, which has the
 * allocation of the live objects; the periods and the footer behind it are made when they are read.
 */
#define LONG_FILE_CHUNKS 8u /* a period */

struct long_file {
	unsigned int cpu;
	int begin_fd;
	uint64_t begin_bytes, begin_raw, begin_sequence; /* sequence: of the first chunk behind it */
	struct period_chunk chunks[LONG_FILE_CHUNKS];
	uint64_t chunk_at[LONG_FILE_CHUNKS + 1], chunk_raw[LONG_FILE_CHUNKS + 1]; /* in a period */
	uint64_t patched_to[LONG_FILE_CHUNKS]; /* which period each is of */
	uint64_t nr_periods, period_ns, end_ns;
};

/* @begin_rounds: that the real file has, a multiple of the period. @path: of it, opened here */
int long_file_init(struct long_file *file, struct rings *rings, const char *path, unsigned int cpu,
		   uint64_t begin_rounds, struct kmt_err *err);
void long_file_deinit(struct long_file *file);

uint64_t long_file_bytes(const struct long_file *file);

/* Return: bytes read, fewer at the end only; negative errno. */
ssize_t long_file_read(struct long_file *file, uint8_t *to, size_t size, uint64_t offset);

#endif
