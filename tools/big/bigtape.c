// SPDX-License-Identifier: GPL-2.0-only
/* bigtape: make a tape of a simulated machine (load.h) of any size. The same bytes each time. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/tape.h"

#include "cpu-file.h"
#include "options.h"
#include "texts.h"

#define THREADS_MAX 16

struct bigtape {
	const struct load *load;
	const struct ring_layout *layout;
	struct records records;
	int dirfd;
	_Atomic unsigned int next_cpu;
};

struct worker {
	struct bigtape *big;
	pthread_t thread;
	int result;
	struct kmt_err err;
};

static int write_cpu(struct bigtape *big, struct rings *rings, unsigned int cpu,
		     struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	int r = cpu_file_write(rings, big->dirfd, cpu, big->load->nr_rounds, &writer, err);

	return r < 0 ? r : kmt_chunk_writer_finish(writer, load_end_ns(big->load), err);
}

static int write_cpus(struct bigtape *big, struct kmt_err *err)
{
	KMT_CLEANUP(rings_deinit) struct rings rings = { 0 };
	int r = rings_init(&rings, big->load, big->layout, &big->records, err);

	while (r == 0) {
		unsigned int cpu = big->next_cpu++;

		if (cpu >= big->load->nr_cpus)
			break;
		r = write_cpu(big, &rings, cpu, err);
	}
	return r;
}

static void *work(void *context)
{
	struct worker *worker = context;

	worker->result = write_cpus(worker->big, &worker->err);
	return NULL;
}

static int write_in_parallel(struct bigtape *big, struct kmt_err *err)
{
	struct worker workers[THREADS_MAX];
	long nr = sysconf(_SC_NPROCESSORS_ONLN), started = 0;
	int r = 0;

	for (; started < nr && started < THREADS_MAX; started++) {
		workers[started] = (struct worker){ .big = big };
		if (pthread_create(&workers[started].thread, NULL, work, &workers[started]))
			break;
	}
	if (started == 0)
		return kmt_fail(err, -EAGAIN, "cannot start a thread");
	for (long i = 0; i < started; i++) {
		(void)pthread_join(workers[i].thread, NULL);
		if (r == 0 && workers[i].result < 0) {
			r = workers[i].result;
			*err = workers[i].err;
		}
	}
	return r;
}

static int make(const struct options *options, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(formats_dir_freep) struct formats_dir *formats = NULL;
	KMT_CLEANUP(kmt_close_fd) int dirfd = -1;
	struct bigtape big = { .load = &options->load };
	int r;

	r = formats_dir_load(options->formats, false, 8, 0, &formats, err);
	if (r == 0)
		r = records_init(&big.records, formats, err);
	if (r == 0)
		r = kmt_tape_create(path, &dirfd, err);
	if (r < 0)
		return r;
	big.layout = &formats->layout;
	big.dirfd = dirfd;
	r = write_in_parallel(&big, err);
	return r < 0 ? r : texts_write(&options->load, formats, dirfd, err);
}

static void usage(FILE *out)
{
	(void)fputs("usage: bigtape [OPTION...] TAPE\n"
		    "Make a tape of a simulated machine: a new directory.\n" OPTIONS_HELP
		    "  --repeat        the same events as bigtapefs shows\n",
		    out);
}

int main(int argc, char **argv)
{
	struct kmt_err err = { "" };
	struct options options = { 0 };
	int first;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	first = options_parse(argc, argv, &options);
	if (first < 0 || argc - first != 1) {
		usage(stderr);
		return 2;
	}
	if (make(&options, argv[first], &err) < 0) {
		fprintf(stderr, "bigtape: %s\n", err.text);
		return 1;
	}
	return 0;
}
