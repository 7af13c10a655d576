/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_CHILD_H
#define KMT_RECORD_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "kmemtape/err.h"
#include "user.h"

/* The command of `record -- COMMAND`: forked early, while the process is small; run when told. */
struct kmt_child {
	pid_t pid; /* 0: there is none */
	int go_fd;
	int errno_fd;
	bool has_ended;
	int status; /* exit status, or 128 + signal */
};

#define KMT_CHILD_NONE                                \
	{                                             \
		.pid = 0, .go_fd = -1, .errno_fd = -1 \
	}

/**
 * kmt_child_fork() - @mask and SIGPIPE's and SIGXFSZ's defaults are what the command gets
 * @user: who runs it; NULL: who we are. Before we give up anything that it should have.
 */
int kmt_child_fork(struct kmt_child *child, char *const *argv, const sigset_t *mask,
		   const struct kmt_user *user, struct kmt_err *err);

/* kmt_child_run() - exec the command. Return: 0, or negative errno of the exec. */
int kmt_child_run(struct kmt_child *child, const char *name, struct kmt_err *err);

/* kmt_child_reap() - look whether it has ended; doesn't wait */
void kmt_child_reap(struct kmt_child *child);

/* A guard: a child that was not run is ended, a command that runs is left alone. */
void kmt_child_release(struct kmt_child *child);

#endif
