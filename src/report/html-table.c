// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>

#include "kmemtape/units.h"

#include "html-table.h"
#include "page.h"
#include "words.h"

#define ROWS_SHOWN 20 /* html/rows.js goes on behind these */

static void print_count(FILE *file, uint64_t n)
{
	char text[KMT_UNITS_BYTES];

	(void)fprintf(file, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td>", n,
		      kmt_words_count(text, n));
}

static void print_rate(FILE *file, const struct kmt_row *row)
{
	double rate = row->judgement.trend.bytes_per_s * kmt_row_scale(row);
	const char *shown = "-";
	char text[KMT_UNITS_BYTES];

	if (row->judgement.trend.shape != KMT_SHAPE_NONE)
		shown = kmt_row_has_size(row) ? kmt_words_rate(text, rate)
					      : kmt_words_count_rate(text, rate);
	(void)fprintf(file, "<td class=\"n\" data-v=\"%.3f\">%s</td>", rate, shown);
}

static void print_row(const struct kmt_result *result, size_t i, FILE *file)
{
	const struct kmt_row *row = &result->rows[i];
	char text[KMT_UNITS_BYTES], name[KMT_NAME_BYTES];

	kmt_words_name(name, result->group, row);
	(void)fprintf(file, "<tr data-row=\"%zu\"><th scope=\"row\"><code>", i);
	kmt_page_text(file, name);
	(void)fputs("</code></th><td><code>", file);
	if (row->cache)
		kmt_page_raw(file, row->cache);
	(void)fprintf(file, "</code></td><td><span class=\"class %s\">%s</span></td>",
		      kmt_class_name(row->judgement.class), kmt_class_name(row->judgement.class));
	(void)fprintf(file, "<td class=\"n\" data-v=\"%.3f\">%s</td>", row->judgement.confidence,
		      row->judgement.class == KMT_CLASS_NONE
			      ? "-"
			      : kmt_words_confidence(text, row->judgement.confidence));
	if (kmt_row_has_size(row))
		(void)fprintf(file, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td>",
			      kmt_row_scaled(row, row->live_bytes),
			      kmt_format_size(text, kmt_row_scaled(row, row->live_bytes)));
	else
		(void)fputs("<td class=\"n\" data-v=\"0\">-</td>", file);
	print_count(file, kmt_row_scaled(row, row->live_objects));
	print_rate(file, row);
	(void)fputs("<td class=\"trend\"></td>", file);
	print_count(file, row->allocs);
	print_count(file, row->frees);
	(void)fputs("</tr>\n", file);
}

void kmt_html_table_print(const struct kmt_result *result, uint64_t top, FILE *file)
{
	static const char *const names[] = {
		[KMT_BY_SITE] = "Call sites", [KMT_BY_CACHE] = "Caches",
		[KMT_BY_MODULE] = "Modules",  [KMT_BY_COMM] = "Tasks",
		[KMT_BY_PID] = "Pids",	      [KMT_BY_STACK] = "Call stacks",
		[KMT_BY_OWNER] = "Owners",
	};
	static const struct {
		const char *class, *name;
	} columns[] = {
		{ "", "name" },	   { "", "cache" },    { "", "class" }, { "n", "conf." },
		{ "n", "live" },   { "n", "objects" }, { "n", "rate" }, { "trend", "trend" },
		{ "n", "allocs" }, { "n", "frees" },
	};
	size_t nr = top && top < result->nr_rows ? top : result->nr_rows;

	(void)fprintf(
		file,
		"<section id=\"rows\"><h2>%s</h2>\n<div class=\"tools script\"><input "
		"type=\"search\" data-filter=\"table\" placeholder=\"filter: name, cache, "
		"class\" aria-label=\"filter rows\"> <span id=\"count\" "
		"role=\"status\"></span></div>\n<div class=\"scroll\"><table class=\"sortable\" "
		"id=\"table\"><thead><tr>",
		names[result->group]);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		(void)fprintf(file, "<th scope=\"col\" class=\"%s\">%s</th>", columns[i].class,
			      columns[i].name);
	(void)fputs("</tr></thead><tbody>\n", file);
	for (size_t i = 0; i < nr && i < ROWS_SHOWN; i++)
		print_row(result, i, file);
	(void)fputs("</tbody></table></div>\n<p id=\"rest\"></p></section>\n", file);
}
