/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_SCRATCH_H
#define KMT_CLI_SCRATCH_H

#include <limits.h>

#include "kmemtape/err.h"

#include "opt.h"

/**
 * kmt_scratch_enter() - a directory of our own that goes whatever becomes of us
 * @path: what the command works on, for messages
 * @prefix: the directory's name; "-XXXXXX" is added. NULL: in $TMPDIR
 * @directory: PATH_MAX long; its path
 *
 * The process that was called waits then, removes the directory and exits, and the call returns in
 * a child of it: to be called before anything is printed or any thread is started.
 *
 * Return: 0, in the child; negative errno, with no directory.
 */
int kmt_scratch_enter(const struct kmt_command *command, const char *path, const char *prefix,
		      char *directory, struct kmt_err *err);

#endif
