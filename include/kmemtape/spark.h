/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_SPARK_H
#define KMEMTAPE_SPARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KMT_SPARK_COLUMNS     16u /* of a report */
#define KMT_SPARK_COLUMNS_MAX 64u
#define KMT_SPARK_BYTES	      (3 * KMT_SPARK_COLUMNS_MAX + 1)

/**
 * kmt_spark_draw() - a curve in a line
 * @nr: points; several go into a column when there are more, as their mean
 * @nr_columns: at most KMT_SPARK_COLUMNS_MAX
 * @is_utf8: with block elements (U+2581..), else with marks of growing weight
 *
 * From 0 to the largest; what isn't 0 is never drawn as 0. Always @nr_columns wide.
 *
 * Return: @buf, KMT_SPARK_BYTES long
 */
const char *kmt_spark_draw(char *buf, const uint64_t *points, size_t nr, size_t nr_columns,
			   bool is_utf8);

#endif
