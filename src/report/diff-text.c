// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "kmemtape/diff.h"
#include "kmemtape/units.h"

#include "diff-judge.h"
#include "naming.h"
#include "summary-head.h"
#include "words.h"

#define PER_ALLOCS 1e6

static uint64_t whole(double n)
{
	return n >= 1.8e19 ? UINT64_MAX : n > 0 ? (uint64_t)(n + 0.5) : 0;
}

static const char *class_words(char *buf, const struct kmt_diff_side *side)
{
	char confidence[KMT_UNITS_BYTES];

	if (!side->row)
		return "-";
	if (side->class == KMT_CLASS_NONE)
		return "none";
	(void)snprintf(buf, KMT_ESCAPED_BYTES, "%s %s", kmt_class_name(side->class),
		       kmt_words_confidence(confidence, side->confidence));
	return buf;
}

static const char *growth(char *buf, const struct kmt_diff *diff, const struct kmt_diff_item *item,
			  int side)
{
	double per_s = kmt_diff_growth(diff, item, side);

	return item->has_size ? kmt_words_rate(buf, per_s) : kmt_words_count_rate(buf, per_s);
}

/* What is left of it, in parts of a load of a million allocations. */
static const char *per_load(char *buf, const struct kmt_diff *diff,
			    const struct kmt_diff_item *item, int side)
{
	const struct kmt_summary *tape = diff->tapes[side];
	double left = item->has_size ? item->sides[side].bytes : item->sides[side].objects;
	double load = (double)tape->allocs * (tape->sample > 1 ? (double)tape->sample : 1);

	if (load <= 0)
		return "-";
	return item->has_size ? kmt_format_size(buf, whole(left / load * PER_ALLOCS))
			      : kmt_words_count(buf, whole(left / load * PER_ALLOCS));
}

static const char *left(char *buf, const struct kmt_diff_item *item, int side)
{
	const struct kmt_diff_side *self = &item->sides[side];

	return item->has_size ? kmt_format_size(buf, whole(self->bytes))
			      : kmt_words_count(buf, whole(self->objects));
}

static const char *an_hour(char *buf, const struct kmt_diff *diff, const struct kmt_diff_item *item,
			   int side)
{
	double s = (double)diff->tapes[side]->duration_ns / 1e9;

	return s > 0 ? kmt_words_count(buf, whole((double)item->sides[side].allocs / s * 3600))
		     : "-";
}

static void print_name(const struct kmt_diff *diff, const struct kmt_diff_item *item, FILE *file)
{
	const struct kmt_summary_row *row = item->sides[1].is_suspect || !item->sides[0].row
						    ? item->sides[1].row
						    : item->sides[0].row;
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
	kmt_line_addf(&line, "growth %s -> %s", growth(a, diff, item, 0), growth(b, diff, item, 1));
	kmt_line_addf(&line, "left per million allocations %s -> %s", per_load(a, diff, item, 0),
		      per_load(b, diff, item, 1));
	kmt_line_addf(&line, "left %s -> %s", left(a, item, 0), left(b, item, 1));
	kmt_line_addf(&line, "allocations/h %s -> %s", an_hour(a, diff, item, 0),
		      an_hour(b, diff, item, 1));
	kmt_line_addf(&line, "%s -> %s", class_words(a, &item->sides[0]),
		      class_words(b, &item->sides[1]));
	kmt_line_end(&line);
	if (*item->why)
		kmt_words_wrap(file, "    why: ", 9, item->why);
}

static void print_matching(const struct kmt_diff *diff, FILE *file)
{
	enum kmt_group group = diff->tapes[0]->group;
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	if (group == KMT_BY_SITE)
		kmt_words_wrap(
			file, "", 2,
			diff->is_same_kernel
				? "matched by function and offset, module and cache: it is the same build of the kernel; modules of another build by function"
				: "matched by function, module and cache: it is not known to be the same build of the kernel, so offsets say nothing");
	else
		fprintf(file, "matched by %s\n", group == KMT_BY_MODULE ? "module" : "cache");
	fprintf(file, "load: A %s, B %s allocations an hour\n",
		kmt_words_count(a, whole(kmt_diff_load(diff, 0) * 3600)),
		kmt_words_count(b, whole(kmt_diff_load(diff, 1) * 3600)));
}

static void print_legend(const struct kmt_diff *diff, FILE *file)
{
	static const char *const legends[KMT_CHANGES] = {
		[KMT_CHANGE_NEW] = "leaks in B; A would have shown it, and doesn't",
		[KMT_CHANGE_GROWN] = "leaks in both, faster in B by time and by allocations",
		[KMT_CHANGE_SAME] = "leaks in both, as fast within what is noise",
		[KMT_CHANGE_STILL] = "leaks in both; where faster can't be told",
		[KMT_CHANGE_SHRUNK] = "leaks in both, slower in B by time and by allocations",
		[KMT_CHANGE_UNTOLD] = "leaks in one; of the other it can't be told",
		[KMT_CHANGE_GONE] = "leaks in A; B would have shown it, and doesn't",
	};

	for (int i = 0; i < KMT_CHANGE_QUIET; i++)
		if (diff->nr_by_change[i])
			fprintf(file, "%s: %s\n", kmt_change_name((enum kmt_change)i), legends[i]);
	if (diff->nr_by_change[KMT_CHANGE_QUIET] < diff->nr_items)
		fprintf(file, "left: live at the end, and older than what is too young to judge\n");
}

int kmt_diff_text(const struct kmt_diff *diff, uint64_t top, FILE *file, struct kmt_err *err)
{
	size_t nr_quiet = diff->nr_by_change[KMT_CHANGE_QUIET], nr = diff->nr_items;
	char n[KMT_UNITS_BYTES];

	(void)err;
	if (top == UINT64_MAX)
		nr -= nr_quiet;
	else if (top && top < nr)
		nr = top;
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
