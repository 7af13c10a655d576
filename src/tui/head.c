// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "glyph.h"
#include "head.h"
#include "wrap.h"

#define LINE_BYTES  1024
#define SMALL_ROWS  16 /* below, rows are needed for the table */
#define LARGE_ROWS  32
#define TITLE_PARTS 6

/* A line that is made of parts. */
struct line {
	char text[LINE_BYTES];
};

static void add(struct line *line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *fmt, ...)
{
	size_t used = strlen(line->text);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line->text + used, LINE_BYTES - used, fmt, args);
	va_end(args);
}

/* Without the directories that it is in. */
static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

void kmt_head_draw_title(const struct kmt_result *result, struct kmt_canvas *canvas)
{
	char parts[TITLE_PARTS][KMT_ESCAPED_BYTES], a[KMT_ESCAPED_BYTES], b[KMT_ESCAPED_BYTES];
	int at = 1;

	(void)snprintf(parts[0], sizeof(parts[0]), "kmemtape");
	kmt_escape(parts[1], sizeof(parts[1]), file_name(result->path));
	kmt_format_time(parts[2], result->duration_ns);
	(void)snprintf(parts[3], sizeof(parts[3]), "lost %s",
		       result->lost || !result->totals.losses ? kmt_words_count(a, result->lost)
							      : "?");
	(void)snprintf(parts[4], sizeof(parts[4]), "%.200s %.200s",
		       kmt_escape(a, sizeof(a), result->kernel),
		       kmt_escape(b, sizeof(b), result->arch));
	(void)snprintf(parts[5], sizeof(parts[5]), "%s events",
		       kmt_words_count(a, result->totals.allocs + result->totals.frees));
	kmt_canvas_fill(canvas, 0, 0, canvas->nr_columns, KMT_STYLE_BAR);
	for (int i = 0; i < TITLE_PARTS; i++) {
		int width = (int)kmt_glyph_columns(parts[i], canvas->is_utf8);

		if (at + width <= canvas->nr_columns || i == 1)
			at += 2 + kmt_canvas_put(canvas, 0, at, width, KMT_STYLE_BAR, parts[i]);
	}
}

static enum kmt_style verdict_style(const struct kmt_verdict *verdict)
{
	bool is_doubtful = verdict->leak == KMT_LEAK_POSSIBLE || kmt_verdict_is_untold(verdict);

	return verdict->leak == KMT_LEAK_LIKELY ? KMT_STYLE_BAD
	       : is_doubtful			? KMT_STYLE_DOUBTFUL
						: KMT_STYLE_GOOD;
}

/* Of whom the verdict speaks; NULL: of nobody who is in this result. */
static const struct kmt_judgement *find_blamed(const struct kmt_result *result)
{
	const struct kmt_reconciliation *counted = &result->reconciliation;

	for (size_t i = 0; result->verdict.call_site && i < result->nr_rows; i++)
		if (kmt_result_blames(result, &result->rows[i]))
			return &result->rows[i].judgement;
	for (size_t i = 0; result->verdict.caller && i < counted->nr_vmallocs; i++)
		if (counted->vmallocs[i].caller == result->verdict.caller)
			return &counted->vmallocs[i].judgement;
	return NULL;
}

static void describe_confidence(const struct kmt_result *result, struct line *line)
{
	const struct kmt_judgement *blamed = find_blamed(result);
	char a[KMT_UNITS_BYTES];

	add(line, "confidence %s", kmt_words_confidence(a, result->verdict.confidence));
	if (result->verdict.leak == KMT_LEAK_NONE || !blamed)
		return;
	if (blamed->trend.since_ns && blamed->trend.since_ns >= result->start_ns)
		add(line, "   since %s after the start",
		    kmt_format_time(a, blamed->trend.since_ns - result->start_ns));
	if (blamed->trend.shape != KMT_SHAPE_NONE)
		add(line, "   trend %s", kmt_shape_name(blamed->trend.shape));
}

/* @room: columns; what grew is listed as far as they go. */
static void describe_growth(const struct kmt_reconciliation *counted, size_t room,
			    struct line *line)
{
	int64_t whole = counted->kernel_growth_bytes, part = counted->explained_bytes;
	const char *separator = ":";
	char a[KMT_UNITS_BYTES];

	if (counted->nr_snapshots < 2) {
		add(line, "kernel memory by its own counters: not on this tape");
		return;
	}
	add(line, "kernel memory %s", kmt_words_growth(a, whole));
	if (whole > 0 && part >= 0 && part <= whole)
		add(line, ", %s explained", kmt_words_percent(a, (uint64_t)part, (uint64_t)whole));
	else
		add(line, ", explained %s", kmt_words_growth(a, part));
	for (size_t i = 0; i < counted->nr_items; i++) {
		struct line longer = *line;

		if (!counted->items[i].growth_bytes)
			continue;
		add(&longer, "%s %s %s", separator, counted->items[i].name,
		    kmt_words_growth(a, counted->items[i].growth_bytes));
		if (strlen(longer.text) > room)
			return;
		*line = longer;
		separator = "";
	}
}

static void describe_doubts(const struct kmt_result *result, struct line *line)
{
	char n[KMT_UNITS_BYTES];

	if (result->lost || result->totals.losses)
		add(line, "LOST %s EVENTS   ",
		    result->lost ? kmt_words_count(n, result->lost) : "AN UNKNOWN NUMBER OF");
	if (!result->is_complete)
		add(line, "INCOMPLETE   ");
	if (result->is_estimated)
		add(line, "SAMPLE: 1 in %" PRIu64 "   ", result->sample);
	if (result->nr_filters)
		add(line, "%zu filter%s   ", result->nr_filters,
		    result->nr_filters == 1 ? "" : "s");
	if (result->nr_notes)
		add(line, "%zu note%s   ", result->nr_notes, result->nr_notes == 1 ? "" : "s");
	if (*line->text)
		add(line, "(v: all of it)");
}

int kmt_head_draw(const struct kmt_result *result, struct kmt_canvas *canvas)
{
	bool is_small = canvas->nr_rows < SMALL_ROWS, is_large = canvas->nr_rows >= LARGE_ROWS;
	struct line headline = { "" }, confidence = { "" }, growth = { "" }, doubts = { "" };
	size_t room = (size_t)canvas->nr_columns * (is_large ? 3 : 1);
	char text[KMT_ESCAPED_BYTES];
	int row = 1;

	add(&headline, "%s", kmt_escape(text, sizeof(text), result->verdict.headline));
	describe_confidence(result, &confidence);
	describe_growth(&result->reconciliation, room, &growth);
	describe_doubts(result, &doubts);
	row += kmt_wrap_put(canvas, row,
			    is_small   ? 1
			    : is_large ? 4
				       : 2,
			    verdict_style(&result->verdict), headline.text);
	if (!is_small) {
		row += kmt_wrap_put(canvas, row, 1, KMT_STYLE_PLAIN, confidence.text);
		row += kmt_wrap_put(canvas, row, is_large ? 3 : 1, KMT_STYLE_PLAIN, growth.text);
	}
	row += kmt_wrap_put(canvas, row, 1, KMT_STYLE_DOUBTFUL, doubts.text);
	return row - 1;
}
