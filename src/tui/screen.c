// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "keys.h"
#include "page-text.h"
#include "screen.h"

#define SIDEWAYS 8 /* columns at a time */

const char *const kmt_view_names[KMT_VIEWS] = {
	[KMT_BY_SITE] = "site",	  [KMT_BY_CACHE] = "cache",	  [KMT_BY_MODULE] = "module",
	[KMT_BY_COMM] = "comm",	  [KMT_BY_PID] = "pid",		  [KMT_BY_STACK] = "stack",
	[KMT_BY_OWNER] = "owner", [KMT_VIEW_VMALLOC] = "vmalloc", [KMT_VIEW_TREE] = "tree",
};

static const char no_stacks[] = "no stack was recorded: record with --stack";

void kmt_screen_init(struct kmt_screen *screen, const char *path, bool is_utf8)
{
	*screen = (struct kmt_screen){ .path = path, .canvas = { .is_utf8 = is_utf8 } };
}

static void close_detail(struct kmt_screen *screen)
{
	screen->opened = NULL;
	screen->wants_dossier = false;
	screen->dossier = kmt_result_free(screen->dossier);
	screen->no_dossier[0] = '\0';
}

void kmt_screen_deinit(struct kmt_screen *screen)
{
	close_detail(screen);
	kmt_tree_deinit(&screen->tree);
	kmt_table_deinit(&screen->vmallocs);
	for (int i = 0; i < KMT_GROUPS; i++) {
		kmt_table_deinit(&screen->groups[i].table);
		(void)kmt_result_free(screen->groups[i].result);
	}
	for (int i = 0; i < KMT_PAGES; i++)
		kmt_pager_deinit(&screen->texts[i]);
	kmt_canvas_deinit(&screen->canvas);
}

void kmt_screen_want(struct kmt_screen *screen, enum kmt_group group)
{
	screen->view = (int)group;
}

/* Between the title, with the page's own below it, and the last row. */
static int text_rows(const struct kmt_screen *screen)
{
	return screen->canvas.nr_rows > 3 ? screen->canvas.nr_rows - 3 : 1;
}

static int renew_detail(struct kmt_screen *screen)
{
	return kmt_pager_renew(&screen->texts[KMT_PAGE_DETAIL],
			       kmt_page_detail(screen->opened_result, screen->opened,
					       screen->dossier, screen->no_dossier,
					       screen->canvas.nr_columns, screen->canvas.is_utf8));
}

/* The curve of the detail is as wide as the screen was. */
int kmt_screen_resize(struct kmt_screen *screen, int nr_rows, int nr_columns)
{
	int r = kmt_canvas_resize(&screen->canvas, nr_rows, nr_columns);

	if (r == 0 && screen->opened)
		r = renew_detail(screen);
	for (int i = 0; r == 0 && i < KMT_PAGES; i++)
		r = kmt_pager_fit(&screen->texts[i], screen->canvas.nr_columns, text_rows(screen),
				  screen->canvas.is_utf8);
	return r;
}

/* By call sites, or what they are made of, a recording with stacks shows that it has some. */
static bool may_have_stacks(const struct kmt_screen *screen)
{
	const struct kmt_result *base = screen->base;

	if (base->group != KMT_BY_SITE)
		return true;
	for (size_t i = 0; i < base->nr_rows; i++)
		if (base->rows[i].nr_frames)
			return true;
	return false;
}

static bool wants_group(const struct kmt_screen *screen, enum kmt_group group,
			struct kmt_tui_request *ret_request)
{
	const struct kmt_grouped *grouped = &screen->groups[group];

	*ret_request = (struct kmt_tui_request){ .group = group };
	return !grouped->result && !grouped->failed[0];
}

bool kmt_screen_wants(const struct kmt_screen *screen, struct kmt_tui_request *ret_request)
{
	if (!screen->base)
		return !screen->failed[0] &&
		       wants_group(screen, (enum kmt_group)screen->view, ret_request);
	if (screen->wants_dossier) {
		*ret_request = (struct kmt_tui_request){ KMT_BY_SITE, screen->opened->row };
		return true;
	}
	if (screen->view < KMT_GROUPS)
		return wants_group(screen, (enum kmt_group)screen->view, ret_request);
	if (screen->view == KMT_VIEW_VMALLOC || screen->tree.result)
		return false;
	return wants_group(screen, KMT_BY_STACK, ret_request) ||
	       (!screen->groups[KMT_BY_STACK].result &&
		wants_group(screen, KMT_BY_SITE, ret_request));
}

/* Of stacks, or where there are none of call sites, as soon as they are there. */
static int make_tree(struct kmt_screen *screen)
{
	const struct kmt_grouped *stacks = &screen->groups[KMT_BY_STACK];
	const struct kmt_result *result =
		stacks->result ? stacks->result : screen->groups[KMT_BY_SITE].result;

	if (screen->view != KMT_VIEW_TREE || screen->tree.result || !screen->base ||
	    (!stacks->result && !stacks->failed[0]) || !result)
		return 0;
	return kmt_tree_init(&screen->tree, result);
}

static void fail(char *to, const char *why)
{
	(void)snprintf(to, KMT_ERR_BYTES, "%s", why && *why ? why : "it cannot be read");
}

/* Whom the verdict blames should be seen at once. */
static int take_base(struct kmt_screen *screen, const struct kmt_result *base)
{
	screen->base = base;
	if (!may_have_stacks(screen))
		fail(screen->groups[KMT_BY_STACK].failed, no_stacks);
	if (base->verdict.caller && !base->verdict.call_site)
		screen->view = KMT_VIEW_VMALLOC;
	return kmt_table_init(&screen->vmallocs, base, true);
}

static int take_group(struct kmt_screen *screen, struct kmt_result *result)
{
	struct kmt_grouped *grouped = &screen->groups[result->group];
	int r;

	grouped->result = result;
	r = kmt_table_init(&grouped->table, result, false);
	if (r == 0 && !screen->base)
		r = take_base(screen, result);
	return r < 0 ? r : make_tree(screen);
}

/* The user may have gone on since then. */
static int take_dossier(struct kmt_screen *screen, const struct kmt_tui_request *request,
			struct kmt_result *result, const char *why)
{
	if (!screen->wants_dossier || screen->opened->row != request->row) {
		(void)kmt_result_free(result);
		return 0;
	}
	screen->wants_dossier = false;
	screen->dossier = result;
	if (!result)
		fail(screen->no_dossier, why);
	return renew_detail(screen);
}

static int take(struct kmt_screen *screen, const struct kmt_tui_request *request,
		struct kmt_result *result, const char *why)
{
	if (request->row)
		return take_dossier(screen, request, result, why);
	if (result)
		return take_group(screen, result);
	fail(screen->base ? screen->groups[request->group].failed : screen->failed, why);
	if (!screen->base)
		screen->is_over = true;
	return make_tree(screen);
}

struct kmt_table *kmt_screen_table(struct kmt_screen *screen)
{
	if (screen->view == KMT_VIEW_VMALLOC)
		return screen->base ? &screen->vmallocs : NULL;
	if (screen->view >= KMT_GROUPS || !screen->groups[screen->view].result)
		return NULL;
	return &screen->groups[screen->view].table;
}

static struct kmt_tree *shown_tree(struct kmt_screen *screen)
{
	return screen->view == KMT_VIEW_TREE && screen->tree.result ? &screen->tree : NULL;
}

const char *kmt_screen_failure(const struct kmt_screen *screen)
{
	if (screen->view < KMT_GROUPS)
		return screen->groups[screen->view].failed;
	return screen->view == KMT_VIEW_TREE && screen->groups[KMT_BY_STACK].failed[0]
		       ? screen->groups[KMT_BY_SITE].failed
		       : "";
}

static int go_to(struct kmt_screen *screen, int view)
{
	screen->page = KMT_PAGE_NONE;
	close_detail(screen);
	screen->view = (view + KMT_VIEWS) % KMT_VIEWS;
	return make_tree(screen);
}

static int open_item(struct kmt_screen *screen, const struct kmt_result *result,
		     const struct kmt_item *item)
{
	close_detail(screen);
	screen->opened = item;
	screen->opened_result = result;
	screen->wants_dossier = item->row && item->row->call_site &&
				(result->group == KMT_BY_SITE || result->group == KMT_BY_STACK);
	screen->page = KMT_PAGE_DETAIL;
	screen->texts[KMT_PAGE_DETAIL].top = 0;
	screen->texts[KMT_PAGE_DETAIL].wants_end = false;
	(void)kmt_filter_clear(&screen->texts[KMT_PAGE_DETAIL].search);
	return renew_detail(screen);
}

/* The line that is of this row, or by call sites of the same one; NULL: there is none (yet). */
static const struct kmt_item *find_item(const struct kmt_grouped *grouped,
					const struct kmt_row *row)
{
	bool is_site = grouped->result && grouped->result->group == KMT_BY_SITE;

	for (size_t i = 0; grouped->result && i < grouped->table.nr_items; i++) {
		const struct kmt_item *item = &grouped->table.items[i];

		if (item->row == row ||
		    (is_site && row->call_site && item->row->call_site == row->call_site &&
		     item->row->instance == row->instance))
			return item;
	}
	return NULL;
}

static int open_node(struct kmt_screen *screen, struct kmt_tree *tree)
{
	const struct kmt_node *node = kmt_tree_chosen(tree);
	const struct kmt_item *item;

	if (!node || node->kind < KMT_NODE_SITE) {
		kmt_tree_toggle(tree);
		return 0;
	}
	/* A call site is more than the first of its stacks. */
	item = node->kind == KMT_NODE_SITE ? find_item(&screen->groups[KMT_BY_SITE], node->row)
					   : NULL;
	if (item)
		return open_item(screen, screen->groups[KMT_BY_SITE].result, item);
	item = find_item(&screen->groups[tree->result->group], node->row);
	return item ? open_item(screen, tree->result, item) : 0;
}

static int open_chosen(struct kmt_screen *screen)
{
	struct kmt_table *table = kmt_screen_table(screen);
	struct kmt_tree *tree = shown_tree(screen);
	const struct kmt_item *item = table ? kmt_table_chosen(table) : NULL;

	if (tree)
		return open_node(screen, tree);
	return item ? open_item(screen, table->result, item) : 0;
}

static int open_page(struct kmt_screen *screen, enum kmt_page page, char *text)
{
	if (page == KMT_PAGE_HELP)
		screen->below_help = screen->page;
	screen->page = page;
	(void)kmt_filter_clear(&screen->texts[page].search);
	return kmt_pager_set(&screen->texts[page], text);
}

static void go_back(struct kmt_screen *screen)
{
	if (screen->page != KMT_PAGE_HELP)
		close_detail(screen);
	screen->page = screen->page == KMT_PAGE_HELP ? screen->below_help : KMT_PAGE_NONE;
}

/* What is typed, or would be, is for whom? NULL: there is nothing yet. */
static struct kmt_filter *filter_of(struct kmt_screen *screen)
{
	struct kmt_table *table = kmt_screen_table(screen);
	struct kmt_tree *tree = shown_tree(screen);

	if (screen->page != KMT_PAGE_NONE)
		return &screen->texts[screen->page].search;
	return tree ? &tree->filter : table ? &table->filter : NULL;
}

static void apply_filter(struct kmt_screen *screen)
{
	struct kmt_table *table = kmt_screen_table(screen);
	struct kmt_tree *tree = shown_tree(screen);
	struct kmt_pager *pager = &screen->texts[screen->page];

	if (screen->page != KMT_PAGE_NONE)
		kmt_pager_find(pager, pager->top, 1);
	else if (tree)
		kmt_tree_arrange(tree);
	else if (table)
		kmt_table_arrange(table);
}

static bool moves(enum kmt_action action)
{
	return action >= KMT_ACTION_UP && action <= KMT_ACTION_LAST;
}

/* Return: is the key taken? Arrows still move. */
static bool type(struct kmt_screen *screen, struct kmt_filter *filter, int key)
{
	bool is_changed = false;

	if (key == KMT_KEY_ENTER) {
		filter->is_typed = false;
	} else if (key == KMT_KEY_ESCAPE) {
		filter->is_typed = false;
		is_changed = kmt_filter_clear(filter);
	} else if (key == KMT_KEY_BACKSPACE) {
		is_changed = kmt_filter_erase(filter);
		filter->is_typed = is_changed;
	} else if (key < (screen->canvas.is_utf8 ? KMT_KEY_UP : 0x80)) {
		is_changed = kmt_filter_add(filter, key);
	} else {
		return !moves(kmt_key_action(key));
	}
	if (is_changed)
		apply_filter(screen);
	return true;
}

static void move_list(struct kmt_list *list, enum kmt_action action)
{
	long page = list->nr_rows > 1 ? (long)list->nr_rows - 1 : 1;

	switch (action) {
	case KMT_ACTION_UP:
		kmt_list_move(list, -1);
		break;
	case KMT_ACTION_DOWN:
		kmt_list_move(list, 1);
		break;
	case KMT_ACTION_PAGE_UP:
		kmt_list_move(list, -page);
		break;
	case KMT_ACTION_PAGE_DOWN:
		kmt_list_move(list, page);
		break;
	case KMT_ACTION_FIRST:
		kmt_list_choose(list, 0);
		break;
	case KMT_ACTION_LAST:
		kmt_list_choose(list, list->nr ? list->nr - 1 : 0);
		break;
	default:
		break;
	}
}

static void act_on_text(struct kmt_pager *pager, enum kmt_action action)
{
	long page = pager->height > 1 ? pager->height - 1 : 1;

	switch (action) {
	case KMT_ACTION_UP:
		kmt_pager_move(pager, -1);
		break;
	case KMT_ACTION_DOWN:
		kmt_pager_move(pager, 1);
		break;
	case KMT_ACTION_PAGE_UP:
		kmt_pager_move(pager, -page);
		break;
	case KMT_ACTION_PAGE_DOWN:
	case KMT_ACTION_TOGGLE:
		kmt_pager_move(pager, page);
		break;
	case KMT_ACTION_FIRST:
		kmt_pager_move(pager, -(long)pager->nr_rows);
		break;
	case KMT_ACTION_LAST:
		kmt_pager_move_to_end(pager);
		break;
	case KMT_ACTION_FIND_NEXT:
		kmt_pager_find_next(pager, 1);
		break;
	case KMT_ACTION_FIND_LAST:
		kmt_pager_find_next(pager, -1);
		break;
	default:
		break;
	}
}

static void act_on_table(struct kmt_table *table, enum kmt_action action)
{
	switch (action) {
	case KMT_ACTION_LEFT:
		table->sideways -= table->sideways < SIDEWAYS ? table->sideways : SIDEWAYS;
		break;
	case KMT_ACTION_RIGHT:
		table->sideways += table->sideways < KMT_CANVAS_COLUMNS_MAX ? SIDEWAYS : 0;
		break;
	case KMT_ACTION_SORT_NEXT:
		kmt_table_sort(table, 1);
		break;
	case KMT_ACTION_SORT_LAST:
		kmt_table_sort(table, -1);
		break;
	case KMT_ACTION_REVERSE:
		kmt_table_reverse(table);
		break;
	case KMT_ACTION_ALL:
		table->has_all = !table->has_all;
		kmt_table_arrange(table);
		break;
	default:
		move_list(&table->list, action);
		break;
	}
}

static void act_on_tree(struct kmt_tree *tree, enum kmt_action action)
{
	switch (action) {
	case KMT_ACTION_LEFT:
		kmt_tree_fold(tree);
		break;
	case KMT_ACTION_RIGHT:
		kmt_tree_unfold(tree);
		break;
	case KMT_ACTION_TOGGLE:
		kmt_tree_toggle(tree);
		break;
	case KMT_ACTION_UNFOLD_ALL:
	case KMT_ACTION_FOLD_ALL:
		kmt_tree_set_all(tree, action == KMT_ACTION_UNFOLD_ALL);
		break;
	case KMT_ACTION_SORT_NEXT:
		kmt_tree_sort(tree, 1);
		break;
	case KMT_ACTION_SORT_LAST:
		kmt_tree_sort(tree, -1);
		break;
	case KMT_ACTION_REVERSE:
		kmt_tree_reverse(tree);
		break;
	default:
		move_list(&tree->list, action);
		break;
	}
}

static void escape(struct kmt_screen *screen)
{
	struct kmt_filter *filter = filter_of(screen);

	if (screen->page != KMT_PAGE_NONE)
		go_back(screen);
	else if (filter && kmt_filter_clear(filter))
		apply_filter(screen);
}

static void act_on_what_is_shown(struct kmt_screen *screen, enum kmt_action action)
{
	struct kmt_table *table = kmt_screen_table(screen);
	struct kmt_tree *tree = shown_tree(screen);

	if (screen->page != KMT_PAGE_NONE)
		act_on_text(&screen->texts[screen->page], action);
	else if (tree)
		act_on_tree(tree, action);
	else if (table)
		act_on_table(table, action);
}

static int act(struct kmt_screen *screen, enum kmt_action action)
{
	struct kmt_filter *filter;

	if (action >= KMT_ACTION_VIEW)
		return go_to(screen, (int)action - KMT_ACTION_VIEW);
	switch (action) {
	case KMT_ACTION_OPEN:
		return screen->page == KMT_PAGE_NONE ? open_chosen(screen) : 0;
	case KMT_ACTION_NEXT_VIEW:
		return go_to(screen, screen->view + 1);
	case KMT_ACTION_LAST_VIEW:
		return go_to(screen, screen->view - 1);
	case KMT_ACTION_TREE:
		return go_to(screen, KMT_VIEW_TREE);
	case KMT_ACTION_REPORT:
		return open_page(screen, KMT_PAGE_REPORT,
				 kmt_page_report(screen->base, screen->canvas.is_utf8));
	case KMT_ACTION_HELP:
		return screen->page == KMT_PAGE_HELP
			       ? 0
			       : open_page(screen, KMT_PAGE_HELP, kmt_page_help());
	case KMT_ACTION_FILTER:
		filter = filter_of(screen);
		if (filter)
			*filter = (struct kmt_filter){ .is_typed = true };
		apply_filter(screen);
		return 0;
	case KMT_ACTION_ESCAPE:
		escape(screen);
		return 0;
	case KMT_ACTION_BACK:
		screen->is_over = screen->page == KMT_PAGE_NONE;
		go_back(screen);
		return 0;
	case KMT_ACTION_QUIT:
		screen->is_over = true;
		return 0;
	default:
		act_on_what_is_shown(screen, action);
		return 0;
	}
}

/* Is the view still to be read, and nothing else there for a key to act on? */
static bool is_awaited(struct kmt_screen *screen)
{
	if (!screen->base)
		return true;
	return screen->page == KMT_PAGE_NONE && !kmt_screen_table(screen) && !shown_tree(screen) &&
	       !kmt_screen_failure(screen)[0];
}

static int take_key(struct kmt_screen *screen, int key)
{
	struct kmt_filter *filter = filter_of(screen);

	if (filter && filter->is_typed && type(screen, filter, key))
		return 0;
	return act(screen, kmt_key_action(key));
}

/* What leads elsewhere needs no view. */
static bool leads_elsewhere(const struct kmt_screen *screen, enum kmt_action action)
{
	if (action == KMT_ACTION_QUIT || action == KMT_ACTION_BACK)
		return true;
	return screen->base && (action >= KMT_ACTION_VIEW || action == KMT_ACTION_NEXT_VIEW ||
				action == KMT_ACTION_LAST_VIEW || action == KMT_ACTION_TREE ||
				action == KMT_ACTION_REPORT || action == KMT_ACTION_HELP);
}

int kmt_screen_press(struct kmt_screen *screen, int key)
{
	enum kmt_action action = kmt_key_action(key);

	if (!is_awaited(screen))
		return take_key(screen, key);
	if (key == KMT_KEY_ESCAPE) {
		kmt_typed_ahead_clear(&screen->typed);
	} else if (!screen->typed.is_text && leads_elsewhere(screen, action)) {
		kmt_typed_ahead_clear(&screen->typed);
		return act(screen, action);
	} else {
		kmt_typed_ahead_add(&screen->typed, key);
	}
	return 0;
}

int kmt_screen_take(struct kmt_screen *screen, const struct kmt_tui_request *request,
		    struct kmt_result *result, const char *why)
{
	int key, r = take(screen, request, result, why);

	if (kmt_screen_failure(screen)[0]) /* it was for something else than what is told now */
		kmt_typed_ahead_clear(&screen->typed);
	while (r == 0 && !screen->is_over && !is_awaited(screen) &&
	       (key = kmt_typed_ahead_take(&screen->typed)) >= 0)
		r = take_key(screen, key);
	return r;
}
