/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_OUTPUT_H
#define KMT_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "kmemtape/err.h"

#include "opt.h"

/**
 * kmt_output_open() - where a report goes
 * @path: what the command reads, for messages; must not be @output itself
 * @output: FILE of '-o FILE'; NULL or "-": stdout
 * @ret_file: open for writing; stays so in a sandbox that may write nowhere
 *
 * What is no file (a pipe, /dev/null) is written to. Else @output appears when the command has
 * ended with success, whole, and in the place of what was there; until then nothing of it changes.
 * See kmt_scratch_enter(): to be called before anything is printed or any thread is started.
 *
 * Return: 0 or negative errno
 */
int kmt_output_open(const struct kmt_command *command, const char *path, const char *output,
		    FILE **ret_file, struct kmt_err *err);

/* Of a command that reads several: is @path what '-o @output' would replace? */
bool kmt_output_is(const char *path, const char *output);

/**
 * kmt_output_close() - all is written
 * @file: of kmt_output_open() with the same @output; stdout stays open. NULL then
 *
 * Return: 0; negative errno of the first write that failed.
 */
int kmt_output_close(FILE **file, const char *output, struct kmt_err *err);

/* The guard, of what is not to be whole. */
static inline void kmt_outputp(FILE **file)
{
	if (*file && *file != stdout)
		(void)fclose(*file);
	*file = NULL;
}

#endif
