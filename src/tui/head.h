/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_HEAD_H
#define KMT_TUI_HEAD_H

#include "kmemtape/result.h"

#include "canvas.h"

/* The first row: which tape it is. */
void kmt_head_draw_title(const struct kmt_result *result, struct kmt_canvas *canvas);

/*
 * From the second row on: the verdict, how sure it is and since when it grows, what the kernel's
 * own counters say, and what may make all that wrong; what there is room for.
 *
 * Return: the rows it took.
 */
int kmt_head_draw(const struct kmt_result *result, struct kmt_canvas *canvas);

#endif
