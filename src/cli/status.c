// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kmemtape/trace-dat.h"
#include "kmemtape/units.h"

#include "status.h"

#define WIDTH	    79 /* of 80 columns: the last one would make some terminals go to the next line */
#define FIRST_MS    1000u /* what is over by then needs no words */
#define TICK_MS	    250u
#define NS_PER_S    UINT64_C(1000000000)
#define ALMOST_DONE 99 /* percent: what is read twice for once, or nobody foresaw, never ends */

bool kmt_status_is_quiet;

static struct {
	const struct kmt_command *command;
	uint64_t bytes, started_ns;
	struct kmt_progress progress;
	pthread_mutex_t lock;
	pthread_cond_t is_over;
	pthread_t thread;
	bool is_running, is_stopping;
} status = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t per_second(uint64_t count, uint64_t ns)
{
	return ns ? (uint64_t)((double)count * (double)NS_PER_S / (double)ns) : 0;
}

/* "37 %  2.1 M events/s  12 s left"; without a decoder "37 %  300 MiB/s  12 s left" */
static void show(void)
{
	uint64_t bytes = atomic_load_explicit(&status.progress.bytes, memory_order_relaxed);
	uint64_t events = atomic_load_explicit(&status.progress.events, memory_order_relaxed);
	uint64_t ns = now_ns() - status.started_ns;
	char rate[KMT_UNITS_BYTES], line[160], part[32] = "", left[48] = "";
	double done = status.bytes ? (double)bytes / (double)status.bytes : 0;

	if (status.bytes)
		(void)snprintf(part, sizeof(part), "%d %%  ",
			       done * 100 < ALMOST_DONE ? (int)(done * 100) : ALMOST_DONE);
	if (done > 0 && done * 100 < ALMOST_DONE)
		(void)snprintf(left, sizeof(left), "  %" PRIu64 " s left",
			       (uint64_t)((double)ns * (1 - done) / done / (double)NS_PER_S) + 1);
	if (events)
		kmt_format_count(rate, per_second(events, ns));
	else
		kmt_format_size(rate, per_second(bytes, ns));
	(void)snprintf(line, sizeof(line), "kmemtape %s: %s%s%s%s", status.command->name, part,
		       rate, events ? " events/s" : "/s", left);
	(void)fprintf(stderr, "\r%.*s\033[K", WIDTH, line);
	(void)fflush(stderr);
}

static void wait_ms(uint64_t ms)
{
	struct timespec until;
	uint64_t ns = now_ns() + ms * 1000000;

	until.tv_sec = (time_t)(ns / NS_PER_S);
	until.tv_nsec = (long)(ns % NS_PER_S);
	while (!status.is_stopping &&
	       pthread_cond_timedwait(&status.is_over, &status.lock, &until) == 0)
		continue;
}

static void *run(void *context)
{
	bool has_line = false;

	(void)context;
	(void)pthread_mutex_lock(&status.lock);
	wait_ms(FIRST_MS);
	while (!status.is_stopping) {
		show();
		has_line = true;
		wait_ms(TICK_MS);
	}
	(void)pthread_mutex_unlock(&status.lock);
	if (has_line) {
		(void)fputs("\r\033[K", stderr);
		(void)fflush(stderr);
	}
	return NULL;
}

/* The clock of the waits; signals are for those who work. Return: false if it can't be had. */
static bool start_thread(void)
{
	pthread_condattr_t attributes;
	sigset_t all, old;
	int r;

	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&status.is_over, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	r = pthread_create(&status.thread, NULL, run, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		(void)pthread_cond_destroy(&status.is_over);
	return r == 0;
}

struct kmt_progress *kmt_status_start(const struct kmt_command *command, uint64_t bytes)
{
	kmt_status_stop();
	if (kmt_status_is_quiet || !isatty(STDERR_FILENO))
		return NULL;
	status.command = command;
	status.bytes = bytes;
	status.started_ns = now_ns();
	atomic_init(&status.progress.bytes, 0);
	atomic_init(&status.progress.events, 0);
	status.is_stopping = false;
	status.is_running = start_thread();
	return status.is_running ? &status.progress : NULL;
}

void kmt_status_watch(const struct kmt_command *command, struct kmt_tape *tape, unsigned int times)
{
	kmt_tape_set_progress(tape, kmt_status_start(command, kmt_tape_cpu_bytes(tape) * times));
}

int kmt_status_import(const struct kmt_command *command, const char *path, const char *tape_path,
		      struct kmt_err *err)
{
	uint64_t bytes = 0;
	struct stat st;
	int r;

	if (stat(path, &st) == 0)
		bytes = (uint64_t)st.st_size;
	r = kmt_trace_dat_import(path, tape_path, kmt_status_start(command, bytes), err);
	kmt_status_stop();
	return r;
}

void kmt_status_stop(void)
{
	if (!status.is_running)
		return;
	(void)pthread_mutex_lock(&status.lock);
	status.is_stopping = true;
	(void)pthread_cond_signal(&status.is_over);
	(void)pthread_mutex_unlock(&status.lock);
	(void)pthread_join(status.thread, NULL);
	(void)pthread_cond_destroy(&status.is_over);
	status.is_running = false;
}
