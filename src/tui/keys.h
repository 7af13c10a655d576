/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_KEYS_H
#define KMT_TUI_KEYS_H

#include <stddef.h>

/* Keys that are no characters; others are bytes, of UTF-8 if the locale has that. */
enum {
	KMT_KEY_UP = 0x100,
	KMT_KEY_DOWN,
	KMT_KEY_LEFT,
	KMT_KEY_RIGHT,
	KMT_KEY_PAGE_UP,
	KMT_KEY_PAGE_DOWN,
	KMT_KEY_HOME,
	KMT_KEY_END,
	KMT_KEY_ENTER,
	KMT_KEY_ESCAPE,
	KMT_KEY_BACKSPACE,
	KMT_KEY_TAB,
	KMT_KEY_BACK_TAB,
};
#define KMT_KEY_CONTROL(letter) ((letter)-0x40)

enum kmt_action {
	KMT_ACTION_NONE,
	KMT_ACTION_UP,
	KMT_ACTION_DOWN,
	KMT_ACTION_PAGE_UP,
	KMT_ACTION_PAGE_DOWN,
	KMT_ACTION_FIRST,
	KMT_ACTION_LAST,
	KMT_ACTION_LEFT,
	KMT_ACTION_RIGHT,
	KMT_ACTION_OPEN,
	KMT_ACTION_TOGGLE,
	KMT_ACTION_UNFOLD_ALL,
	KMT_ACTION_FOLD_ALL,
	KMT_ACTION_NEXT_VIEW,
	KMT_ACTION_LAST_VIEW,
	KMT_ACTION_TREE,
	KMT_ACTION_FILTER,
	KMT_ACTION_FIND_NEXT,
	KMT_ACTION_FIND_LAST,
	KMT_ACTION_SORT_NEXT,
	KMT_ACTION_SORT_LAST,
	KMT_ACTION_REVERSE,
	KMT_ACTION_ALL,
	KMT_ACTION_REPORT,
	KMT_ACTION_BACK,   /* q: from a view, that is the end */
	KMT_ACTION_ESCAPE, /* from a view, it isn't */
	KMT_ACTION_QUIT,
	KMT_ACTION_REDRAW,
	KMT_ACTION_HELP,
	KMT_ACTION_VIEW, /* the first; the others follow */
};

/* A line of the help: keys, what they are called there, and what they do. */
struct kmt_keys {
	const char *names, *help;
	struct {
		int key;
		enum kmt_action action;
	} bindings[6]; /* key 0: no more */
};

/* All lines; the last one has no name. The man page has the same. */
extern const struct kmt_keys kmt_keys[];

enum kmt_action kmt_key_action(int key);

#endif
