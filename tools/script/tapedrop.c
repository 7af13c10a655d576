// SPDX-License-Identifier: GPL-2.0-only
/*
 * tapedrop: the same tape with some of its sub-buffers missing, as if the recorder had been too
 * slow. To have enough of them to choose from, also in a short tape, they are first made small.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/fs.h"
#include "kmemtape/tape.h"
#include "kmemtape/units.h"

#include "drop.h"
#include "formats-dir.h"

#define FILE_BYTES_MAX	 (256u << 20)
#define SUBBUF_BYTES_MIN 4096u

struct options {
	uint64_t percent, seed, subbuf_bytes;
	bool is_stored;
	const char *from, *to;
};

struct tapedrop {
	const struct options *options;
	struct kmt_tape *tape;
	struct formats_dir *formats;
	struct ring_layout layout; /* of the new tape */
	struct drop_cpu *cpus;
	size_t nr_subbufs, nr_dropped;
	uint64_t nr_events;
};

/* splitmix64 (Steele, Lea, Flood 2014): the same tape for the same seed, everywhere. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Exactly so many of them, each choice as likely as any other: Knuth's algorithm S. At least one: a
 * tape without a loss would prove nothing. */
static void choose(struct tapedrop *drop)
{
	uint64_t random = drop->options->seed;
	size_t left, wanted, nr = drop->tape->nr_cpus;

	for (size_t i = 0; i < nr; i++)
		drop->nr_subbufs += drop_cpu_candidates(&drop->cpus[i]);
	left = drop->nr_subbufs;
	wanted = (size_t)((drop->nr_subbufs * drop->options->percent + 50) / 100);
	if (!wanted && drop->options->percent && left)
		wanted = 1;
	drop->nr_dropped = wanted;
	for (size_t i = 0; i < nr; i++) {
		for (size_t j = 0; j < drop_cpu_candidates(&drop->cpus[i]); j++) {
			if (next_random(&random) % left-- >= wanted)
				continue;
			drop->cpus[i].subbufs[j].is_dropped = true;
			wanted--;
		}
	}
}

static int read_cpus(struct tapedrop *drop, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	struct kmt_tape *tape = drop->tape;
	int r;

	r = kmt_chunk_scratch_new(&scratch, err);
	if (r < 0)
		return r;
	drop->cpus = calloc(tape->nr_cpus + 1, sizeof(drop->cpus[0]));
	if (!drop->cpus)
		return kmt_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < tape->nr_cpus; i++)
		drop_cpu_init(&drop->cpus[i], kmt_chunk_reader_cpu(tape->cpus[i]));
	for (size_t i = 0; i < tape->nr_cpus; i++) {
		struct dump_cpu lines;
		bool is_damaged;

		r = dump_cpu_init(&lines, tape->cpus[i], scratch, &drop->formats->layout,
				  tape->manifest.end_ns, err);
		if (r < 0)
			return r;
		r = drop_cpu_fill(&drop->cpus[i], &lines, &drop->layout);
		is_damaged = lines.is_damaged;
		dump_cpu_deinit(&lines);
		if (r < 0)
			return kmt_fail(err, r, "out of memory");
		if (is_damaged)
			return kmt_fail(err, -EBADMSG, "%s: is damaged", tape->path);
	}
	return 0;
}

/* "field: char data; offset:16; size:65520;": what decoders bind to. */
static int write_header_page(const struct tapedrop *drop, const char *text, int dirfd,
			     struct kmt_err *err)
{
	const char *data = strstr(text, "char data;");
	const char *size = data ? strstr(data, "size:") : NULL;
	KMT_CLEANUP(kmt_freep) char *changed = NULL;

	if (!size)
		return kmt_fail(err, -EBADMSG, "events/header_page: no field for the data");
	size += strlen("size:");
	if (asprintf(&changed, "%.*s%u%s", (int)(size - text), text,
		     drop->layout.subbuf_bytes - drop->layout.data_offset,
		     size + strspn(size, "0123456789")) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return kmt_tape_write_text(dirfd, "events/header_page", changed, strlen(changed), err);
}

/* @path: below the tape */
static int copy_file(const struct tapedrop *drop, const char *path, int dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int r;

	if (strncmp(path, "cpu/", strlen("cpu/")) == 0 || strcmp(path, "manifest.json") == 0)
		return 0; /* they are made anew */
	r = kmt_members_read(drop->tape->members, path, FILE_BYTES_MAX, &text, &bytes);
	if (r < 0)
		return kmt_fail(err, r, "%s: %s", path, kmt_members_strerror(r));
	if (strcmp(path, "events/header_page") == 0)
		return write_header_page(drop, text, dirfd, err);
	return kmt_tape_write_text(dirfd, path, text, bytes, err);
}

static int copy_files(const struct tapedrop *drop, int dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	int r = kmt_members_list(drop->tape->members, "", &paths, err);

	for (size_t i = 0; r == 0 && paths[i]; i++)
		r = copy_file(drop, paths[i], dirfd, err);
	return r;
}

static int write_tape(struct tapedrop *drop, struct kmt_err *err)
{
	struct kmt_manifest *manifest = &drop->tape->manifest;
	KMT_CLEANUP(kmt_close_fd) int dirfd = -1;
	int r;

	r = kmt_tape_create(drop->options->to, &dirfd, err);
	if (r < 0)
		return r;
	r = copy_files(drop, dirfd, err);
	for (size_t i = 0; r == 0 && i < drop->tape->nr_cpus; i++)
		r = spool_write(&drop->cpus[i].spool, &drop->layout, dirfd, manifest->is_closed,
				manifest->end_ns, err);
	manifest->subbuf_bytes = drop->layout.subbuf_bytes;
	return r < 0 ? r : kmt_manifest_write(manifest, dirfd, err);
}

static int open_tape(struct tapedrop *drop, struct kmt_err *err)
{
	const struct options *options = drop->options;
	char events[PATH_MAX];
	int r;

	r = kmt_tape_open(options->from, &drop->tape, err);
	if (r < 0)
		return r;
	(void)snprintf(events, sizeof(events), "%s/events", options->from);
	r = formats_dir_load(events, drop->tape->manifest.is_big_endian,
			     drop->tape->manifest.long_bytes, FORMATS_ALL, &drop->formats, err);
	if (r < 0)
		return r;
	drop->layout = drop->formats->layout;
	if (options->subbuf_bytes && options->subbuf_bytes < drop->layout.subbuf_bytes)
		drop->layout.subbuf_bytes = (unsigned int)options->subbuf_bytes;
	return 0;
}

static int run(struct tapedrop *drop, struct kmt_err *err)
{
	int r;

	r = open_tape(drop, err);
	if (r < 0)
		return r;
	r = read_cpus(drop, err);
	if (r < 0)
		return r;
	choose(drop);
	for (size_t i = 0; i < drop->tape->nr_cpus; i++)
		drop->nr_events +=
			drop_cpu_apply(&drop->cpus[i], &drop->layout, drop->options->is_stored);
	return write_tape(drop, err);
}

static void tapedrop_deinit(struct tapedrop *drop)
{
	for (size_t i = 0; drop->cpus && i < drop->tape->nr_cpus; i++)
		drop_cpu_deinit(&drop->cpus[i]);
	free(drop->cpus);
	(void)formats_dir_free(drop->formats);
	(void)kmt_tape_free(drop->tape);
}

static void usage(FILE *out)
{
	(void)fputs(
		"usage: tapedrop --percent P [OPTION...] TAPE NEW\n"
		"Make a tape with P % of the sub-buffers missing, at random, and at least one.\n"
		"  --seed N        which ones [1]\n"
		"  --subbuf BYTES  first make them so small: 4096 or more [as they are]\n"
		"  --stored        say how many events are missing, as newer kernels do\n",
		out);
}

static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n < min || n > max) {
		(void)fprintf(stderr,
			      "tapedrop: '%s' is no number from %" PRIu64 " to %" PRIu64 "\n", text,
			      min, max);
		return false;
	}
	*ret = n;
	return true;
}

/* Return: 0; 1 when help was wanted; -EINVAL. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option names[] = { { "percent", required_argument, NULL, 'p' },
					       { "seed", required_argument, NULL, 's' },
					       { "subbuf", required_argument, NULL, 'b' },
					       { "stored", no_argument, NULL, 'c' },
					       { "help", no_argument, NULL, 'h' },
					       { 0 } };
	bool has_percent = false, is_good = true;
	int c;

	while (is_good && (c = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (c == 'p')
			is_good = has_percent = parse_number(optarg, 0, 100, &options->percent);
		else if (c == 's')
			is_good = parse_number(optarg, 0, UINT64_MAX, &options->seed);
		else if (c == 'b')
			is_good = parse_number(optarg, SUBBUF_BYTES_MIN, UINT32_MAX,
					       &options->subbuf_bytes);
		else if (c == 'c')
			options->is_stored = true;
		else if (c == 'h')
			return 1;
		else
			is_good = false;
	}
	if (!is_good || !has_percent || optind + 2 != argc)
		return -EINVAL;
	options->from = argv[optind];
	options->to = argv[optind + 1];
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { .seed = 1 };
	struct tapedrop drop = { .options = &options };
	struct kmt_err err = { "" };
	int r = parse(argc, argv, &options);

	if (r != 0) {
		usage(r < 0 ? stderr : stdout);
		return r < 0 ? 2 : 0;
	}
	r = run(&drop, &err);
	if (r < 0)
		(void)fprintf(stderr, "tapedrop: %s\n", err.text);
	else
		(void)printf("dropped %zu of %zu sub-buffers, %" PRIu64 " events\n",
			     drop.nr_dropped, drop.nr_subbufs, drop.nr_events);
	tapedrop_deinit(&drop);
	return r < 0 ? 1 : 0;
}
