// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "sandbox.h"
#include "scratch.h"
#include "tape-output.h"

int kmt_tape_output(const struct kmt_command *command, const char *path, const char *output,
		    int (*make)(const char *path, const char *product, struct kmt_err *err),
		    struct kmt_err *err)
{
	bool is_there = faccessat(AT_FDCWD, output, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	struct kmt_sandbox sandbox = { .nr_reads = 0 };
	char directory[PATH_MAX], product[PATH_MAX + 8];
	int r = 0;

	if (!is_there)
		r = kmt_scratch_enter(command, path, output, directory, err);
	if (r < 0)
		return r;
	if (!is_there)
		(void)snprintf(product, sizeof(product), "%s/" KMT_SCRATCH_PRODUCT, directory);
	kmt_sandbox_read(&sandbox, path);
	kmt_sandbox_write(&sandbox, is_there ? output : directory);
	r = kmt_sandbox_enter(&sandbox, err);
	if (r == 0)
		r = make(path, is_there ? output : product, err);
	if (r < 0 && !is_there)
		kmt_scratch_name_output(err, product, output);
	return r;
}
