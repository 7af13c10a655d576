/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_OPERAND_H
#define KMT_CLI_OPERAND_H

#include "kmemtape/tape.h"

#include "opt.h"

/**
 * kmt_operand_open() - open the TAPE of a command line, which may also be a trace.dat
 *
 * Of a trace.dat a tape is made in $TMPDIR. So that it goes whatever becomes of us, the process
 * that was called waits then, removes the tape and exits, and the call returns in a child of it: to
 * be called once, before anything is printed or any thread is started.
 *
 * Return: as kmt_tape_open() and kmt_trace_dat_import()
 */
int kmt_operand_open(const struct kmt_command *command, const char *path,
		     struct kmt_tape **ret_tape, struct kmt_err *err);

#endif
