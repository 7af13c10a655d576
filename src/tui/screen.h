/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_SCREEN_H
#define KMT_TUI_SCREEN_H

#include "kmemtape/tui.h"

#include "canvas.h"
#include "pager.h"
#include "table.h"
#include "tree.h"
#include "typed-ahead.h"

/*
 * All that the screen knows, and what a key makes of it. It has no terminal, no thread and no tape:
 * it says what it wants to be read, and is given it.
 */

/* The first are those of enum kmt_group. */
enum kmt_view {
	KMT_VIEW_VMALLOC = KMT_BY_OWNER + 1,
	KMT_VIEW_TREE,
};
#define KMT_GROUPS (KMT_BY_OWNER + 1)
#define KMT_VIEWS  (KMT_VIEW_TREE + 1)

/* What covers the view. */
enum kmt_page {
	KMT_PAGE_NONE,
	KMT_PAGE_DETAIL,
	KMT_PAGE_REPORT,
	KMT_PAGE_HELP,
};
#define KMT_PAGES (KMT_PAGE_HELP + 1)

struct kmt_grouped {
	struct kmt_result *result; /* NULL: not read yet */
	struct kmt_table table;
	char failed[KMT_ERR_BYTES]; /* why there is none; "": nobody has tried */
};

struct kmt_screen {
	const char *path;
	struct kmt_canvas canvas;
	struct kmt_grouped groups[KMT_GROUPS];
	const struct kmt_result *base; /* the first one that was read */
	struct kmt_table vmallocs;     /* when there is a base */
	struct kmt_tree tree;	       /* its result is NULL: not made yet */
	int view;		       /* a group, or enum kmt_view */
	enum kmt_page page, below_help;
	struct kmt_pager texts[KMT_PAGES];
	const struct kmt_item *opened; /* of which the detail is; NULL: there is none */
	const struct kmt_result *opened_result;
	bool wants_dossier;
	struct kmt_typed_ahead typed; /* for a view that is not there yet */
	struct kmt_result *dossier;	/* with all that is known of it; NULL: not read (yet) */
	char no_dossier[KMT_ERR_BYTES]; /* why; "": nobody has tried */
	char failed[KMT_ERR_BYTES];	/* there is nothing to show at all */
	bool is_over;
};

void kmt_screen_init(struct kmt_screen *screen, const char *path, bool is_utf8);
void kmt_screen_deinit(struct kmt_screen *screen);

/* Which group is read first. */
void kmt_screen_want(struct kmt_screen *screen, enum kmt_group group);

/* Return: 0 or -ENOMEM, as of those below. */
int kmt_screen_resize(struct kmt_screen *screen, int nr_rows, int nr_columns);
int kmt_screen_press(struct kmt_screen *screen, int key);

/* Is anything to be read? */
bool kmt_screen_wants(const struct kmt_screen *screen, struct kmt_tui_request *ret_request);

/* It was read: @result is taken; NULL: it failed, with @why. */
int kmt_screen_take(struct kmt_screen *screen, const struct kmt_tui_request *request,
		    struct kmt_result *result, const char *why);

/* What is being read: since when, and how far that is. */
struct kmt_reading {
	uint64_t age_ns; /* 0: nothing is */
	unsigned int percent;
};

/* On its canvas. */
void kmt_screen_draw(struct kmt_screen *screen, struct kmt_reading reading);

/* Of the view; NULL: it has none (yet). */
struct kmt_table *kmt_screen_table(struct kmt_screen *screen);
const char *kmt_screen_failure(const struct kmt_screen *screen);

/* "site", "tree": as --by calls it, where that does */
extern const char *const kmt_view_names[KMT_VIEWS];

#endif
