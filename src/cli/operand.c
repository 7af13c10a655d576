// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <unistd.h>

#include "kmemtape/trace-dat.h"

#include "operand.h"
#include "scratch.h"
#include "status.h"

int kmt_operand_enter(const struct kmt_command *command, const char *path,
		      struct kmt_operand *operand, struct kmt_err *err)
{
	operand->command = command;
	operand->path = path;
	operand->scratch[0] = '\0';
	operand->progress = NULL;
	return kmt_is_trace_dat(path)
		       ? kmt_scratch_enter(command, path, NULL, operand->scratch, err)
		       : 0;
}

static int read_trace_dat(const struct kmt_operand *operand, struct kmt_tape **ret_tape,
			  struct kmt_err *err)
{
	char tape_path[PATH_MAX + 8];
	int r;

	(void)snprintf(tape_path, sizeof(tape_path), "%s/tape", operand->scratch);
	r = operand->progress
		    ? kmt_trace_dat_import(operand->path, tape_path, operand->progress, err)
		    : kmt_status_import(operand->command, operand->path, tape_path, err);
	return r < 0 ? r : kmt_tape_open_as(tape_path, operand->path, ret_tape, err);
}

void kmt_operand_allow(const struct kmt_operand *operand, struct kmt_sandbox *sandbox)
{
	kmt_sandbox_read(sandbox, operand->path);
	if (operand->scratch[0])
		kmt_sandbox_write(sandbox, operand->scratch);
}

int kmt_operand_load(const struct kmt_operand *operand, struct kmt_tape **ret_tape,
		     struct kmt_err *err)
{
	return operand->scratch[0] ? read_trace_dat(operand, ret_tape, err)
				   : kmt_tape_open(operand->path, ret_tape, err);
}

int kmt_operand_open(const struct kmt_command *command, const char *path,
		     struct kmt_sandbox *sandbox, struct kmt_tape **ret_tape, struct kmt_err *err)
{
	struct kmt_operand operand;
	int r = kmt_operand_enter(command, path, &operand, err);

	if (r < 0)
		return r;
	kmt_operand_allow(&operand, sandbox);
	r = kmt_sandbox_enter(sandbox, err);
	return r < 0 ? r : kmt_operand_load(&operand, ret_tape, err);
}

unsigned int kmt_operand_threads(unsigned int max)
{
	long nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (nr_cpus <= 1)
		return 0;
	return nr_cpus > (long)max ? max : (unsigned int)nr_cpus - 1;
}
