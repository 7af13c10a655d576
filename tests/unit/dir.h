/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_DIR_H
#define KMT_TESTS_DIR_H

#include <fcntl.h>
#include <stdio.h>

#include "kmemtape/cleanup.h"

#include "check.h"

/* A directory of our own: KMT_CLEANUP(leave_dir) struct dir dir = enter_dir(); */
struct dir {
	char path[64];
	int fd;
};

static inline void leave_dir(struct dir *dir)
{
	char command[128];

	kmt_close_fd(&dir->fd);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir->path);
	(void)!system(command);
}

static inline struct dir enter_dir(void)
{
	struct dir dir = { "/tmp/kmt-unit-XXXXXX", -1 };

	CHECK(mkdtemp(dir.path));
	dir.fd = open(dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(dir.fd >= 0);
	return dir;
}

#endif
