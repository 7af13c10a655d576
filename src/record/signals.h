/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_SIGNALS_H
#define KMT_RECORD_SIGNALS_H

#include <signal.h>

#include "kmemtape/err.h"

/*
 * While a recording runs, signals are read from a descriptor, so that none can end us with the
 * tracefs instance left behind.
 */
struct kmt_signals {
	int fd; /* signalfd */
	sigset_t old_mask;
	struct sigaction old_pipe, old_file_size;
};

/* kmt_signals_take() - before any thread is started */
int kmt_signals_take(struct kmt_signals *ret_signals, struct kmt_err *err);

/* Put all back. What came too late to be read is dropped: it asked for what has happened. */
void kmt_signals_give_back(struct kmt_signals *signals);

/* What came since the last call */
enum {
	KMT_SIGNALS_STOP = 1,
	KMT_SIGNALS_CHILD = 2,
	KMT_SIGNALS_INTERRUPT = 4, /* the stop was Ctrl-C, which the command gets as well */
};

/* Doesn't wait. Return: bits of the above. */
unsigned int kmt_signals_read(struct kmt_signals *signals);

#endif
