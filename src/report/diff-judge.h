/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_DIFF_JUDGE_H
#define KMT_REPORT_DIFF_JUDGE_H

#include "kmemtape/diff.h"

/* Fills in change and why, from what both sides have. */
void kmt_diff_judge(const struct kmt_diff *diff, struct kmt_diff_item *item);

/* Fills in answer and headline, of items that are judged and sorted. */
void kmt_diff_answer(struct kmt_diff *diff);

/* Why @side can't say that there is nothing, of whatever; "" if it can. @why is 160 bytes long. */
void kmt_diff_blindness(const struct kmt_diff *diff, int side, char *why);

/* Growth of a suspect: the trend, or where there is none what is left over the time. */
double kmt_diff_growth(const struct kmt_diff *diff, const struct kmt_diff_item *item, int side);

/* Of all that were recorded a second; 0: unknown */
double kmt_diff_load(const struct kmt_diff *diff, int side);

/* What is left of it, for each million of all allocations: bytes, of pairs objects; 0: none known */
double kmt_diff_left_per_million(const struct kmt_diff *diff, const struct kmt_diff_item *item,
				 int side);

#endif
