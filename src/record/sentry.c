// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "kmemtape/manifest.h"
#include "kmemtape/tape-format.h"
#include "privileges.h"
#include "sentry.h"
#include "tracefs-dir.h"

#define NAME_BYTES  KMT_DISTURBANCE_BYTES
#define FILE_BYTES  4096 /* that are compared; most have some dozens */
#define QUEUE_BYTES 4096
#define CPU_DIR	    "per_cpu/cpu"
#define KPROBES	    "/sys/kernel/debug/kprobes/enabled"
#define FNV_OFFSET  UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME   UINT64_C(0x100000001b3)
#define EVENT_FILES 3 /* enable, filter, trigger */
#define READ_MASK   (IN_OPEN | IN_CLOSE)
#define CPU_WATCHES 3
#define WATCHES_MAX (KMT_EVENT_SET_MAX * 2 + KMT_CPUS_MAX * CPU_WATCHES + 16)

/* Of the instance. Those that this kernel lacks are left out. */
static const char *const plain_files[] = {
	"tracing_on",
	"trace_clock",
	"trace_options",
	"buffer_size_kb",
	"buffer_subbuf_size_kb",
	"set_event_pid",
	"set_event_notrace_pid",
	"current_tracer",
	"tracing_cpumask",
};
static const char *const event_files[EVENT_FILES] = { "enable", "filter", "trigger" };

/* Who reads them takes away what we don't get any more. */
static const char *const consumers[CPU_WATCHES - 1] = { "trace_pipe_raw", "trace_pipe" };

#define NR_PLAIN (sizeof(plain_files) / sizeof(plain_files[0]))

struct file {
	int fd;
	uint64_t hash;
	char name[NAME_BYTES];
};

/* A directory whose files others may write to. Its name is what stands before theirs:
 * "events/kmem/kfree/" */
struct watch {
	int wd;
	char name[NAME_BYTES];
};

struct kmt_sentry {
	int instance_fd;
	int inotify_fd;	      /* -1: only what lasts is seen */
	bool is_trace_paused; /* who has `trace` open stops the recording: until Linux 5.8 */
	unsigned int nr_readers;
	char reads[NAME_BYTES];	  /* what the last of them opened */
	bool is_ours;		  /* events are being switched, by the recorder */
	char touched[NAME_BYTES]; /* what inotify told of since the last look */
	char what[NAME_BYTES];
	struct file files[NR_PLAIN + 1 + KMT_EVENT_SET_MAX * EVENT_FILES];
	size_t nr_files;
	size_t nr_watches, max_watches;
	struct watch *watches;
};

static uint64_t hash_of(const char *text, size_t bytes)
{
	uint64_t hash = FNV_OFFSET;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (uint8_t)text[i]) * FNV_PRIME;
	return hash;
}

static bool is_switch(const char *name)
{
	size_t bytes = strlen(name), end = strlen("/enable");

	return strcmp(name, "tracing_on") == 0 ||
	       (bytes > end && strcmp(name + bytes - end, "/enable") == 0);
}

/* An error is a content, too: of a file that is gone. @is_as_on: with "1" or "1*" where there is
 * still "0". */
static uint64_t read_hash(const struct file *file, bool is_as_on)
{
	char text[FILE_BYTES];
	ssize_t n;

	do
		n = pread(file->fd, text, sizeof(text), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return (uint64_t)errno;
	if (n > 0 && is_as_on && is_switch(file->name))
		*text = '1';
	return hash_of(text, (size_t)n);
}

static void add_file(struct kmt_sentry *sentry, int dirfd, const char *path)
{
	struct file *file = &sentry->files[sentry->nr_files];

	file->fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		return;
	(void)snprintf(file->name, sizeof(file->name), "%s", path);
	sentry->nr_files++;
}

/* @path ends with a slash, or is empty. */
static void add_watch(struct kmt_sentry *sentry, const char *path, uint32_t mask)
{
	struct watch *watch = &sentry->watches[sentry->nr_watches];
	char full[NAME_BYTES + 32];

	if (sentry->inotify_fd < 0 || sentry->nr_watches == sentry->max_watches)
		return;
	(void)snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", sentry->instance_fd, path);
	watch->wd = inotify_add_watch(sentry->inotify_fd, full, mask);
	if (watch->wd < 0)
		return;
	for (size_t i = 0; i < sentry->nr_watches; i++)
		if (sentry->watches[i].wd == watch->wd)
			return;
	(void)snprintf(watch->name, sizeof(watch->name), "%s", path);
	sentry->nr_watches++;
}

static void add_event(struct kmt_sentry *sentry, const char *name)
{
	char path[NAME_BYTES];

	for (size_t i = 0; i < EVENT_FILES; i++) {
		(void)snprintf(path, sizeof(path), "events/%s/%s", name, event_files[i]);
		add_file(sentry, sentry->instance_fd, path);
	}
	/* Its open files keep the directory in memory; a watch doesn't. */
	(void)snprintf(path, sizeof(path), "events/%s/", name);
	add_watch(sentry, path, IN_MODIFY);
	(void)snprintf(path, sizeof(path), "events/%.*s/", (int)strcspn(name, "/"), name);
	add_watch(sentry, path, IN_MODIFY);
}

/* 06e0a548bad0 (v5.8) made it an option, which is off. */
static bool is_trace_paused(int instance_fd)
{
	char text[FILE_BYTES];

	return kmt_tracefs_read(instance_fd, "trace_options", text, sizeof(text)) < 0 ||
	       !strstr(text, "nopause-on-trace");
}

int kmt_sentry_new(int instance_fd, const struct kmt_event_set *events, bool has_probes,
		   struct kmt_sentry **ret_sentry, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_sentry_freep) struct kmt_sentry *sentry = calloc(1, sizeof(*sentry));
	KMT_CLEANUP(kmt_privileges_lower) uint64_t raised = kmt_privileges_raise();

	if (!sentry)
		return kmt_fail(err, -ENOMEM, "sentry: out of memory");
	sentry->instance_fd = instance_fd;
	sentry->max_watches = WATCHES_MAX;
	sentry->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	sentry->watches =
		calloc(sentry->max_watches, sizeof(*sentry->watches)); /* touched where used */
	if (!sentry->watches)
		return kmt_fail(err, -ENOMEM, "sentry: out of memory");
	sentry->is_trace_paused = is_trace_paused(instance_fd);

	for (size_t i = 0; i < NR_PLAIN; i++)
		add_file(sentry, instance_fd, plain_files[i]);
	if (has_probes)
		add_file(sentry, AT_FDCWD, KPROBES);
	add_watch(sentry, "", IN_MODIFY | READ_MASK);
	add_watch(sentry, "options/", IN_MODIFY);
	add_watch(sentry, "events/", IN_MODIFY);
	for (size_t i = 0; i < events->nr; i++)
		add_event(sentry, events->names[i]);
	*ret_sentry = KMT_STEAL(sentry);
	return 0;
}

void kmt_sentry_add_cpu(struct kmt_sentry *sentry, uint32_t cpu)
{
	KMT_CLEANUP(kmt_privileges_lower) uint64_t raised = kmt_privileges_raise();
	char path[NAME_BYTES];

	(void)snprintf(path, sizeof(path), CPU_DIR "%u/", cpu);
	add_watch(sentry, path, IN_MODIFY);
	/* Not all of the directory: the recorder itself reads there each second. */
	for (size_t i = 0; i < sizeof(consumers) / sizeof(consumers[0]); i++) {
		(void)snprintf(path, sizeof(path), CPU_DIR "%u/%s", cpu, consumers[i]);
		add_watch(sentry, path, READ_MASK);
	}
}

/* Of the instance's own directory. */
static bool is_consumer(const struct kmt_sentry *sentry, const char *name)
{
	return strcmp(name, "trace_pipe") == 0 ||
	       (sentry->is_trace_paused && strcmp(name, "trace") == 0);
}

/* Do they say something else than what is in the buffer? */
static bool is_harmless(const char *name)
{
	return strncmp(name, "trace_marker", strlen("trace_marker")) == 0 ||
	       strcmp(name, "error_log") == 0;
}

/* When events are switched on or off: their files are compared all the same. */
static bool is_written_by_us(const char *name)
{
	return strcmp(name, "enable") == 0 || strcmp(name, "trigger") == 0 ||
	       strcmp(name, "tracing_on") == 0;
}

static void note_reader(struct kmt_sentry *sentry, const char *path, uint32_t mask)
{
	if (mask & IN_OPEN) {
		sentry->nr_readers++;
		(void)snprintf(sentry->reads, sizeof(sentry->reads), "%s", path);
		(void)snprintf(sentry->touched, sizeof(sentry->touched), "%s", path);
	} else if (sentry->nr_readers) {
		sentry->nr_readers--;
	}
}

static const struct watch *watch_of(const struct kmt_sentry *sentry, int wd)
{
	for (size_t i = 0; i < sentry->nr_watches; i++)
		if (sentry->watches[i].wd == wd)
			return &sentry->watches[i];
	return NULL;
}

static void note_event(struct kmt_sentry *sentry, const struct inotify_event *event)
{
	const struct watch *watch = watch_of(sentry, event->wd);
	const char *name = event->len ? event->name : "";
	char path[NAME_BYTES];

	if (event->mask & IN_Q_OVERFLOW)
		(void)snprintf(sentry->touched, sizeof(sentry->touched), "many files");
	if (!watch || event->mask & IN_ISDIR)
		return;
	(void)snprintf(path, sizeof(path), "%.64s%.31s", watch->name, name);
	if (event->mask & READ_MASK && (!*name || is_consumer(sentry, name)))
		note_reader(sentry, path, event->mask);
	if (event->mask & IN_MODIFY && !is_harmless(name) && !*sentry->touched &&
	    !(sentry->is_ours && is_written_by_us(name)))
		(void)snprintf(sentry->touched, sizeof(sentry->touched), "%s", path);
}

static void read_queue(struct kmt_sentry *sentry)
{
	char queue[QUEUE_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	if (sentry->inotify_fd < 0)
		return;
	while ((n = read(sentry->inotify_fd, queue, sizeof(queue))) > 0)
		for (const char *at = queue; at < queue + n;) {
			const struct inotify_event *event = (const struct inotify_event *)at;

			note_event(sentry, event);
			at += sizeof(*event) + event->len;
		}
}

void kmt_sentry_expect_on(struct kmt_sentry *sentry)
{
	read_queue(sentry); /* of opening everything */
	sentry->nr_readers = 0;
	*sentry->touched = '\0';
	for (size_t i = 0; i < sentry->nr_files; i++)
		sentry->files[i].hash = read_hash(&sentry->files[i], true);
}

void kmt_sentry_forget(struct kmt_sentry *sentry)
{
	sentry->is_ours = true;
	read_queue(sentry);
	sentry->is_ours = false;
}

void kmt_sentry_remember(struct kmt_sentry *sentry)
{
	kmt_sentry_forget(sentry);
	for (size_t i = 0; i < sentry->nr_files; i++)
		sentry->files[i].hash = read_hash(&sentry->files[i], false);
}

const char *kmt_sentry_look(struct kmt_sentry *sentry)
{
	read_queue(sentry);
	memcpy(sentry->what, sentry->touched, sizeof(sentry->what));
	*sentry->touched = '\0';
	for (size_t i = 0; i < sentry->nr_files; i++)
		if (read_hash(&sentry->files[i], false) != sentry->files[i].hash)
			return sentry->files[i].name;
	if (*sentry->what)
		return sentry->what;
	return sentry->nr_readers ? sentry->reads : NULL;
}

struct kmt_sentry *kmt_sentry_free(struct kmt_sentry *sentry)
{
	if (!sentry)
		return NULL;
	for (size_t i = 0; i < sentry->nr_files; i++)
		kmt_close_fd(&sentry->files[i].fd);
	kmt_close_fd(&sentry->inotify_fd);
	free(sentry->watches);
	free(sentry);
	return NULL;
}
