// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pager.h"
#include "wrap.h"

#define ROW_BYTES   4096 /* no terminal has more */
#define INDENT	    4	 /* of what goes on in another row */
#define INDENT_ROOM 24	 /* columns, for that to be worth it */

int kmt_pager_set(struct kmt_pager *pager, char *text)
{
	free(pager->text);
	pager->text = text;
	pager->nr_rows = 0; /* they were of the old one */
	pager->top = 0;
	pager->wants_end = false;
	pager->found = SIZE_MAX;
	if (!text)
		return -ENOMEM;
	return kmt_pager_fit(pager, pager->nr_columns, pager->height, pager->is_utf8);
}

void kmt_pager_deinit(struct kmt_pager *pager)
{
	free(pager->text);
	free(pager->rows);
	*pager = (struct kmt_pager){ .text = NULL };
}

static int add_row(struct kmt_pager *pager, size_t *room, size_t from, size_t bytes, int indent)
{
	struct kmt_pager_row *rows = pager->rows;

	if (pager->nr_rows == *room) {
		*room = *room ? 2 * *room : 256;
		rows = reallocarray(rows, *room, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		pager->rows = rows;
	}
	rows[pager->nr_rows++] = (struct kmt_pager_row){ from, bytes, indent };
	return 0;
}

static int break_line(struct kmt_pager *pager, size_t *room, size_t from, size_t end)
{
	int indent = 0, r;

	do {
		size_t bytes = from < end
				       ? kmt_wrap_bytes(pager->text + from, end - from,
							pager->nr_columns - indent, pager->is_utf8)
				       : 0;

		r = add_row(pager, room, from, bytes, indent);
		from += bytes;
		while (from < end && pager->text[from] == ' ')
			from++;
		indent = pager->nr_columns >= INDENT_ROOM ? INDENT : 0;
	} while (r == 0 && from < end);
	return r;
}

/* The row that has this place of the text. */
static size_t row_at(const struct kmt_pager *pager, size_t place)
{
	size_t row = 0;

	while (row + 1 < pager->nr_rows && pager->rows[row + 1].from <= place)
		row++;
	return row;
}

static size_t place_of(const struct kmt_pager *pager, size_t row)
{
	return row < pager->nr_rows ? pager->rows[row].from : 0;
}

int kmt_pager_fit(struct kmt_pager *pager, int nr_columns, int height, bool is_utf8)
{
	size_t top = place_of(pager, pager->top), found = place_of(pager, pager->found);
	size_t room = 0, from = 0;
	int r = 0;

	pager->nr_columns = nr_columns > 0 ? nr_columns : 1;
	pager->height = height > 0 ? height : 1;
	pager->is_utf8 = is_utf8;
	free(pager->rows);
	pager->rows = NULL;
	pager->nr_rows = 0;
	while (r == 0 && pager->text && pager->text[from]) {
		size_t bytes = strcspn(pager->text + from, "\n");

		r = break_line(pager, &room, from, from + bytes);
		from += bytes + (pager->text[from + bytes] == '\n');
	}
	if (pager->found != SIZE_MAX)
		pager->found = pager->nr_rows ? row_at(pager, found) : SIZE_MAX;
	pager->top = row_at(pager, top);
	kmt_pager_move(pager, 0);
	return r;
}

static size_t last_top(const struct kmt_pager *pager)
{
	size_t height = (size_t)pager->height;

	return pager->nr_rows > height ? pager->nr_rows - height : 0;
}

void kmt_pager_move(struct kmt_pager *pager, long by)
{
	size_t back = by < 0 ? (size_t)-by : 0, last = last_top(pager);

	if (by)
		pager->wants_end = false;
	if (by < 0)
		pager->top -= back < pager->top ? back : pager->top;
	else
		pager->top += (size_t)by;
	if (pager->top > last)
		pager->top = last;
}

void kmt_pager_move_to_end(struct kmt_pager *pager)
{
	pager->top = last_top(pager);
	pager->wants_end = true;
}

static void copy_row(const struct kmt_pager *pager, size_t row, char text[ROW_BYTES])
{
	(void)snprintf(text, ROW_BYTES, "%.*s", (int)pager->rows[row].bytes,
		       pager->text + pager->rows[row].from);
}

static void show(struct kmt_pager *pager, size_t row)
{
	size_t height = (size_t)pager->height, above = height > 2 ? 2 : height - 1;

	pager->found = row;
	if (row < pager->top || row >= pager->top + height) {
		pager->top = row > above ? row - above : 0;
		pager->wants_end = false;
	}
	kmt_pager_move(pager, 0);
}

void kmt_pager_find(struct kmt_pager *pager, size_t from, int step)
{
	char text[ROW_BYTES];

	for (size_t i = 0; pager->search.length && i < pager->nr_rows; i++) {
		size_t further = step < 0 ? pager->nr_rows - i : i;
		size_t row = (from + further) % pager->nr_rows;

		copy_row(pager, row, text);
		if (kmt_filter_matches(&pager->search, text, NULL)) {
			show(pager, row);
			return;
		}
	}
	pager->found = SIZE_MAX;
}

void kmt_pager_find_next(struct kmt_pager *pager, int step)
{
	size_t from = pager->found != SIZE_MAX ? pager->found : pager->top;

	if (pager->nr_rows)
		kmt_pager_find(pager, from + (step < 0 ? pager->nr_rows - 1 : 1), step);
}

/* Lines above this row. */
static size_t line_of(const struct kmt_pager *pager, size_t row)
{
	size_t place = place_of(pager, row), nr = 0;

	for (size_t i = 0; i < place; i++)
		nr += pager->text[i] == '\n';
	return nr;
}

static size_t row_of_line(const struct kmt_pager *pager, size_t line)
{
	size_t place = 0;

	for (; line && pager->text[place]; place++)
		line -= pager->text[place] == '\n';
	return row_at(pager, place);
}

int kmt_pager_renew(struct kmt_pager *pager, char *text)
{
	size_t top = line_of(pager, pager->top), found = line_of(pager, pager->found);
	bool has_found = pager->found != SIZE_MAX, wants_end = pager->wants_end;
	int r = kmt_pager_set(pager, text);

	if (r)
		return r;
	top = row_of_line(pager, top);
	kmt_pager_move(pager, (long)top);
	kmt_pager_find(pager, has_found ? row_of_line(pager, found) : top, 1);
	if (has_found) {
		pager->top = 0;
		kmt_pager_move(pager, (long)top);
	}
	if (wants_end && (has_found || pager->found == SIZE_MAX))
		kmt_pager_move_to_end(pager);
	return 0;
}

void kmt_pager_draw(const struct kmt_pager *pager, struct kmt_canvas *canvas, int row)
{
	char text[ROW_BYTES];

	for (int i = 0; i < pager->height && pager->top + (size_t)i < pager->nr_rows; i++) {
		size_t line = pager->top + (size_t)i;

		copy_row(pager, line, text);
		(void)kmt_canvas_put(canvas, row + i, pager->rows[line].indent, canvas->nr_columns,
				     KMT_STYLE_PLAIN, text);
		if (line == pager->found)
			kmt_canvas_restyle(canvas, row + i, KMT_STYLE_CHOSEN);
	}
}
