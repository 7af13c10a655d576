// SPDX-License-Identifier: LGPL-2.1-only
#include "glyph.h"
#include "wrap.h"

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
