// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "cpu-list.h"
#include "tracefs-dir.h"

#define LIST_BYTES 4096 /* a sysfs file is at most a page */

bool kmt_cpu_list_has(const struct kmt_cpu_list *list, uint32_t cpu)
{
	return cpu < KMT_CPUS_MAX && list->bits[cpu / 8] >> cpu % 8 & 1;
}

static void add(struct kmt_cpu_list *list, uint32_t cpu)
{
	if (!kmt_cpu_list_has(list, cpu))
		list->nr++;
	list->bits[cpu / 8] |= (uint8_t)(1u << cpu % 8);
}

int kmt_cpu_list_parse(const char *text, struct kmt_cpu_list *ret_list)
{
	struct kmt_cpu_list list = { .nr = 0 };
	const char *p = text;

	do {
		unsigned long first, last;
		char *end;

		if (!isdigit((unsigned char)*p))
			return -EINVAL;
		first = last = strtoul(p, &end, 10);
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return -EINVAL;
			last = strtoul(end + 1, &end, 10);
		}
		if (last < first)
			return -EINVAL;
		if (last >= KMT_CPUS_MAX)
			return -ERANGE;
		for (; first <= last; first++)
			add(&list, (uint32_t)first);
		p = end;
	} while (*p++ == ',');
	if (p[-1] != '\0' && p[-1] != '\n')
		return -EINVAL;
	*ret_list = list;
	return 0;
}

static int read_list(const char *path, struct kmt_cpu_list *ret_list)
{
	char text[LIST_BYTES];
	int r;

	r = kmt_tracefs_read(AT_FDCWD, path, text, sizeof(text));
	if (r < 0)
		return r;
	return kmt_cpu_list_parse(text, ret_list);
}

int kmt_cpu_list_online(struct kmt_cpu_list *ret_list)
{
	return read_list("/sys/devices/system/cpu/online", ret_list);
}

int kmt_cpu_list_possible(struct kmt_cpu_list *ret_list)
{
	return read_list("/sys/devices/system/cpu/possible", ret_list);
}
