/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_TYPED_AHEAD_H
#define KMT_TUI_TYPED_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What was typed for a view that is still being read: it is that view's when it is there. Else the
 * words of a filter whose '/' came too early would each be a command.
 */
struct kmt_typed_ahead {
	int keys[64]; /* what is more is lost */
	size_t nr;
	bool is_text; /* the next one belongs to a filter */
};

void kmt_typed_ahead_add(struct kmt_typed_ahead *typed, int key);
/* Return: the first of them, which is no more among them; -1: there is none. */
int kmt_typed_ahead_take(struct kmt_typed_ahead *typed);
void kmt_typed_ahead_clear(struct kmt_typed_ahead *typed);

#endif
