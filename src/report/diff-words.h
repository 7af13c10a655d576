/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_DIFF_WORDS_H
#define KMT_REPORT_DIFF_WORDS_H

#include "kmemtape/diff.h"

/* What a diff says for people, in text and on a page. What takes @buf, KMT_ESCAPED_BYTES long, is
 * of one side of an item; "-": not known. */
const char *kmt_diff_class_words(char *buf, const struct kmt_diff_side *side);
const char *kmt_diff_growth_words(char *buf, const struct kmt_diff *diff,
				  const struct kmt_diff_item *item, int side);
/* What is left of it, in parts of a load of a million allocations. */
const char *kmt_diff_per_load(char *buf, const struct kmt_diff *diff,
			      const struct kmt_diff_item *item, int side);
const char *kmt_diff_left(char *buf, const struct kmt_diff_item *item, int side);
/* Its allocations */
const char *kmt_diff_an_hour(char *buf, const struct kmt_diff *diff,
			     const struct kmt_diff_item *item, int side);

/* What a change means; NULL: quiet. */
const char *kmt_diff_legend(enum kmt_change change);

/* How items were matched. */
const char *kmt_diff_matching(const struct kmt_diff *diff);

/* How many items @top is. */
size_t kmt_diff_shown(const struct kmt_diff *diff, uint64_t top);

uint64_t kmt_diff_whole(double n);

#endif
