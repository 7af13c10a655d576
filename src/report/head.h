/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_HEAD_H
#define KMT_REPORT_HEAD_H

#include <stdio.h>

#include "kmemtape/result.h"

/* Which tape it is, and what may make all numbers wrong: before any of them. */
/* @has_estimates: of a sample, what follows has some */
void kmt_head_print(const struct kmt_result *result, bool has_estimates, FILE *file);

#endif
