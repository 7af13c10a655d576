/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_CLI_PRIVILEGES_H
#define KMT_CLI_PRIVILEGES_H

#include <stdbool.h>

#include "kmemtape/err.h"

/**
 * kmt_privileges_drop() - all capabilities for good, but those to read files of other users
 * @is_writer: and to write where they may
 *
 * A tape that was recorded with sudo belongs to who called it: root must still be able to open it.
 *
 * Return: 0 or negative errno
 */
int kmt_privileges_drop(bool is_writer, struct kmt_err *err);

#endif
