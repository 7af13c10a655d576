/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_BIG_TEXTS_H
#define KMEMTAPE_TOOLS_BIG_TEXTS_H

#include "kmemtape/err.h"

#include "formats-dir.h"
#include "load.h"

/* All of a tape but its CPU files. */
int texts_write(const struct load *load, const struct formats_dir *formats, int dirfd,
		struct kmt_err *err);

#endif
