// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "look.h"

int kmt_look_check(const struct kmt_command *command)
{
	return kmt_complain(command, KMT_EXIT_USAGE,
			    "--tui: this kmemtape was built without 'tui' (ncursesw)");
}

int kmt_look_new(const char *path, bool is_utf8, struct kmt_sandbox *sandbox,
		 struct kmt_look **ret_look, struct kmt_err *err)
{
	return kmt_fail(err, -ENOTSUP, "--tui: not in this build");
}

struct kmt_look *kmt_look_free(struct kmt_look *look)
{
	return NULL;
}

int kmt_look_run(struct kmt_look **look, struct kmt_operand *operand,
		 const struct kmt_replay_options *options, kmt_look_check_fn *check,
		 int (*exit_code)(const struct kmt_verdict *verdict), struct kmt_err *err)
{
	return kmt_fail(err, -ENOTSUP, "--tui: not in this build");
}
