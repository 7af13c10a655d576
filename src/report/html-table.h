/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_HTML_TABLE_H
#define KMT_REPORT_HTML_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "kmemtape/result.h"

/* The first rows, of @top at most (0: all); the script adds the others. */
void kmt_html_table_print(const struct kmt_result *result, uint64_t top, FILE *file);

#endif
