/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_COLUMNS_H
#define KMT_TUI_COLUMNS_H

#include "canvas.h"
#include "table.h"

/* The heads of the columns, then rows of the table, as far as @nr_rows go. Which columns there are
 * depends on the width: the name takes what is left. */
void kmt_columns_draw(const struct kmt_table *table, struct kmt_canvas *canvas, int row,
		      int nr_rows);

/* How a row of this class looks. */
enum kmt_style kmt_columns_style(const struct kmt_judgement *judgement);

#endif
