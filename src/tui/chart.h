/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_CHART_H
#define KMT_TUI_CHART_H

#include <stdbool.h>
#include <stdio.h>

#include "kmemtape/result.h"

/* What was live of a row over the recording, some lines high, from 0 to its most, at most @width
 * columns wide. */
void kmt_chart_print(const struct kmt_result *result, const struct kmt_row *row, int width,
		     bool is_utf8, FILE *file);

#endif
