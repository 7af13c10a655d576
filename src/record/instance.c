// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <tracefs.h>

#include "instance.h"
#include "note.h"
#include "privileges.h"
#include "stale.h"
#include "tracefs-dir.h"

#define NAME_PREFIX    "kmemtape-"
#define NAME_BYTES     32
#define DIR_BYTES      64
#define SUBBUF_KIB     64 /* a quarter less CPU time than 4 KiB, measured; larger gains nothing */
#define BUFFER_PERCENT 25
#define HEADER_BYTES   1024
#define UNSURE_SUBBUFS 2    /* poll() counts the one being written, and may count one half read */
#define REMOVE_TRIES   20   /* of 10 ms: the last close of a file may still be under way */
#define DEATH_TRIES    1000 /* likewise; of a process that dies, its last thread may be writing */

/*
 * A new instance inherits the options of the top one. These cost time on every event, or would
 * change what is in the buffer. record-cmd hooks sched_switch.
 */
static const char *const options[] = {
	"norecord-cmd", "norecord-tgid", "nostacktrace", "nouserstacktrace",
	"noblock",	"overwrite", /* loss marks are kept in the pages in this mode only */
};

void kmt_instance_remove_stale(const char *tracing_path, const struct kmt_record_listener *listener)
{
	char path[PATH_MAX];
	struct dirent *entry;

	KMT_CLEANUP(kmt_privileges_lower) uint64_t raised = kmt_privileges_raise();
	(void)snprintf(path, sizeof(path), "%s/instances", tracing_path);
	KMT_CLEANUP(kmt_closedirp) DIR *dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (!kmt_is_stale(entry->d_name, NAME_PREFIX))
			continue;
		/* The kernel refuses while somebody has files of it open: it is alive after all,
		 * in another pid namespace. */
		if (unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) == 0)
			kmt_note(listener, "removed tracefs instance %s of an earlier run",
				 entry->d_name);
	}
}

static void name_dir(char dir[DIR_BYTES], pid_t recorder)
{
	(void)snprintf(dir, DIR_BYTES, "instances/" NAME_PREFIX "%d", recorder);
}

void kmt_instance_remove_unused_of(int tracefs_fd, pid_t recorder)
{
	struct timespec pause = { .tv_nsec = 10000000 };
	char dir[DIR_BYTES];

	name_dir(dir, recorder);
	for (int i = 0; i < DEATH_TRIES; i++) {
		if (unlinkat(tracefs_fd, dir, AT_REMOVEDIR) == 0 || errno != EBUSY)
			return;
		(void)nanosleep(&pause, NULL);
	}
}

void kmt_instance_remove_of(int tracefs_fd, pid_t recorder)
{
	char dir[DIR_BYTES], path[128];

	name_dir(dir, recorder);
	(void)snprintf(path, sizeof(path), "%s/events/enable", dir);
	(void)kmt_tracefs_write(tracefs_fd, path, "0");
	(void)snprintf(path, sizeof(path), "%s/tracing_on", dir);
	(void)kmt_tracefs_write(tracefs_fd, path, "0");
	kmt_instance_remove_unused_of(tracefs_fd, recorder);
}

static uint64_t memory_bytes(const char *field)
{
	char text[4096];
	unsigned long long kib;
	const char *line;

	if (kmt_tracefs_read(AT_FDCWD, "/proc/meminfo", text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, field);
	if (!line || sscanf(line + strlen(field), ": %llu kB", &kib) != 1)
		return 0;
	return kib * 1024;
}

static uint64_t default_buffer_bytes(size_t nr_cpus)
{
	uint64_t share = memory_bytes("MemTotal") / 64 / nr_cpus;

	return share && share < KMT_RECORD_BUFFER_BYTES ? share : KMT_RECORD_BUFFER_BYTES;
}

static int fail_too_large(uint64_t bytes, size_t nr_cpus, struct kmt_err *err)
{
	char each[KMT_UNITS_BYTES], has[KMT_UNITS_BYTES];

	return kmt_fail(
		err, -ENOMEM,
		"--buffer: %zu ring buffers of %s do not fit into the memory available (%s): "
		"choose a smaller size",
		nr_cpus, kmt_format_size(each, bytes),
		kmt_format_size(has, memory_bytes("MemAvailable")));
}

static int set_buffer_size(struct kmt_instance *instance, uint64_t bytes, size_t nr_cpus,
			   struct kmt_err *err)
{
	uint64_t available = memory_bytes("MemAvailable");
	char text[KMT_UNITS_BYTES];
	unsigned long long kib;
	int r;

	if (!bytes)
		bytes = default_buffer_bytes(nr_cpus);
	if (available && bytes > available / nr_cpus)
		return fail_too_large(bytes, nr_cpus,
				      err); /* don't even try: it would hurt others */

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)((bytes + 1023) / 1024));
	r = kmt_tracefs_write(instance->fd, "buffer_size_kb", text);
	if (r == -ENOMEM)
		return fail_too_large(bytes, nr_cpus, err);
	if (r < 0)
		return kmt_tracefs_fail(err, r, "buffer_size_kb");

	r = kmt_tracefs_read(instance->fd, "buffer_size_kb", text, sizeof(text));
	if (r < 0)
		return kmt_tracefs_fail(err, r, "buffer_size_kb");
	if (sscanf(text, "%llu", &kib) != 1) /* "X": they differ from CPU to CPU */
		kib = bytes / 1024;
	instance->buffer_bytes = kib * 1024;
	return 0;
}

static void set_subbuf_size(struct kmt_instance *instance,
			    const struct kmt_record_listener *listener)
{
	char text[16];
	int r;

	/* Linux 2808e31ec12e (v6.8) made it variable; distributions have backported it. */
	(void)snprintf(text, sizeof(text), "%d", SUBBUF_KIB);
	r = kmt_tracefs_write(instance->fd, "buffer_subbuf_size_kb", text);
	if (r < 0 && r != -ENOENT)
		kmt_note(listener,
			 "sub-buffers of %d KiB can't be had (%s): recording takes more CPU",
			 SUBBUF_KIB, strerror(-r));
}

static int header_field(const char *header, const char *name, unsigned int *ret_offset,
			unsigned int *ret_size)
{
	const char *at = strstr(header, name);

	if (!at || sscanf(at + strlen(name), "; offset:%u; size:%u;", ret_offset, ret_size) != 2)
		return -EBADMSG;
	return 0;
}

static int read_header_page(struct kmt_instance *instance, struct kmt_err *err)
{
	unsigned int commit_at, commit_size, data_at, data_size;
	char header[HEADER_BYTES];
	int r;

	r = kmt_tracefs_read(instance->fd, "events/header_page", header, sizeof(header));
	if (r < 0)
		return kmt_tracefs_fail(err, r, "events/header_page");
	if (header_field(header, " commit", &commit_at, &commit_size) < 0 ||
	    header_field(header, " data", &data_at, &data_size) < 0 ||
	    (commit_size != 4 && commit_size != 8) || data_size > 1u << 20)
		return kmt_fail(err, -EBADMSG, "events/header_page: not understood: \"%.200s\"",
				header);
	instance->long_bytes = commit_size;
	instance->subbuf_bytes = data_at + data_size;
	return 0;
}

/* Before Linux 42fb0a1e84ff (v6.1), poll() doesn't wait for it: then there may be fewer. */
static void set_buffer_percent(struct kmt_instance *instance)
{
	uint64_t nr = instance->buffer_bytes / instance->subbuf_bytes * BUFFER_PERCENT / 100;
	char text[8];

	(void)snprintf(text, sizeof(text), "%d", BUFFER_PERCENT);
	instance->has_buffer_percent = kmt_tracefs_write(instance->fd, "buffer_percent", text) == 0;
	if (instance->has_buffer_percent && nr > UNSURE_SUBBUFS)
		instance->wake_subbufs = (uint32_t)(nr - UNSURE_SUBBUFS);
}

static int configure(struct kmt_instance *instance, uint64_t buffer_bytes, size_t nr_cpus,
		     const struct kmt_record_listener *listener, struct kmt_err *err)
{
	int r;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		r = kmt_tracefs_write(instance->fd, "trace_options", options[i]);
		if (r < 0 && r != -EINVAL) /* EINVAL: this kernel doesn't have it */
			return kmt_tracefs_fail(err, r, "trace_options");
	}
	set_subbuf_size(instance, listener); /* first: it reallocates the buffer */
	r = set_buffer_size(instance, buffer_bytes, nr_cpus, err);
	if (r < 0)
		return r;
	/* Triggers are set before events are on, and make stacks at once. */
	r = kmt_tracefs_write(instance->fd, "tracing_on", "0");
	if (r < 0)
		return kmt_tracefs_fail(err, r, "tracing_on");
	r = read_header_page(instance, err);
	if (r == 0)
		set_buffer_percent(instance);
	return r;
}

int kmt_instance_new(const char *tracing_path, uint64_t buffer_bytes, size_t nr_cpus,
		     const struct kmt_record_listener *listener, struct kmt_instance **ret_instance,
		     struct kmt_err *err)
{
	KMT_CLEANUP(kmt_instance_freep) struct kmt_instance *instance = NULL;
	char name[NAME_BYTES], path[PATH_MAX];
	int r;

	instance = calloc(1, sizeof(*instance));
	if (!instance)
		return kmt_fail(err, -ENOMEM, "tracefs instance: out of memory");
	instance->fd = instance->instances_fd = -1;

	(void)snprintf(name, sizeof(name), NAME_PREFIX "%d", getpid());
	(void)snprintf(path, sizeof(path), "%s/instances", tracing_path);
	KMT_CLEANUP(kmt_privileges_lower) uint64_t raised = kmt_privileges_raise();
	instance->instances_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (instance->instances_fd < 0 && errno == ENOENT)
		return kmt_fail(err, -ENOTSUP,
				"%s: this kernel has no tracefs instances: it is too old", path);
	if (instance->instances_fd < 0)
		return kmt_tracefs_fail(err, -errno, path);
	/* libtracefs would take what is there for ours. It isn't: ours was removed as stale, if the
	 * kernel let it go. */
	if (mkdirat(instance->instances_fd, name, 0750) < 0)
		return errno == EEXIST
			       ? kmt_fail(err, -EEXIST,
					  "%s/%s is another recorder's, in another pid namespace",
					  path, name)
			       : kmt_tracefs_fail(err, -errno, path);
	errno = 0;
	instance->handle = tracefs_instance_create(name);
	if (!instance->handle)
		return kmt_tracefs_fail(err, errno ? -errno : -EIO, "tracefs: instances");
	instance->fd = openat(instance->instances_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (instance->fd < 0)
		return kmt_tracefs_fail(err, -errno, name);
	r = configure(instance, buffer_bytes, nr_cpus, listener, err);
	if (r < 0)
		return r;
	*ret_instance = KMT_STEAL(instance);
	return 0;
}

int kmt_instance_remove(struct kmt_instance *instance)
{
	KMT_CLEANUP(kmt_privileges_lower) uint64_t raised = kmt_privileges_raise();
	const char *name = tracefs_instance_get_name(instance->handle);
	struct timespec pause = { .tv_nsec = 10000000 };
	int r = -EBUSY;

	/* Should it have to stay, at least nothing runs in it. */
	(void)kmt_tracefs_write(instance->fd, "events/enable", "0");
	(void)kmt_tracefs_write(instance->fd, "tracing_on", "0");
	kmt_close_fd(&instance->fd);
	for (int i = 0; i < REMOVE_TRIES && r == -EBUSY; i++) {
		if (i)
			(void)nanosleep(&pause, NULL);
		r = unlinkat(instance->instances_fd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
	}
	tracefs_instance_free(instance->handle);
	instance->handle = NULL;
	return r;
}

struct kmt_instance *kmt_instance_free(struct kmt_instance *instance)
{
	if (!instance)
		return NULL;
	if (instance->handle)
		(void)kmt_instance_remove(instance);
	kmt_close_fd(&instance->fd);
	kmt_close_fd(&instance->instances_fd);
	free(instance);
	return NULL;
}
