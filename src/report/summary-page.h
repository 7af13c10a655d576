/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_SUMMARY_PAGE_H
#define KMT_REPORT_SUMMARY_PAGE_H

#include <stddef.h>
#include <stdio.h>

#include "kmemtape/summary.h"

/*
 * Pieces of a page about several tapes: see page.h. All that is in them is there without a script.
 * Together with @KMT_SUMMARY_PAGE_ROOM bytes of rows they are below 2 MB, as each page is.
 */
#define KMT_SUMMARY_PAGE_ROOM 1150000u

/* To the end of the banner. @tone: "good", "bad", "warn", "untold"; @headline: as it is on the
 * tapes */
void kmt_summary_page_begin(FILE *file, const char *tone, const char *headline);
void kmt_summary_page_end(FILE *file);

/* What may make all numbers of @nr tapes wrong, losses first. @names: what begins each; NULL: their
 * numbers. Return: 0 or -ENOMEM, as below. */
int kmt_summary_page_doubts(const struct kmt_summary *const *tapes, size_t nr,
			    const char *const *names, FILE *file);

/* Which tapes they are, and what their own reports say. */
int kmt_summary_page_tapes(const struct kmt_summary *const *tapes, size_t nr,
			   const char *const *names, FILE *file);

/* The cell of what a row is called, with its cache. Open: remarks may follow, then </th>. */
void kmt_page_name_begin(FILE *file, enum kmt_group group, const struct kmt_summary_row *row);

#endif
