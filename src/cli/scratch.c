// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/fs.h"

#include "scratch.h"

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define NR_ENDING_SIGNALS (sizeof(ending_signals) / sizeof(ending_signals[0]))

static pid_t worker; /* of whoever waits for it */

/*
 * Who ends us means the worker, whose end is ours. A terminal has told it already. Where that stops
 * us, the worker may have a screen to leave, for which it needs the terminal, which is the shell's
 * as soon as we have stopped: so we do when it has.
 */
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
	(void)signal(SIGTSTP, SIG_IGN);
}

/* Return: of the worker, at its end */
static int wait_for_worker(void)
{
	int status;

	for (;;) {
		pid_t pid = waitpid(worker, &status, WUNTRACED);

		if (pid == worker && !WIFSTOPPED(status))
			return status;
		if (pid == worker)
			(void)raise(SIGSTOP);
		else if (errno != EINTR)
			return KMT_EXIT_FAILED << 8; /* cannot be: it is our child */
	}
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

static int sync_directory(const char *directory)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Some file systems can't do it in one go. */
static int put_by_hand(const char *product, const char *output)
{
	struct stat st;

	if (lstat(product, &st) < 0)
		return -1;
	/* Over a directory with files it doesn't go, either. */
	return S_ISDIR(st.st_mode) ? rename(product, output) : link(product, output);
}

/*
 * @flags: RENAME_NOREPLACE: never over a file that is there, also if it came after we looked. 0: in
 * its place
 */
static int put_in_place(const char *directory, const char *output, unsigned int flags)
{
	char product[PATH_MAX + 8], parent[PATH_MAX];
	const char *slash = strrchr(output, '/');
	int r;

	(void)snprintf(product, sizeof(product), "%s/" KMT_SCRATCH_PRODUCT, directory);
	r = flags ? renameat2(AT_FDCWD, product, AT_FDCWD, output, flags) : rename(product, output);
	if (r < 0 && flags && (errno == EINVAL || errno == ENOSYS))
		r = put_by_hand(product, output);
	if (r < 0)
		return -errno;
	(void)snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - output + 1) : 1,
		       slash ? output : ".");
	return sync_directory(parent);
}

/* Leaks are an answer, too. */
static bool is_done(int status)
{
	return WIFEXITED(status) &&
	       (WEXITSTATUS(status) == KMT_EXIT_DONE || WEXITSTATUS(status) == KMT_EXIT_LEAKS);
}

static _Noreturn void wait_and_clean_up(const struct kmt_command *command, const char *path,
					const char *output, unsigned int flags,
					const char *directory)
{
	int status = wait_for_worker(), r = 0;

	if (output && is_done(status))
		r = put_in_place(directory, output, flags);
	kmt_remove_tree(directory, false);
	if (r < 0)
		exit(kmt_complain(command, KMT_EXIT_FAILED, "%s: %s", output, strerror(-r)));
	exit_as(command, path, status);
}

/* Less the slashes behind the name of a directory. */
static int length_of(const char *output)
{
	size_t length = strlen(output);

	while (length > 1 && output[length - 1] == '/')
		length--;
	return length < PATH_MAX ? (int)length : PATH_MAX;
}

static int name_directory(char *directory, const char *output, struct kmt_err *err)
{
	const char *parent = getenv("TMPDIR");
	int bytes;

	if (output)
		bytes = snprintf(directory, PATH_MAX, "%.*s-XXXXXX", length_of(output), output);
	else
		bytes = snprintf(directory, PATH_MAX, "%s/kmemtape-XXXXXX",
				 parent && *parent ? parent : "/tmp");
	return bytes < PATH_MAX ? 0
				: kmt_fail(err, -ENAMETOOLONG, "%.100s: name too long",
					   output ? output : "$TMPDIR");
}

static int enter(const struct kmt_command *command, const char *path, const char *output,
		 unsigned int flags, char *directory, struct kmt_err *err)
{
	sigset_t ending, old;
	int r = name_directory(directory, output, err);

	if (r < 0)
		return r;
	worker = 0; /* we may be one */
	(void)sigemptyset(&ending);
	for (size_t i = 0; i < NR_ENDING_SIGNALS; i++)
		(void)sigaddset(&ending, ending_signals[i]);
	(void)sigprocmask(SIG_BLOCK, &ending, &old);
	if (!mkdtemp(directory)) {
		r = kmt_fail(err, -errno, "%s: %s", output ? output : directory, strerror(errno));
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
		wait_and_clean_up(command, path, output, flags, directory);
	return r;
}

int kmt_scratch_enter(const struct kmt_command *command, const char *path, const char *output,
		      char *directory, struct kmt_err *err)
{
	return enter(command, path, output, RENAME_NOREPLACE, directory, err);
}

int kmt_scratch_replace(const struct kmt_command *command, const char *path, const char *output,
			char *directory, struct kmt_err *err)
{
	return enter(command, path, output, 0, directory, err);
}

void kmt_scratch_name_output(struct kmt_err *err, const char *product, const char *output)
{
	size_t length = strlen(product);
	struct kmt_err old = *err;

	if (strncmp(old.text, product, length) == 0)
		(void)kmt_fail(err, 0, "%s%s", output, old.text + length);
}
