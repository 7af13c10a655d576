/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_DETAIL_H
#define KMT_TUI_DETAIL_H

#include <stdbool.h>
#include <stdio.h>

#include "item.h"

/* What a result knows of one of its rows, as lines: its judgement with all reasons, its numbers,
 * its curve, its stack. @width: of the screen */
void kmt_detail_print(const struct kmt_result *result, const struct kmt_item *item, int width,
		      bool is_utf8, FILE *file);

#endif
