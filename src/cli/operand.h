/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_OPERAND_H
#define KMT_CLI_OPERAND_H

#include <limits.h>

#include "kmemtape/tape.h"

#include "opt.h"
#include "sandbox.h"

/**
 * kmt_operand_open() - open the TAPE of a command line, which may also be a trace.dat
 * @sandbox: what beside TAPE is needed from now on: the process is in it when the first byte of
 * TAPE is read. The tape's paths are added
 *
 * Of a trace.dat a tape is made in $TMPDIR. So that it goes whatever becomes of us, the process
 * that was called waits then, removes the tape and exits, and the call returns in a child of it: to
 * be called once, before anything is printed or any thread is started.
 *
 * Return: as kmt_tape_open() and kmt_trace_dat_import()
 */
int kmt_operand_open(const struct kmt_command *command, const char *path,
		     struct kmt_sandbox *sandbox, struct kmt_tape **ret_tape, struct kmt_err *err);

/*
 * The same in steps, for who needs a process beside its own that is not in the sandbox, or reads
 * several, all of them in one sandbox.
 */
struct kmt_operand {
	const struct kmt_command *command;
	const char *path;
	char scratch[PATH_MAX]; /* where the tape of a trace.dat is made; "" of a tape */
	struct kmt_progress *progress; /* of that; NULL, as at first: it shows a status line */
};

int kmt_operand_enter(const struct kmt_command *command, const char *path,
		      struct kmt_operand *operand, struct kmt_err *err);
void kmt_operand_allow(const struct kmt_operand *operand, struct kmt_sandbox *sandbox);
int kmt_operand_load(const struct kmt_operand *operand, struct kmt_tape **ret_tape,
		     struct kmt_err *err);

/* With how many threads to read it, if nobody says: all CPUs but one, at most @max; 0: none. */
unsigned int kmt_operand_threads(unsigned int max);

#endif
