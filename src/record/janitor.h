/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_JANITOR_H
#define KMT_RECORD_JANITOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "kmemtape/err.h"
#include "tracefs-dir.h"

/*
 * A small process that outlives the recorder, should that be killed: it switches the events off,
 * and removes instance and probes. It holds tracefs and a pipe, and nothing of the user's: no
 * terminal, no pipe, no directory.
 */
struct kmt_janitor {
	pid_t pid; /* 0: there is none */
	int fd;	   /* its end of file is our death */
};

#define KMT_JANITOR_NONE           \
	{                          \
		.pid = 0, .fd = -1 \
	}

/**
 * kmt_janitor_start() - before anything is made in tracefs, and before any thread is started
 *
 * Return: 0 or negative errno. One can record without a janitor.
 */
int kmt_janitor_start(struct kmt_janitor *janitor, const struct kmt_tracefs *tracefs,
		      struct kmt_err *err);

/* kmt_janitor_expect_instance() - we make one, called after our pid: it removes that, unless
 * somebody uses it */
void kmt_janitor_expect_instance(const struct kmt_janitor *janitor);

/* kmt_janitor_give_instance() - the instance that is called after our pid is ours: from now on it
 * cleans up */
void kmt_janitor_give_instance(const struct kmt_janitor *janitor);

/* kmt_janitor_has_died() - look whether somebody killed it; true once. Doesn't wait. */
bool kmt_janitor_has_died(struct kmt_janitor *janitor);

/* All is put back: it ends. Nothing to do for one that isn't there. */
void kmt_janitor_dismiss(struct kmt_janitor *janitor);

#endif
