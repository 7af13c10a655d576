/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_LOOK_H
#define KMT_CLI_LOOK_H

#include "kmemtape/replay.h"
#include "kmemtape/tape.h"

#include "operand.h"

/* replay --tui: a screen to look at a tape, instead of a report. */
struct kmt_look;

/* What of a command line is refused: called before each report that the screen wants. */
typedef int kmt_look_check_fn(const struct kmt_tape *tape, const struct kmt_replay_options *options,
			      struct kmt_err *err);

/* kmt_look_check() - can there be a screen? Return: KMT_EXIT_DONE; else it has said why not. */
int kmt_look_check(const struct kmt_command *command);

/**
 * kmt_look_new() - take the terminal, before the sandbox, which gets to know of it
 * @path: borrowed
 */
int kmt_look_new(const char *path, bool is_utf8, struct kmt_sandbox *sandbox,
		 struct kmt_look **ret_look, struct kmt_err *err);
struct kmt_look *kmt_look_free(struct kmt_look *look);

/**
 * kmt_look_run() - until the user has seen enough; the terminal is as it was then
 * @operand: in whose sandbox the process is; it is read while the screen is there
 * @exit_code: what the process ends with, by what the verdict is
 *
 * If a signal ends it, or while the tape is still being read, it ends the process.
 *
 * Return: exit code; negative errno.
 */
int kmt_look_run(struct kmt_look **look, struct kmt_operand *operand,
		 const struct kmt_replay_options *options, kmt_look_check_fn *check,
		 int (*exit_code)(const struct kmt_verdict *verdict), struct kmt_err *err);

KMT_DEFINE_FREEP(struct kmt_look *, kmt_look_free)

#endif
