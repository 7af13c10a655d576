// SPDX-License-Identifier: LGPL-2.1-only
#include <stdio.h>
#include <string.h>

#include "kmemtape/spark.h"
#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "columns.h"
#include "glyph.h"

enum column {
	COLUMN_LIVE,
	COLUMN_OBJECTS,
	COLUMN_RATE,
	COLUMN_TREND,
	COLUMN_SHAPE,
	COLUMN_CLASS,
	COLUMN_SURE,
	COLUMN_OLDEST,
	COLUMN_FREED,
	COLUMN_ALLOCS,
	COLUMN_CACHE,
};
#define COLUMNS (COLUMN_CACHE + 1)

#define NO_ORDER    KMT_ORDERS
#define NAME_LEAST  20 /* of a class, too: the rest can be seen when a row is opened */
#define NAME_ENOUGH 34
#define CELL_BYTES  (KMT_SPARK_BYTES + KMT_UNITS_BYTES + KMT_CACHE_NAME_BYTES)

/* From left to right. */
static const struct {
	const char *head;
	int width;
	bool is_text; /* flush left */
	int order;    /* by which it is sorted */
} columns[COLUMNS] = {
	[COLUMN_LIVE] = { "LIVE", 9, false, KMT_ORDER_LIVE },
	[COLUMN_OBJECTS] = { "OBJECTS", 9, false, KMT_ORDER_OBJECTS },
	[COLUMN_RATE] = { "RATE", 11, false, KMT_ORDER_RATE },
	[COLUMN_TREND] = { "TREND", 8, true, NO_ORDER },
	[COLUMN_SHAPE] = { "SHAPE", 9, true, NO_ORDER },
	[COLUMN_CLASS] = { "CLASS", 9, true, KMT_ORDER_SUSPICION },
	[COLUMN_SURE] = { "SURE", 4, false, NO_ORDER },
	[COLUMN_OLDEST] = { "OLDEST", 9, false, KMT_ORDER_OLDEST },
	[COLUMN_FREED] = { "FREED", 7, false, KMT_ORDER_FREED },
	[COLUMN_ALLOCS] = { "ALLOCS", 9, false, KMT_ORDER_ALLOCS },
	[COLUMN_CACHE] = { "CACHE", 16, true, NO_ORDER },
};

/* What there is room for is taken in this order. */
static const enum column by_use[COLUMNS] = {
	COLUMN_LIVE,   COLUMN_CLASS, COLUMN_SURE,  COLUMN_RATE,	  COLUMN_TREND, COLUMN_OBJECTS,
	COLUMN_OLDEST, COLUMN_FREED, COLUMN_CACHE, COLUMN_ALLOCS, COLUMN_SHAPE,
};

static const char *const name_heads[] = {
	[KMT_BY_SITE] = "CALL SITE", [KMT_BY_CACHE] = "CACHE", [KMT_BY_MODULE] = "MODULE",
	[KMT_BY_COMM] = "TASK",	     [KMT_BY_PID] = "PID",     [KMT_BY_STACK] = "CALL STACK",
	[KMT_BY_OWNER] = "OWNER",
};

struct layout {
	bool has[COLUMNS];
	int name_width;
};

static bool is_of_code(const struct kmt_table *table)
{
	enum kmt_group group = table->result->group;

	return group == KMT_BY_SITE || group == KMT_BY_STACK || group == KMT_BY_OWNER;
}

/* Of areas of vmalloc() only what the counters tell. */
static bool means_something(const struct kmt_table *table, enum column column)
{
	if (table->is_vmalloc)
		return column != COLUMN_OLDEST && column != COLUMN_FREED &&
		       column != COLUMN_ALLOCS && column != COLUMN_CACHE && column != COLUMN_TREND;
	return column != COLUMN_CACHE || is_of_code(table);
}

static struct layout lay_out(const struct kmt_table *table, int width)
{
	struct layout layout = { .name_width = width };

	for (int i = 0; i < COLUMNS; i++) {
		enum column column = by_use[i];
		int least =
			column == COLUMN_LIVE || column == COLUMN_CLASS ? NAME_LEAST : NAME_ENOUGH;
		int left = layout.name_width - columns[column].width - 1;

		if (!means_something(table, column) || left < least)
			continue;
		layout.has[column] = true;
		layout.name_width = left;
	}
	return layout;
}

static void draw_spark(char *cell, const struct kmt_table *table, const struct kmt_row *row,
		       bool is_utf8)
{
	struct kmt_history history;

	if (!row || !row->history)
		return;
	kmt_history_unpack(row->history, &history);
	kmt_spark_draw(cell, kmt_row_has_size(row) ? history.live_bytes : history.live,
		       table->result->grid.nr, (size_t)columns[COLUMN_TREND].width, is_utf8);
}

static void put_text(char *cell, const char *text)
{
	(void)snprintf(cell, CELL_BYTES, "%s", text);
}

static void format_rate(char *cell, const struct kmt_item *item)
{
	char buf[KMT_UNITS_BYTES];

	if (item->judgement->trend.shape == KMT_SHAPE_NONE)
		put_text(cell, "-");
	else
		put_text(cell, item->has_size ? kmt_words_rate(buf, item->bytes_per_s)
					      : kmt_words_count_rate(buf, item->bytes_per_s));
}

/* Short, for it is in the way of the name. */
static void format_class(char *cell, const struct kmt_judgement *judgement)
{
	const char *name = kmt_class_name(judgement->class);

	(void)snprintf(cell, CELL_BYTES, "%.*s", (int)strcspn(name, "-"), name);
}

static void format_of_row(char *cell, enum column column, const struct kmt_row *row)
{
	char buf[KMT_ESCAPED_BYTES];

	if (column == COLUMN_OLDEST)
		put_text(cell, row->live_objects ? kmt_format_time(buf, row->oldest_age_ns) : "-");
	else if (column == COLUMN_FREED)
		put_text(cell, kmt_words_percent(buf, row->frees, row->allocs));
	else if (column == COLUMN_ALLOCS)
		put_text(cell, kmt_words_count(buf, row->allocs));
	else if (column == COLUMN_CACHE && row->cache)
		put_text(cell, kmt_escape(buf, sizeof(buf), row->cache));
}

static void format(char *cell, enum column column, const struct kmt_table *table,
		   const struct kmt_item *item, bool is_utf8)
{
	const struct kmt_judgement *judgement = item->judgement;
	char buf[KMT_UNITS_BYTES];

	cell[0] = '\0';
	if (column == COLUMN_LIVE)
		put_text(cell, item->has_size ? kmt_format_size(buf, item->bytes) : "-");
	else if (column == COLUMN_OBJECTS)
		put_text(cell, kmt_words_count(buf, item->objects));
	else if (column == COLUMN_RATE)
		format_rate(cell, item);
	else if (column == COLUMN_TREND)
		draw_spark(cell, table, item->row, is_utf8);
	else if (column == COLUMN_SHAPE)
		put_text(cell, judgement->trend.shape == KMT_SHAPE_NONE
				       ? "-"
				       : kmt_shape_name(judgement->trend.shape));
	else if (column == COLUMN_CLASS)
		format_class(cell, judgement);
	else if (column == COLUMN_SURE)
		put_text(cell, judgement->class == KMT_CLASS_NONE
				       ? "-"
				       : kmt_words_confidence(buf, judgement->confidence));
	else if (item->row)
		format_of_row(cell, column, item->row);
}

static void put_cell(struct kmt_canvas *canvas, int row, int column, enum column which,
		     enum kmt_style style, const char *text)
{
	if (columns[which].is_text)
		(void)kmt_canvas_put(canvas, row, column, columns[which].width, style, text);
	else
		kmt_canvas_put_right(canvas, row, column, columns[which].width, style, text);
}

enum kmt_style kmt_columns_style(const struct kmt_judgement *judgement)
{
	switch (judgement->class) {
	case KMT_CLASS_LEAK:
		return KMT_STYLE_BAD;
	case KMT_CLASS_GROWTH:
	case KMT_CLASS_UNCERTAIN:
		return KMT_STYLE_DOUBTFUL;
	case KMT_CLASS_UNTRACED:
	case KMT_CLASS_CACHE:
		return KMT_STYLE_PLAIN;
	case KMT_CLASS_NONE:
	case KMT_CLASS_TRANSIENT:
		return KMT_STYLE_FAINT;
	}
	return KMT_STYLE_PLAIN;
}

/* Less what was moved out of sight. */
static const char *visible_part(const char *name, size_t sideways, bool is_utf8)
{
	int width;

	for (size_t gone = 0; *name && gone < sideways; gone += (size_t)width)
		(void)kmt_glyph_next(&name, is_utf8, &width);
	return name;
}

static void draw_row(const struct kmt_table *table, const struct layout *layout,
		     const struct kmt_item *item, struct kmt_canvas *canvas, int row)
{
	enum kmt_style style = item->row && item->row->is_suppressed
				       ? KMT_STYLE_FAINT
				       : kmt_columns_style(item->judgement);
	char cell[CELL_BYTES];
	int at = 0;

	for (int i = 0; i < COLUMNS; i++) {
		bool is_judged = i == COLUMN_CLASS || i == COLUMN_SURE;

		if (!layout->has[i])
			continue;
		format(cell, (enum column)i, table, item, canvas->is_utf8);
		put_cell(canvas, row, at, (enum column)i,
			 is_judged || style == KMT_STYLE_FAINT ? style : KMT_STYLE_PLAIN, cell);
		at += columns[i].width + 1;
	}
	(void)kmt_canvas_put(canvas, row, at, layout->name_width, style,
			     visible_part(item->name, table->sideways, canvas->is_utf8));
}

static void draw_head(const struct kmt_table *table, const struct layout *layout,
		      struct kmt_canvas *canvas, int row)
{
	const char *mark = table->is_reversed ? " ^" : " v";
	const char *name =
		table->is_vmalloc ? "CALLER, BY VMALLOCINFO" : name_heads[table->result->group];
	char head[64];
	int at = 0;

	kmt_canvas_fill(canvas, row, 0, canvas->nr_columns, KMT_STYLE_BAR);
	for (int i = 0; i < COLUMNS; i++) {
		bool is_sorted = columns[i].order == (int)table->order;

		if (!layout->has[i])
			continue;
		(void)snprintf(head, sizeof(head), "%s%s",
			       i == COLUMN_LIVE && table->is_vmalloc ? "GROWN" : columns[i].head,
			       is_sorted ? mark : "");
		put_cell(canvas, row, at, (enum column)i, KMT_STYLE_BAR, head);
		at += columns[i].width + 1;
	}
	(void)snprintf(head, sizeof(head), "%s%s", name,
		       table->order == KMT_ORDER_NAME ? mark : "");
	(void)kmt_canvas_put(canvas, row, at, layout->name_width, KMT_STYLE_BAR, head);
}

void kmt_columns_draw(const struct kmt_table *table, struct kmt_canvas *canvas, int row,
		      int nr_rows)
{
	struct layout layout = lay_out(table, canvas->nr_columns);
	const struct kmt_list *list = &table->list;

	draw_head(table, &layout, canvas, row);
	for (int i = 1; i < nr_rows && list->top + (size_t)i - 1 < list->nr; i++) {
		size_t line = list->top + (size_t)i - 1;

		draw_row(table, &layout, table->shown[line], canvas, row + i);
		if (line == list->chosen)
			kmt_canvas_restyle(canvas, row + i, KMT_STYLE_CHOSEN);
	}
}
