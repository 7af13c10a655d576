// SPDX-License-Identifier: LGPL-2.1-only
#include <stdio.h>
#include <string.h>

#include "glyph.h"
#include "wrap.h"

#define ROW_BYTES 4096 /* no row has more */

size_t kmt_wrap_bytes(const char *line, size_t bytes, int nr_columns, bool is_utf8)
{
	const char *p = line, *blank = NULL;
	int used = 0, columns;

	while (p < line + bytes) {
		const char *here = p;

		(void)kmt_glyph_next(&p, is_utf8, &columns);
		if (used + columns > nr_columns && here == line)
			return (size_t)(p - line);
		/* The blank itself need not fit. */
		if (*here == ' ' && used > nr_columns / 3)
			blank = here;
		if (used + columns > nr_columns)
			return (size_t)((blank ? blank : here) - line);
		used += columns;
	}
	return bytes;
}

int kmt_wrap_put(struct kmt_canvas *canvas, int row, int rows_max, enum kmt_style style,
		 const char *text)
{
	char part[ROW_BYTES];
	int nr = 0;

	for (; *text && nr < rows_max; nr++) {
		bool is_last = nr + 1 == rows_max; /* then it is cut instead */
		size_t bytes = is_last ? strlen(text)
				       : kmt_wrap_bytes(text, strlen(text), canvas->nr_columns,
							canvas->is_utf8);

		(void)snprintf(part, sizeof(part), "%.*s", (int)bytes, text);
		(void)kmt_canvas_put(canvas, row + nr, 0, canvas->nr_columns, style, part);
		text += bytes;
		text += strspn(text, " ");
	}
	return nr;
}
