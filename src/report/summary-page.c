// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>

#include "kmemtape/units.h"

#include "naming.h"
#include "page-rows.h"
#include "page.h"
#include "summary-page.h"
#include "words.h"

/* Of the losses of 1000 tapes, as many as a merge is of, each has room. */
#define DOUBTS_ROOM 300000u
#define TAPES_ROOM  450000u

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

static void add_texts(const char *what, const char **texts, size_t nr, const char *const *names,
		      size_t i, struct kmt_page_rows *rows)
{
	for (size_t j = 0; j < nr; j++) {
		begin_doubt(rows->file, "", names, i);
		(void)fprintf(rows->file, "%s: ", what);
		kmt_page_raw(rows->file, texts[j]);
		(void)fputs("</li>\n", rows->file);
		kmt_page_rows_add(rows);
	}
}

/* Of kmt_summary_doubts_print(), those that may accuse the innocent. */
static void add_losses(const struct kmt_summary *tape, const char *const *names, size_t i,
		       struct kmt_page_rows *rows)
{
	char n[KMT_UNITS_BYTES], uncertain[KMT_UNITS_BYTES];

	if (tape->lost || tape->losses) {
		begin_doubt(rows->file, "loss", names, i);
		(void)fprintf(rows->file,
			      "LOST %s EVENTS: %s live objects may have been freed there</li>\n",
			      tape->lost ? kmt_words_count(n, tape->lost) : "AN UNKNOWN NUMBER OF",
			      kmt_words_count(uncertain, tape->uncertain));
		kmt_page_rows_add(rows);
	}
	if (!tape->is_complete) {
		begin_doubt(rows->file, "loss", names, i);
		(void)fputs("INCOMPLETE: the recording did not end in order</li>\n", rows->file);
		kmt_page_rows_add(rows);
	}
	if (tape->is_cut) {
		begin_doubt(rows->file, "loss", names, i);
		(void)fputs("CUT: the report has not all of its rows</li>\n", rows->file);
		kmt_page_rows_add(rows);
	}
}

static void add_notes(const struct kmt_summary *tape, const char *const *names, size_t i,
		      struct kmt_page_rows *rows)
{
	if (tape->sample > 1) {
		begin_doubt(rows->file, "", names, i);
		(void)fprintf(rows->file,
			      "SAMPLE: 1 in %" PRIu64 " addresses; what is left is an "
			      "estimate</li>\n",
			      tape->sample);
		kmt_page_rows_add(rows);
	}
	add_texts("filter", tape->filters, tape->nr_filters, names, i, rows);
	add_texts("note", tape->notes, tape->nr_notes, names, i, rows);
}

int kmt_summary_page_doubts(const struct kmt_summary *const *tapes, size_t nr,
			    const char *const *names, FILE *file)
{
	KMT_CLEANUP(kmt_page_rows_deinit) struct kmt_page_rows rows;
	bool is_whole = true;
	int r = kmt_page_rows_init(&rows, DOUBTS_ROOM);

	if (r < 0)
		return r;
	for (size_t i = 0; i < nr; i++) {
		add_losses(tapes[i], names, i, &rows);
		is_whole &= !tapes[i]->lost && !tapes[i]->losses && tapes[i]->is_complete &&
			    !tapes[i]->is_cut;
	}
	for (size_t i = 0; i < nr; i++)
		add_notes(tapes[i], names, i, &rows);
	if (is_whole) {
		(void)fputs("<li class=\"good\">All tapes are complete, no event was lost</li>\n",
			    rows.file);
		kmt_page_rows_add(&rows);
	}
	return kmt_page_rows_put_list(&rows, "doubts", file);
}

static void put_tape(const struct kmt_summary *tape, FILE *file)
{
	char n[KMT_UNITS_BYTES];

	(void)fputs("<td><code>", file);
	kmt_page_raw(file, tape->host ? tape->host : "unknown");
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

int kmt_summary_page_tapes(const struct kmt_summary *const *tapes, size_t nr,
			   const char *const *names, FILE *file)
{
	static const struct kmt_page_column columns[] = {
		{ "", "" },	   { "", "host" },	  { "", "tape" },    { "", "kernel" },
		{ "", "started" }, { "n", "length" },	  { "n", "allocs" }, { "n", "lost" },
		{ "n", "live" },   { "", "its verdict" },
	};
	KMT_CLEANUP(kmt_page_rows_deinit) struct kmt_page_rows rows;
	int r = kmt_page_rows_init(&rows, TAPES_ROOM);

	if (r < 0)
		return r;
	for (size_t i = 0; i < nr; i++) {
		if (names)
			(void)fprintf(rows.file, "<tr><td>%s</td>", names[i]);
		else
			(void)fprintf(rows.file, "<tr><td data-v=\"%zu\">%zu</td>", i + 1, i + 1);
		put_tape(tapes[i], rows.file);
		kmt_page_rows_add(&rows);
	}
	return kmt_page_rows_put_table(&rows, "tapes", "Tapes", columns,
				       sizeof(columns) / sizeof(columns[0]), file);
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
