/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_LANDLOCK_H
#define KMT_CLI_LANDLOCK_H

#include "kmemtape/err.h"

#include "sandbox.h"

/* Version of landlock in this kernel; 0: none, or it is switched off. */
int kmt_landlock_abi(void);

/**
 * kmt_landlock_enter() - reads and writes only beneath what @sandbox names, no TCP, and no abstract
 * UNIX sockets, as far as this kernel's landlock can tell
 *
 * Return: 0, also without landlock; negative errno if it refused.
 */
int kmt_landlock_enter(const struct kmt_sandbox *sandbox, struct kmt_err *err);

#endif
