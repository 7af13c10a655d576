// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stale.h"
#include "tracefs-dir.h"

static bool is_our_kind(long pid)
{
	char path[64], theirs[64], ours[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	if (kmt_tracefs_read(AT_FDCWD, path, theirs, sizeof(theirs)) < 0)
		return false;
	if (kmt_tracefs_read(AT_FDCWD, "/proc/self/comm", ours, sizeof(ours)) < 0)
		return true;
	return strcmp(theirs, ours) == 0;
}

bool kmt_is_stale(const char *name, const char *prefix)
{
	char *end;
	long pid;

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return false;
	pid = strtol(name + strlen(prefix), &end, 10);
	if (pid <= 0 || *end)
		return false;
	return pid == getpid() || !is_our_kind(pid);
}
