// SPDX-License-Identifier: LGPL-2.1-only
#include "kmemtape/diff.h"
#include "kmemtape/units.h"

#include "diff-judge.h"
#include "diff-words.h"
#include "naming.h"
#include "summary-head.h"
#include "words.h"

static void print_name(const struct kmt_diff *diff, const struct kmt_diff_item *item, FILE *file)
{
	const struct kmt_summary_row *row = item->row;
	char name[KMT_NAME_BYTES], cache[KMT_ESCAPED_BYTES], head[40];
	struct kmt_line line;

	(void)snprintf(head, sizeof(head), "%-12s", kmt_change_name(item->change));
	kmt_line_begin(&line, file, head, 4, 2);
	kmt_row_name(name, diff->tapes[0]->group, row);
	kmt_line_add(&line, name);
	if (row->cache && diff->tapes[0]->group == KMT_BY_SITE)
		kmt_line_add(&line, kmt_escape(cache, sizeof(cache), row->cache));
	if (row->is_counted)
		kmt_line_add(&line, "areas by vmallocinfo");
	if (row->is_unloaded)
		kmt_line_add(&line, "of an unloaded module");
	if (item->match == KMT_MATCH_NAME)
		kmt_line_add(&line, "(matched by name, the cache differs)");
	kmt_line_end(&line);
}

static void print_item(const struct kmt_diff *diff, const struct kmt_diff_item *item, FILE *file)
{
	char a[KMT_ESCAPED_BYTES], b[KMT_ESCAPED_BYTES];
	struct kmt_line line;

	print_name(diff, item, file);
	kmt_line_begin(&line, file, "    ", 4, 3);
	kmt_line_addf(&line, "growth %s -> %s", kmt_diff_growth_words(a, diff, item, 0),
		      kmt_diff_growth_words(b, diff, item, 1));
	kmt_line_addf(&line, "left per million allocations %s -> %s",
		      kmt_diff_per_load(a, diff, item, 0), kmt_diff_per_load(b, diff, item, 1));
	kmt_line_addf(&line, "left %s -> %s", kmt_diff_left(a, item, 0), kmt_diff_left(b, item, 1));
	kmt_line_addf(&line, "allocations/h %s -> %s", kmt_diff_an_hour(a, diff, item, 0),
		      kmt_diff_an_hour(b, diff, item, 1));
	kmt_line_addf(&line, "%s -> %s", kmt_diff_class_words(a, &item->sides[0]),
		      kmt_diff_class_words(b, &item->sides[1]));
	kmt_line_end(&line);
	if (*item->why)
		kmt_words_wrap(file, "    why: ", 9, item->why);
}

static void print_matching(const struct kmt_diff *diff, FILE *file)
{
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	kmt_words_wrap(file, "", 2, kmt_diff_matching(diff));
	fprintf(file, "load: A %s, B %s allocations an hour\n",
		kmt_words_count(a, kmt_diff_whole(kmt_diff_load(diff, 0) * 3600)),
		kmt_words_count(b, kmt_diff_whole(kmt_diff_load(diff, 1) * 3600)));
}

static void print_legend(const struct kmt_diff *diff, FILE *file)
{
	for (int i = 0; i < KMT_CHANGE_QUIET; i++)
		if (diff->nr_by_change[i])
			fprintf(file, "%s: %s\n", kmt_change_name((enum kmt_change)i),
				kmt_diff_legend((enum kmt_change)i));
	if (diff->nr_by_change[KMT_CHANGE_QUIET] < diff->nr_items)
		fprintf(file, "left: live at the end, and older than what is too young to judge\n");
}

int kmt_diff_text(const struct kmt_diff *diff, uint64_t top, FILE *file, struct kmt_err *err)
{
	size_t nr = kmt_diff_shown(diff, top);
	char n[KMT_UNITS_BYTES];

	(void)err;
	kmt_words_wrap(file, "", 2, diff->headline);
	fputc('\n', file);
	for (int side = 0; side < 2; side++)
		kmt_summary_doubts_print(diff->tapes[side], side ? "B: " : "A: ", file);
	for (int side = 0; side < 2; side++)
		kmt_summary_head_print(diff->tapes[side], side ? "B: " : "A: ", file);
	print_matching(diff, file);
	if (nr)
		fprintf(file, "\nCHANGE      what, and how much of it: A -> B\n");
	for (size_t i = 0; i < nr; i++)
		print_item(diff, &diff->items[i], file);
	if (nr < diff->nr_items)
		fprintf(file, "%sand %s more%s\n", nr ? "" : "\n",
			kmt_words_count(n, diff->nr_items - nr),
			top == UINT64_MAX ? " that leak in neither (--top 0 shows all)" : "");
	fputc('\n', file);
	print_legend(diff, file);
	return 0;
}
