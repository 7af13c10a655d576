// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "kmemtape/spark.h"

#define HEIGHTS 8

static const char *const blocks[HEIGHTS] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const marks[HEIGHTS] = { "_", ".", "-", ":", "=", "+", "*", "#" };

/* As real numbers: 64 of them may be near 2^64. */
static double mean(const uint64_t *points, size_t from, size_t to)
{
	double sum = 0;

	for (size_t i = from; i < to; i++)
		sum += (double)points[i];
	return sum / (double)(to - from);
}

/* Fills @columns, @max at most. Return: how many. */
static size_t squeeze(const uint64_t *points, size_t nr, double *columns, size_t max)
{
	size_t nr_columns = nr < max ? nr : max;

	for (size_t i = 0; i < nr_columns; i++)
		columns[i] = mean(points, i * nr / nr_columns, (i + 1) * nr / nr_columns);
	return nr_columns;
}

const char *kmt_spark_draw(char *buf, const uint64_t *points, size_t nr, size_t nr_columns,
			   bool is_utf8)
{
	const char *const *glyphs = is_utf8 ? blocks : marks;
	double columns[KMT_SPARK_COLUMNS_MAX], most = 0;
	size_t nr_drawn = squeeze(points, nr, columns, nr_columns), used = 0;

	for (size_t i = 0; i < nr_drawn; i++)
		most = columns[i] > most ? columns[i] : most;
	for (size_t i = 0; i < nr_columns; i++) {
		const char *glyph = " ";
		size_t bytes;

		if (i < nr_drawn && columns[i] > 0)
			glyph = glyphs[1 + (size_t)(columns[i] / most * (HEIGHTS - 2))];
		else if (i < nr_drawn)
			glyph = glyphs[0];
		bytes = strlen(glyph);
		memcpy(buf + used, glyph, bytes);
		used += bytes;
	}
	buf[used] = '\0';
	return buf;
}
