// SPDX-License-Identifier: LGPL-2.1-only
#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "chart.h"

#define ROWS	5
#define EIGHTHS 8
#define LABEL	10 /* columns in front, and a blank and the axis */
#define LEAST	8

static const char *const blocks[EIGHTHS + 1] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
/* Nothing, up to a half, more: ASCII has no finer ones that are told apart. */
static const char *const marks[EIGHTHS + 1] = { " ", ".", ".", ".", ":", ":", ":", "#", "#" };

/* How much of a row, counted from below, a point fills. What isn't 0 is never drawn as 0. */
static int eighths_at(uint64_t point, uint64_t most, int row)
{
	int height = (int)((double)point / (double)most * ROWS * EIGHTHS);
	int here;

	if (point && height == 0)
		height = 1;
	here = height - row * EIGHTHS;
	return here < 0 ? 0 : here > EIGHTHS ? EIGHTHS : here;
}

static void print_row(const uint64_t *points, size_t nr, uint64_t most, int row, bool is_utf8,
		      FILE *file)
{
	for (size_t i = 0; i < nr; i++) {
		int eighths = eighths_at(points[i], most, row);

		fputs(is_utf8 ? blocks[eighths] : marks[eighths], file);
	}
	fputc('\n', file);
}

/* Several in one, as their mean, or one in several, so that all the room is used. */
static void stretch(const uint64_t *points, size_t nr, uint64_t *columns, size_t nr_columns)
{
	for (size_t i = 0; i < nr_columns; i++) {
		size_t from = i * nr / nr_columns, to = (i + 1) * nr / nr_columns;
		double sum = 0;

		to = to > from ? to : from + 1;
		for (size_t j = from; j < to; j++)
			sum += (double)points[j];
		columns[i] = (uint64_t)(sum / (double)(to - from));
	}
}

static size_t columns_for(int width)
{
	int room = width - LABEL - 2;

	if (room < LEAST)
		return LEAST;
	return (size_t)room < KMT_HISTORY_POINTS ? (size_t)room : KMT_HISTORY_POINTS;
}

void kmt_chart_print(const struct kmt_result *result, const struct kmt_row *row, int width,
		     bool is_utf8, FILE *file)
{
	bool is_bytes = kmt_row_has_size(row);
	struct kmt_history history;
	uint64_t columns[KMT_HISTORY_POINTS];
	size_t nr = columns_for(width);
	char label[KMT_UNITS_BYTES];
	uint64_t most = 0;

	if (!row->history || result->grid.nr == 0) {
		fprintf(file, "  live over time: never much\n");
		return;
	}
	kmt_history_unpack(row->history, &history);
	stretch(is_bytes ? history.live_bytes : history.live, result->grid.nr, columns, nr);
	for (size_t i = 0; i < nr; i++)
		most = columns[i] > most ? columns[i] : most;
	if (most == 0)
		most = 1;
	for (int i = ROWS; i-- > 0;) {
		const char *text = i == ROWS - 1 ? (is_bytes ? kmt_format_size(label, most)
							     : kmt_words_count(label, most))
				   : i == 0	 ? "0"
						 : "";

		fprintf(file, "%*s |", LABEL, text);
		print_row(columns, nr, most, i, is_utf8, file);
	}
	fprintf(file, "%*s live %s, over %s%s\n", LABEL + 1, "", is_bytes ? "bytes" : "objects",
		kmt_format_time(label, result->duration_ns),
		row->is_estimated ? ", of what was recorded" : "");
}
