// SPDX-License-Identifier: GPL-2.0-only
/*
 * bigtapefs: a file system that shows a tape of a simulated machine (load.h) as long as one likes:
 * ten billion events fit on no disk. Its CPU files are made when they are read (long-file.h); the
 * rest is a real directory.
 */
#define FUSE_USE_VERSION 35

#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/tape.h"

#include "cpu-file.h"
#include "long-file.h"
#include "options.h"
#include "real-dir.h"
#include "texts.h"

static int base_fd;
static struct long_file *files;
static unsigned int nr_files;

/* NULL: it is as it is in the base. */
static struct long_file *file_of(const char *path)
{
	char name[KMT_TAPE_CPU_PATH_BYTES];

	for (unsigned int i = 0; i < nr_files; i++) {
		kmt_tape_cpu_path(name, files[i].cpu);
		if (strcmp(real_dir_below(path), name) == 0)
			return &files[i];
	}
	return NULL;
}

static int do_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
	const struct long_file *file = file_of(path);

	(void)info;
	if (fstatat(base_fd, real_dir_below(path), st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (file) {
		st->st_size = (off_t)long_file_bytes(file);
		st->st_blocks = 0;
	}
	return 0;
}

static int do_open(const char *path, struct fuse_file_info *info)
{
	int fd;

	if ((info->flags & O_ACCMODE) != O_RDONLY)
		return -EROFS;
	if (file_of(path)) {
		info->direct_io = 1; /* nobody reads it twice */
		return 0;
	}
	fd = openat(base_fd, real_dir_below(path), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	info->fh = (uint64_t)fd;
	return 0;
}

static int do_read(const char *path, char *bytes, size_t size, off_t at,
		   struct fuse_file_info *info)
{
	struct long_file *file = file_of(path);
	ssize_t n;

	if (file)
		return (int)long_file_read(file, (uint8_t *)bytes, size, (uint64_t)at);
	n = pread((int)info->fh, bytes, size, at);
	return n < 0 ? -errno : (int)n;
}

static int do_release(const char *path, struct fuse_file_info *info)
{
	if (!file_of(path))
		(void)close((int)info->fh);
	return 0;
}

static int do_readdir(const char *path, void *list, fuse_fill_dir_t fill, off_t at,
		      struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	(void)at;
	(void)info;
	(void)flags;
	return real_dir_list(base_fd, path, list, fill);
}

static const struct fuse_operations operations = {
	.getattr = do_getattr,
	.open = do_open,
	.read = do_read,
	.release = do_release,
	.readdir = do_readdir,
};

/* The allocation of all that lives on, and as much as makes whole periods. */
static uint64_t begin_rounds(const struct load *load)
{
	uint64_t fill = load_fill_rounds(load);

	return (fill + OPTIONS_PERIOD_ROUNDS - 1) / OPTIONS_PERIOD_ROUNDS * OPTIONS_PERIOD_ROUNDS;
}

static int make_file(struct rings *rings, const char *base, unsigned int cpu, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	char path[PATH_MAX], name[KMT_TAPE_CPU_PATH_BYTES];
	uint64_t rounds = begin_rounds(rings->load);
	int r;

	r = cpu_file_write(rings, base_fd, cpu, rounds, &writer, err);
	if (r == 0 && kmt_chunk_writer_is_waiting(writer))
		r = kmt_chunk_writer_flush(writer, 0, err);
	kmt_tape_cpu_path(name, cpu);
	(void)snprintf(path, sizeof(path), "%s/%s", base, name);
	return r < 0 ? r : long_file_init(&files[cpu], rings, path, cpu, rounds, err);
}

static int make(const struct options *options, const char *base, struct kmt_err *err)
{
	KMT_CLEANUP(formats_dir_freep) struct formats_dir *formats = NULL;
	KMT_CLEANUP(rings_deinit) struct rings rings = { 0 };
	struct records records;
	int r;

	files = calloc(options->load.nr_cpus, sizeof(*files));
	if (!files)
		return kmt_fail(err, -ENOMEM, "out of memory");
	r = formats_dir_load(options->formats, false, 8, 0, &formats, err);
	if (r == 0)
		r = kmt_tape_create(base, &base_fd, err);
	if (r == 0)
		r = texts_write(&options->load, formats, base_fd, err);
	if (r == 0)
		r = records_init(&records, formats, err);
	if (r == 0)
		r = rings_init(&rings, &options->load, &formats->layout, &records, err);
	for (; r == 0 && nr_files < options->load.nr_cpus; nr_files++)
		r = make_file(&rings, base, nr_files, err);
	return r;
}

static void usage(FILE *out)
{
	(void)fputs(
		"usage: bigtapefs [OPTION...] BASE MOUNT\n"
		"Mount a tape of a simulated machine, of any length; end with `umount MOUNT`.\n"
		"BASE: a new directory, for the little of it that isn't made when it is read.\n" OPTIONS_HELP
		"CPUs: a power of 2; each takes 10 MiB of memory.\n",
		out);
}

int main(int argc, char **argv)
{
	struct options options = { .is_repeating = true };
	struct kmt_err err = { "" };
	char *arguments[] = { argv[0],
			      (char[]){ "-s" },
			      (char[]){ "-o" },
			      (char[]){ "ro,fsname=bigtapefs" },
			      NULL,
			      NULL };
	int first;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	first = options_parse(argc, argv, &options);
	if (first < 0 || argc - first != 2) {
		usage(stderr);
		return 2;
	}
	if (make(&options, argv[first], &err) < 0) {
		fprintf(stderr, "bigtapefs: %s\n", err.text);
		return 1;
	}
	arguments[4] = argv[first + 1];
	return fuse_main(5, arguments, &operations, NULL);
}
