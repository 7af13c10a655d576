// SPDX-License-Identifier: GPL-2.0-only
/*
 * sampling: whether estimates are as good as they say. Each of many workloads is recorded in full,
 * and again and again with fewer addresses; what the full tape says is live has to lie within the
 * 95 % interval of the sample's estimate, for all together and for each row, on 95 % of the tapes
 * and for 95 % of the rows.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/fs.h"
#include "kmemtape/replay.h"

#include "../zoo/fatal.h"
#include "tape.h"

#define WANTED 0.95

/* Of what, and how often it was within its interval. */
enum { TOTAL_OBJECTS, TOTAL_BYTES, ROW_OBJECTS, ROW_BYTES, NR_THINGS };

struct tally {
	uint64_t sample;
	unsigned int nr[NR_THINGS], nr_within[NR_THINGS];
	double *widths[NR_THINGS]; /* interval / value, of what has a value */
	size_t nr_widths[NR_THINGS];
	double error; /* sum of estimate / value - 1, of all bytes */
};

static int replay(const char *path, struct kmt_result **ret_result, struct kmt_err *err)
{
	static const struct kmt_replay_options options = { .group = KMT_BY_SITE,
							   .grace_ns = KMT_GRACE_NS };
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	int r = kmt_tape_open(path, &tape, err);

	return r < 0 ? r : kmt_replay(tape, &options, ret_result, err);
}

static void count(struct tally *tally, unsigned int thing, uint64_t value, double low, double high)
{
	tally->nr[thing]++;
	if ((double)value >= low && (double)value <= high)
		tally->nr_within[thing]++;
	if (!value)
		return;
	tally->widths[thing] =
		zoo_realloc(tally->widths[thing], (tally->nr_widths[thing] + 1) * sizeof(double));
	tally->widths[thing][tally->nr_widths[thing]++] = (high - low) / (double)value;
}

static void compare_row(struct tally *tally, const struct kmt_result *full,
			const struct kmt_row *row)
{
	const struct kmt_site site = kmt_row_site(row);
	const struct kmt_row *truth = kmt_result_site(full, &site);
	const struct kmt_estimate *estimate = &row->estimate;

	if (!truth || !row->is_estimated) {
		tally->nr[ROW_OBJECTS]++; /* never so: it counts against it */
		return;
	}
	count(tally, ROW_OBJECTS, truth->live_objects, estimate->objects_low,
	      estimate->objects_high);
	count(tally, ROW_BYTES, truth->live_bytes, estimate->bytes_low, estimate->bytes_high);
}

static void compare(struct tally *tally, const struct kmt_result *full,
		    const struct kmt_result *sampled)
{
	const struct kmt_estimate *estimate = &sampled->spaces[KMT_SPACE_SLAB].estimate;

	count(tally, TOTAL_OBJECTS, full->totals.live, estimate->objects_low,
	      estimate->objects_high);
	count(tally, TOTAL_BYTES, full->live_bytes, estimate->bytes_low, estimate->bytes_high);
	if (full->live_bytes)
		tally->error += estimate->bytes / (double)full->live_bytes - 1;
	for (size_t i = 0; i < sampled->nr_rows; i++)
		compare_row(tally, full, &sampled->rows[i]);
}

/* The tape is not kept: there are hundreds. */
static int record(const char *dir, const struct formats_dir *formats,
		  const struct workload *workload, uint64_t sample, struct kmt_result **ret_result,
		  struct kmt_err *err)
{
	char path[PATH_MAX];
	int r;

	(void)snprintf(path, sizeof(path), "%s/tape", dir);
	r = tape_make(path, formats, workload, sample, err);
	if (r == 0)
		r = replay(path, ret_result, err);
	kmt_remove_tree(path, false);
	return r;
}

static int run_seed(const char *dir, const struct formats_dir *formats, uint64_t seed,
		    struct tally *tallies, size_t nr, struct kmt_err *err)
{
	KMT_CLEANUP(workload_deinit) struct workload workload;
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *full = NULL;
	int r;

	workload_make(&workload, seed);
	r = record(dir, formats, &workload, 1, &full, err);
	for (size_t i = 0; r == 0 && i < nr; i++) {
		KMT_CLEANUP(kmt_result_freep) struct kmt_result *sampled = NULL;

		r = record(dir, formats, &workload, tallies[i].sample, &sampled, err);
		if (r == 0)
			compare(&tallies[i], full, sampled);
	}
	return r;
}

static int compare_numbers(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *numbers, size_t nr)
{
	if (!nr)
		return 0;
	qsort(numbers, nr, sizeof(*numbers), compare_numbers);
	return numbers[nr / 2];
}

/* Return: false if fewer than 95 % of anything were within their interval. */
static bool print_tally(struct tally *tally)
{
	bool is_good = true;

	(void)printf("# 1/%-4" PRIu64, tally->sample);
	for (unsigned int i = 0; i < NR_THINGS; i++) {
		double share = tally->nr[i] ? (double)tally->nr_within[i] / tally->nr[i] : 0;

		(void)printf("  %5.1f %% of %5u  x%-5.2f", 100 * share, tally->nr[i],
			     median(tally->widths[i], tally->nr_widths[i]));
		free(tally->widths[i]);
		is_good &= share >= WANTED;
	}
	(void)printf("  %+.1f %%\n", 100 * tally->error / tally->nr[TOTAL_BYTES]);
	return is_good;
}

int main(int argc, char **argv)
{
	struct tally tallies[] = { { .sample = 8 }, { .sample = 16 }, { .sample = 64 } };
	const size_t nr = sizeof(tallies) / sizeof(tallies[0]);
	KMT_CLEANUP(formats_dir_freep) struct formats_dir *formats = NULL;
	unsigned long nr_seeds = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	struct kmt_err err = { "" };
	bool is_good = true;
	int r;

	if (nr_seeds == 0) {
		(void)fputs("usage: sampling FORMATS DIR TAPES\n", stderr);
		return 2;
	}
	r = formats_dir_load(argv[1], false, 8, 0, &formats, &err);
	for (unsigned long seed = 1; r == 0 && seed <= nr_seeds; seed++)
		r = run_seed(argv[2], formats, seed, tallies, nr, &err);
	if (r < 0) {
		(void)fprintf(stderr, "sampling: %s\n", err.text);
		return 1;
	}
	(void)puts("# within the 95 % interval, and its width, median, as a multiple of the truth\n"
		   "#          all objects              all bytes                rows' objects"
		   "            rows' bytes              mean error of all bytes");
	for (size_t i = 0; i < nr; i++)
		is_good &= print_tally(&tallies[i]);
	return is_good ? 0 : 1;
}
