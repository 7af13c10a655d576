/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_TERMINAL_H
#define KMT_TUI_TERMINAL_H

#include "kmemtape/err.h"

#include "canvas.h"

/* The terminal itself: nothing else knows of curses. There is one. */
struct kmt_terminal;

/* Return: 0; -ENOTSUP, -ENOMEM. */
int kmt_terminal_open(struct kmt_terminal **ret_terminal, struct kmt_err *err);

/* As it was before. */
struct kmt_terminal *kmt_terminal_free(struct kmt_terminal *terminal);

/* For a while, and back: everything is drawn again then. */
void kmt_terminal_leave(struct kmt_terminal *terminal);
void kmt_terminal_return(struct kmt_terminal *terminal);

/* What it has become. */
void kmt_terminal_measure(struct kmt_terminal *terminal, int *ret_rows, int *ret_columns);

/* Whatever else has been drawn there goes. */
void kmt_terminal_redraw(struct kmt_terminal *terminal);
void kmt_terminal_show(struct kmt_terminal *terminal, const struct kmt_canvas *canvas);

/* Return: the next key (keys.h), if one was pressed; -1: none. */
int kmt_terminal_key(struct kmt_terminal *terminal);

#endif
