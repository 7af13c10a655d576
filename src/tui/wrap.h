/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_WRAP_H
#define KMT_TUI_WRAP_H

#include <stdbool.h>
#include <stddef.h>

#include "canvas.h"

/**
 * kmt_wrap_bytes() - how much of a line fits into a row
 * @bytes: of the line, more than 0
 *
 * Up to a blank, where there is one not too far in front; at least one character.
 *
 * Return: bytes; blanks that follow belong to no row.
 */
size_t kmt_wrap_bytes(const char *line, size_t bytes, int nr_columns, bool is_utf8);

/* A text in several rows of a canvas, at most @rows_max: the last one is cut. Return: the rows it
 * took. */
int kmt_wrap_put(struct kmt_canvas *canvas, int row, int rows_max, enum kmt_style style,
		 const char *text);

#endif
