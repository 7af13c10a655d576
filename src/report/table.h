/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_TABLE_H
#define KMT_REPORT_TABLE_H

#include <stdio.h>

#include "kmemtape/report.h"

/* What is live, one row in two lines: its numbers, then who it is. Then vmalloc areas, then what the
 * words mean, of those that occurred. */
void kmt_table_print(const struct kmt_result *result, const struct kmt_report_options *options,
		     FILE *file);

#endif
