/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_GLYPH_H
#define KMT_TUI_GLYPH_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

/**
 * kmt_glyph_next() - the next character of a text, as a terminal can show it
 * @text: UTF-8, not at its end; goes on behind the character
 * @is_utf8: the terminal takes more than ASCII
 * @ret_columns: 1 or 2
 *
 * What moves the cursor, has no width or is no UTF-8 becomes '?', whatever was escaped before.
 */
wchar_t kmt_glyph_next(const char **text, bool is_utf8, int *ret_columns);

/* Columns of all of @text. */
size_t kmt_glyph_columns(const char *text, bool is_utf8);

#endif
