// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>
#include <unistd.h>

#include "btf.h"
#include "kmemtape/fs.h"
#include "note.h"
#include "probes.h"
#include "stale.h"
#include "tracefs-dir.h"

#define GROUP_PREFIX   "kmemtape_" /* the kernel wants a C identifier */
#define GROUP_BYTES    32
#define NAME_BYTES     64
#define FORMAT_BYTES   256
#define TEXT_BYTES_MAX (16u << 20)  /* of kprobe_events: thousands of other people's probes */
#define BTF_BYTES_MAX  (256u << 20) /* 5 MB are usual */
#define BTF_PATH       "/sys/kernel/btf/vmlinux"
#define PROBES_MAX     4

/*
 * How many of the objects of one kmem_cache_free_bulk() a record shows. Most are a few, so that a
 * record for many would mostly be rubbish; 64 is all that an array may have (MAX_ARRAY_LEN), and
 * more than anybody is known to pass, but for kfree_rcu(), whose objects were seen before.
 */
#define BULK_FIRST 16
#define BULK_MORE  48

/* Where the caller goes on, at the entry of a function. */
#if defined(__x86_64__) || defined(__i386__)
#define CALL_SITE "$stack0"
#elif defined(__aarch64__)
#define CALL_SITE "%lr"
#endif

struct probe {
	char name[NAME_BYTES];	    /* in the instance: "kmemtape_123/rcu_free" */
	char tape_name[NAME_BYTES]; /* "kmemtape/rcu_free" */
	struct tracefs_dynevent *handle;
};

struct kmt_probes {
	char tracing_path[PATH_MAX];
	char group[GROUP_BYTES];
	struct probe probes[PROBES_MAX];
	size_t nr;
};

/* What is needed while they are made. */
struct maker {
	struct kmt_probes *probes;
	int instance_fd;
	unsigned int bits; /* of a long */
	char *btf;	   /* NULL: this kernel has none */
	size_t btf_bytes;
	char *state;
};

static void add_reason(struct maker *maker, const char *function, const char *reason)
{
	size_t used = strlen(maker->state);

	(void)snprintf(maker->state + used, KMT_MANIFEST_TEXT_BYTES - used, "%s%s: %s",
		       used ? "; " : "", function, reason);
}

/* Return: 0 or negative errno. */
static int create(struct maker *maker, const char *event, const char *function, const char *args)
{
	struct kmt_probes *probes = maker->probes;
	struct probe *probe = &probes->probes[probes->nr];
	char format[FORMAT_BYTES] = "";
	int r = 0;

#ifdef CALL_SITE
	(void)snprintf(format, sizeof(format), "call_site=" CALL_SITE ":x%u ", maker->bits);
#endif
	(void)snprintf(format + strlen(format), sizeof(format) - strlen(format), "%s", args);
	errno = 0;
	probe->handle = tracefs_kprobe_alloc(probes->group, event, function, format);
	if (!probe->handle)
		return errno ? -errno : -ENOMEM;
	errno = 0;
	if (tracefs_dynevent_create(probe->handle) < 0)
		r = errno ? -errno : -EIO;
	if (r < 0) {
		tracefs_dynevent_free(probe->handle);
		return r;
	}
	(void)snprintf(probe->name, sizeof(probe->name), "%s/%s", probes->group, event);
	(void)snprintf(probe->tape_name, sizeof(probe->tape_name), "kmemtape/%s", event);
	probes->nr++;
	return 0;
}

static const char *reason_of(int r)
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

/*
 * Return: 1 with what BTF says of the parameters; 0 if there is no BTF (then *signature is ""),
 * -ENOENT if there is no such function.
 */
static int look_at(const struct maker *maker, const char *function,
		   char signature[KMT_BTF_PARAMS_MAX + 1])
{
	int r;

	*signature = '\0';
	if (!maker->btf)
		return 0;
	r = kmt_btf_signature(maker->btf, maker->btf_bytes, function, signature, NULL);
	if (r < 0)
		return 0;
	return r ? 1 : -ENOENT;
}

/*
 * kvfree_call_rcu(head, func) became kvfree_call_rcu(head, ptr): 04a522b7da3d (v6.2). Distributions
 * backport: ask the kernel what its own function takes, or let the values tell.
 */
static int create_rcu(struct maker *maker, const char *event, const char *function)
{
	char signature[KMT_BTF_PARAMS_MAX + 1], args[FORMAT_BYTES];
	int r = look_at(maker, function, signature);
	const char *second = "ptr_or_func";

	if (r < 0)
		return r;
	if (r == 1 && strcmp(signature, "pp") == 0)
		second = "ptr";
	else if (r == 1 && strcmp(signature, "pf") == 0)
		second = "func";
	else if (r == 1)
		return -EPROTO;
	(void)snprintf(args, sizeof(args), "head=$arg1:x%u %s=$arg2:x%u", maker->bits, second,
		       maker->bits);
	return create(maker, event, function, args);
}

static bool create_rcu_probes(struct maker *maker)
{
	static const char *const names[] = { "kvfree_call_rcu",
					     "kfree_call_rcu" }; /* v5.9, before */
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && r == -ENOENT; i++)
		r = create_rcu(maker, "rcu_free", names[i]);
	if (r < 0)
		add_reason(maker, names[0],
			   r == -EPROTO ? "its arguments are not the known ones" : reason_of(r));
	/* Of kernels that have BTF. */
	if (r < 0 || !maker->btf)
		return r == 0;
	r = create_rcu(maker, "rcu_free_nolock", "kfree_call_rcu_nolock");
	if (r < 0 && r != -ENOENT)
		add_reason(maker, "kfree_call_rcu_nolock",
			   r == -EPROTO ? "its arguments are not the known ones" : reason_of(r));
	return r == 0 || r == -ENOENT;
}

/* kmem_cache_free_bulk(cache, n, pointers) */
static bool create_bulk_probes(struct maker *maker)
{
	static const char function[] = "kmem_cache_free_bulk";
	char signature[KMT_BTF_PARAMS_MAX + 1], args[FORMAT_BYTES], path[NAME_BYTES * 2];
	int r = look_at(maker, function, signature);

	if (r == 1 && strcmp(signature, "pip") != 0) {
		add_reason(maker, function, "its arguments are not the known ones");
		return false;
	}
	(void)snprintf(args, sizeof(args), "cache=$arg1:x%u n=$arg2:u%u p0=+0($arg3):x%u[%d]",
		       maker->bits, maker->bits, maker->bits, BULK_FIRST);
	if (r >= 0)
		r = create(maker, "bulk_free", function, args);
	if (r < 0) {
		add_reason(maker, function, reason_of(r));
		return false;
	}
	(void)snprintf(args, sizeof(args), "cache=$arg1:x%u n=$arg2:u%u p%d=+%u($arg3):x%u[%d]",
		       maker->bits, maker->bits, BULK_FIRST, BULK_FIRST * maker->bits / 8,
		       maker->bits, BULK_MORE);
	if (create(maker, "bulk_free_more", function, args) < 0)
		return true; /* what it would show is counted by the first one */
	(void)snprintf(path, sizeof(path), "events/%s/filter",
		       maker->probes->probes[maker->probes->nr - 1].name);
	(void)snprintf(args, sizeof(args), "n > %d", BULK_FIRST);
	(void)kmt_tracefs_write(maker->instance_fd, path, args); /* else there are some in vain */
	return true;
}

static bool has_kprobe_events(const char *tracing_path)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/kprobe_events", tracing_path);
	return access(path, F_OK) == 0;
}

static bool make_all(struct kmt_probes *probes, int instance_fd, uint32_t long_bytes, char *state)
{
	KMT_CLEANUP(kmt_freep) char *btf = NULL;
	struct maker maker = {
		.probes = probes,
		.instance_fd = instance_fd,
		.bits = long_bytes * 8,
		.state = state,
	};
	bool has_rcu, has_bulk;

	if (kmt_read_file(AT_FDCWD, BTF_PATH, BTF_BYTES_MAX, &btf, &maker.btf_bytes, NULL) == 0)
		maker.btf = btf;
	has_rcu = create_rcu_probes(&maker);
	has_bulk = create_bulk_probes(&maker);
	if (has_rcu && has_bulk)
		(void)snprintf(state, KMT_MANIFEST_TEXT_BYTES, "on");
	return has_rcu && has_bulk;
}

int kmt_probes_new(const char *tracing_path, int instance_fd, uint32_t long_bytes, bool is_wanted,
		   char state[KMT_MANIFEST_TEXT_BYTES], struct kmt_probes **ret_probes,
		   struct kmt_err *err)
{
	struct kmt_probes *probes = calloc(1, sizeof(*probes));
	bool is_lacking = false;

	if (!probes)
		return kmt_fail(err, -ENOMEM, "probes: out of memory");
	(void)snprintf(probes->tracing_path, sizeof(probes->tracing_path), "%s", tracing_path);
	(void)snprintf(probes->group, sizeof(probes->group), GROUP_PREFIX "%d", getpid());
	*state = '\0';
	if (!is_wanted)
		(void)snprintf(state, KMT_MANIFEST_TEXT_BYTES, "off: they were not wanted");
	else if (!has_kprobe_events(tracing_path))
		(void)snprintf(state, KMT_MANIFEST_TEXT_BYTES,
			       "off: this kernel has no kprobe events");
	else
		is_lacking = !make_all(probes, instance_fd, long_bytes, state);
	*ret_probes = probes;
	return is_lacking ? KMT_PROBES_LACKING : 0;
}

void kmt_probes_add_to(const struct kmt_probes *probes, struct kmt_event_set *events)
{
	for (size_t i = 0; i < probes->nr; i++)
		kmt_event_set_add(events, probes->probes[i].name, probes->probes[i].tape_name,
				  KMT_ROLE_FREE);
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
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
		if (strncmp(events, "p:", 2) != 0 || strncmp(events + 2, probe->name, bytes) != 0 ||
		    events[2 + bytes] != ' ')
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
	char path[PATH_MAX + 16];
	int r;

	*ret_missed = 0;
	if (!probes->nr)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/kprobe_events", probes->tracing_path);
	r = kmt_read_file(AT_FDCWD, path, TEXT_BYTES_MAX, &events, NULL, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/kprobe_profile", probes->tracing_path);
	r = kmt_read_file(AT_FDCWD, path, TEXT_BYTES_MAX, &profile, NULL, err);
	for (size_t i = 0; r == 0 && i < probes->nr; i++) {
		struct kmt_probe_stats stats = { .hits = 0 };

		(void)snprintf(stats.event, sizeof(stats.event), "%s", probes->probes[i].tape_name);
		*strchr(stats.event, '/') = ':';
		if (!find_counts(events, profile, &probes->probes[i], &stats))
			return kmt_fail(err, -EPROTO, "%s: not understood", path);
		*ret_missed += stats.missed;
		if (kmt_manifest_add_probe(manifest, &stats) < 0)
			r = kmt_fail(err, -ENOMEM, "manifest: out of memory");
	}
	return r;
}

static void remove_if_stale(struct tracefs_dynevent *event, char last_group[GROUP_BYTES],
			    const struct kmt_record_listener *listener)
{
	char *group = NULL;

	if (tracefs_dynevent_info(event, &group, NULL, NULL, NULL, NULL) ==
		    TRACEFS_DYNEVENT_UNKNOWN ||
	    !group)
		return;
	if (kmt_is_stale(group, GROUP_PREFIX) && tracefs_dynevent_destroy(event, false) == 0 &&
	    strncmp(group, last_group, GROUP_BYTES - 1) != 0) {
		(void)snprintf(last_group, GROUP_BYTES, "%s", group);
		kmt_note(listener, "removed the probes %s of an earlier run", group);
	}
	free(group);
}

void kmt_probes_remove_stale(const char *tracing_path, const struct kmt_record_listener *listener)
{
	struct tracefs_dynevent **events;
	char last_group[GROUP_BYTES] = "";

	if (!has_kprobe_events(tracing_path))
		return;
	events = tracefs_dynevent_get_all(TRACEFS_DYNEVENT_KPROBE, NULL);
	for (size_t i = 0; events && events[i]; i++)
		remove_if_stale(events[i], last_group, listener);
	tracefs_dynevent_list_free(events);
}

int kmt_probes_remove(struct kmt_probes *probes)
{
	int r = 0;

	while (probes->nr) {
		struct probe *probe = &probes->probes[--probes->nr];

		errno = 0;
		if (tracefs_dynevent_destroy(probe->handle, false) < 0)
			r = errno ? -errno : -EIO;
		tracefs_dynevent_free(probe->handle);
	}
	return r;
}

struct kmt_probes *kmt_probes_free(struct kmt_probes *probes)
{
	if (!probes)
		return NULL;
	(void)kmt_probes_remove(probes);
	free(probes);
	return NULL;
}
