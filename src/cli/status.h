/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_STATUS_H
#define KMT_CLI_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtape/tape.h"

#include "opt.h"

/*
 * The status line of a command that reads a tape: on a terminal, once the work has taken a second.
 * A thread of its own writes it, so that it moves whatever the work is at; of it there is one at a
 * time. The process may be in its sandbox already.
 */

/* No line is wanted: what the option sets. */
extern bool kmt_status_is_quiet;

/* Is stderr a terminal that can erase a line? */
bool kmt_status_has_terminal(void);

/* kmt_status_print() - on that, in place of the line before, cut to its width; @line: ASCII */
void kmt_status_print(const char *line);

/* The line is gone. */
void kmt_status_erase(void);

#define KMT_STATUS_OPTION                                               \
	{                                                               \
		'q', "quiet", NULL, KMT_OPT_FLAG, &kmt_status_is_quiet, \
			.help = "no status line on the terminal"        \
	}

/**
 * kmt_status_start() - work begins
 * @bytes: that will be read in all; 0 unknown
 *
 * Return: what the work is to add to; NULL if nobody looks. Valid until kmt_status_stop().
 */
struct kmt_progress *kmt_status_start(const struct kmt_command *command, uint64_t bytes);

/* kmt_status_watch() - the same for work that reads the CPU files of @tape @times */
void kmt_status_watch(const struct kmt_command *command, struct kmt_tape *tape, unsigned int times);

/* kmt_trace_dat_import(), with a line */
int kmt_status_import(const struct kmt_command *command, const char *path, const char *tape_path,
		      struct kmt_err *err);

/* It is over, or something else is to be printed: the line goes. Harmless if there is none. */
void kmt_status_stop(void);

#endif
