// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/trace-dat.h"

#include "operand.h"
#include "scratch.h"

int kmt_operand_open(const struct kmt_command *command, const char *path,
		     struct kmt_tape **ret_tape, struct kmt_err *err)
{
	char directory[PATH_MAX], tape_path[PATH_MAX + 8];
	char *name;
	int r;

	if (!kmt_is_trace_dat(path))
		return kmt_tape_open(path, ret_tape, err);
	r = kmt_scratch_enter(command, path, NULL, directory, err);
	if (r < 0)
		return r;
	(void)snprintf(tape_path, sizeof(tape_path), "%s/tape", directory);
	r = kmt_trace_dat_import(path, tape_path, err);
	if (r == 0)
		r = kmt_tape_open(tape_path, ret_tape, err);
	if (r < 0)
		return r;
	name = strdup(path);
	if (name) { /* else it is called as it is */
		free((*ret_tape)->path);
		(*ret_tape)->path = name;
	}
	return 0;
}
