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

void kmt_cpu_counts_init(struct kmt_cpu_counts *counts, const struct kmt_cpu_stats *now)
{
	*counts = (struct kmt_cpu_counts){ .last = *now, .total.cpu = now->cpu };
}

static bool follow(uint64_t *total, uint64_t *last, uint64_t now)
{
	bool has_grown = now >= *last;

	*total += has_grown ? now - *last : now;
	*last = now;
	return has_grown;
}

bool kmt_cpu_counts_follow(struct kmt_cpu_counts *counts, const struct kmt_cpu_stats *now)
{
	struct kmt_cpu_stats *total = &counts->total, *last = &counts->last;
	bool is_good = follow(&total->overrun, &last->overrun, now->overrun);

	is_good &= follow(&total->commit_overrun, &last->commit_overrun, now->commit_overrun);
	is_good &= follow(&total->dropped, &last->dropped, now->dropped);
	is_good &= follow(&total->read, &last->read, now->read);
	return is_good;
}
