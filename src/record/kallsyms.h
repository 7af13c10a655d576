/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_KALLSYMS_H
#define KMT_RECORD_KALLSYMS_H

#include "kmemtape/err.h"
#include "kmemtape/manifest.h"

/**
 * kmt_kallsyms_capture() - copy /proc/kallsyms to the chunk file @path of the tape
 * @module: only the lines of this module; NULL for all
 * @ret_state: whether it has addresses
 *
 * Allocates the 3 MiB of a chunk writer, and gives them back.
 *
 * Return: 0, also if there is no /proc/kallsyms (KMT_SYMBOLS_NONE); negative errno of a write.
 */
int kmt_kallsyms_capture(int tape_fd, const char *path, const char *module,
			 enum kmt_symbols_state *ret_state, struct kmt_err *err);

#endif
