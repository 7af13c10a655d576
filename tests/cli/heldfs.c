// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slow disk that is as slow as a test wants: a file system that shows a directory, to be read
 * only. Whoever reads what is in the middle of a file that matches GLOB waits until there is a file
 * GO, or until a signal ends the wait. So what reads takes as long as it should, on any machine.
 *
 * Usage: heldfs DIRECTORY MOUNT GLOB GO; end with `umount MOUNT`.
 */
#define FUSE_USE_VERSION 35

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "real-dir.h"

#define POLL_US 5000
/* That wait at once. Before 3.12, libfuse has no limit. */
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 12)
#define OPTIONS "ro,fsname=heldfs,max_threads=100"
#else
#define OPTIONS "ro,fsname=heldfs"
#endif

static int directory_fd;
static const char *held, *go;

/* Return: 0; -EINTR if whoever reads doesn't want to any longer. */
static int wait_for_go(void)
{
	while (access(go, F_OK) < 0) {
		if (fuse_interrupted())
			return -EINTR;
		(void)usleep(POLL_US);
	}
	return 0;
}

static int do_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
	(void)info;
	return fstatat(directory_fd, real_dir_below(path), st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno
											: 0;
}

static int do_open(const char *path, struct fuse_file_info *info)
{
	int fd = openat(directory_fd, real_dir_below(path), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	info->fh = (uint64_t)fd;
	info->direct_io = 1; /* the kernel doesn't read what nobody asked for */
	return 0;
}

static int do_read(const char *path, char *bytes, size_t size, off_t at,
		   struct fuse_file_info *info)
{
	struct stat st;
	ssize_t n;

	if (fstat((int)info->fh, &st) < 0)
		return -errno;
	if (at <= st.st_size / 2 && at + (off_t)size > st.st_size / 2 &&
	    fnmatch(held, real_dir_below(path), FNM_EXTMATCH) == 0) {
		int r = wait_for_go();

		if (r < 0)
			return r;
	}
	n = pread((int)info->fh, bytes, size, at);
	return n < 0 ? -errno : (int)n;
}

static int do_release(const char *path, struct fuse_file_info *info)
{
	(void)path;
	(void)close((int)info->fh);
	return 0;
}

static int do_readdir(const char *path, void *list, fuse_fill_dir_t fill, off_t at,
		      struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	(void)at;
	(void)info;
	(void)flags;
	return real_dir_list(directory_fd, path, list, fill);
}

static const struct fuse_operations operations = {
	.getattr = do_getattr,
	.open = do_open,
	.read = do_read,
	.release = do_release,
	.readdir = do_readdir,
};

int main(int argc, char **argv)
{
	char *arguments[] = { argv[0], (char[]){ "-o" }, (char[]){ OPTIONS }, NULL, NULL };

	if (argc != 5) {
		fputs("usage: heldfs DIRECTORY MOUNT GLOB GO\n", stderr);
		return 2;
	}
	directory_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0) {
		perror(argv[1]);
		return 1;
	}
	held = argv[3];
	go = argv[4]; /* not relative: it works in / */
	arguments[3] = argv[2];
	return fuse_main(4, arguments, &operations, NULL);
}
