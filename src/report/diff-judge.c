// SPDX-License-Identifier: LGPL-2.1-only
#include <math.h>
#include <string.h>

#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "diff-judge.h"
#include "diff-words.h"
#include "naming.h"

#define NS_PER_S       1e9
#define WHY(item, ...) (void)snprintf((item)->why, sizeof((item)->why), __VA_ARGS__)

/* 95 %, two sides: of a count that is large enough, and of one that is 0. */
#define NORMAL_95    1.959964
#define POISSON_ZERO 3.689
/* As many as a leak has at least, see core/judging.h: fewer than that would have been no leak. */
#define EXPECTED_MIN 8.0
/* What changes by less than this is the same: nobody acts on it. As FLAT_PART of core/trend.c. */
#define SAME_PART    0.1

static const char names[2] = { 'A', 'B' };

static bool has_same_filters(const struct kmt_diff *diff)
{
	const struct kmt_summary *a = diff->tapes[0], *b = diff->tapes[1];

	if (a->nr_filters != b->nr_filters)
		return false;
	for (size_t i = 0; i < a->nr_filters; i++)
		if (strcmp(a->filters[i], b->filters[i]) != 0)
			return false;
	return true;
}

void kmt_diff_blindness(const struct kmt_diff *diff, int side, char *why)
{
	const struct kmt_summary *tape = diff->tapes[side];
	char name = names[side], a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	*why = '\0';
	if (tape->lost || tape->losses)
		(void)snprintf(why, 160, "%c lost %s events", name,
			       tape->lost ? kmt_words_count(a, tape->lost) : "some");
	else if (kmt_summary_is_short(tape))
		(void)snprintf(why, 160, "%c is too short: %s, and younger than %s isn't judged",
			       name, kmt_format_time(a, tape->duration_ns),
			       kmt_format_time(b, tape->grace_ns));
	else if (tape->is_cut)
		(void)snprintf(why, 160, "%c is a report without all of its rows", name);
	else if (tape->has_rest)
		(void)snprintf(why, 160, "%c has more call sites than are told apart", name);
	else if (!tape->allocs && tape->snapshots < 2)
		(void)snprintf(why, 160, "%c has no allocation at all", name);
	else if (!tape->is_complete)
		(void)snprintf(why, 160, "%c is incomplete: its recording did not end in order",
			       name);
	else if (tape->leak != KMT_LEAK_NONE && !diff->has_suspect[side])
		(void)snprintf(why, 160, "%c leaks by its verdict, at a site that it doesn't have",
			       name);
	else if (tape->older_ns)
		(void)snprintf(why, 160, "%c is a report of what is older than %s", name,
			       kmt_format_time(a, tape->older_ns));
	else if (tape->grace_ns != diff->tapes[!side]->grace_ns)
		(void)snprintf(why, 160, "the two were judged with another --grace");
	else if (tape->nr_filters && !has_same_filters(diff))
		(void)snprintf(why, 160, "%c has only what a filter let through", name);
	else if (tape->has_free_probes != diff->tapes[!side]->has_free_probes)
		(void)snprintf(why, 160,
			       "only %c has the frees by kfree_rcu() and in bulk that need probes",
			       names[tape->has_free_probes ? side : !side]);
}

static bool is_recorded(const struct kmt_summary *tape, const struct kmt_summary_row *row)
{
	if (row->is_counted)
		return tape->snapshots >= 2;
	if (row->space < KMT_SPACE_PAIR)
		return tape->is_space_recorded[row->space];
	for (size_t i = 0; i < tape->nr_pairs; i++)
		if (row->pair && strcmp(tape->pairs[i], row->pair) == 0)
			return true;
	return false;
}

static bool has_module(const struct kmt_summary *tape, const char *module)
{
	for (size_t i = 0; i < tape->nr_rows; i++)
		if (tape->rows[i].module && strcmp(tape->rows[i].module, module) == 0)
			return true;
	return false;
}

/* Why @side can't say that it doesn't leak this. Return: false if it can. */
static bool is_blind(const struct kmt_diff *diff, struct kmt_diff_item *item, int side)
{
	const struct kmt_summary_row *other = item->sides[!side].row;
	const struct kmt_diff_side *self = &item->sides[side];
	char name = names[side];

	kmt_diff_blindness(diff, side, item->why);
	if (*item->why)
		return true;
	if (!kmt_row_is_named(diff->tapes[0]->group, other))
		WHY(item, "it has no name by which it could be found in %c", name);
	else if (self->is_suppressed)
		WHY(item, "it is suppressed in %c", name);
	else if (!is_recorded(diff->tapes[side], other))
		WHY(item, "%c didn't record what it is of", name);
	else if (self->class == KMT_CLASS_UNTRACED)
		WHY(item, "not all of its frees are seen in %c", name);
	else if (self->class == KMT_CLASS_UNCERTAIN)
		WHY(item, "what is live of it in %c is uncertain", name);
	return *item->why;
}

/* Time in which something can grow old enough. */
static double seconds(const struct kmt_summary *tape)
{
	return tape->duration_ns > tape->grace_ns
		       ? (double)(tape->duration_ns - tape->grace_ns) / NS_PER_S
		       : 0;
}

/*
 * How many @side should have left if it leaked as the other one does: by time, and by how often it
 * was called, the smaller of the two; of the other's count, what it is at least.
 */
static double expected(const struct kmt_diff *diff, const struct kmt_diff_item *item, int side,
		       bool is_by_calls)
{
	const struct kmt_diff_side *self = &item->sides[side], *other = &item->sides[!side];
	double n = (double)other->mature_objects;
	double scale = n > 0 ? other->objects / n : 1;
	double least = fmax(n - NORMAL_95 * sqrt(n), 0) * scale;
	double sample = fmax((double)diff->tapes[side]->sample, 1);
	double by_time = seconds(diff->tapes[!side]) > 0
				 ? least * seconds(diff->tapes[side]) / seconds(diff->tapes[!side])
				 : 0;
	double by_calls =
		other->allocs ? least / scale * (double)self->allocs / (double)other->allocs : 0;

	by_time /= sample;
	return is_by_calls && by_calls < by_time ? by_calls : by_time;
}

/* Its owner may have another name in A, if it is of another build than the helper. */
static bool is_owner_of_other_build(const struct kmt_diff *diff, const struct kmt_diff_item *item)
{
	const char *module = item->sides[1].row->owner_module;
	const char *a = kmt_summary_build_id(diff->tapes[0], module);
	const char *b = kmt_summary_build_id(diff->tapes[1], module);

	return item->is_for_others && !(a && b && strcmp(a, b) == 0);
}

/*
 * B leaks where A has nothing of that name. Another build may inline another function, or have
 * another name for the same: what A leaks in the same module, and B doesn't know, may be this.
 */
static bool may_be_renamed(const struct kmt_diff *diff, const struct kmt_diff_item *item)
{
	const struct kmt_summary_row *row = item->sides[1].row;

	if (item->match == KMT_MATCH_GROUP ||
	    (item->match == KMT_MATCH_EXACT && !is_owner_of_other_build(diff, item)))
		return false;
	if (diff->nr_vanished > KMT_DIFF_VANISHED_MAX)
		return true;
	for (size_t i = 0; i < diff->nr_vanished; i++) {
		const struct kmt_summary_row *old = diff->vanished[i];

		if (old->space == row->space && !old->module == !row->module &&
		    (!row->module || strcmp(old->module, row->module) == 0))
			return true;
	}
	return false;
}

/* One leaks; does the other one really not? @side: the other one */
static void judge_absence(const struct kmt_diff *diff, struct kmt_diff_item *item, int side,
			  enum kmt_change answer)
{
	const struct kmt_diff_side *self = &item->sides[side], *other = &item->sides[!side];
	double n = (double)self->mature_objects, wanted;
	char name = names[side], a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	item->change = KMT_CHANGE_UNTOLD;
	if (is_blind(diff, item, side))
		return;
	if (other->row->is_counted) {
		WHY(item, "vmallocinfo of %c shows no growth, and not whether it was called", name);
		return;
	}
	if (item->is_for_many) {
		WHY(item, "%c allocates there for many, and doesn't tell what for this one", name);
		return;
	}
	if (item->is_for_others && answer == KMT_CHANGE_GONE) {
		WHY(item, "%c allocates there for others only", name);
		return;
	}
	if (self->allocs == 0 && answer == KMT_CHANGE_GONE) {
		if (other->row->module && !has_module(diff->tapes[side], other->row->module))
			WHY(item, "module %.60s allocated nothing in %c", other->row->module, name);
		else
			WHY(item, "nothing was allocated there in %c", name);
		return;
	}
	if (!self->row && answer == KMT_CHANGE_NEW && may_be_renamed(diff, item)) {
		WHY(item,
		    "A, of another build, leaks there under another name: it may be the same");
		return;
	}
	wanted = expected(diff, item, side, self->allocs > 0);
	if (wanted < EXPECTED_MIN) {
		WHY(item, "%c has seen too little: %s objects would be left, %d are needed", name,
		    kmt_words_count(a, kmt_diff_whole(floor(wanted))), (int)EXPECTED_MIN);
		return;
	}
	if (n + fmax(NORMAL_95 * sqrt(n), POISSON_ZERO) >= wanted) {
		WHY(item, "%c keeps %s objects, as many as if it leaked, but they don't grow", name,
		    kmt_words_count(a, self->mature_objects));
		return;
	}
	item->change = answer;
	if (self->allocs)
		WHY(item, "%c allocated %s there and left %s; leaking, it would have left %s", name,
		    kmt_words_count(a, self->allocs), kmt_words_count(b, self->mature_objects),
		    kmt_words_count((char[KMT_UNITS_BYTES]){ "" }, kmt_diff_whole(wanted)));
	else if (item->is_for_others)
		WHY(item, "%c allocates there for others only", name);
	else
		WHY(item, "nothing was allocated there in %c", name);
}

double kmt_diff_growth(const struct kmt_diff *diff, const struct kmt_diff_item *item, int side)
{
	const struct kmt_diff_side *self = &item->sides[side];
	double s = seconds(diff->tapes[side]);

	if (self->per_s > 0 || !self->is_suspect || s <= 0)
		return self->per_s;
	return (item->has_size ? self->bytes : self->objects) / s;
}

static double all_allocs(const struct kmt_summary *tape)
{
	return (double)tape->allocs * fmax((double)tape->sample, 1);
}

double kmt_diff_load(const struct kmt_diff *diff, int side)
{
	const struct kmt_summary *tape = diff->tapes[side];

	return tape->duration_ns ? all_allocs(tape) * NS_PER_S / (double)tape->duration_ns : 0;
}

double kmt_diff_left_per_million(const struct kmt_diff *diff, const struct kmt_diff_item *item,
				 int side)
{
	const struct kmt_diff_side *self = &item->sides[side];
	double allocs = all_allocs(diff->tapes[side]);

	return allocs > 0 ? (item->has_size ? self->bytes : self->objects) / allocs * 1e6 : 0;
}

struct interval {
	double low, value, high;
};

/* The trend's own interval, or that of the count if it is wider. */
static struct interval growth_interval(const struct kmt_diff *diff,
				       const struct kmt_diff_item *item, int side)
{
	const struct kmt_diff_side *self = &item->sides[side];
	double value = kmt_diff_growth(diff, item, side), n = (double)self->mature_objects;
	double noise = n > 0 ? NORMAL_95 / sqrt(n) : 1;
	struct interval interval = { value * fmax(1 - noise, 0), value, value * (1 + noise) };

	if (self->per_s > 0) {
		interval.low = fmin(interval.low, self->per_s_low);
		interval.high = fmax(interval.high, self->per_s_high);
	}
	return interval;
}

/* -1 less, 1 more, 0 the same within noise. */
static int compare(struct interval a, struct interval b)
{
	if (b.low > a.high && b.value > a.value * (1 + SAME_PART))
		return 1;
	return b.high < a.low && b.value < a.value * (1 - SAME_PART) ? -1 : 0;
}

static struct interval per_alloc(struct interval interval, double load)
{
	return (struct interval){ interval.low / load, interval.value / load,
				  interval.high / load };
}

static bool has_same_spaces(const struct kmt_diff *diff)
{
	return memcmp(diff->tapes[0]->is_space_recorded, diff->tapes[1]->is_space_recorded,
		      sizeof(diff->tapes[0]->is_space_recorded)) == 0;
}

static void judge_both(const struct kmt_diff *diff, struct kmt_diff_item *item)
{
	struct interval a = growth_interval(diff, item, 0), b = growth_interval(diff, item, 1);
	double loads[2] = { kmt_diff_load(diff, 0), kmt_diff_load(diff, 1) };
	int by_time, by_load;

	item->change = KMT_CHANGE_STILL;
	for (int side = 0; side < 2; side++) {
		const struct kmt_summary *tape = diff->tapes[side];

		if (tape->lost || tape->losses) {
			kmt_diff_blindness(diff, side, item->why);
			return;
		}
	}
	if (!has_same_filters(diff) || !has_same_spaces(diff) || loads[0] <= 0 || loads[1] <= 0) {
		WHY(item, "the tapes recorded different events: the load can't be compared");
		return;
	}
	by_time = compare(a, b);
	by_load = compare(per_alloc(a, loads[0]), per_alloc(b, loads[1]));
	if (by_time == by_load) {
		item->change = by_time > 0   ? KMT_CHANGE_GROWN
			       : by_time < 0 ? KMT_CHANGE_SHRUNK
					     : KMT_CHANGE_SAME;
	} else if (by_load == 0) {
		item->change = KMT_CHANGE_SAME;
		WHY(item, "%s by time, and the same by allocations: the load differs",
		    by_time > 0 ? "faster" : "slower");
	} else if (by_time == 0) {
		item->change = KMT_CHANGE_SAME;
		WHY(item, "the same by time, though B's load is %s",
		    by_load > 0 ? "lower" : "higher");
	} else {
		WHY(item, "%s by time, and %s by allocations", by_time > 0 ? "faster" : "slower",
		    by_load > 0 ? "faster" : "slower");
	}
}

void kmt_diff_judge(const struct kmt_diff *diff, struct kmt_diff_item *item)
{
	const struct kmt_diff_side *a = &item->sides[0], *b = &item->sides[1];

	item->change = KMT_CHANGE_QUIET;
	item->why[0] = '\0';
	if (!a->is_suspect && !b->is_suspect)
		return;
	if (a->row && b->row && kmt_row_has_other_owner(a->row, b->row)) {
		item->change = KMT_CHANGE_UNTOLD;
		WHY(item, "%c allocates there for %.60s", names[a->is_suspect],
		    a->is_suspect ? b->row->owner : a->row->owner);
		return;
	}
	/* What is below suspicion alone isn't where the other one leaks. */
	if ((a->is_suspect || (a->class >= KMT_CLASS_GROWTH && !a->is_suppressed)) &&
	    (b->is_suspect || (b->class >= KMT_CLASS_GROWTH && !b->is_suppressed)))
		judge_both(diff, item);
	else if (a->is_suspect)
		judge_absence(diff, item, 1, KMT_CHANGE_GONE);
	else
		judge_absence(diff, item, 0, KMT_CHANGE_NEW);
}
