/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_COPY_H
#define KMT_SHARE_COPY_H

#include "kmemtape/tape.h"

/**
 * kmt_share_copy_file() - put a file of @tape, as it is, on the new tape @dirfd
 * @path: "symbols/modules", "cpu/0001.zst"; the same on both. Directories on its way are made
 *
 * Return: 0; -ENOENT if @tape has no such file; -EEXIST if the new tape has it; other negative
 * errno, with nothing left at @path.
 */
int kmt_share_copy_file(const struct kmt_tape *tape, const char *path, int dirfd,
			struct kmt_err *err);

#endif
