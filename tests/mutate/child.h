/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_MUTATE_CHILD_H
#define KMT_TESTS_MUTATE_CHILD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Commands, each run in a child that may take no more than this. Time is that of the processor, so
 * that a busy machine makes no difference; who waits for something is found by the clock. Memory is
 * what was resident at most, with all that the sanitizers add.
 */
#define CHILD_CPU_S	 5
#define CHILD_WAIT_MS	 60000
#define CHILD_RSS_KIB	 (256L << 10)
#define CHILD_FILE_BYTES (64L << 20)

struct outcome {
	int exit_code;
	const char *problem; /* NULL: it ended by itself, in time, and with the memory it had */
	long rss_kib, cpu_ms;
	char *out, *err; /* on the heap, zero-terminated: what it printed */
	size_t out_bytes, err_bytes;
};

/* child_run() - a command of kmemtape, and look for memory that it lost if @finds_leaks; ends the
 * program if it can't be tried */
void child_run(const char *const *argv, bool finds_leaks, struct outcome *ret_outcome);
void outcome_deinit(struct outcome *outcome);

#endif
