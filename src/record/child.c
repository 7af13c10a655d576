// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "kmemtape/cleanup.h"

static int become_user(const struct kmt_user *user)
{
	if (*user->home)
		(void)setenv("HOME", user->home, 1);
	(void)setenv("USER", user->name, 1);
	(void)setenv("LOGNAME", user->name, 1);
	return kmt_user_become(user);
}

/* In the child: wait for the word, become the command. An errno goes back if that fails. */
static _Noreturn void become(char *const *argv, int go_fd, int errno_fd, const sigset_t *mask,
			     const struct kmt_user *user)
{
	char go;
	ssize_t n;
	int code;

	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	do
		n = read(go_fd, &go, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1) {
		code = user ? -become_user(user) : 0;
		if (!code) {
			execvp(argv[0], argv);
			code = errno;
		}
		(void)!write(errno_fd, &code, sizeof(code));
	}
	_exit(127);
}

int kmt_child_fork(struct kmt_child *child, char *const *argv, const sigset_t *mask,
		   const struct kmt_user *user, struct kmt_err *err)
{
	int go[2] = { -1, -1 }, code[2] = { -1, -1 };
	pid_t pid = -1;
	int r = 0;

	if (pipe2(go, O_CLOEXEC) == 0 && pipe2(code, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0) {
		(void)close(go[1]); /* so that our death is the end of file */
		become(argv, go[0], code[1], mask, user);
	}
	if (pid < 0)
		r = kmt_fail(err, -errno, "%s: can't start: %s", argv[0], strerror(errno));
	kmt_close_fd(&go[0]);
	kmt_close_fd(&code[1]);
	if (r < 0) {
		kmt_close_fd(&go[1]);
		kmt_close_fd(&code[0]);
		return r;
	}
	*child = (struct kmt_child){ .pid = pid, .go_fd = go[1], .errno_fd = code[0] };
	return 0;
}

int kmt_child_run(struct kmt_child *child, const char *name, struct kmt_err *err)
{
	int code = 0;
	ssize_t n;

	(void)!write(child->go_fd, "", 1); /* if it is dead, SIGCHLD tells */
	kmt_close_fd(&child->go_fd);
	do
		n = read(child->errno_fd, &code, sizeof(code)); /* the end when exec closes it */
	while (n < 0 && errno == EINTR);
	kmt_close_fd(&child->errno_fd);
	if (n != sizeof(code))
		return 0;
	if (waitpid(child->pid, NULL, 0) == child->pid)
		child->pid = 0;
	return kmt_fail(err, -code, "%s: can't run it: %s", name, strerror(code));
}

void kmt_child_reap(struct kmt_child *child)
{
	int status;

	if (!child->pid || child->has_ended || waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	child->has_ended = true;
	child->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void kmt_child_release(struct kmt_child *child)
{
	int saved_errno = errno;

	if (child->go_fd >= 0) {
		kmt_close_fd(&child->go_fd);
		if (child->pid && !child->has_ended)
			(void)waitpid(child->pid, NULL, 0);
	}
	kmt_close_fd(&child->errno_fd);
	errno = saved_errno;
}
