/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_SURVEY_H
#define KMEMTAPE_SURVEY_H

#include "kmemtape/err.h"
#include "kmemtape/tape.h"

/* What is in the files of a tape, and whether it is as it was written. */
struct kmt_survey_file {
	uint32_t cpu;
	uint64_t chunks, marks;
	uint64_t raw_bytes, zstd_bytes;
	uint64_t drained_ns;	/* trace clock up to which the CPU is known; 0 unknown */
	uint64_t problems;	/* damaged chunks and sub-buffers, and 1 if it is cut */
	struct kmt_err problem; /* the first of them */
	/* Only if the data was looked at, not just the headers */
	uint64_t events, losses, lost;
};

/**
 * kmt_survey() - look at the CPU files of a tape
 * @is_deep: decompress and decode all of it, so that every checksum is checked
 * @ret_files: one for each of tape->cpus, in their order; on the heap
 *
 * Return: 0, whatever was found; negative errno if the looking failed.
 */
int kmt_survey(struct kmt_tape *tape, bool is_deep, struct kmt_survey_file **ret_files,
	       struct kmt_err *err);

#endif
