// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "instance.h"
#include "janitor.h"
#include "kmemtape/cleanup.h"
#include "privileges.h"
#include "probes.h"

#define NAME	    "kmt-janitor"
#define DISMISS_MS  2000 /* it only has to wake up and end */
#define PIPE_FD	    3	 /* where it keeps what it needs */
#define TRACEFS_FD  4
#define FIRST_OTHER 5

/* What the recorder writes to the pipe; its end without a word is that of a recorder that was
 * killed. */
#define MAKES_INSTANCE 'm'
#define HAS_INSTANCE   'i'
#define ALL_IS_DONE    'd'

/* Nothing of the user's stays open: who reads what the recorder writes must see the end of it. */
static int keep_only(int pipe_fd, int tracefs_fd)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), fds[2];

	/* Out of the way first. What is behind is closed with all others. */
	fds[0] = fcntl(pipe_fd, F_DUPFD_CLOEXEC, FIRST_OTHER);
	fds[1] = fcntl(tracefs_fd, F_DUPFD_CLOEXEC, FIRST_OTHER);
	if (fds[0] < 0 || fds[1] < 0 || null_fd < 0)
		return -errno;
	for (int fd = 0; fd < PIPE_FD; fd++)
		if (dup2(null_fd, fd) < 0)
			return -errno;
	if (dup2(fds[0], PIPE_FD) < 0 || dup2(fds[1], TRACEFS_FD) < 0)
		return -errno;
	closefrom(FIRST_OTHER);
	return chdir("/") < 0 ? -errno : 0;
}

/* No signal that a terminal or a service manager sends to all of us, and the OOM killer only after
 * all others. */
static void make_tough(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)setsid();
	(void)prctl(PR_SET_NAME, NAME);
	(void)kmt_tracefs_write(AT_FDCWD, "/proc/self/oom_score_adj", "-1000");
	(void)mlockall(MCL_CURRENT | MCL_ONFAULT);
}

static _Noreturn void be_janitor(int pipe_fd, struct kmt_tracefs *tracefs, int tracefs_fd,
				 pid_t recorder)
{
	char word = 0, last = 0;
	ssize_t n;

	if (keep_only(pipe_fd, tracefs_fd) < 0)
		_exit(1);
	make_tough();
	kmt_privileges_keep_for_cleaning(tracefs->is_ours);
	do {
		n = read(PIPE_FD, &word, 1);
		last = n == 1 ? word : last;
	} while (n < 0 ? errno == EINTR : n == 1 && word != ALL_IS_DONE);
	if (n == 0 && last == HAS_INSTANCE) {
		kmt_instance_remove_of(TRACEFS_FD, recorder);
		kmt_probes_remove_of(TRACEFS_FD, recorder);
	}
	/* What is called so may be that of another recorder with this pid, in its own namespace:
	 * the kernel doesn't remove what is in use. If it is ours, its events are still off. */
	if (n == 0 && last == MAKES_INSTANCE)
		kmt_instance_remove_unused_of(TRACEFS_FD, recorder);
	if (n == 0)
		kmt_tracefs_release(tracefs);
	_exit(0);
}

int kmt_janitor_start(struct kmt_janitor *janitor, const struct kmt_tracefs *tracefs,
		      struct kmt_err *err)
{
	struct kmt_tracefs its_tracefs = *tracefs;
	pid_t recorder = getpid(), pid = -1;
	int pipe_fds[2];

	KMT_CLEANUP(kmt_close_fd)
	int tracefs_fd = kmt_privileges_open(AT_FDCWD, tracefs->path, O_RDONLY | O_DIRECTORY);
	if (tracefs_fd < 0)
		return kmt_fail(err, -errno, "%s: %s", tracefs->path, strerror(errno));
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return kmt_fail(err, -errno, "pipe: %s", strerror(errno));
	KMT_CLEANUP(kmt_close_fd) int its_fd = pipe_fds[0];
	KMT_CLEANUP(kmt_close_fd) int our_fd = pipe_fds[1];

	pid = fork();
	if (pid < 0)
		return kmt_fail(err, -errno, "fork: %s", strerror(errno));
	if (pid == 0) {
		kmt_close_fd(&our_fd);
		be_janitor(its_fd, &its_tracefs, tracefs_fd, recorder);
	}
	*janitor = (struct kmt_janitor){ .pid = pid, .fd = KMT_STEAL_FD(our_fd) };
	return 0;
}

static void tell(const struct kmt_janitor *janitor, char word)
{
	if (janitor->pid)
		(void)!write(janitor->fd, &word, 1); /* SIGPIPE is ignored */
}

void kmt_janitor_expect_instance(const struct kmt_janitor *janitor)
{
	tell(janitor, MAKES_INSTANCE);
}

void kmt_janitor_give_instance(const struct kmt_janitor *janitor)
{
	tell(janitor, HAS_INSTANCE);
}

bool kmt_janitor_has_died(struct kmt_janitor *janitor)
{
	if (!janitor->pid || waitpid(janitor->pid, NULL, WNOHANG) != janitor->pid)
		return false;
	janitor->pid = 0;
	kmt_close_fd(&janitor->fd);
	return true;
}

void kmt_janitor_dismiss(struct kmt_janitor *janitor)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	int saved_errno = errno;

	if (janitor->pid) {
		tell(janitor, ALL_IS_DONE);
		/* Should somebody have stopped it, the byte is there when it goes on. */
		for (int i = 0; i < DISMISS_MS && !kmt_janitor_has_died(janitor) && janitor->pid;
		     i++)
			(void)nanosleep(&pause, NULL);
	}
	kmt_close_fd(&janitor->fd);
	janitor->pid = 0;
	errno = saved_errno;
}
