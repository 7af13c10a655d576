// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "kmemtape/intervals.h"
#include "kmemtape/units.h"

#include "reach.h"

/* What happened to an account in one interval; intervals without events have no point. */
struct point {
	uint64_t interval;
	uint64_t allocs, frees, reused;
	uint64_t alloc_bytes, end_bytes;
};

struct series {
	struct point *points; /* ascending; room for the next power of two */
	size_t nr;
	bool is_dropped;
};

/* Losses that begin and end in an interval, and the events that those lost which end there. */
struct loss {
	uint64_t begin, end, lost;
};

struct kmt_intervals {
	uint64_t width_ns;
	bool is_split;
	bool is_too_much;
	struct series *series; /* by account, or one for all */
	size_t nr_series;
	size_t nr_points;    /* of all series */
	struct loss *losses; /* by interval */
	size_t nr_losses;
};

int kmt_intervals_new(uint64_t width_ns, bool is_split, struct kmt_intervals **ret_intervals,
		      struct kmt_err *err)
{
	struct kmt_intervals *intervals = calloc(1, sizeof(*intervals));

	if (!intervals)
		return kmt_fail(err, -ENOMEM, "out of memory");
	intervals->width_ns = width_ns;
	intervals->is_split = is_split;
	*ret_intervals = intervals;
	return 0;
}

struct kmt_intervals *kmt_intervals_free(struct kmt_intervals *intervals)
{
	if (!intervals)
		return NULL;
	for (size_t i = 0; i < intervals->nr_series; i++)
		free(intervals->series[i].points);
	free(intervals->series);
	free(intervals->losses);
	free(intervals);
	return NULL;
}

/* Return: 0, with NULL if it was dropped; -ENOMEM. */
static int series_of(struct kmt_intervals *intervals, const struct kmt_account *account,
		     struct series **ret_series)
{
	size_t index = intervals->is_split ? account->index : 0;
	struct series *grown =
		reach(intervals->series, &intervals->nr_series, index, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	intervals->series = grown;
	*ret_series = grown[index].is_dropped ? NULL : &grown[index];
	return 0;
}

/* A new one behind the others. Return: 0, with NULL if there are too many; -ENOMEM. */
static int add_point(struct kmt_intervals *intervals, struct series *series, uint64_t interval,
		     struct point **ret_point)
{
	*ret_point = NULL;
	if (interval >= KMT_INTERVALS_MAX || intervals->nr_points >= KMT_INTERVAL_POINTS_MAX) {
		intervals->is_too_much = true;
		return 0;
	}
	if ((series->nr & (series->nr - 1)) == 0) {
		size_t room = series->nr ? series->nr * 2 : 1;
		struct point *grown = reallocarray(series->points, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		series->points = grown;
	}
	intervals->nr_points++;
	*ret_point = &series->points[series->nr++];
	**ret_point = (struct point){ .interval = interval };
	return 0;
}

/*
 * The point of the time @time_ns of an event, which may be a little older than the last one.
 * Return: 0, with NULL if nothing is to be booked; -ENOMEM.
 */
static int point_at(struct kmt_intervals *intervals, uint64_t start_ns,
		    const struct kmt_account *account, uint64_t time_ns, struct point **ret_point)
{
	uint64_t interval = time_ns > start_ns ? (time_ns - start_ns) / intervals->width_ns : 0;
	struct series *series;
	int r;

	*ret_point = NULL;
	r = series_of(intervals, account, &series);
	if (r < 0 || !series || intervals->is_too_much)
		return r;
	for (size_t i = series->nr; i-- > 0 && series->points[i].interval >= interval;)
		if (series->points[i].interval == interval) {
			*ret_point = &series->points[i];
			return 0;
		}
	return add_point(intervals, series, interval, ret_point);
}

int kmt_intervals_alloc(struct kmt_intervals *intervals, uint64_t start_ns,
			const struct kmt_account *account, const struct kmt_event *event)
{
	struct point *point;
	int r = point_at(intervals, start_ns, account, event->time_ns, &point);

	if (r < 0 || !point)
		return r;
	point->allocs++;
	point->alloc_bytes += account->key.bytes_alloc;
	return 0;
}

/* It was booked as reused when its address was: at most a millisecond ago. */
static int correct_late(struct kmt_intervals *intervals, const struct kmt_account *account)
{
	struct series *series;
	int r = series_of(intervals, account, &series);

	if (r < 0 || !series)
		return r;
	for (size_t i = series->nr; i-- > 0;)
		if (series->points[i].reused) {
			series->points[i].reused--;
			series->points[i].frees++;
			break;
		}
	return 0;
}

int kmt_intervals_end(struct kmt_intervals *intervals, uint64_t start_ns,
		      const struct kmt_account *account, const struct kmt_object *object,
		      enum kmt_end how, const struct kmt_event *event)
{
	bool is_replaced = how == KMT_END_REPLACED;
	struct point *point;
	int r;

	if (how == KMT_END_LATE)
		return correct_late(intervals, account);
	/* What never was is taken back where it was booked, so that no interval allocates less than
	 * nothing. */
	r = point_at(intervals, start_ns, account, is_replaced ? object->time_ns : event->time_ns,
		     &point);
	if (r < 0 || !point)
		return r;
	if (is_replaced) {
		point->allocs--;
		point->alloc_bytes -= account->key.bytes_alloc;
		return 0;
	}
	point->frees += how == KMT_END_FREED;
	point->reused += how == KMT_END_REUSED;
	point->end_bytes += account->key.bytes_alloc;
	return 0;
}

void kmt_intervals_drop(struct kmt_intervals *intervals, const struct kmt_account *account)
{
	struct series *series;

	if (!intervals->is_split || series_of(intervals, account, &series) < 0 || !series)
		return;
	intervals->nr_points -= series->nr;
	free(series->points);
	*series = (struct series){ .is_dropped = true };
}

int kmt_intervals_loss(struct kmt_intervals *intervals, uint64_t start_ns,
		       const struct kmt_event *event)
{
	uint64_t from_ns = event->since_ns > start_ns ? event->since_ns : start_ns;
	uint64_t end =
		event->time_ns > start_ns ? (event->time_ns - start_ns) / intervals->width_ns : 0;
	struct loss *grown;

	if (end >= KMT_INTERVALS_MAX) {
		intervals->is_too_much = true;
		return 0;
	}
	grown = reach(intervals->losses, &intervals->nr_losses, (size_t)end, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	intervals->losses = grown;
	if (from_ns > event->time_ns)
		from_ns = event->time_ns;
	grown[from_ns > start_ns ? (from_ns - start_ns) / intervals->width_ns : 0].begin++;
	grown[end].end++;
	grown[end].lost = kmt_sum(grown[end].lost, event->lost);
	return 0;
}

uint64_t kmt_intervals_count(uint64_t width_ns, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t duration_ns = end_ns > start_ns ? end_ns - start_ns : 0;

	return duration_ns / width_ns + (duration_ns % width_ns != 0);
}

static void add_series(struct kmt_interval *lines, size_t nr, const struct series *series)
{
	for (size_t i = 0; i < series->nr; i++) {
		const struct point *point = &series->points[i];
		/* What is just at the end belongs to the last interval. */
		struct kmt_interval *line = &lines[point->interval < nr ? point->interval : nr - 1];

		line->allocs += point->allocs;
		line->frees += point->frees;
		line->reused += point->reused;
		line->live_objects += point->allocs - point->frees - point->reused;
		line->live_bytes += point->alloc_bytes - point->end_bytes;
	}
}

static void add_losses(struct kmt_interval *lines, size_t nr, const struct kmt_intervals *intervals)
{
	uint64_t open = 0;

	for (size_t i = 0; i < intervals->nr_losses; i++) {
		struct kmt_interval *line = &lines[i < nr ? i : nr - 1];

		open += intervals->losses[i].begin;
		if (i < nr || intervals->losses[i].begin)
			line->losses += i < nr ? open : intervals->losses[i].begin;
		line->lost = kmt_sum(line->lost, intervals->losses[i].lost);
		open -= intervals->losses[i].end;
	}
}

/* Up to here they hold what changed. */
static void sum_up(struct kmt_interval *lines, size_t nr)
{
	for (size_t i = 1; i < nr; i++) {
		lines[i].live_objects += lines[i - 1].live_objects;
		lines[i].live_bytes += lines[i - 1].live_bytes;
	}
}

int kmt_intervals_fill(const struct kmt_intervals *intervals, uint64_t start_ns, uint64_t end_ns,
		       bool (*is_wanted)(void *context, uint32_t index), void *context,
		       struct kmt_interval **ret_lines, size_t *ret_nr)
{
	uint64_t nr = kmt_intervals_count(intervals->width_ns, start_ns, end_ns);
	struct kmt_interval *lines;

	if (intervals->is_too_much || nr > KMT_INTERVALS_MAX)
		return -E2BIG;
	if (nr == 0 && intervals->nr_series)
		nr = 1; /* all that happened did so at once */
	lines = calloc(nr ? nr : 1, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		lines[i].from_ns = start_ns + i * intervals->width_ns;
		lines[i].to_ns = i + 1 < nr ? lines[i].from_ns + intervals->width_ns : end_ns;
	}
	for (size_t i = 0; nr && i < intervals->nr_series; i++)
		if (!is_wanted || is_wanted(context, (uint32_t)i))
			add_series(lines, nr, &intervals->series[i]);
	if (nr)
		add_losses(lines, nr, intervals);
	sum_up(lines, nr);
	*ret_lines = lines;
	*ret_nr = nr;
	return 0;
}
