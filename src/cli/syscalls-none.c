// SPDX-License-Identifier: GPL-2.0-only
#include "syscalls.h"

bool kmt_syscalls_can_restrict(void)
{
	return false;
}

int kmt_syscalls_restrict(const struct kmt_sandbox *sandbox, struct kmt_err *err)
{
	return 0;
}
