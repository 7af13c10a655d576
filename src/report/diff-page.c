// SPDX-License-Identifier: LGPL-2.1-only

#include "kmemtape/diff.h"
#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "diff-judge.h"
#include "diff-words.h"
#include "page-rows.h"
#include "page.h"
#include "summary-page.h"

static const char *const side_names[] = { "A", "B" };

static const char *tone_of(enum kmt_answer answer)
{
	switch (answer) {
	case KMT_ANSWER_WORSE:
	case KMT_ANSWER_NOT_FIXED:
		return "bad";
	case KMT_ANSWER_BETTER:
		return "warn";
	case KMT_ANSWER_FIXED:
	case KMT_ANSWER_NO_LEAK:
		return "good";
	case KMT_ANSWER_UNTOLD:
		break;
	}
	return "untold";
}

/* Of page.css */
static const char *class_of(enum kmt_change change)
{
	static const char *const classes[KMT_CHANGES] = {
		[KMT_CHANGE_NEW] = "leak",	[KMT_CHANGE_GROWN] = "leak",
		[KMT_CHANGE_SAME] = "leak",	[KMT_CHANGE_STILL] = "leak",
		[KMT_CHANGE_SHRUNK] = "growth", [KMT_CHANGE_UNTOLD] = "uncertain",
		[KMT_CHANGE_GONE] = "gone",	[KMT_CHANGE_QUIET] = "",
	};

	return classes[change];
}

/* Both sides in one cell, which is sorted by B. */
static void put_pair(FILE *file, double value, const char *a, const char *b)
{
	(void)fprintf(file,
		      "<td class=\"n\" data-v=\"%.3f\"><span class=\"dim\">A</span> %s<br><span "
		      "class=\"dim\">B</span> %s</td>",
		      value, a, b);
}

static const char *live(char *buf, const struct kmt_diff_item *item, int side)
{
	const struct kmt_diff_side *self = &item->sides[side];

	return item->has_size ? kmt_format_size(buf, kmt_diff_whole(self->live))
			      : kmt_words_count(buf, kmt_diff_whole(self->live));
}

static void put_figures(const struct kmt_diff *diff, const struct kmt_diff_item *item, FILE *file)
{
	const struct kmt_diff_side *last = &item->sides[1];
	double left = item->has_size ? last->bytes : last->objects;
	double s = (double)diff->tapes[1]->duration_ns / 1e9;
	char a[KMT_ESCAPED_BYTES], b[KMT_ESCAPED_BYTES];

	put_pair(file, kmt_diff_growth(diff, item, 1), kmt_diff_growth_words(a, diff, item, 0),
		 kmt_diff_growth_words(b, diff, item, 1));
	put_pair(file, kmt_diff_left_per_million(diff, item, 1),
		 kmt_diff_per_load(a, diff, item, 0), kmt_diff_per_load(b, diff, item, 1));
	put_pair(file, left, kmt_diff_left(a, item, 0), kmt_diff_left(b, item, 1));
	put_pair(file, last->live, live(a, item, 0), live(b, item, 1));
	put_pair(file, s > 0 ? last->calls / s : 0, kmt_diff_an_hour(a, diff, item, 0),
		 kmt_diff_an_hour(b, diff, item, 1));
	put_pair(file, last->confidence, kmt_diff_class_words(a, &item->sides[0]),
		 kmt_diff_class_words(b, last));
}

static void put_item(const struct kmt_diff *diff, const struct kmt_diff_item *item, FILE *file)
{
	const struct kmt_summary_row *row = item->row;

	(void)fprintf(file, "<tr><td data-v=\"%d\"><span class=\"class %s\">%s</span></td>",
		      (int)item->change, class_of(item->change), kmt_change_name(item->change));
	kmt_page_name_begin(file, diff->tapes[0]->group, row);
	if (row->is_counted)
		(void)fputs("<br>areas by vmallocinfo", file);
	if (row->is_unloaded)
		(void)fputs("<br>of an unloaded module", file);
	if (item->match == KMT_MATCH_NAME)
		(void)fputs("<br>matched by name, the cache differs", file);
	if (*item->why) {
		(void)fputs("<br>why: ", file);
		kmt_page_raw(file, item->why);
	}
	(void)fputs("</th>", file);
	put_figures(diff, item, file);
	(void)fputs("</tr>\n", file);
}

static int put_items(const struct kmt_diff *diff, size_t nr, FILE *file)
{
	static const struct kmt_page_column columns[] = {
		{ "", "change" },    { "", "what" },
		{ "n", "growth" },   { "n", "left per M allocs" },
		{ "n", "left" },     { "n", "live" },
		{ "n", "allocs/h" }, { "n", "class" },
	};

	KMT_CLEANUP(kmt_page_rows_deinit) struct kmt_page_rows rows;
	int r = kmt_page_rows_init(&rows, KMT_SUMMARY_PAGE_ROOM);

	if (r < 0)
		return r;
	for (size_t i = 0; i < nr; i++) {
		put_item(diff, &diff->items[i], rows.file);
		kmt_page_rows_add(&rows);
	}
	return kmt_page_rows_put_table(&rows, "items", "Changes", columns,
				       sizeof(columns) / sizeof(columns[0]), file);
}

static void put_legend(const struct kmt_diff *diff, size_t nr, bool is_default, FILE *file)
{
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	(void)fputs("<section><h2>What it means</h2>\n", file);
	if (nr < diff->nr_items)
		(void)fprintf(file, "<p>and %s more%s</p>\n",
			      kmt_words_count(a, diff->nr_items - nr),
			      is_default ? " that leak in neither (--top 0 shows all)" : "");
	for (int i = 0; i < KMT_CHANGE_QUIET; i++)
		if (diff->nr_by_change[i]) {
			(void)fprintf(file, "<p><b>%s</b>: ", kmt_change_name((enum kmt_change)i));
			kmt_page_text(file, kmt_diff_legend((enum kmt_change)i));
			(void)fputs("</p>\n", file);
		}
	(void)fputs("<p><b>left</b>: live at the end, and older than what is too young to judge; "
		    "of a sample an estimate of all. <b>live</b>: as the tape has it.</p>\n<p>",
		    file);
	kmt_page_text(file, kmt_diff_matching(diff));
	(void)fprintf(file, "</p>\n<p>load: A %s, B %s allocations an hour</p></section>\n",
		      kmt_words_count(a, kmt_diff_whole(kmt_diff_load(diff, 0) * 3600)),
		      kmt_words_count(b, kmt_diff_whole(kmt_diff_load(diff, 1) * 3600)));
}

int kmt_diff_page(const struct kmt_diff *diff, uint64_t top, FILE *file, struct kmt_err *err)
{
	size_t nr = kmt_diff_shown(diff, top);
	int r;

	kmt_summary_page_begin(file, tone_of(diff->answer), diff->headline);
	r = kmt_summary_page_doubts(diff->tapes, 2, side_names, file);
	if (r == 0)
		r = put_items(diff, nr, file);
	put_legend(diff, nr, top == UINT64_MAX, file);
	if (r == 0)
		r = kmt_summary_page_tapes(diff->tapes, 2, side_names, file);
	kmt_summary_page_end(file);
	return r < 0 ? kmt_fail(err, r, "out of memory") : 0;
}
