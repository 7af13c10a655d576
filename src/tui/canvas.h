/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_CANVAS_H
#define KMT_TUI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

#include "kmemtape/cleanup.h"

/*
 * What a terminal is to show: a rectangle of characters, each with its style. Everything is drawn
 * here, whatever the terminal can do; only terminal.c brings it there.
 */
enum kmt_style {
	KMT_STYLE_PLAIN,
	KMT_STYLE_STRONG,
	KMT_STYLE_FAINT,  /* what can be done without */
	KMT_STYLE_BAR,	  /* lines between parts */
	KMT_STYLE_CHOSEN, /* where the cursor is */
	KMT_STYLE_BAD,
	KMT_STYLE_DOUBTFUL,
	KMT_STYLE_GOOD,
};
#define KMT_STYLES (KMT_STYLE_GOOD + 1)

struct kmt_cell {
	wchar_t glyph; /* 0: the right half of a wide one */
	uint8_t style;
};

#define KMT_CANVAS_ROWS_MAX    1000
#define KMT_CANVAS_COLUMNS_MAX 1000

struct kmt_canvas {
	int nr_rows, nr_columns;
	bool is_utf8;
	struct kmt_cell *cells;
};

/* Return: 0 or -ENOMEM, with @canvas as it was. Blank then. Sizes are cut to 1..MAX. */
int kmt_canvas_resize(struct kmt_canvas *canvas, int nr_rows, int nr_columns);
void kmt_canvas_deinit(struct kmt_canvas *canvas);
void kmt_canvas_clear(struct kmt_canvas *canvas);

/* From @column to the end of the row, or @width columns: blank, in @style. */
void kmt_canvas_fill(struct kmt_canvas *canvas, int row, int column, int width,
		     enum kmt_style style);

/**
 * kmt_canvas_put() - a text at a place, cut at @width and at the edge
 * @text: UTF-8; whatever is in it, nothing but characters gets into the cells
 *
 * Rows that are not there take nothing.
 *
 * Return: the columns it took.
 */
int kmt_canvas_put(struct kmt_canvas *canvas, int row, int column, int width, enum kmt_style style,
		   const char *text);

/* The same, flush right within @width, if it fits. */
void kmt_canvas_put_right(struct kmt_canvas *canvas, int row, int column, int width,
			  enum kmt_style style, const char *text);

/* All cells of a row get another style. */
void kmt_canvas_restyle(struct kmt_canvas *canvas, int row, enum kmt_style style);

static inline const struct kmt_cell *kmt_canvas_row(const struct kmt_canvas *canvas, int row)
{
	return &canvas->cells[(size_t)row * (size_t)canvas->nr_columns];
}

#endif
