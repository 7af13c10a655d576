// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kmemtape/fs.h"

#include "host.h"

#define FILE_BYTES_MAX (256u << 20) /* vmallocinfo of a machine with a million threads */
#define MODULES_MAX    16384u

void kmt_host_init(struct kmt_host *host)
{
	*host = (struct kmt_host){ .dying_cgroups = KMT_COUNTER_UNKNOWN };
}

void kmt_host_deinit(struct kmt_host *host)
{
	for (size_t i = 0; i < host->nr_readings; i++)
		kmt_counters_deinit(&host->readings[i]);
	free(host->modules);
	kmt_host_init(host);
}

/* Return: 0, -ENOMEM, or what says that it can't be read. */
static int add_file(struct kmt_counters *counters, int proc_fd, const char *path,
		    enum kmt_counter_file file, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int r;

	r = kmt_read_file(proc_fd, path, FILE_BYTES_MAX, &text, &bytes, err);
	return r < 0 ? r : kmt_counters_add(counters, file, text, bytes);
}

static int read_counters(struct kmt_counters *counters, int proc_fd, struct kmt_err *err)
{
	static const struct {
		const char *path;
		enum kmt_counter_file file;
	} others[] = {
		{ "slabinfo", KMT_COUNTERS_SLABINFO },
		{ "vmallocinfo", KMT_COUNTERS_VMALLOCINFO },
		{ "zoneinfo", KMT_COUNTERS_ZONEINFO },
	};
	int r;

	r = add_file(counters, proc_fd, "meminfo", KMT_COUNTERS_MEMINFO, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (add_file(counters, proc_fd, others[i].path, others[i].file, NULL) == -ENOMEM)
			return kmt_fail(err, -ENOMEM, "out of memory");
	if (kmt_counters_finish(counters) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	if (counters->mem[KMT_MEM_TOTAL] == KMT_COUNTER_UNKNOWN)
		return kmt_fail(err, -EBADMSG, "meminfo: it has no MemTotal");
	return 0;
}

int kmt_host_read(struct kmt_host *host, int proc_fd, struct kmt_err *err)
{
	struct kmt_counters counters;
	int r;

	kmt_counters_init(&counters);
	r = read_counters(&counters, proc_fd, err);
	if (r < 0) {
		kmt_counters_deinit(&counters);
		return r;
	}
	host->readings[host->nr_readings++] = counters;
	return 0;
}

/* "nvidia 34123456 12 nvidia_modeset, Live 0xffffffffc0a00000 (POE)" */
static bool read_module(const char *line, struct kmt_diagnosis_module *module)
{
	char rest[16] = "";

	*module = (struct kmt_diagnosis_module){ .bytes = 0 };
	if (sscanf(line, "%63s %19" SCNu64 " %*s %*s %*s %*s (%14[^)\n]", module->name,
		   &module->bytes, rest) < 2)
		return false;
	/* "+" and "-" tell that it is coming or going */
	(void)snprintf(module->taint, sizeof(module->taint), "%.*s", (int)strcspn(rest, "+-"),
		       rest);
	return true;
}

static int read_modules(struct kmt_host *host, const char *text)
{
	size_t nr = 0;

	for (const char *p = text; *p && nr < MODULES_MAX; p += strcspn(p, "\n"), p += *p == '\n')
		nr++;
	host->modules = calloc(nr ? nr : 1, sizeof(*host->modules));
	if (!host->modules)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		host->nr_modules += read_module(text, &host->modules[host->nr_modules]);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	host->has_modules = true;
	return 0;
}

/* Documentation/admin-guide/cgroup-v2.rst: nr_dying_descendants */
static void read_cgroups(struct kmt_host *host, int sys_fd)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	const char *line;

	if (sys_fd < 0 ||
	    kmt_read_file(sys_fd, "fs/cgroup/cgroup.stat", 65536, &text, NULL, NULL) < 0)
		return;
	line = strstr(text, "nr_dying_descendants ");
	if (!line || sscanf(line, "nr_dying_descendants %19" SCNu64, &host->dying_cgroups) != 1)
		host->dying_cgroups = KMT_COUNTER_UNKNOWN;
}

int kmt_host_read_once(struct kmt_host *host, int proc_fd, int sys_fd)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	read_cgroups(host, sys_fd);
	if (kmt_read_file(proc_fd, "modules", FILE_BYTES_MAX, &text, NULL, NULL) < 0)
		return 0; /* a kernel without modules has no such file */
	return read_modules(host, text);
}
