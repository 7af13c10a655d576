// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"

#include "output.h"
#include "scratch.h"

#define FILE_MODE 0666 /* less the umask */
#define MODE_BITS 0777

static bool is_stdout(const char *output)
{
	return !output || strcmp(output, "-") == 0;
}

static int open_file(const char *path, int flags, const char *output, FILE **ret_file,
		     struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC | flags, FILE_MODE);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		return kmt_fail(err, -errno, "%s: %s", output, strerror(errno));
	(void)KMT_STEAL_FD(fd);
	*ret_file = file;
	return 0;
}

static bool is_same(const char *path, const struct stat *st)
{
	struct stat other;

	return stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* As /dev/stdout is: what the shell has opened, maybe to go on behind what is there. */
static bool leads_to_stdout(const struct stat *st)
{
	struct stat other;

	return fstat(STDOUT_FILENO, &other) == 0 && other.st_dev == st->st_dev &&
	       other.st_ino == st->st_ino;
}

bool kmt_output_is(const char *path, const char *output)
{
	struct stat st;

	return !is_stdout(output) && stat(output, &st) == 0 && is_same(path, &st);
}

int kmt_output_open(const struct kmt_command *command, const char *path, const char *output,
		    FILE **ret_file, struct kmt_err *err)
{
	char target[PATH_MAX], directory[PATH_MAX], product[PATH_MAX + 8];
	struct stat st;
	bool is_there;
	int r;

	*ret_file = stdout;
	if (is_stdout(output))
		return 0;
	is_there = stat(output, &st) == 0;
	if (is_there && is_same(path, &st))
		return kmt_fail(err, -EINVAL, "%s: would take the place of what is read", output);
	if (is_there && leads_to_stdout(&st))
		return 0;
	if (is_there && !S_ISREG(st.st_mode))
		return open_file(output, 0, output, ret_file, err);
	/* What a link leads to is replaced, not the link. */
	if (!is_there || !realpath(output, target))
		r = snprintf(target, sizeof(target), "%s", output) < PATH_MAX ? 0 : -ENAMETOOLONG;
	else
		r = 0;
	if (r < 0)
		return kmt_fail(err, r, "%.100s: %s", output, strerror(-r));
	r = kmt_scratch_replace(command, path, target, directory, err);
	if (r < 0)
		return r;
	(void)snprintf(product, sizeof(product), "%s/" KMT_SCRATCH_PRODUCT, directory);
	r = open_file(product, O_CREAT | O_EXCL, output, ret_file, err);
	if (r == 0 && is_there && fchmod(fileno(*ret_file), st.st_mode & MODE_BITS) < 0)
		r = kmt_fail(err, -errno, "%s: %s", output, strerror(errno));
	return r;
}

int kmt_output_close(FILE **file, const char *output, struct kmt_err *err)
{
	FILE *closed = KMT_STEAL(*file);
	int r = 0;

	if (closed == stdout)
		return 0; /* whoever ends the process looks at it */
	if (ferror(closed) || fflush(closed) != 0)
		r = errno ? -errno : -EIO;
	if (fclose(closed) != 0 && r == 0)
		r = -errno;
	return r < 0 ? kmt_fail(err, r, "%s: %s", output, strerror(-r)) : 0;
}
