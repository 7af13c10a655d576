/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_BIG_CPU_FILE_H
#define KMEMTAPE_TOOLS_BIG_CPU_FILE_H

#include "kmemtape/chunk.h"

#include "rings.h"

/* The rounds 0..@nr_rounds-1 of a CPU into its file, which has no footer yet. */
int cpu_file_write(struct rings *rings, int dirfd, unsigned int cpu, uint64_t nr_rounds,
		   struct kmt_chunk_writer **ret_writer, struct kmt_err *err);

#endif
