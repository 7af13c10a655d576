// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kmemtape/fs.h"

#include "scratch.h"

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define NR_ENDING_SIGNALS (sizeof(ending_signals) / sizeof(ending_signals[0]))

static pid_t worker; /* of whoever waits for it */

/* Who ends us means the worker, whose end is ours. A terminal has told it already. */
static void pass_on(int signal)
{
	int saved_errno = errno;

	(void)kill(worker, signal);
	errno = saved_errno;
}

static void pass_signals_on(void)
{
	struct sigaction action = { .sa_handler = pass_on }, old;

	for (size_t i = 0; i < NR_ENDING_SIGNALS; i++)
		if (sigaction(ending_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(ending_signals[i], &action, NULL);
}

/* To the shell it should look as if there had been no worker. */
static _Noreturn void exit_as(const struct kmt_command *command, const char *path, int status)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	bool is_wanted = number == SIGPIPE;

	if (!number)
		exit(WEXITSTATUS(status));
	for (size_t i = 0; i < NR_ENDING_SIGNALS; i++)
		is_wanted = is_wanted || number == ending_signals[i];
	if (is_wanted) {
		(void)signal(number, SIG_DFL);
		(void)raise(number);
	}
	exit(kmt_complain(command, KMT_EXIT_FAILED, "%s: ended by signal %d (%s)", path, number,
			  strsignal(number)));
}

static _Noreturn void wait_and_clean_up(const struct kmt_command *command, const char *path,
					const char *directory)
{
	int status;

	while (waitpid(worker, &status, 0) < 0)
		if (errno != EINTR) { /* cannot be: it is our child */
			status = KMT_EXIT_FAILED << 8;
			break;
		}
	kmt_remove_tree(directory, false);
	exit_as(command, path, status);
}

static int name_directory(char *directory, const char *prefix, struct kmt_err *err)
{
	const char *parent = getenv("TMPDIR");
	int bytes;

	if (prefix)
		bytes = snprintf(directory, PATH_MAX, "%s-XXXXXX", prefix);
	else
		bytes = snprintf(directory, PATH_MAX, "%s/kmemtape-XXXXXX",
				 parent && *parent ? parent : "/tmp");
	return bytes < PATH_MAX ? 0
				: kmt_fail(err, -ENAMETOOLONG, "%.100s: name too long",
					   prefix ? prefix : "$TMPDIR");
}

int kmt_scratch_enter(const struct kmt_command *command, const char *path, const char *prefix,
		      char *directory, struct kmt_err *err)
{
	sigset_t ending, old;
	int r = name_directory(directory, prefix, err);

	if (r < 0)
		return r;
	worker = 0; /* we may be one */
	(void)sigemptyset(&ending);
	for (size_t i = 0; i < NR_ENDING_SIGNALS; i++)
		(void)sigaddset(&ending, ending_signals[i]);
	(void)sigprocmask(SIG_BLOCK, &ending, &old);
	if (!mkdtemp(directory)) {
		r = kmt_fail(err, -errno, "%s: %s", directory, strerror(errno));
	} else {
		worker = fork();
		if (worker < 0) {
			r = kmt_fail(err, -errno, "fork: %s", strerror(errno));
			kmt_remove_tree(directory, false);
		}
		if (worker > 0)
			pass_signals_on();
	}
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (worker > 0)
		wait_and_clean_up(command, path, directory);
	return r;
}
