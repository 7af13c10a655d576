// SPDX-License-Identifier: LGPL-2.1-only
#include "keys.h"

/* clang-format off */
const struct kmt_keys kmt_keys[] = {
	{ "Up Down k j", "one line up, down",
	  { { KMT_KEY_UP, KMT_ACTION_UP }, { KMT_KEY_DOWN, KMT_ACTION_DOWN },
	    { 'k', KMT_ACTION_UP }, { 'j', KMT_ACTION_DOWN } } },
	{ "PgUp PgDn Ctrl-B Ctrl-F", "one screen up, down",
	  { { KMT_KEY_PAGE_UP, KMT_ACTION_PAGE_UP }, { KMT_KEY_PAGE_DOWN, KMT_ACTION_PAGE_DOWN },
	    { KMT_KEY_CONTROL('B'), KMT_ACTION_PAGE_UP },
	    { KMT_KEY_CONTROL('F'), KMT_ACTION_PAGE_DOWN } } },
	{ "Home End g G", "to the first, the last line",
	  { { KMT_KEY_HOME, KMT_ACTION_FIRST }, { KMT_KEY_END, KMT_ACTION_LAST },
	    { 'g', KMT_ACTION_FIRST }, { 'G', KMT_ACTION_LAST } } },
	{ "Left Right h l", "move long names sideways; in the tree fold, unfold",
	  { { KMT_KEY_LEFT, KMT_ACTION_LEFT }, { KMT_KEY_RIGHT, KMT_ACTION_RIGHT },
	    { 'h', KMT_ACTION_LEFT }, { 'l', KMT_ACTION_RIGHT } } },
	{ "Enter", "all that is known of a row; in the tree, fold and unfold what is no call site",
	  { { KMT_KEY_ENTER, KMT_ACTION_OPEN } } },
	{ "Space", "fold, unfold in the tree; in texts one screen down",
	  { { ' ', KMT_ACTION_TOGGLE } } },
	{ "+ -", "unfold, fold all of the tree",
	  { { '+', KMT_ACTION_UNFOLD_ALL }, { '-', KMT_ACTION_FOLD_ALL } } },
	{ "Tab Shift-Tab", "the next, the previous view",
	  { { KMT_KEY_TAB, KMT_ACTION_NEXT_VIEW }, { KMT_KEY_BACK_TAB, KMT_ACTION_LAST_VIEW } } },
	{ "1 to 9", "the view of this number", { { 0, KMT_ACTION_NONE } } },
	{ "t", "the tree: modules, caches, call sites, and who called them",
	  { { 't', KMT_ACTION_TREE } } },
	{ "/", "show only what has these words, as you type; in texts, find them. Enter keeps them, Esc drops them",
	  { { '/', KMT_ACTION_FILTER } } },
	{ "n N", "in texts, find the next, the previous one",
	  { { 'n', KMT_ACTION_FIND_NEXT }, { 'N', KMT_ACTION_FIND_LAST } } },
	{ "s S > <", "sort by the next, the previous column",
	  { { 's', KMT_ACTION_SORT_NEXT }, { 'S', KMT_ACTION_SORT_LAST },
	    { '>', KMT_ACTION_SORT_NEXT }, { '<', KMT_ACTION_SORT_LAST } } },
	{ "r", "sort the other way round", { { 'r', KMT_ACTION_REVERSE } } },
	{ "a", "show rows that have nothing live, too; again: don't", { { 'a', KMT_ACTION_ALL } } },
	{ "v", "the report as text: the whole verdict, doubts, what to do next",
	  { { 'v', KMT_ACTION_REPORT } } },
	{ "q", "back; from a view, quit", { { 'q', KMT_ACTION_BACK } } },
	{ "Esc Backspace", "back; in a view, drop the filter",
	  { { KMT_KEY_ESCAPE, KMT_ACTION_ESCAPE }, { KMT_KEY_BACKSPACE, KMT_ACTION_ESCAPE } } },
	{ "Q Ctrl-C", "quit", { { 'Q', KMT_ACTION_QUIT } } },
	{ "Ctrl-L", "draw the screen again", { { KMT_KEY_CONTROL('L'), KMT_ACTION_REDRAW } } },
	{ "?", "this help", { { '?', KMT_ACTION_HELP } } },
	{ 0 },
};
/* clang-format on */

enum kmt_action kmt_key_action(int key)
{
	if (key >= '1' && key <= '9')
		return (enum kmt_action)(KMT_ACTION_VIEW + key - '1');
	for (const struct kmt_keys *keys = kmt_keys; keys->names; keys++)
		for (size_t i = 0; i < 6 && keys->bindings[i].key; i++)
			if (keys->bindings[i].key == key)
				return keys->bindings[i].action;
	return KMT_ACTION_NONE;
}
