// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>

#include "kmemtape/units.h"

#include "naming.h"
#include "page.h"
#include "summary-page.h"
#include "words.h"

void kmt_summary_page_begin(FILE *file, const char *tone, const char *headline)
{
	char title[KMT_NAME_BYTES];

	kmt_page_begin(file, kmt_escape(title, sizeof(title), headline));
	(void)fprintf(file,
		      "<header class=\"top\"><span class=\"brand\">kmemtape</span><span "
		      "class=\"tape\"></span></header>\n<main>\n<section class=\"verdict answer "
		      "%s\"><h1>",
		      tone);
	kmt_page_raw(file, headline);
	(void)fputs("</h1></section>\n", file);
}

void kmt_summary_page_end(FILE *file)
{
	(void)fputs("</main>\n", file);
	kmt_page_end(file);
}

static void begin_doubt(FILE *file, const char *class, const char *const *names, size_t i)
{
	(void)fprintf(file, "<li class=\"%s\">", class);
	if (names)
		(void)fprintf(file, "%s: ", names[i]);
	else
		(void)fprintf(file, "%zu: ", i + 1);
}

static void put_texts(const char *what, const char **texts, size_t nr, const char *const *names,
		      size_t i, FILE *file)
{
	for (size_t j = 0; j < nr; j++) {
		begin_doubt(file, "", names, i);
		(void)fprintf(file, "%s: ", what);
		kmt_page_raw(file, texts[j]);
		(void)fputs("</li>\n", file);
	}
}

/* As kmt_summary_doubts_print() */
static void put_doubts(const struct kmt_summary *tape, const char *const *names, size_t i,
		       FILE *file)
{
	char n[KMT_UNITS_BYTES], uncertain[KMT_UNITS_BYTES];

	if (tape->lost || tape->losses) {
		begin_doubt(file, "loss", names, i);
		(void)fprintf(file,
			      "LOST %s EVENTS: %s live objects may have been freed there</li>\n",
			      tape->lost ? kmt_words_count(n, tape->lost) : "AN UNKNOWN NUMBER OF",
			      kmt_words_count(uncertain, tape->uncertain));
	}
	if (!tape->is_complete) {
		begin_doubt(file, "loss", names, i);
		(void)fputs("INCOMPLETE: the recording did not end in order</li>\n", file);
	}
	if (tape->is_cut) {
		begin_doubt(file, "loss", names, i);
		(void)fputs("CUT: the report has not all of its rows</li>\n", file);
	}
	if (tape->sample > 1) {
		begin_doubt(file, "", names, i);
		(void)fprintf(file,
			      "SAMPLE: 1 in %" PRIu64 " addresses; what is left is an "
			      "estimate</li>\n",
			      tape->sample);
	}
	put_texts("filter", tape->filters, tape->nr_filters, names, i, file);
	put_texts("note", tape->notes, tape->nr_notes, names, i, file);
}

void kmt_summary_page_doubts(const struct kmt_summary *const *tapes, size_t nr,
			     const char *const *names, FILE *file)
{
	bool is_whole = true;

	(void)fputs("<ul class=\"doubts\">\n", file);
	for (size_t i = 0; i < nr; i++) {
		put_doubts(tapes[i], names, i, file);
		is_whole &= !tapes[i]->lost && !tapes[i]->losses && tapes[i]->is_complete &&
			    !tapes[i]->is_cut;
	}
	if (is_whole)
		(void)fputs("<li class=\"good\">All tapes are complete, no event was lost</li>\n",
			    file);
	(void)fputs("</ul>\n", file);
}

static void put_tape(const struct kmt_summary *tape, FILE *file)
{
	char n[KMT_UNITS_BYTES];

	(void)fputs("<td><code>", file);
	kmt_page_raw(file, tape->host ? tape->host : "");
	(void)fputs("</code></td><td><code>", file);
	kmt_page_raw(file, tape->path ? tape->path : "?");
	(void)fputs("</code></td><td><code>", file);
	kmt_page_raw(file, tape->kernel ? tape->kernel : "?");
	(void)fputs(" ", file);
	kmt_page_raw(file, tape->arch ? tape->arch : "?");
	(void)fputs("</code></td><td>", file);
	kmt_page_raw(file, tape->started_at ? tape->started_at : "-");
	(void)fprintf(file, "</td><td class=\"n\" data-v=\"%" PRIu64 "\">%s</td>",
		      tape->duration_ns, kmt_format_time(n, tape->duration_ns));
	(void)fprintf(file, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td>", tape->allocs,
		      kmt_words_count(n, tape->allocs));
	(void)fprintf(file, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td>", tape->lost,
		      kmt_words_count(n, tape->lost));
	(void)fprintf(file, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td><td>", tape->live_bytes,
		      kmt_format_size(n, tape->live_bytes));
	if (tape->leak == KMT_LEAK_NONE)
		(void)fputs("<span class=\"class\">no leak seen</span>", file);
	else
		(void)fprintf(file, "<span class=\"class %s\">leak %s %s</span>",
			      tape->leak == KMT_LEAK_LIKELY ? "leak" : "growth",
			      kmt_leak_name(tape->leak), kmt_words_confidence(n, tape->confidence));
	if (tape->headline) {
		(void)fputs("<br>", file);
		kmt_page_raw(file, tape->headline);
	}
	(void)fputs("</td></tr>\n", file);
}

void kmt_summary_page_tapes(const struct kmt_summary *const *tapes, size_t nr,
			    const char *const *names, FILE *file)
{
	static const struct kmt_page_column columns[] = {
		{ "", "" },	   { "", "host" },	  { "", "tape" },    { "", "kernel" },
		{ "", "started" }, { "n", "length" },	  { "n", "allocs" }, { "n", "lost" },
		{ "n", "live" },   { "", "its verdict" },
	};

	kmt_page_table_begin(file, "tapes", "Tapes", columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < nr; i++) {
		if (names)
			(void)fprintf(file, "<tr><td>%s</td>", names[i]);
		else
			(void)fprintf(file, "<tr><td data-v=\"%zu\">%zu</td>", i + 1, i + 1);
		put_tape(tapes[i], file);
	}
	kmt_page_table_end(file);
}

void kmt_page_table_begin(FILE *file, const char *id, const char *title,
			  const struct kmt_page_column *columns, size_t nr)
{
	(void)fprintf(file,
		      "<section><h2>%s</h2>\n<div class=\"tools script\"><input type=\"search\" "
		      "data-filter=\"%s\" placeholder=\"filter\" aria-label=\"filter %s\"> <span "
		      "role=\"status\"></span></div>\n<div class=\"scroll\"><table "
		      "class=\"sortable\" id=\"%s\"><thead><tr>",
		      title, id, title, id);
	for (size_t i = 0; i < nr; i++)
		(void)fprintf(file, "<th scope=\"col\" class=\"%s\">%s</th>", columns[i].class,
			      columns[i].name);
	(void)fputs("</tr></thead><tbody>\n", file);
}

void kmt_page_table_end(FILE *file)
{
	(void)fputs("</tbody></table></div></section>\n", file);
}

void kmt_page_name_begin(FILE *file, enum kmt_group group, const struct kmt_summary_row *row)
{
	char name[KMT_NAME_BYTES];

	kmt_row_name(name, group, row);
	(void)fputs("<th scope=\"row\"><code>", file);
	kmt_page_text(file, name);
	(void)fputs("</code>", file);
	if (row->cache && group == KMT_BY_SITE) {
		(void)fputs("<br><code class=\"dim\">", file);
		kmt_page_raw(file, row->cache);
		(void)fputs("</code>", file);
	}
}
