/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_SAMPLING_TAPE_H
#define KMEMTAPE_SAMPLING_TAPE_H

#include "kmemtape/err.h"

#include "formats-dir.h"
#include "workload.h"

/* What the recorder makes of a workload with the kernel's filter `!(ptr & mask)`. */
#define TAPE_PAGE_BYTES UINT64_C(4096)
#define TAPE_SITES_FROM UINT64_C(0xffffffff81100000) /* call site of site 0 */
#define TAPE_SITE_BYTES UINT64_C(0x1000)

/**
 * tape_make() - write one
 * @path: must not exist
 * @formats: of 6.12
 * @sample: 1 in so many addresses, a power of two
 */
int tape_make(const char *path, const struct formats_dir *formats, const struct workload *workload,
	      uint64_t sample, struct kmt_err *err);

#endif
