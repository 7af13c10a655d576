/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_TAPE_OUTPUT_H
#define KMT_CLI_TAPE_OUTPUT_H

#include "kmemtape/err.h"

#include "opt.h"

/**
 * kmt_tape_output() - run what makes a tape of something, in a sandbox that holds both
 * @path: all that may be read
 * @output: where the tape goes. An empty directory that is there stays, and becomes the tape; else,
 * only a whole tape gets there
 * @make: makes the tape @product of @path
 *
 * See kmt_scratch_enter(): to be called before anything is printed or any thread is started.
 *
 * Return: 0 or negative errno
 */
int kmt_tape_output(const struct kmt_command *command, const char *path, const char *output,
		    int (*make)(const char *path, const char *product, struct kmt_err *err),
		    struct kmt_err *err);

#endif
