// SPDX-License-Identifier: LGPL-2.1-only
#include <stdarg.h>
#include <string.h>

#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "diff-judge.h"
#include "naming.h"

const char *kmt_change_name(enum kmt_change change)
{
	static const char *const names[KMT_CHANGES] = {
		[KMT_CHANGE_NEW] = "new",	[KMT_CHANGE_GROWN] = "grown",
		[KMT_CHANGE_SAME] = "same",	[KMT_CHANGE_STILL] = "still",
		[KMT_CHANGE_SHRUNK] = "shrunk", [KMT_CHANGE_UNTOLD] = "cannot-tell",
		[KMT_CHANGE_GONE] = "gone",	[KMT_CHANGE_QUIET] = "quiet",
	};

	return names[change];
}

const char *kmt_answer_name(enum kmt_answer answer)
{
	static const char *const names[] = {
		[KMT_ANSWER_WORSE] = "worse",	[KMT_ANSWER_NOT_FIXED] = "not-fixed",
		[KMT_ANSWER_BETTER] = "better", [KMT_ANSWER_UNTOLD] = "cannot-tell",
		[KMT_ANSWER_FIXED] = "fixed",	[KMT_ANSWER_NO_LEAK] = "no-leak",
	};

	return names[answer];
}

static const char *rate(char *buf, const struct kmt_diff *diff, const struct kmt_diff_item *item,
			int side)
{
	double growth = kmt_diff_growth(diff, item, side);

	return item->has_size ? kmt_words_rate(buf, growth) : kmt_words_count_rate(buf, growth);
}

__attribute__((format(printf, 2, 3))) static void say(struct kmt_diff *diff, const char *fmt, ...)
{
	size_t used = strlen(diff->headline);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(diff->headline + used, sizeof(diff->headline) - used, fmt, args);
	va_end(args);
}

static enum kmt_answer find_answer(const struct kmt_diff *diff)
{
	const size_t *nr = diff->nr_by_change;
	char why[160];

	if (diff->is_same_recording)
		return KMT_ANSWER_UNTOLD;
	if (nr[KMT_CHANGE_NEW] || nr[KMT_CHANGE_GROWN])
		return KMT_ANSWER_WORSE;
	if (nr[KMT_CHANGE_SAME] || nr[KMT_CHANGE_STILL])
		return nr[KMT_CHANGE_GONE] || nr[KMT_CHANGE_SHRUNK] ? KMT_ANSWER_BETTER
								    : KMT_ANSWER_NOT_FIXED;
	if (nr[KMT_CHANGE_SHRUNK])
		return KMT_ANSWER_BETTER;
	if (nr[KMT_CHANGE_UNTOLD])
		return KMT_ANSWER_UNTOLD;
	if (nr[KMT_CHANGE_GONE])
		return KMT_ANSWER_FIXED;
	for (int side = 0; side < 2; side++) {
		kmt_diff_blindness(diff, side, why);
		if (*why)
			return KMT_ANSWER_UNTOLD;
	}
	return KMT_ANSWER_NO_LEAK;
}

static void say_first(struct kmt_diff *diff, const struct kmt_diff_item *item)
{
	char name[KMT_PLAIN_BYTES], a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	kmt_row_name_plainly(name, diff->tapes[0]->group, item->row);
	switch (item->change) {
	case KMT_CHANGE_NEW:
		say(diff, "%s leaks in B (%s), and not in A", name, rate(b, diff, item, 1));
		break;
	case KMT_CHANGE_GROWN:
		say(diff, "%s leaks faster in B: %s, in A %s", name, rate(b, diff, item, 1),
		    rate(a, diff, item, 0));
		break;
	case KMT_CHANGE_SAME:
		say(diff, "%s leaks in B as it does in A: %s, in A %s", name,
		    rate(b, diff, item, 1), rate(a, diff, item, 0));
		break;
	case KMT_CHANGE_STILL:
		say(diff, "%s leaks in both", name);
		break;
	case KMT_CHANGE_SHRUNK:
		say(diff, "%s leaks in B, too, but more slowly: %s, in A %s", name,
		    rate(b, diff, item, 1), rate(a, diff, item, 0));
		break;
	case KMT_CHANGE_UNTOLD:
		say(diff, "%s leaks in %c (%s), but %s", name,
		    item->sides[0].is_suspect ? 'A' : 'B',
		    rate(a, diff, item, item->sides[0].is_suspect ? 0 : 1), item->why);
		break;
	case KMT_CHANGE_GONE:
		say(diff, "%s leaks in A (%s), and not in B", name, rate(a, diff, item, 0));
		break;
	case KMT_CHANGE_QUIET:
		break;
	}
}

/* What the first sentence leaves out, so that nobody takes one leak for all. */
static void say_others(struct kmt_diff *diff)
{
	static const char *const words[KMT_CHANGES] = {
		[KMT_CHANGE_NEW] = "new",	[KMT_CHANGE_GROWN] = "grown",
		[KMT_CHANGE_SAME] = "the same", [KMT_CHANGE_STILL] = "in both",
		[KMT_CHANGE_SHRUNK] = "shrunk", [KMT_CHANGE_UNTOLD] = "not to be told",
		[KMT_CHANGE_GONE] = "gone",
	};
	const char *separator = " (others: ";

	for (int i = 0; i < KMT_CHANGE_QUIET; i++) {
		size_t nr = diff->nr_by_change[i] - (diff->items[0].change == (enum kmt_change)i);

		if (!nr)
			continue;
		say(diff, "%s%zu %s", separator, nr, words[i]);
		separator = ", ";
	}
	if (*separator == ',')
		say(diff, ")");
}

void kmt_diff_answer(struct kmt_diff *diff)
{
	static const char *const words[] = {
		[KMT_ANSWER_WORSE] = "WORSE: ",
		[KMT_ANSWER_NOT_FIXED] = "NOT FIXED: ",
		[KMT_ANSWER_BETTER] = "BETTER, NOT FIXED: ",
		[KMT_ANSWER_UNTOLD] = "CANNOT TELL: ",
		[KMT_ANSWER_FIXED] = "FIXED: ",
		[KMT_ANSWER_NO_LEAK] = "NO LEAK in A, and none in B",
	};
	char why[160] = "";

	diff->headline[0] = '\0';
	diff->answer = find_answer(diff);
	say(diff, "%s", words[diff->answer]);
	if (diff->is_same_recording) {
		say(diff, "A and B are the same recording");
	} else if (diff->nr_items && diff->items[0].change != KMT_CHANGE_QUIET) {
		say_first(diff, &diff->items[0]);
		say_others(diff);
	} else if (diff->answer == KMT_ANSWER_UNTOLD) {
		kmt_diff_blindness(diff, 0, why);
		if (!*why)
			kmt_diff_blindness(diff, 1, why);
		say(diff, "neither shows a leak, but %s", why);
	}
}
