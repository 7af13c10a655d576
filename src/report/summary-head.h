/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_SUMMARY_HEAD_H
#define KMT_REPORT_SUMMARY_HEAD_H

#include <stdio.h>

#include "kmemtape/summary.h"

/* What may make all numbers of a tape wrong, a line each; @name begins it: "A: ". */
void kmt_summary_doubts_print(const struct kmt_summary *summary, const char *name, FILE *file);

/* Which tape it is, and what its own report says. */
void kmt_summary_head_print(const struct kmt_summary *summary, const char *name, FILE *file);

#endif
