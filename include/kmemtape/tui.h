/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_TUI_H
#define KMEMTAPE_TUI_H

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/result.h"

/* A screen to walk about in the report: on stdin and stdout, which are a terminal. */
struct kmt_tui;

/* What the screen wants to know: a report of its own. */
struct kmt_tui_request {
	enum kmt_group group;
	const struct kmt_row *row; /* of an earlier result: all that is known of its call site is
				      wanted; NULL: just the rows by @group */
};

struct kmt_tui_source {
	void *context;
	/*
	 * Called in a thread of its own, one at a time, while the screen is alive; all signals are
	 * blocked there. @ret_result: the screen's. Return: 0 or negative errno, with words in @err.
	 */
	int (*read)(void *context, const struct kmt_tui_request *request,
		    struct kmt_result **ret_result, struct kmt_err *err);
	/* How far that is, 0..99 %; by the thread that runs the screen. */
	unsigned int (*percent)(void *context);
};

/**
 * kmt_tui_new() - take the terminal
 * @path: of the tape, for the user; borrowed
 * @is_utf8: the locale's, which is set
 *
 * All that is ever read from files is read here: afterwards there may be a sandbox that has read(),
 * write(), poll(), sigaction(), and of ioctl() what terminals need.
 *
 * Return: 0; -ENOTSUP if the terminal is unknown, or can't move its cursor; -ENOMEM.
 */
int kmt_tui_new(const char *path, bool is_utf8, struct kmt_tui **ret_tui, struct kmt_err *err);

/* Answers of kmt_tui_run() */
enum {
	KMT_TUI_DONE = 0,
	KMT_TUI_BUSY = 1, /* the user has left while @source was still read: that goes on, and what
			     it uses has to stay until the process ends */
};

/**
 * kmt_tui_run() - until the user quits
 * @first: what is read first
 * @ret_signal: of SIGINT, SIGTERM and the like, what ended it; else 0. The caller may end itself by
 *	it again, when the terminal is as it was
 *
 * Return: an answer above; negative errno if the first read failed, with its words.
 */
int kmt_tui_run(struct kmt_tui *tui, const struct kmt_tui_source *source, enum kmt_group first,
		int *ret_signal, struct kmt_err *err);

/* NULL: it was not known yet. Valid until kmt_tui_free(). */
const struct kmt_verdict *kmt_tui_verdict(const struct kmt_tui *tui);

/* Gives the terminal back as it was. While KMT_TUI_BUSY is true, results are left alone. */
struct kmt_tui *kmt_tui_free(struct kmt_tui *tui);

KMT_DEFINE_FREEP(struct kmt_tui *, kmt_tui_free)

#endif
