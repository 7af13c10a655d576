// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "columns.h"
#include "glyph.h"
#include "head.h"
#include "screen.h"
#include "tree-view.h"
#include "wrap.h"

#define PREVIEW_FROM	 18 /* rows of the screen, for a preview to be worth it */
#define PREVIEW_FULL	 24
#define TABS_FROM	 8 /* below, they would be instead of rows of the table */
#define STATUS_BYTES	 512
#define READING_WORTH_NS UINT64_C(200000000) /* what is faster needs no words */

static const char *const order_names[KMT_ORDERS] = {
	[KMT_ORDER_SUSPICION] = "suspicion", [KMT_ORDER_LIVE] = "live bytes",
	[KMT_ORDER_OBJECTS] = "objects",     [KMT_ORDER_RATE] = "rate",
	[KMT_ORDER_OLDEST] = "oldest",	     [KMT_ORDER_FREED] = "share freed",
	[KMT_ORDER_ALLOCS] = "allocations",  [KMT_ORDER_NAME] = "name",
};

static const char *const page_names[KMT_PAGES] = {
	[KMT_PAGE_DETAIL] = "detail",
	[KMT_PAGE_REPORT] = "report",
	[KMT_PAGE_HELP] = "help",
};

static int last_row(const struct kmt_screen *screen)
{
	return screen->canvas.nr_rows - 1;
}

static void draw_reading(struct kmt_screen *screen, struct kmt_reading reading)
{
	char path[KMT_ESCAPED_BYTES], time[KMT_UNITS_BYTES], text[STATUS_BYTES + KMT_ESCAPED_BYTES];
	struct kmt_canvas *canvas = &screen->canvas;

	kmt_canvas_fill(canvas, 0, 0, canvas->nr_columns, KMT_STYLE_BAR);
	(void)kmt_canvas_put(canvas, 0, 1, canvas->nr_columns, KMT_STYLE_BAR, "kmemtape");
	(void)snprintf(text, sizeof(text), "reading %s",
		       kmt_escape(path, sizeof(path), screen->path));
	(void)kmt_canvas_put(canvas, 2, 1, canvas->nr_columns, KMT_STYLE_STRONG, text);
	if (!reading.age_ns) /* not begun */
		return;
	(void)snprintf(text, sizeof(text), "%u %%  %s   (q: quit)", reading.percent,
		       kmt_format_time(time, reading.age_ns));
	(void)kmt_canvas_put(canvas, 3, 1, canvas->nr_columns, KMT_STYLE_PLAIN, text);
}

/* From this view on there is room for the names of all up to the current one. */
static int first_tab(const struct kmt_screen *screen)
{
	int first = screen->view, width = 0;

	for (int i = screen->view; i >= 0; i--) {
		width += (int)strlen(kmt_view_names[i]) + 4;
		if (width > screen->canvas.nr_columns)
			break;
		first = i;
	}
	return first;
}

static void draw_tabs(struct kmt_screen *screen, int row)
{
	struct kmt_canvas *canvas = &screen->canvas;
	int at = 0;

	for (int i = first_tab(screen); i < KMT_VIEWS; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), " %d %s ", i + 1, kmt_view_names[i]);
		if (at + (int)strlen(name) > canvas->nr_columns)
			break;
		at += kmt_canvas_put(canvas, row, at, canvas->nr_columns,
				     i == screen->view ? KMT_STYLE_CHOSEN : KMT_STYLE_PLAIN, name);
	}
}

static int preview_rows(const struct kmt_canvas *canvas)
{
	return canvas->nr_rows < PREVIEW_FROM ? 0 : canvas->nr_rows < PREVIEW_FULL ? 3 : 4;
}

/* The chosen row in full: who it is, how much, and the strongest reason. */
static void draw_preview(struct kmt_canvas *canvas, int row, int nr_rows,
			 const struct kmt_item *item)
{
	const struct kmt_judgement *judgement = item->judgement;
	char text[STATUS_BYTES + KMT_ESCAPED_BYTES], a[KMT_ESCAPED_BYTES], b[KMT_UNITS_BYTES],
		c[KMT_UNITS_BYTES], d[KMT_UNITS_BYTES];
	const struct kmt_row *of = item->row;

	kmt_canvas_fill(canvas, row, 0, canvas->nr_columns, KMT_STYLE_BAR);
	(void)kmt_canvas_put(canvas, row, 0, canvas->nr_columns, KMT_STYLE_BAR, item->name);
	if (of)
		(void)snprintf(text, sizeof(text), "%s%s   freed %s of %s   oldest %s",
			       of->cache ? "cache " : "",
			       of->cache ? kmt_escape(a, sizeof(a), of->cache) : "",
			       kmt_words_count(b, of->frees), kmt_words_count(c, of->allocs),
			       of->live_objects ? kmt_format_time(d, of->oldest_age_ns) : "-");
	else
		(void)snprintf(text, sizeof(text), "now %s in %s areas",
			       kmt_format_size(b, item->vmalloc->bytes),
			       kmt_words_count(c, item->vmalloc->areas));
	(void)kmt_canvas_put(canvas, row + 1, 0, canvas->nr_columns, KMT_STYLE_PLAIN,
			     text + strspn(text, " "));
	if (!judgement->nr_reasons)
		return;
	(void)snprintf(text, sizeof(text), "%s: %s", judgement->reasons[0].is_for ? "why" : "but",
		       kmt_escape(a, sizeof(a), judgement->reasons[0].text));
	(void)kmt_wrap_put(canvas, row + 2, nr_rows - 2, KMT_STYLE_PLAIN, text);
}

static void draw_table(struct kmt_screen *screen, struct kmt_table *table, int row)
{
	struct kmt_canvas *canvas = &screen->canvas;
	int nr_below = preview_rows(canvas), nr_rows = last_row(screen) - row - nr_below;
	const struct kmt_item *chosen;

	if (nr_rows < 2)
		nr_rows = 2;
	kmt_list_set_rows(&table->list, (size_t)nr_rows - 1);
	kmt_columns_draw(table, canvas, row, nr_rows);
	chosen = kmt_table_chosen(table);
	if (!chosen)
		(void)kmt_canvas_put(canvas, row + 1, 1, canvas->nr_columns, KMT_STYLE_PLAIN,
				     table->filter.length ? "nothing has these words"
				     : table->is_vmalloc  ? "no area grew, by the counters"
							  : "nothing is live");
	else if (nr_below)
		draw_preview(canvas, row + nr_rows, nr_below, chosen);
}

static void draw_tree(struct kmt_screen *screen, int row)
{
	struct kmt_canvas *canvas = &screen->canvas;
	int nr_rows = last_row(screen) - row;

	if (nr_rows < 2)
		nr_rows = 2;
	kmt_list_set_rows(&screen->tree.list, (size_t)nr_rows - 1);
	kmt_tree_view_draw(&screen->tree, canvas, row, nr_rows);
	if (!screen->tree.list.nr)
		(void)kmt_canvas_put(canvas, row + 1, 1, canvas->nr_columns, KMT_STYLE_PLAIN,
				     screen->tree.filter.length ? "nothing has these words"
								: "nothing is live");
}

/* Instead of a view that isn't there (yet). */
static void draw_absence(struct kmt_screen *screen, int row)
{
	const char *why = kmt_screen_failure(screen);
	char text[2 * KMT_ERR_BYTES];

	if (*why)
		kmt_escape(text, sizeof(text), why);
	else
		(void)snprintf(text, sizeof(text), "reading the tape again, for the view by %s",
			       screen->view == KMT_VIEW_TREE ? "stack"
							     : kmt_view_names[screen->view]);
	(void)kmt_canvas_put(&screen->canvas, row + 1, 1, screen->canvas.nr_columns,
			     *why ? KMT_STYLE_DOUBTFUL : KMT_STYLE_STRONG, text);
}

static void draw_view(struct kmt_screen *screen)
{
	struct kmt_table *table = kmt_screen_table(screen);
	int row = 1 + kmt_head_draw(screen->base, &screen->canvas);

	if (screen->canvas.nr_rows >= TABS_FROM)
		draw_tabs(screen, row++);
	if (screen->view == KMT_VIEW_TREE && screen->tree.result)
		draw_tree(screen, row);
	else if (table)
		draw_table(screen, table, row);
	else
		draw_absence(screen, row);
}

static void draw_page(struct kmt_screen *screen)
{
	const struct kmt_pager *pager = &screen->texts[screen->page];
	struct kmt_canvas *canvas = &screen->canvas;

	(void)kmt_canvas_put(canvas, 1, 0, canvas->nr_columns, KMT_STYLE_STRONG,
			     page_names[screen->page]);
	kmt_pager_draw(pager, canvas, 2);
}

/* Where in it one is, and by what it is ordered. */
static void describe_place(struct kmt_screen *screen, char text[STATUS_BYTES])
{
	const struct kmt_table *table = kmt_screen_table(screen);
	const struct kmt_pager *pager = &screen->texts[screen->page];
	const struct kmt_list *list = table ? &table->list : &screen->tree.list;

	text[0] = '\0';
	if (screen->page != KMT_PAGE_NONE)
		(void)snprintf(text, STATUS_BYTES, "%zu/%zu%s", pager->top + 1, pager->nr_rows,
			       pager->top + (size_t)pager->height >= pager->nr_rows ? " end" : "");
	else if (table)
		(void)snprintf(text, STATUS_BYTES, "%zu/%zu by %s%s",
			       list->nr ? list->chosen + 1 : 0, list->nr, order_names[table->order],
			       table->is_reversed ? ", reversed" : "");
	else if (screen->view == KMT_VIEW_TREE && screen->tree.result)
		(void)snprintf(text, STATUS_BYTES, "%zu/%zu%s", list->nr ? list->chosen + 1 : 0,
			       list->nr, screen->tree.was_cut ? " (not all callers)" : "");
}

static const struct kmt_filter *shown_filter(struct kmt_screen *screen)
{
	const struct kmt_table *table = kmt_screen_table(screen);

	if (screen->page != KMT_PAGE_NONE)
		return &screen->texts[screen->page].search;
	return screen->view == KMT_VIEW_TREE ? &screen->tree.filter : table ? &table->filter : NULL;
}

static void draw_status(struct kmt_screen *screen, struct kmt_reading reading)
{
	static const char hints[] = "Enter open  Tab view  / filter  s sort  ? help  q quit";
	static const char page_hints[] = "q back  / find  ? help";
	const struct kmt_filter *filter = shown_filter(screen);
	struct kmt_canvas *canvas = &screen->canvas;
	const char *hint = screen->page == KMT_PAGE_NONE ? hints : page_hints;
	char text[STATUS_BYTES], time[KMT_UNITS_BYTES];
	int row = last_row(screen), used, width = (int)strlen(hint);

	kmt_canvas_fill(canvas, row, 0, canvas->nr_columns, KMT_STYLE_BAR);
	if (filter && filter->is_typed)
		(void)snprintf(text, sizeof(text), "/%s_", filter->text);
	else
		describe_place(screen, text);
	if (filter && !filter->is_typed && filter->length)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "  /%s",
			       filter->text);
	if (reading.age_ns > READING_WORTH_NS)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "  reading the tape%s: %u %%  %s",
			       screen->wants_dossier ? ", for who allocates and who frees" : "",
			       reading.percent, kmt_format_time(time, reading.age_ns));
	used = kmt_canvas_put(canvas, row, 1, canvas->nr_columns, KMT_STYLE_BAR, text);
	if (used + width + 4 <= canvas->nr_columns)
		kmt_canvas_put_right(canvas, row, used + 3, canvas->nr_columns - used - 4,
				     KMT_STYLE_BAR, hint);
	else if (used + 9 <= canvas->nr_columns)
		kmt_canvas_put_right(canvas, row, used + 1, canvas->nr_columns - used - 2,
				     KMT_STYLE_BAR, "? help");
}

void kmt_screen_draw(struct kmt_screen *screen, struct kmt_reading reading)
{
	kmt_canvas_clear(&screen->canvas);
	if (!screen->base) {
		draw_reading(screen, reading);
		return;
	}
	kmt_head_draw_title(screen->base, &screen->canvas);
	if (screen->page == KMT_PAGE_NONE)
		draw_view(screen);
	else
		draw_page(screen);
	draw_status(screen, reading);
}
