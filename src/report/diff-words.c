// SPDX-License-Identifier: LGPL-2.1-only
#include "kmemtape/units.h"

#include "diff-judge.h"
#include "diff-words.h"
#include "words.h"

uint64_t kmt_diff_whole(double n)
{
	return n >= 1.8e19 ? UINT64_MAX : n > 0 ? (uint64_t)(n + 0.5) : 0;
}

const char *kmt_diff_class_words(char *buf, const struct kmt_diff_side *side)
{
	char confidence[KMT_UNITS_BYTES];

	if (!side->row)
		return "-";
	if (side->class == KMT_CLASS_NONE)
		return "none";
	(void)snprintf(buf, KMT_ESCAPED_BYTES, "%s %s", kmt_class_name(side->class),
		       kmt_words_confidence(confidence, side->confidence));
	return buf;
}

const char *kmt_diff_growth_words(char *buf, const struct kmt_diff *diff,
				  const struct kmt_diff_item *item, int side)
{
	double per_s = kmt_diff_growth(diff, item, side);

	return item->has_size ? kmt_words_rate(buf, per_s) : kmt_words_count_rate(buf, per_s);
}

/* What is left of it, in parts of a load of a million allocations. */
const char *kmt_diff_per_load(char *buf, const struct kmt_diff *diff,
			      const struct kmt_diff_item *item, int side)
{
	uint64_t left = kmt_diff_whole(kmt_diff_left_per_million(diff, item, side));

	if (!diff->tapes[side]->allocs)
		return "-";
	return item->has_size ? kmt_format_size(buf, left) : kmt_words_count(buf, left);
}

const char *kmt_diff_left(char *buf, const struct kmt_diff_item *item, int side)
{
	const struct kmt_diff_side *self = &item->sides[side];

	return item->has_size ? kmt_format_size(buf, kmt_diff_whole(self->bytes))
			      : kmt_words_count(buf, kmt_diff_whole(self->objects));
}

const char *kmt_diff_an_hour(char *buf, const struct kmt_diff *diff,
			     const struct kmt_diff_item *item, int side)
{
	double s = (double)diff->tapes[side]->duration_ns / 1e9;

	if (s <= 0 || item->row->is_counted)
		return "-";
	return kmt_words_count(buf, kmt_diff_whole(item->sides[side].calls / s * 3600));
}

const char *kmt_diff_legend(enum kmt_change change)
{
	static const char *const legends[KMT_CHANGES] = {
		[KMT_CHANGE_NEW] = "leaks in B; A would have shown it, and doesn't",
		[KMT_CHANGE_GROWN] = "leaks in both, faster in B by time and by allocations",
		[KMT_CHANGE_SAME] = "leaks in both, as fast within what is noise",
		[KMT_CHANGE_STILL] = "leaks in both; where faster can't be told",
		[KMT_CHANGE_SHRUNK] = "leaks in both, slower in B by time and by allocations",
		[KMT_CHANGE_UNTOLD] = "leaks in one; of the other it can't be told",
		[KMT_CHANGE_GONE] = "leaks in A; B would have shown it, and doesn't",
	};

	return legends[change];
}

const char *kmt_diff_matching(const struct kmt_diff *diff)
{
	if (diff->tapes[0]->group == KMT_BY_MODULE)
		return "matched by module";
	if (diff->tapes[0]->group == KMT_BY_CACHE)
		return "matched by cache";
	return diff->is_same_kernel
		       ? "matched by function and offset, module and cache: it is the same build of the kernel; modules of another build by function"
		       : "matched by function, module and cache: it is not known to be the same build of the kernel, so offsets say nothing";
}

size_t kmt_diff_shown(const struct kmt_diff *diff, uint64_t top)
{
	if (top == UINT64_MAX)
		return diff->nr_items - diff->nr_by_change[KMT_CHANGE_QUIET];
	return top && top < diff->nr_items ? (size_t)top : diff->nr_items;
}
