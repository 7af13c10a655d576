// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu-stats.h"
#include "tracefs-dir.h"

/* @name is at the start of a line: "overrun" is also the end of "commit overrun". */
static uint64_t field(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			return strtoull(line + length + 1, NULL, 10);
	}
	return 0;
}

int kmt_cpu_stats_read(int instance_fd, uint32_t cpu, struct kmt_cpu_stats *ret_stats,
		       uint64_t *ret_waiting)
{
	char path[48], text[1024];
	int r;

	(void)snprintf(path, sizeof(path), "per_cpu/cpu%u/stats", cpu);
	r = kmt_tracefs_read(instance_fd, path, text, sizeof(text));
	if (r < 0)
		return r;
	*ret_stats = (struct kmt_cpu_stats){
		.cpu = cpu,
		.overrun = field(text, "overrun"),
		.commit_overrun = field(text, "commit overrun"),
		.dropped = field(text, "dropped events"),
		.read = field(text, "read events"),
	};
	if (ret_waiting)
		*ret_waiting = field(text, "bytes");
	return 0;
}

struct kmt_cpu_stats kmt_cpu_stats_since(const struct kmt_cpu_stats *start,
					 const struct kmt_cpu_stats *end)
{
	return (struct kmt_cpu_stats){
		.cpu = end->cpu,
		.overrun = end->overrun - start->overrun,
		.commit_overrun = end->commit_overrun - start->commit_overrun,
		.dropped = end->dropped - start->dropped,
		.read = end->read - start->read,
	};
}
