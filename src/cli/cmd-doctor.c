// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "kmemtape/capabilities.h"
#include "kmemtape/diagnosis.h"
#include "kmemtape/units.h"

#include "abilities.h"
#include "diagnose.h"
#include "host.h"
#include "opt.h"

#define WATCH_NS_MIN UINT64_C(100000000)
#define WATCH_NS_MAX (UINT64_C(24) * 3600 * 1000000000)
#define READINGS_MIN 4u /* of a watch that Ctrl-C ends: fewer can't tell growth from a jump */

static const char *const format_words[] = { "text", "json", NULL };
static int format;
static uint64_t watch_ns;

static const struct kmt_opt options[] = {
	{ 0, "watch", "TIME", KMT_OPT_TIME, &watch_ns, WATCH_NS_MIN, WATCH_NS_MAX,
	  .help = "see for so long what grows" },
	{ 0, "format", "FORMAT", KMT_OPT_WORD, &format, .words = format_words,
	  .help = "text, or json (schema 1) [text]" },
	{ 0 },
};

static int run(int argc, char **argv);

const struct kmt_command kmt_command_doctor = {
	.name = "doctor",
	.summary = "Is it the kernel at all? What can be recorded here?",
	.usage = "[OPTION...]",
	.notes = "Reads counters of the running kernel; changes nothing. Root sees more.\n"
		 "Times take ns us ms s m h; a number alone is seconds. Ctrl-C ends --watch, and\n"
		 "shows what grew until then.\n",
	.run = run,
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int signal)
{
	is_interrupted = 1;
}

/* Ctrl-C ends the watch, not the program; a second one does. */
static void catch_interrupt(void)
{
	const struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESETHAND };
	struct sigaction before;

	if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		(void)sigaction(SIGINT, &action, NULL);
}

static void announce_watch(void)
{
	char time[KMT_UNITS_BYTES];

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "watching for %s; Ctrl-C shows what grew until then\n",
			kmt_format_time(time, watch_ns));
}

static void sleep_until(uint64_t time_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(time_ns / UINT64_C(1000000000)),
		.tv_nsec = (long)(time_ns % UINT64_C(1000000000)),
	};

	while (!is_interrupted &&
	       clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static int read_host(struct kmt_host *host, struct kmt_diagnosis *diagnosis, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	KMT_CLEANUP(kmt_close_fd) int sys_fd = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t start_ns = now_ns();
	int r;

	if (proc_fd < 0)
		return kmt_fail(err, -errno, "/proc: %s", strerror(errno));
	if (kmt_host_read_once(host, proc_fd, sys_fd) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	if (watch_ns) {
		catch_interrupt();
		announce_watch();
	}
	r = kmt_host_read(host, proc_fd, err);
	while (r == 0 && watch_ns && !is_interrupted && host->nr_readings < KMT_HOST_READINGS_MAX) {
		sleep_until(start_ns + watch_ns / (KMT_HOST_READINGS_MAX - 1) * host->nr_readings);
		r = kmt_host_read(host, proc_fd, err);
	}
	if (watch_ns)
		diagnosis->watched_ns = now_ns() - start_ns;
	if (r == 0 && is_interrupted && host->nr_readings < READINGS_MIN)
		return kmt_fail(err, -EINTR, "interrupted: too early to tell what grows");
	return r;
}

static void describe_host(struct kmt_diagnosis *diagnosis)
{
	long nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct utsname host;

	diagnosis->nr_cpus = nr_cpus > 0 ? (size_t)nr_cpus : 1;
	if (uname(&host) < 0)
		return;
	(void)snprintf(diagnosis->kernel, sizeof(diagnosis->kernel), "%s", host.release);
	(void)snprintf(diagnosis->arch, sizeof(diagnosis->arch), "%s", host.machine);
}

static int examine(struct kmt_diagnosis *diagnosis, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_host_deinit) struct kmt_host host;
	KMT_CLEANUP(kmt_close_fd) int root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	kmt_host_init(&host);
	describe_host(diagnosis);
	r = read_host(&host, diagnosis, err);
	if (r < 0)
		return r;
	r = kmt_diagnose(&host, diagnosis);
	if (r < 0)
		return kmt_fail(err, r, "out of memory");
	kmt_abilities_find(root_fd, geteuid() == 0, kmt_capabilities_get().permitted, diagnosis);
	return 0;
}

static int run(int argc, char **argv)
{
	KMT_CLEANUP(kmt_freep) struct kmt_diagnosis *diagnosis = NULL;
	struct kmt_err err = { "" };
	int first, r;

	r = kmt_opt_parse(&kmt_command_doctor, options, argc, argv, &first);
	if (r != KMT_OPT_RUN)
		return r < 0 ? KMT_EXIT_USAGE : KMT_EXIT_DONE;
	if (first < argc)
		return kmt_complain(&kmt_command_doctor, KMT_EXIT_USAGE,
				    "it takes no operands: '%s'", argv[first]);
	/* All that is read has a name of ours: none that a user gives. */
	(void)kmt_capabilities_raise(KMT_CAPABILITIES_RECORD);
	diagnosis = calloc(1, sizeof(*diagnosis));
	if (!diagnosis)
		return kmt_complain(&kmt_command_doctor, KMT_EXIT_FAILED, "out of memory");
	r = examine(diagnosis, &err);
	if (r == 0 && format == 1)
		r = kmt_diagnosis_json(diagnosis, stdout, &err);
	else if (r == 0)
		kmt_diagnosis_text(diagnosis, stdout);
	if (r < 0)
		return kmt_complain(&kmt_command_doctor, KMT_EXIT_FAILED, "%s", err.text);
	return KMT_EXIT_DONE;
}
