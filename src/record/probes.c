// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"
#include "note.h"
#include "privileges.h"
#include "probes.h"
#include "stale.h"
#include "tracefs-dir.h"

#define GROUP_PREFIX	 "kmemtape_" /* the kernel wants a C identifier */
#define GROUP_BYTES	 32
#define NAME_BYTES	 64
#define LINE_BYTES	 512
#define TEXT_BYTES_MAX	 (16u << 20) /* of kprobe_events: thousands of other people's probes */
#define README_BYTES_MAX (1u << 20)
#define BTF_BYTES_MAX	 (256u << 20) /* 5 MB are usual */
#define BTF_PATH	 "/sys/kernel/btf/vmlinux"
#define PROBES_MAX	 (6 + 2 * KMT_MANIFEST_PAIRS_MAX) /* free-probes.c, vmalloc-probes.c, pairs.c */

/*
 * A function may be in progress so often at once, and its return be seen: most that allocate may
 * sleep, each on behalf of a task of its own. The kernel's own idea is twice the number of CPUs, 10
 * at least. Each takes 100 bytes; the kernel counts what it missed.
 */
#define RETURNS_MAX 256u

/* Where the caller goes on, at the entry of a function. */
#if defined(__x86_64__) || defined(__i386__)
#define CALL_SITE "$stack0"
#elif defined(__aarch64__)
#define CALL_SITE "%lr"
#endif

struct probe {
	char name[NAME_BYTES];	    /* in the instance: "kmemtape_123/rcu_free" */
	char tape_name[NAME_BYTES]; /* "kmemtape/rcu_free" */
	enum kmt_event_role role;
};

struct kmt_probes {
	char tracing_path[PATH_MAX];
	int tracefs_fd; /* the same, should it be unmounted, or out of sight, under way */
	char group[GROUP_BYTES];
	struct kmt_probes_kernel kernel;
	bool takes_returns_max;
	char *btf;
	struct probe probes[PROBES_MAX];
	size_t nr;
};

const struct kmt_probes_kernel *kmt_probes_kernel(const struct kmt_probes *probes)
{
	return &probes->kernel;
}

/* One line for kprobe_events. It's appended: only O_TRUNC would remove what is there. */
static int command(int tracefs_fd, const char *line)
{
	return kmt_tracefs_write(tracefs_fd, "kprobe_events", line);
}

/* Not by tracefs_kretprobe_alloc(): with a number of returns, 1.6.4 makes "r256::" of it. */
int kmt_probes_create(struct kmt_probes *probes, const struct kmt_probe_spec *spec)
{
	struct probe *probe = &probes->probes[probes->nr];
	char line[LINE_BYTES], kind[16] = "p", call_site[32] = "";
	int r;

	assert(probes->nr < PROBES_MAX);
	if (spec->is_return) /* the kernel adds the caller by itself */
		(void)snprintf(kind, sizeof(kind), probes->takes_returns_max ? "r%u" : "r",
			       RETURNS_MAX);
#ifdef CALL_SITE
	else
		(void)snprintf(call_site, sizeof(call_site), "call_site=" CALL_SITE ":x%u ",
			       probes->kernel.bits);
#endif
	(void)snprintf(probe->name, sizeof(probe->name), "%s/%s", probes->group, spec->event);
	(void)snprintf(probe->tape_name, sizeof(probe->tape_name), "kmemtape/%s", spec->event);
	(void)snprintf(line, sizeof(line), "%s:%s %s %s%s\n", kind, probe->name, spec->function,
		       call_site, spec->args);
	r = command(probes->tracefs_fd, line);
	if (r < 0)
		return r;
	probe->role = spec->role;
	probes->nr++;
	return 0;
}

const char *kmt_probes_name(const struct kmt_probes *probes, const char *event)
{
	for (size_t i = 0; i < probes->nr; i++)
		if (strcmp(strchr(probes->probes[i].name, '/') + 1, event) == 0)
			return probes->probes[i].name;
	return NULL;
}

const char *kmt_probes_reason(int r)
{
	switch (r) {
	case -ENOENT:
		return "not in this kernel";
	case -EPERM:
	case -EACCES:
		return "probes are not permitted (lockdown?)";
	case -EINVAL:
		return "the kernel takes no probe there";
	default:
		return strerror(-r);
	}
}

void kmt_probes_add_to(const struct kmt_probes *probes, struct kmt_event_set *events)
{
	for (size_t i = 0; i < probes->nr; i++)
		kmt_event_set_add(events, probes->probes[i].name, probes->probes[i].tape_name,
				  probes->probes[i].role);
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

/*
 * "r256:kmemtape_123/pair_x_alloc x_alloc object=$retval": what is behind the colon.
 * libtracefs 1.6.4 does not see those with a number.
 */
static const char *name_of(const char *line)
{
	line += strspn(line, "pr0123456789");
	return *line == ':' ? line + 1 : "";
}

/*
 * A line of kprobe_profile has the event's name, and not its group's. It has a line for each line
 * of kprobe_events, which has both, in the same order.
 */
static bool find_counts(const char *events, const char *profile, const struct probe *probe,
			struct kmt_probe_stats *stats)
{
	const char *event = strchr(probe->name, '/') + 1;
	unsigned long long hits, missed;
	char name[NAME_BYTES];
	size_t bytes = strlen(probe->name);

	for (; *events && *profile; events = next_line(events), profile = next_line(profile)) {
		const char *full = name_of(events);

		if (strncmp(full, probe->name, bytes) != 0 || full[bytes] != ' ')
			continue;
		if (sscanf(profile, " %63s %llu %llu", name, &hits, &missed) != 3 ||
		    strcmp(name, event) != 0)
			return false; /* somebody makes or removes probes right now */
		stats->hits = hits;
		stats->missed = missed;
		return true;
	}
	return false;
}

int kmt_probes_count(const struct kmt_probes *probes, struct kmt_manifest *manifest,
		     uint64_t *ret_missed, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *events = NULL, *profile = NULL;
	int r;

	*ret_missed = 0;
	if (!probes->nr)
		return 0;
	r = kmt_privileges_read_file(probes->tracefs_fd, "kprobe_events", TEXT_BYTES_MAX, &events,
				     NULL, err);
	if (r < 0)
		return r;
	r = kmt_privileges_read_file(probes->tracefs_fd, "kprobe_profile", TEXT_BYTES_MAX, &profile,
				     NULL, err);
	for (size_t i = 0; r == 0 && i < probes->nr; i++) {
		struct kmt_probe_stats stats = { .hits = 0 };

		(void)snprintf(stats.event, sizeof(stats.event), "%s", probes->probes[i].tape_name);
		*strchr(stats.event, '/') = ':';
		if (!find_counts(events, profile, &probes->probes[i], &stats))
			return kmt_fail(err, -EPROTO, "kprobe_profile: not understood");
		*ret_missed += stats.missed;
		if (kmt_manifest_add_probe(manifest, &stats) < 0)
			r = kmt_fail(err, -ENOMEM, "manifest: out of memory");
	}
	return r;
}

/*
 * 696ced4fb1d7 (v4.12). A kernel before that overlooks the number together with the name behind it,
 * and makes "kprobes/r_FUNCTION_0", in the place of whoever has a probe of this name.
 */
static bool takes_returns_max(const char *tracing_path)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/README", tracing_path);
	return kmt_privileges_read_file(AT_FDCWD, path, README_BYTES_MAX, &text, NULL, NULL) == 0 &&
	       strstr(text, "r[maxactive]");
}

static bool has_kprobe_events(const char *tracing_path)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/kprobe_events", tracing_path);
	return kmt_privileges_find(AT_FDCWD, path) == 0;
}

int kmt_probes_new(const char *tracing_path, int instance_fd, uint32_t long_bytes,
		   struct kmt_probes **ret_probes, struct kmt_err *err)
{
	struct kmt_probes *probes = calloc(1, sizeof(*probes));
	int r;

	if (!probes)
		return kmt_fail(err, -ENOMEM, "probes: out of memory");
	(void)snprintf(probes->tracing_path, sizeof(probes->tracing_path), "%s", tracing_path);
	(void)snprintf(probes->group, sizeof(probes->group), GROUP_PREFIX "%d", getpid());
	probes->tracefs_fd = kmt_privileges_open(AT_FDCWD, tracing_path, O_RDONLY | O_DIRECTORY);
	if (probes->tracefs_fd < 0) {
		r = kmt_tracefs_fail(err, -errno, tracing_path);
		free(probes);
		return r;
	}
	probes->kernel = (struct kmt_probes_kernel){
		.tracing_path = probes->tracing_path,
		.instance_fd = instance_fd,
		.bits = long_bytes * 8,
		.has_kprobes = has_kprobe_events(tracing_path),
	};
	probes->takes_returns_max = takes_returns_max(tracing_path);
	if (probes->kernel.has_kprobes &&
	    kmt_privileges_read_file(AT_FDCWD, BTF_PATH, BTF_BYTES_MAX, &probes->btf,
				     &probes->kernel.btf_bytes, NULL) == 0)
		probes->kernel.btf = probes->btf;
	*ret_probes = probes;
	return 0;
}

void kmt_probes_seal(struct kmt_probes *probes)
{
	free(probes->btf);
	probes->btf = NULL;
	probes->kernel.btf = NULL;
}

static void remove_if_stale(int tracefs_fd, const char *name, char last_group[GROUP_BYTES],
			    const struct kmt_record_listener *listener)
{
	size_t bytes = strcspn(name, " \n"), group_bytes = strcspn(name, "/");
	char group[GROUP_BYTES], line[LINE_BYTES];

	if (group_bytes >= sizeof(group) || bytes <= group_bytes || bytes + 4 > sizeof(line))
		return;
	(void)snprintf(group, sizeof(group), "%.*s", (int)group_bytes, name);
	(void)snprintf(line, sizeof(line), "-:%.*s\n", (int)bytes, name);
	if (kmt_is_stale(group, GROUP_PREFIX) && command(tracefs_fd, line) == 0 &&
	    strcmp(group, last_group) != 0) {
		(void)snprintf(last_group, GROUP_BYTES, "%s", group);
		kmt_note(listener, "removed the probes %s of an earlier run", group);
	}
}

void kmt_probes_remove_stale(const char *tracing_path, const struct kmt_record_listener *listener)
{
	KMT_CLEANUP(kmt_freep) char *events = NULL;
	char last_group[GROUP_BYTES] = "";

	KMT_CLEANUP(kmt_close_fd)
	int fd = kmt_privileges_open(AT_FDCWD, tracing_path, O_RDONLY | O_DIRECTORY);
	if (fd < 0 ||
	    kmt_privileges_read_file(fd, "kprobe_events", TEXT_BYTES_MAX, &events, NULL, NULL) < 0)
		return;
	for (const char *line = events; *line; line = next_line(line))
		remove_if_stale(fd, name_of(line), last_group, listener);
}

void kmt_probes_remove_of(int tracefs_fd, pid_t recorder)
{
	KMT_CLEANUP(kmt_freep) char *events = NULL;
	char group[GROUP_BYTES], line[LINE_BYTES];

	(void)snprintf(group, sizeof(group), GROUP_PREFIX "%d/", recorder);
	if (kmt_privileges_read_file(tracefs_fd, "kprobe_events", TEXT_BYTES_MAX, &events, NULL,
				     NULL) < 0)
		return;
	for (const char *at = events; *at; at = next_line(at)) {
		const char *name = name_of(at);

		if (strncmp(name, group, strlen(group)) != 0)
			continue;
		(void)snprintf(line, sizeof(line), "-:%.*s\n", (int)strcspn(name, " \n"), name);
		(void)kmt_tracefs_write(tracefs_fd, "kprobe_events", line);
	}
}

static int remove_last(struct kmt_probes *probes)
{
	char line[LINE_BYTES];

	(void)snprintf(line, sizeof(line), "-:%s\n", probes->probes[--probes->nr].name);
	return command(probes->tracefs_fd, line);
}

void kmt_probes_drop_last(struct kmt_probes *probes)
{
	(void)remove_last(probes);
}

int kmt_probes_remove(struct kmt_probes *probes)
{
	int r = 0;

	while (probes->nr) {
		int r1 = remove_last(probes);

		r = r1 < 0 ? r1 : r;
	}
	return r;
}

struct kmt_probes *kmt_probes_free(struct kmt_probes *probes)
{
	if (!probes)
		return NULL;
	(void)kmt_probes_remove(probes);
	kmt_probes_seal(probes);
	kmt_close_fd(&probes->tracefs_fd);
	free(probes);
	return NULL;
}
