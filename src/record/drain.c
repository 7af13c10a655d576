// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "drain.h"
#include "kmemtape/tape.h"
#include "privileges.h"

#define STACK_BYTES	 (256u << 10)
#define POLL_PERCENT_MS	 250 /* quiet systems: the buffer never gets a quarter full */
#define POLL_INTERVAL_MS 10  /* without buffer_percent, poll() returns at every event */
#define FLUSH_NS	 UINT64_C(740000000) /* one more wait, and the chunk is a second old */
#define CLOCK_SLACK_NS \
	1000 /* the kernel's fast clocks may be a little behind while it adjusts them */
#define NICE		 (-20)
#define COMMIT_MASK	 0x3fffffffu	      /* the two bits above tell of missed events */
#define CLOCKS_DIFFER_NS UINT64_C(1000000000) /* one clock is never that much apart on two CPUs */

struct kmt_drain {
	struct kmt_drain_shared *shared;
	struct kmt_chunk_writer *writer;
	int fd; /* trace_pipe_raw */
	uint32_t cpu;
	pid_t tid;
	pthread_t thread;
	bool is_started;
	enum kmt_drain_priority priority;
	sem_t is_running;

	uint64_t wait_ns;    /* no CPU time is left: for so long */
	uint64_t page_ns;    /* of the last sub-buffer */
	uint64_t drained_ns; /* everything up to here was read */
	uint64_t written_ns; /* when the last chunk or mark was written */
	uint64_t file_bytes; /* as added to shared->file_bytes */
	uint32_t segment;    /* number of the file, of a ring */

	int result; /* of the thread; the main thread reads it when has_failed is true */
	struct kmt_err err;
	atomic_bool has_failed;
};

int kmt_drain_shared_init(struct kmt_drain_shared *shared, struct kmt_err *err)
{
	shared->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	shared->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (shared->stop_fd < 0 || shared->wake_fd < 0)
		return kmt_fail(err, -errno, "eventfd: %s", strerror(errno));
	return 0;
}

void kmt_drain_shared_deinit(struct kmt_drain_shared *shared)
{
	kmt_close_fd(&shared->stop_fd);
	kmt_close_fd(&shared->wake_fd);
}

static void signal_fd(int fd)
{
	uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one)); /* can only fail when it is readable anyway */
}

void kmt_drain_shared_stop(struct kmt_drain_shared *shared)
{
	atomic_store(&shared->is_stopping, true);
	signal_fd(shared->stop_fd);
}

uint64_t kmt_drain_shared_bytes(struct kmt_drain_shared *shared)
{
	return atomic_load(&shared->file_bytes) - atomic_load(&shared->removed_bytes);
}

static uint64_t page_time_ns(const void *subbuf)
{
	uint64_t ns;

	memcpy(&ns, subbuf, sizeof(ns)); /* host byte order: it is this kernel's */
	return ns;
}

static void note_drained(struct kmt_drain *drain, uint64_t ns)
{
	if (ns > drain->drained_ns)
		drain->drained_ns = ns;
}

/* After each call that may have written a chunk. */
static void note_written(struct kmt_drain *drain, uint64_t now_ns)
{
	struct kmt_drain_shared *shared = drain->shared;
	uint64_t bytes = kmt_chunk_writer_file_bytes(drain->writer);
	uint64_t grown = bytes - drain->file_bytes;

	if (!grown)
		return;
	atomic_fetch_add(&shared->file_bytes, grown);
	if (shared->ring)
		atomic_fetch_add(&shared->removed_bytes, kmt_ring_grow(shared->ring, grown));
	drain->file_bytes = bytes;
	drain->written_ns = now_ns;
	if (kmt_drain_shared_bytes(shared) >= atomic_load(&shared->end_bytes))
		signal_fd(shared->wake_fd);
}

static bool is_full(struct kmt_drain_shared *shared)
{
	return kmt_drain_shared_bytes(shared) >= atomic_load(&shared->stop_bytes);
}

/*
 * Goes on in another file, when the first sub-buffer for it is there: all events before its time
 * are in the files up to now.
 */
static int switch_file(struct kmt_drain *drain, uint64_t begin_ns)
{
	struct kmt_drain_shared *shared = drain->shared;
	char base[KMT_TAPE_CPU_PATH_BYTES], path[KMT_SEGMENT_PATH_BYTES];
	uint64_t bytes = kmt_chunk_writer_segment_bytes(drain->writer);
	uint64_t before = kmt_chunk_writer_file_bytes(drain->writer);
	int fd, r;

	kmt_tape_cpu_base(base, drain->cpu);
	kmt_segment_path(path, base, drain->segment + 1);
	r = kmt_chunk_writer_switch(drain->writer, shared->tape_fd, path, begin_ns, &fd,
				    &drain->err);
	if (r < 0)
		return r;
	kmt_syncer_exchange(shared->syncer, fd, kmt_chunk_writer_fd(drain->writer), path);
	bytes += kmt_chunk_writer_file_bytes(drain->writer) - before -
		 kmt_chunk_writer_segment_bytes(drain->writer); /* its footer */
	kmt_ring_close(shared->ring, drain->cpu, drain->segment++, bytes, begin_ns);
	return 0;
}

static bool is_file_full(const struct kmt_drain *drain)
{
	const struct kmt_ring *ring = drain->shared->ring;

	return ring && !kmt_chunk_writer_is_waiting(drain->writer) &&
	       kmt_chunk_writer_segment_bytes(drain->writer) >= kmt_ring_segment_bytes(ring) &&
	       drain->segment < KMT_SEGMENT_NUMBER_MAX;
}

/*
 * Somebody else may change the clock, or the size of sub-buffers. Nothing of that goes to the tape:
 * by times of another clock, everything would look too old or too young, and of larger sub-buffers
 * we get parts.
 */
static int check_subbuf(struct kmt_drain *drain, const void *subbuf, uint64_t now_ns)
{
	uint64_t ns = page_time_ns(subbuf);
	unsigned long commit;

	memcpy(&commit, (const char *)subbuf + sizeof(ns), sizeof(commit));
	if ((commit & COMMIT_MASK) > drain->shared->subbuf_bytes - sizeof(ns) - sizeof(commit))
		return kmt_fail(&drain->err, -EPROTO,
				"cpu %u: the sub-buffers have grown: somebody else changed "
				"buffer_subbuf_size_kb",
				drain->cpu);
	/* @now_ns was a while ago. */
	if (now_ns && ((ns > now_ns + CLOCKS_DIFFER_NS &&
			ns > kmt_trace_clock_now(drain->shared->clock) + CLOCKS_DIFFER_NS) ||
		       ns + CLOCKS_DIFFER_NS < drain->page_ns))
		return kmt_fail(&drain->err, -EPROTO,
				"cpu %u: a sub-buffer is of another clock or size: somebody else "
				"changed trace_clock or buffer_subbuf_size_kb",
				drain->cpu);
	drain->page_ns = ns;
	return 0;
}

static bool has_to_wait(struct kmt_drain *drain)
{
	drain->wait_ns = kmt_budget_wait_ns(&drain->shared->budget);
	return drain->wait_ns != 0;
}

/*
 * Read @most sub-buffers, or all there is. Pinned to the CPU, we can't run while an event is being
 * written on it: what comes later has a later time, so that an empty buffer means drained up to the
 * time before.
 */
static int read_subbufs(struct kmt_drain *drain, uint32_t most)
{
	uint64_t now_ns = kmt_trace_clock_now(drain->shared->clock);
	const uint32_t subbuf_bytes = drain->shared->subbuf_bytes;

	for (uint32_t nr = 0;;) {
		size_t room;
		void *space = kmt_chunk_writer_space(drain->writer, &room);
		ssize_t n;
		int r;

		if (is_full(drain->shared))
			return KMT_DRAIN_FULL;
		if (has_to_wait(drain))
			return 0; /* there may be more */
		n = read(drain->fd, space, subbuf_bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return kmt_fail(&drain->err, -errno, "per_cpu/cpu%u/trace_pipe_raw: %s",
					drain->cpu, strerror(errno));
		if (n == 0)
			return 0; /* not empty, and nothing to be had: the writer is in between */
		if (n < 0)
			break;
		if ((size_t)n != subbuf_bytes)
			return kmt_fail(&drain->err, -EPROTO,
					"per_cpu/cpu%u/trace_pipe_raw: the kernel gave %zd bytes "
					"where a sub-buffer has %u",
					drain->cpu, n, subbuf_bytes);
		r = check_subbuf(drain, space, now_ns);
		if (r == 0 && is_file_full(drain))
			r = switch_file(drain, page_time_ns(space));
		if (r < 0)
			return r;
		note_drained(drain, page_time_ns(space));
		r = kmt_chunk_writer_add(drain->writer, (size_t)n, drain->drained_ns, &drain->err);
		if (r < 0)
			return r;
		note_written(drain, now_ns);
		if (++nr == most)
			return 0;
	}
	if (now_ns > CLOCK_SLACK_NS)
		note_drained(drain, now_ns - CLOCK_SLACK_NS);
	return 0;
}

/* A chunk at the latest a second after its first data; a mark each second if there is none. */
static int flush_when_due(struct kmt_drain *drain)
{
	uint64_t now_ns = kmt_trace_clock_now(drain->shared->clock);
	int r;

	if (now_ns - drain->written_ns < FLUSH_NS)
		return 0;
	r = kmt_chunk_writer_flush(drain->writer, drain->drained_ns, &drain->err);
	if (r < 0)
		return r;
	note_written(drain, now_ns);
	return 0;
}

/*
 * Return: how many sub-buffers to read. Those that are whole are taken out of the buffer, of the
 * one being written the kernel copies event by event, and there would be one of these in each
 * round. It can wait until it is whole, or time is up.
 */
static uint32_t wait_for_data(struct kmt_drain *drain)
{
	uint32_t wake_subbufs = drain->shared->wake_subbufs;
	struct pollfd fds[] = {
		{ .fd = drain->shared->stop_fd, .events = POLLIN },
		{ .fd = drain->fd, .events = POLLIN },
	};

	if (drain->wait_ns)
		(void)poll(fds, 1, (int)(drain->wait_ns / 1000000));
	else if (drain->shared->has_buffer_percent)
		(void)poll(fds, 2, POLL_PERCENT_MS);
	else
		(void)poll(fds, 1, POLL_INTERVAL_MS);
	return fds[1].revents & POLLIN && wake_subbufs ? wake_subbufs : UINT32_MAX;
}

static int drain_until_stopped(struct kmt_drain *drain)
{
	uint32_t most = UINT32_MAX;

	for (;;) {
		/* Looked at first: after it is set, one more pass must find the buffer empty. */
		bool is_last = atomic_load(&drain->shared->is_stopping);
		int r = read_subbufs(drain, is_last ? UINT32_MAX : most);

		if (r != 0 || is_last)
			return r;
		r = flush_when_due(drain);
		if (r < 0)
			return r;
		most = wait_for_data(drain);
	}
}

/*
 * The buffer must be emptied while everybody else wants the CPU too: measured with both CPUs
 * saturated, normal priority loses 70 % of the events.
 */
static enum kmt_drain_priority raise_priority(void)
{
	struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &param) == 0)
		return KMT_PRIORITY_FIFO;
	if (setpriority(PRIO_PROCESS, 0, NICE) == 0) /* of this thread only, on Linux */
		return KMT_PRIORITY_NICE;
	return KMT_PRIORITY_NORMAL;
}

static void *drain_thread(void *arg)
{
	struct kmt_drain *drain = arg;
	char name[16]; /* the kernel's limit */

	(void)snprintf(name, sizeof(name), "kmt-drain/%u", drain->cpu % 10000);
	(void)pthread_setname_np(pthread_self(), name);
	drain->tid = gettid();
	drain->priority = raise_priority();
	/* All is open. Before Linux 3.17, the time is in a file. */
	kmt_privileges_keep(drain->shared->clock->is_in_stats ? KMT_CAPABILITY(CAP_DAC_OVERRIDE)
							      : 0);
	(void)sem_post(&drain->is_running);

	drain->result = drain_until_stopped(drain);
	if (drain->result != 0) {
		atomic_store(&drain->has_failed, true);
		signal_fd(drain->shared->wake_fd);
	}
	return NULL;
}

int kmt_drain_new(struct kmt_drain_shared *shared, uint32_t cpu, struct kmt_drain **ret_drain,
		  struct kmt_err *err)
{
	char path[64], cpu_path[KMT_TAPE_CPU_PATH_BYTES];
	struct kmt_drain *drain = calloc(1, sizeof(*drain));
	int r;

	if (!drain)
		return kmt_fail(err, -ENOMEM, "cpu %u: out of memory", cpu);
	drain->shared = shared;
	drain->cpu = cpu;
	drain->file_bytes = 0;
	drain->page_ns = shared->opened_ns; /* none is older */
	(void)sem_init(&drain->is_running, 0, 0);

	(void)snprintf(path, sizeof(path), "per_cpu/cpu%u/trace_pipe_raw", cpu);
	drain->fd = kmt_privileges_open(shared->instance_fd, path, O_RDONLY | O_NONBLOCK);
	if (drain->fd < 0) {
		r = kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
		kmt_drain_free(drain);
		return r;
	}
	kmt_tape_cpu_path(cpu_path, cpu);
	r = kmt_chunk_writer_new_among(shared->tape_fd, cpu_path, cpu, shared->nr_cpus,
				       shared->subbuf_bytes, &drain->writer, err);
	if (r < 0) {
		kmt_drain_free(drain);
		return r;
	}
	kmt_chunk_writer_set_padding(drain->writer, shared->padding);
	*ret_drain = drain;
	return 0;
}

void kmt_drain_pin(struct kmt_drain *drain)
{
	cpu_set_t set[KMT_CPUS_MAX / CPU_SETSIZE] = { 0 };

	CPU_SET_S(drain->cpu, sizeof(set), set);
	(void)pthread_setaffinity_np(drain->thread, sizeof(set), set);
}

int kmt_drain_start(struct kmt_drain *drain, struct kmt_err *err)
{
	pthread_attr_t attr;
	int r;

	drain->written_ns = kmt_trace_clock_now(drain->shared->clock);
	r = pthread_attr_init(&attr);
	if (r == 0) {
		(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
		r = pthread_create(&drain->thread, &attr, drain_thread, drain);
		(void)pthread_attr_destroy(&attr);
	}
	if (r)
		return kmt_fail(err, -r, "cpu %u: can't start a thread: %s", drain->cpu,
				strerror(r));
	drain->is_started = true;
	kmt_drain_pin(drain);
	while (sem_wait(&drain->is_running) < 0)
		;
	return 0;
}

int kmt_drain_join(struct kmt_drain *drain, struct kmt_err *err)
{
	if (drain->is_started)
		(void)pthread_join(drain->thread, NULL);
	drain->is_started = false;
	if (drain->result < 0)
		return kmt_fail(err, drain->result, "%s", drain->err.text);
	return drain->result;
}

int kmt_drain_finish(struct kmt_drain *drain, struct kmt_err *err)
{
	return kmt_chunk_writer_finish(drain->writer, drain->drained_ns, err);
}

uint64_t kmt_drain_written_ns(const struct kmt_drain *drain)
{
	return kmt_chunk_writer_written_ns(drain->writer);
}

bool kmt_drain_has_failed(const struct kmt_drain *drain)
{
	return atomic_load(&drain->has_failed);
}

uint32_t kmt_drain_cpu(const struct kmt_drain *drain)
{
	return drain->cpu;
}

pid_t kmt_drain_tid(const struct kmt_drain *drain)
{
	return drain->tid;
}

enum kmt_drain_priority kmt_drain_priority(const struct kmt_drain *drain)
{
	return drain->priority;
}

const struct kmt_chunk_writer *kmt_drain_writer(const struct kmt_drain *drain)
{
	return drain->writer;
}

struct kmt_drain *kmt_drain_free(struct kmt_drain *drain)
{
	if (!drain)
		return NULL;
	if (drain->is_started) {
		kmt_drain_shared_stop(drain->shared);
		(void)pthread_join(drain->thread, NULL);
	}
	kmt_chunk_writer_free(drain->writer);
	kmt_close_fd(&drain->fd);
	(void)sem_destroy(&drain->is_running);
	free(drain);
	return NULL;
}
