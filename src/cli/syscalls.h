/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_SYSCALLS_H
#define KMT_CLI_SYSCALLS_H

#include "kmemtape/err.h"

#include "sandbox.h"

/* Whether this build and this kernel have seccomp. */
bool kmt_syscalls_can_restrict(void);

/**
 * kmt_syscalls_restrict() - only those that a reader needs
 *
 * Return: 0, also without seccomp; negative errno if it refused.
 */
int kmt_syscalls_restrict(const struct kmt_sandbox *sandbox, struct kmt_err *err);

#endif
