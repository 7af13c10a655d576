// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "canvas.h"
#include "glyph.h"

static int bounded(int n, int max)
{
	return n < 1 ? 1 : n > max ? max : n;
}

int kmt_canvas_resize(struct kmt_canvas *canvas, int nr_rows, int nr_columns)
{
	struct kmt_cell *cells;

	nr_rows = bounded(nr_rows, KMT_CANVAS_ROWS_MAX);
	nr_columns = bounded(nr_columns, KMT_CANVAS_COLUMNS_MAX);
	cells = calloc((size_t)nr_rows * (size_t)nr_columns, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	free(canvas->cells);
	canvas->cells = cells;
	canvas->nr_rows = nr_rows;
	canvas->nr_columns = nr_columns;
	kmt_canvas_clear(canvas);
	return 0;
}

void kmt_canvas_deinit(struct kmt_canvas *canvas)
{
	free(canvas->cells);
	canvas->cells = NULL;
}

void kmt_canvas_clear(struct kmt_canvas *canvas)
{
	for (int row = 0; row < canvas->nr_rows; row++)
		kmt_canvas_fill(canvas, row, 0, canvas->nr_columns, KMT_STYLE_PLAIN);
}

static bool has_row(const struct kmt_canvas *canvas, int row)
{
	return row >= 0 && row < canvas->nr_rows;
}

static struct kmt_cell *cell_at(struct kmt_canvas *canvas, int row, int column)
{
	return &canvas->cells[(size_t)row * (size_t)canvas->nr_columns + (size_t)column];
}

/* Columns between @column and @width columns further, or the edge. */
static int room(const struct kmt_canvas *canvas, int column, int width)
{
	int left = canvas->nr_columns - column;

	return column < 0 || left < 0 ? 0 : width < left ? width : left;
}

void kmt_canvas_fill(struct kmt_canvas *canvas, int row, int column, int width,
		     enum kmt_style style)
{
	width = room(canvas, column, width);
	for (int i = 0; has_row(canvas, row) && i < width; i++)
		*cell_at(canvas, row, column + i) = (struct kmt_cell){ L' ', (uint8_t)style };
}

int kmt_canvas_put(struct kmt_canvas *canvas, int row, int column, int width, enum kmt_style style,
		   const char *text)
{
	int used = 0, columns;

	width = room(canvas, column, width);
	while (has_row(canvas, row) && *text) {
		wchar_t glyph = kmt_glyph_next(&text, canvas->is_utf8, &columns);

		if (used + columns > width)
			break;
		*cell_at(canvas, row, column + used) = (struct kmt_cell){ glyph, (uint8_t)style };
		if (columns == 2)
			*cell_at(canvas, row, column + used + 1) =
				(struct kmt_cell){ 0, (uint8_t)style };
		used += columns;
	}
	return used;
}

void kmt_canvas_put_right(struct kmt_canvas *canvas, int row, int column, int width,
			  enum kmt_style style, const char *text)
{
	int columns = (int)kmt_glyph_columns(text, canvas->is_utf8);
	int blank = columns < width ? width - columns : 0;

	(void)kmt_canvas_put(canvas, row, column + blank, width - blank, style, text);
}

void kmt_canvas_restyle(struct kmt_canvas *canvas, int row, enum kmt_style style)
{
	for (int i = 0; has_row(canvas, row) && i < canvas->nr_columns; i++)
		cell_at(canvas, row, i)->style = (uint8_t)style;
}
