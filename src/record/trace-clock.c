// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "trace-clock.h"
#include "tracefs-dir.h"

#define STATS_BYTES 1024		/* nine lines */
#define NOTICED_NS  UINT64_C(100000000) /* more than two readings differ by when we have to wait */

/* "local" is left out on purpose: it differs between CPUs, which invents leaks. */
static const struct kmt_trace_clock clocks[] = {
	{ "mono", CLOCK_MONOTONIC, false, -1 },
	{ "boot", CLOCK_BOOTTIME, false, -1 },
	{ "global", CLOCK_MONOTONIC, true, -1 },
};

int kmt_trace_clock_choose(int instance_fd, struct kmt_trace_clock *ret_clock, struct kmt_err *err)
{
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		int r = kmt_tracefs_write(instance_fd, "trace_clock", clocks[i].name);

		if (r == -EINVAL)
			continue; /* this kernel doesn't have it */
		if (r < 0)
			return kmt_tracefs_fail(err, r, "trace_clock");
		*ret_clock = clocks[i];
		ret_clock->instance_fd = instance_fd;
		return 0;
	}
	return kmt_fail(err, -ENOTSUP, "trace_clock: this kernel has none of mono, boot, global");
}

static uint64_t now_in_stats(int instance_fd)
{
	unsigned long long s, us;
	char text[STATS_BYTES];
	const char *line;

	if (kmt_tracefs_read(instance_fd, "per_cpu/cpu0/stats", text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "now ts:");
	if (!line || sscanf(line, "now ts: %llu.%6llu", &s, &us) != 2)
		return 0;
	return s * UINT64_C(1000000000) + us * 1000;
}

uint64_t kmt_trace_clock_now(const struct kmt_trace_clock *clock)
{
	struct timespec ts;

	if (clock->is_in_stats)
		return now_in_stats(clock->instance_fd);
	if (clock_gettime(clock->id, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

int64_t kmt_trace_clock_wall_offset(const struct kmt_trace_clock *clock)
{
	uint64_t now_ns = kmt_trace_clock_now(clock);
	struct timespec wall;

	if (!now_ns || clock_gettime(CLOCK_REALTIME, &wall) < 0)
		return 0;
	return (int64_t)wall.tv_sec * INT64_C(1000000000) + wall.tv_nsec - (int64_t)now_ns;
}

static uint64_t ns_of(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

uint64_t kmt_trace_clock_suspended_ns(void)
{
	uint64_t mono_ns = ns_of(CLOCK_MONOTONIC), boot_ns = ns_of(CLOCK_BOOTTIME);

	return boot_ns > mono_ns ? boot_ns - mono_ns : 0;
}

/* Both clocks are read one after the other, and we may have to wait in between: the first time,
 * too. */
uint64_t kmt_trace_clock_suspended_between(uint64_t before_ns, uint64_t after_ns)
{
	return after_ns > before_ns && after_ns - before_ns >= NOTICED_NS ? after_ns - before_ns
									  : 0;
}
