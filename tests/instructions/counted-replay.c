// SPDX-License-Identifier: GPL-2.0-only
/*
 * counted-replay TAPE THREADS: a replay as the program does it, but with the same hash seed each
 * time, so that the same tape takes the same instructions. No report is written; it says how many
 * allocations and frees there were.
 */
#include <inttypes.h>
#include <stdio.h>

#include "kmemtape/replay.h"
#include "kmemtape/units.h"

#define THREADS_MAX 64

static int count(const char *path, unsigned int nr_threads, struct kmt_err *err)
{
	static const uint64_t seed = 0x6b6d656d74617065;
	struct kmt_replay_options options = {
		.grace_ns = KMT_GRACE_NS,
		.nr_threads = nr_threads,
		.fixed_hash_seed = &seed,
	};
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = NULL;
	int r = kmt_tape_open(path, &tape, err);

	if (r == 0)
		r = kmt_replay(tape, &options, &result, err);
	if (r == 0)
		printf("%" PRIu64 "\n", result->totals.allocs + result->totals.frees);
	return r;
}

int main(int argc, char **argv)
{
	struct kmt_err err;
	uint64_t nr_threads;

	if (argc != 3 || kmt_parse_uint(argv[2], &nr_threads) < 0 || nr_threads > THREADS_MAX) {
		fprintf(stderr, "usage: counted-replay TAPE THREADS\n");
		return 2;
	}
	if (count(argv[1], (unsigned int)nr_threads, &err) < 0) {
		fprintf(stderr, "counted-replay: %s\n", err.text);
		return 1;
	}
	return 0;
}
