/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REAL_DIR_H
#define REAL_DIR_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h> /* of the FUSE_USE_VERSION of who includes this */

/* What file systems for tests share: all but what they are for is as it is in a real directory. */

static inline const char *real_dir_below(const char *path)
{
	return path[1] ? path + 1 : ".";
}

/* What is in @path, below the directory @dirfd. Return: 0; negative errno. */
static inline int real_dir_list(int dirfd, const char *path, void *list, fuse_fill_dir_t fill)
{
	int fd = openat(dirfd, real_dir_below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		(void)fill(list, entry->d_name, NULL, 0, 0);
	(void)closedir(dir);
	return 0;
}

#endif
