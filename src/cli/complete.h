/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_COMPLETE_H
#define KMT_CLI_COMPLETE_H

#include "opt.h"

/*
 * kmemtape --complete WORD...: what the last WORD may become, for the shells of tools/completion.
 * Each candidate is a line, with a tab and a few words behind it; the line ":files" means that
 * names of files fit, too.
 */

/**
 * kmt_complete() - print it
 * @commands: ends with NULL
 *
 * Return: exit code
 */
int kmt_complete(const struct kmt_command *const *commands, int argc, char **argv);

/* True in a command that kmt_complete() runs: for kmt_opt_parse(), which calls the next one then.
 */
bool kmt_complete_is_wanted(void);
void kmt_complete_options(const struct kmt_command *command, const struct kmt_opt *opts, int argc,
			  char **argv);

#endif
