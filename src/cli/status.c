// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kmemtape/trace-dat.h"
#include "kmemtape/units.h"

#include "status.h"

#define COLUMNS	    80	  /* at most, and where the terminal doesn't tell */
#define FIRST_MS    1000u /* what is over by then needs no words */
#define TICK_MS	    250u
#define NS_PER_S    UINT64_C(1000000000)
#define NS_PER_MS   UINT64_C(1000000)
#define STOP	    SIGALRM /* to the thread alone: the work is over */
#define ALMOST_DONE 99 /* percent: what is read twice for once, or nobody foresaw, never ends */

bool kmt_status_is_quiet;

static struct {
	const struct kmt_command *command;
	uint64_t bytes, started_ns;
	struct kmt_progress progress;
	pthread_t thread;
	sigset_t watched, old_signals;
	bool is_running;
} status;

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

bool kmt_status_has_terminal(void)
{
	const char *type = getenv("TERM");

	return type && strcmp(type, "dumb") != 0 && isatty(STDERR_FILENO);
}

/* What goes on in the next row is not erased; the last column makes some terminals go there. */
static int width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || size.ws_col > COLUMNS)
		return COLUMNS - 1;
	return size.ws_col - 1;
}

void kmt_status_print(const char *line)
{
	(void)fprintf(stderr, "\r%.*s\033[K", width(), line);
	(void)fflush(stderr);
}

void kmt_status_erase(void)
{
	kmt_status_print("");
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
	kmt_status_print(line);
}

/* Return: a signal that came: STOP, or one that ends the process; 0: the time is over. */
static int wait_ms(unsigned int ms)
{
	uint64_t now, until = now_ns() + ms * NS_PER_MS;

	while ((now = now_ns()) < until) {
		struct timespec left = { (time_t)((until - now) / NS_PER_S),
					 (long)((until - now) % NS_PER_S) };
		int number = sigtimedwait(&status.watched, NULL, &left);

		if (number > 0)
			return number;
	}
	return 0;
}

/* What the signal would have done if nobody had waited for it, once the line is gone. */
static void end_by(int number)
{
	sigset_t one;

	(void)sigemptyset(&one);
	(void)sigaddset(&one, number);
	(void)raise(number);
	(void)pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

static void *run(void *context)
{
	bool has_line = false;
	int number = wait_ms(FIRST_MS);

	(void)context;
	for (; !number; number = wait_ms(TICK_MS)) {
		show();
		has_line = true;
	}
	if (has_line)
		kmt_status_erase();
	if (number != STOP)
		end_by(number);
	return NULL;
}

/* Whoever ignores a signal, or has made other arrangements, keeps to them. */
static void choose_watched(void)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action;

	(void)sigemptyset(&status.watched);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler == SIG_DFL)
			(void)sigaddset(&status.watched, ending[i]);
}

/*
 * All signals are blocked in it; those that it waits for also in those who work, who are made from
 * now on, so that none ends the process while the line stands. Return: false if it can't be had.
 */
static bool start_thread(void)
{
	sigset_t all, waited;
	int r;

	choose_watched();
	waited = status.watched;
	(void)sigaddset(&status.watched, STOP);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &status.old_signals);
	r = pthread_create(&status.thread, NULL, run, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &status.old_signals, NULL);
	if (r == 0)
		(void)pthread_sigmask(SIG_BLOCK, &waited, NULL);
	return r == 0;
}

struct kmt_progress *kmt_status_start(const struct kmt_command *command, uint64_t bytes)
{
	kmt_status_stop();
	if (kmt_status_is_quiet || !kmt_status_has_terminal())
		return NULL;
	status.command = command;
	status.bytes = bytes;
	status.started_ns = now_ns();
	atomic_init(&status.progress.bytes, 0);
	atomic_init(&status.progress.events, 0);
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
	(void)pthread_kill(status.thread, STOP);
	(void)pthread_join(status.thread, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &status.old_signals, NULL);
	status.is_running = false;
}
