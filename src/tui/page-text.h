/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_PAGE_TEXT_H
#define KMT_TUI_PAGE_TEXT_H

#include "kmemtape/result.h"

#include "item.h"

/* Texts of pages, on the heap; NULL: out of memory. */

/* @dossier: a result that explains the row; NULL: there is none, because of @why ("" or NULL: not
 * yet). @width: of the screen */
char *kmt_page_detail(const struct kmt_result *result, const struct kmt_item *item,
		      const struct kmt_result *dossier, const char *why, int width,
		      bool is_utf8);
char *kmt_page_report(const struct kmt_result *result, bool is_utf8);
char *kmt_page_help(void);

#endif
