// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/fs.h"
#include "privileges.h"
#include "syncer.h"

#define PERIOD_MS   500
#define NAME_BYTES  32
#define STACK_BYTES (128u << 10)

struct entry {
	int fd;	       /* -1: free */
	bool is_whole; /* ours, to be closed */
	off_t synced_bytes;
	struct timespec synced_time; /* of a directory: when its names last changed */
	char name[NAME_BYTES];
};

struct kmt_syncer {
	int wake_fd;
	int stop_fd; /* eventfd */
	pthread_t thread;
	pid_t tid;
	sem_t is_running;
	bool is_started;

	pthread_mutex_t lock; /* of the entries */
	size_t nr_entries, max_entries;

	int result; /* the first failure; others read it when has_failed is true */
	struct kmt_err err;
	atomic_bool has_failed;
	struct entry entries[];
};

int kmt_syncer_new(size_t max_files, int wake_fd, struct kmt_syncer **ret_syncer,
		   struct kmt_err *err)
{
	struct kmt_syncer *syncer;
	pthread_mutexattr_t attr;

	syncer = calloc(1, sizeof(*syncer) + max_files * sizeof(syncer->entries[0]));
	if (!syncer)
		return kmt_fail(err, -ENOMEM, "out of memory");
	(void)pthread_mutexattr_init(&attr);
	(void)pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT); /* drains take it */
	(void)pthread_mutex_init(&syncer->lock, &attr);
	(void)pthread_mutexattr_destroy(&attr);
	(void)sem_init(&syncer->is_running, 0, 0);
	syncer->wake_fd = wake_fd;
	syncer->max_entries = max_files;
	syncer->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (syncer->stop_fd < 0) {
		int r = kmt_fail(err, -errno, "eventfd: %s", strerror(errno));

		(void)kmt_syncer_free(syncer);
		return r;
	}
	*ret_syncer = syncer;
	return 0;
}

/* The lock is held. Return: NULL if there is no room */
static struct entry *add(struct kmt_syncer *syncer, int fd, bool is_whole, const char *name)
{
	struct entry *entry = NULL;

	for (size_t i = 0; i < syncer->nr_entries && !entry; i++)
		if (syncer->entries[i].fd < 0)
			entry = &syncer->entries[i];
	if (!entry && syncer->nr_entries < syncer->max_entries)
		entry = &syncer->entries[syncer->nr_entries++];
	if (entry) {
		*entry = (struct entry){ .fd = fd, .is_whole = is_whole };
		(void)snprintf(entry->name, sizeof(entry->name), "%s", name);
	}
	return entry;
}

void kmt_syncer_add(struct kmt_syncer *syncer, int fd, const char *name)
{
	(void)pthread_mutex_lock(&syncer->lock);
	(void)add(syncer, fd, false, name);
	(void)pthread_mutex_unlock(&syncer->lock);
}

/* The lock is held. */
static void add_whole(struct kmt_syncer *syncer, int fd, const char *name)
{
	if (!add(syncer, fd, true, name))
		kmt_close_fd(&fd); /* the kernel will see to it, within half a minute */
}

void kmt_syncer_add_whole(struct kmt_syncer *syncer, int fd, const char *name)
{
	(void)pthread_mutex_lock(&syncer->lock);
	add_whole(syncer, fd, name);
	(void)pthread_mutex_unlock(&syncer->lock);
}

void kmt_syncer_exchange(struct kmt_syncer *syncer, int fd, int next_fd, const char *name)
{
	(void)pthread_mutex_lock(&syncer->lock);
	for (size_t i = 0; i < syncer->nr_entries; i++) {
		struct entry *entry = &syncer->entries[i], old = *entry;

		if (entry->fd != fd || entry->is_whole)
			continue;
		*entry = (struct entry){ .fd = next_fd };
		(void)snprintf(entry->name, sizeof(entry->name), "%s", name);
		add_whole(syncer, fd, old.name);
		(void)pthread_mutex_unlock(&syncer->lock);
		return;
	}
	(void)pthread_mutex_unlock(&syncer->lock);
	kmt_close_fd(&fd);
}

static void signal_fd(int fd)
{
	uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one)); /* can only fail when it is readable anyway */
}

static void note_result(struct kmt_syncer *syncer, int r, const char *name, const char *what)
{
	if (r >= 0 || syncer->result < 0)
		return;
	syncer->result = kmt_fail(&syncer->err, r, "%s: %s", name, what);
	atomic_store(&syncer->has_failed, true);
	signal_fd(syncer->wake_fd);
}

static bool is_synced(const struct entry *entry, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return st->st_mtim.tv_sec == entry->synced_time.tv_sec &&
		       st->st_mtim.tv_nsec == entry->synced_time.tv_nsec;
	return st->st_size == entry->synced_bytes;
}

/* A ring removes files that were exchanged, and no others. */
static bool is_current(struct kmt_syncer *syncer, size_t index, int fd)
{
	bool is_it;

	(void)pthread_mutex_lock(&syncer->lock);
	is_it = syncer->entries[index].fd == fd && !syncer->entries[index].is_whole;
	(void)pthread_mutex_unlock(&syncer->lock);
	return is_it;
}

/*
 * @entry: a copy, with a descriptor of its own: the file may be exchanged meanwhile.
 * @fd: of the original, at @index
 */
static void sync_entry(struct kmt_syncer *syncer, struct entry *entry, size_t index, int fd)
{
	char what[KMT_ERR_BYTES / 2];
	struct stat st;
	int r;

	r = fstat(entry->fd, &st) < 0 ? -errno : 0;
	if (r == -ESTALE || (r == 0 && st.st_nlink == 0)) {
		if (is_current(syncer, index, fd))
			note_result(syncer, -ENOENT, entry->name, KMT_SYNCER_REMOVED);
		return;
	}
	if (r < 0)
		note_result(syncer, r, entry->name, strerror(-r));
	if (r < 0 || is_synced(entry, &st))
		return;
	r = kmt_sync_fd(entry->fd, S_ISDIR(st.st_mode));
	if (r < 0) {
		(void)snprintf(what, sizeof(what), "writing to the disk: %s", strerror(-r));
		note_result(syncer, r, entry->name, what);
	}
	entry->synced_bytes = st.st_size; /* a failure is told once: to try again would hide it */
	entry->synced_time = st.st_mtim;
}

static void sync_index(struct kmt_syncer *syncer, size_t index)
{
	struct entry *entry = &syncer->entries[index], copy = { .fd = -1 };
	int fd = -1;

	(void)pthread_mutex_lock(&syncer->lock);
	if (index < syncer->nr_entries && entry->fd >= 0) {
		copy = *entry;
		fd = entry->fd;
		copy.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	(void)pthread_mutex_unlock(&syncer->lock);
	if (copy.fd < 0)
		return;
	sync_entry(syncer, &copy, index, fd);
	kmt_close_fd(&copy.fd);

	(void)pthread_mutex_lock(&syncer->lock);
	if (entry->fd == fd && entry->is_whole == copy.is_whole) {
		entry->synced_bytes = copy.synced_bytes;
		entry->synced_time = copy.synced_time;
		if (entry->is_whole)
			kmt_close_fd(&entry->fd);
	}
	(void)pthread_mutex_unlock(&syncer->lock);
}

static void sync_all(struct kmt_syncer *syncer)
{
	for (size_t i = 0; i < syncer->max_entries; i++)
		sync_index(syncer, i);
}

static void *sync_thread(void *arg)
{
	struct kmt_syncer *syncer = arg;
	struct pollfd stop = { .fd = syncer->stop_fd, .events = POLLIN };

	(void)pthread_setname_np(pthread_self(), "kmt-sync");
	syncer->tid = gettid();
	kmt_privileges_keep(0);
	(void)sem_post(&syncer->is_running);
	while (poll(&stop, 1, PERIOD_MS) <= 0)
		sync_all(syncer);
	return NULL;
}

int kmt_syncer_start(struct kmt_syncer *syncer, pid_t *ret_tid, struct kmt_err *err)
{
	pthread_attr_t attr;
	int r = pthread_attr_init(&attr);

	if (r == 0) {
		(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
		r = pthread_create(&syncer->thread, &attr, sync_thread, syncer);
		(void)pthread_attr_destroy(&attr);
	}
	if (r)
		return kmt_fail(err, -r, "can't start a thread: %s", strerror(r));
	syncer->is_started = true;
	while (sem_wait(&syncer->is_running) < 0)
		;
	*ret_tid = syncer->tid;
	return 0;
}

bool kmt_syncer_has_failed(const struct kmt_syncer *syncer)
{
	return atomic_load(&syncer->has_failed);
}

static void join(struct kmt_syncer *syncer)
{
	signal_fd(syncer->stop_fd);
	if (syncer->is_started)
		(void)pthread_join(syncer->thread, NULL);
	syncer->is_started = false;
}

int kmt_syncer_stop(struct kmt_syncer *syncer, struct kmt_err *err)
{
	join(syncer);
	sync_all(syncer);
	if (syncer->result < 0)
		return kmt_fail(err, syncer->result, "%s", syncer->err.text);
	return 0;
}

struct kmt_syncer *kmt_syncer_free(struct kmt_syncer *syncer)
{
	if (!syncer)
		return NULL;
	join(syncer);
	for (size_t i = 0; i < syncer->nr_entries; i++)
		if (syncer->entries[i].is_whole)
			kmt_close_fd(&syncer->entries[i].fd);
	kmt_close_fd(&syncer->stop_fd);
	(void)sem_destroy(&syncer->is_running);
	(void)pthread_mutex_destroy(&syncer->lock);
	free(syncer);
	return NULL;
}
