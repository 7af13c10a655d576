/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_SCRATCH_H
#define KMT_CLI_SCRATCH_H

#include <limits.h>

#include "kmemtape/err.h"

#include "opt.h"

#define KMT_SCRATCH_PRODUCT "out"

/**
 * kmt_scratch_enter() - a directory of our own that goes whatever becomes of us
 * @path: what the command works on, for messages
 * @output: where KMT_SCRATCH_PRODUCT of the directory goes if the child ends with success, but not
 * over anything that is there; the directory is made beside it. NULL: nowhere, in $TMPDIR
 * @directory: PATH_MAX long; its path
 *
 * The process that was called waits then, removes the directory and exits, and the call returns in
 * a child of it: to be called before anything is printed or any thread is started. So the child,
 * which reads what may be hostile, needs to write nowhere but in that directory.
 *
 * Return: 0, in the child; negative errno, with no directory.
 */
int kmt_scratch_enter(const struct kmt_command *command, const char *path, const char *output,
		      char *directory, struct kmt_err *err);

/* The same, also over a file that is there: until then that one is whole. */
int kmt_scratch_replace(const struct kmt_command *command, const char *path, const char *output,
			char *directory, struct kmt_err *err);

/* Words that begin with the product's path begin with the output's: the user knows no other. */
void kmt_scratch_name_output(struct kmt_err *err, const char *product, const char *output);

#endif
