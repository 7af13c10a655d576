// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "kmemtape/merge.h"

/* So many events are put into order at once, about: they are in the cache until they are taken. */
#define ROUND_EVENTS 1024u
#define ROUND_MAX    (2 * ROUND_EVENTS)
#define SPAN_MAX_NS  (UINT64_C(1) << 30) /* of a round: times, with a bit more, fit into 32 bits */
#define DIGIT_BITS   8u

/* How far a stream has been read. */
struct place {
	const struct kmt_event *at; /* NULL: the stream has ended */
	uint64_t head_ns;	    /* of the event there; UINT64_MAX, too, if there is none */
	uint64_t last_ns;	    /* of the one before */
	bool is_behind;		    /* that one was no free, or behind one at the same time */
};

struct stream {
	struct place now, before; /* before: when the round began */
	const struct kmt_event *end;
	uint64_t end_ns; /* of the last event; UINT64_MAX, too, if the stream has ended */
};

struct item {
	uint32_t key;	 /* time since the first of the round, and in bit 0 is_behind */
	uint32_t number; /* of the event, as it was found */
};

struct round {
	const struct kmt_event *events[ROUND_MAX];
	uint32_t streams[ROUND_MAX]; /* of the events */
	struct item items[2][ROUND_MAX];
	const struct item *sorted; /* one of both */
	size_t nr, nr_taken;
	size_t dry; /* stream whose last event is the last one here; SIZE_MAX: none */
};

/*
 * Events of many streams are put into order by rounds: all up to a time, stream by stream, so that
 * each stream is read in a row; then sorted by the digits of their times. Nothing here waits for
 * something else, or branches on what cannot be predicted, as to compare each event with those of
 * other streams does. A round ends at the latest where one of the streams has to be filled.
 *
 * At one time, first come the frees that each stream begins with, stream by stream, then likewise
 * all the rest: so does always to take the one of all next events with the lowest rank.
 */
struct kmt_merge {
	size_t nr, nr_live;
	size_t dry; /* stream that has to be filled before anything else is taken; SIZE_MAX: none */
	bool is_stale;	     /* first_ns and bound_ns are to be found again */
	uint64_t first_ns;   /* of all next events */
	uint64_t bound_ns;   /* of the first last event */
	uint64_t span_ns;    /* of the next round */
	struct round *round; /* NULL: one or two streams need none */
	struct stream streams[];
};

int kmt_merge_new(size_t nr_streams, struct kmt_merge **ret_merge, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_merge_freep) struct kmt_merge *merge = NULL;

	merge = calloc(1, sizeof(*merge) + nr_streams * sizeof(merge->streams[0]));
	if (merge && nr_streams > 2)
		merge->round = calloc(1, sizeof(*merge->round));
	if (!merge || (nr_streams > 2 && !merge->round))
		return kmt_fail(err, -ENOMEM, "out of memory");
	merge->nr = nr_streams;
	merge->dry = SIZE_MAX;
	merge->is_stale = true;
	merge->span_ns = 1;
	*ret_merge = KMT_STEAL(merge);
	return 0;
}

struct kmt_merge *kmt_merge_free(struct kmt_merge *merge)
{
	if (merge)
		free(merge->round);
	free(merge);
	return NULL;
}

void kmt_merge_fill(struct kmt_merge *merge, size_t stream, const struct kmt_event *events,
		    size_t nr)
{
	struct stream *filled = &merge->streams[stream];

	assert(stream < merge->nr && (merge->dry == SIZE_MAX || stream == merge->dry));
	merge->nr_live += (nr > 0) - (size_t)(filled->now.at != NULL);
	filled->now.at = nr ? events : NULL;
	filled->now.head_ns = nr ? events->time_ns : UINT64_MAX;
	filled->end = nr ? events + nr : NULL;
	filled->end_ns = nr ? events[nr - 1].time_ns : UINT64_MAX;
	merge->dry = SIZE_MAX;
	merge->is_stale = true;
}

/* --- one or two streams --- */

static size_t take_one(struct kmt_merge *merge, size_t number, const struct kmt_event **ret_events,
		       size_t max)
{
	struct stream *stream = &merge->streams[number];
	size_t nr = 0;

	while (nr < max && stream->now.at < stream->end)
		ret_events[nr++] = stream->now.at++;
	if (stream->now.at == stream->end)
		merge->dry = number;
	return nr;
}

/* As long as both have events. */
static size_t take_two(struct kmt_merge *merge, const struct kmt_event **ret_events, size_t max)
{
	const struct kmt_event *a = merge->streams[0].now.at, *a_end = merge->streams[0].end;
	const struct kmt_event *b = merge->streams[1].now.at, *b_end = merge->streams[1].end;
	size_t nr = 0;

	while (nr < max && a < a_end && b < b_end) {
		size_t left = (size_t)(a_end - a < b_end - b ? a_end - a : b_end - b);

		if (left > max - nr)
			left = max - nr;
		while (left-- > 0) {
			bool is_b = b->time_ns < a->time_ns;

			if (__builtin_expect(b->time_ns == a->time_ns, 0))
				is_b = kmt_event_rank(b) < kmt_event_rank(a);
			/* A wrong guess takes longer than the event: without a branch on it. */
			ret_events[nr++] =
				(const struct kmt_event *)((uintptr_t)a ^
							   (((uintptr_t)a ^ (uintptr_t)b) &
							    -(uintptr_t)is_b));
			a += !is_b;
			b += is_b;
		}
	}
	merge->streams[0].now.at = a;
	merge->streams[1].now.at = b;
	if (a == a_end || b == b_end)
		merge->dry = b == b_end;
	return nr;
}

static size_t take_few(struct kmt_merge *merge, const struct kmt_event **ret_events, size_t max)
{
	if (merge->nr_live == 2)
		return take_two(merge, ret_events, max);
	return take_one(merge, !merge->streams[0].now.at, ret_events, max);
}

/* --- rounds --- */

static inline uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Where the next round begins, and where it may end. */
static void look_ahead(struct kmt_merge *merge)
{
	merge->first_ns = merge->bound_ns = UINT64_MAX;
	for (size_t i = 0; i < merge->nr; i++) {
		merge->first_ns = min_of(merge->first_ns, merge->streams[i].now.head_ns);
		merge->bound_ns = min_of(merge->bound_ns, merge->streams[i].end_ns);
	}
	merge->is_stale = false;
}

/* The next event of a stream. Return: whether it comes behind frees of others at its time. */
static inline bool pass(struct place *place, const struct kmt_event *end)
{
	const struct kmt_event *event = place->at++;

	place->is_behind &= event->time_ns == place->last_ns;
	place->is_behind |= kmt_event_rank(event) > UINT16_MAX;
	place->last_ns = event->time_ns;
	place->head_ns = place->at < end ? place->at->time_ns : UINT64_MAX;
	return place->is_behind;
}

/* All events up to a time. Return: how many streams were read; one too many has no room. */
static size_t gather(struct kmt_merge *merge, uint64_t until_ns)
{
	struct round *round = merge->round;
	uint64_t first_ns = UINT64_MAX;
	size_t nr = 0, i;

	for (i = 0; i < merge->nr; i++) {
		struct stream *stream = &merge->streams[i];
		const struct kmt_event *end = stream->end;
		struct place place = stream->now;

		stream->before = place;
		while (place.head_ns <= until_ns && place.at < end) {
			if (nr == ROUND_MAX)
				return i;
			round->events[nr] = place.at;
			round->streams[nr] = (uint32_t)i;
			round->items[0][nr].key = (uint32_t)(place.head_ns - merge->first_ns) << 1;
			round->items[0][nr].key |= pass(&place, end);
			round->items[0][nr].number = (uint32_t)nr;
			nr++;
		}
		/* As much again, for the next round: such short rows the CPU doesn't see by itself.
		 */
		for (ptrdiff_t taken = place.at - stream->now.at; taken > 0; taken--)
			__builtin_prefetch(place.at + taken);
		stream->now = place;
		first_ns = min_of(first_ns, place.head_ns);
	}
	round->nr = nr;
	merge->first_ns = first_ns;
	return i;
}

/* By one digit; what has the same stays in its order. */
static void sort_by(const struct item *from, struct item *to, size_t nr, unsigned int shift,
		    unsigned int bits)
{
	uint32_t places[1 << DIGIT_BITS] = { 0 }, mask = (1u << bits) - 1, at = 0;

	for (size_t i = 0; i < nr; i++)
		places[from[i].key >> shift & mask]++;
	for (uint32_t digit = 0; digit <= mask; digit++) {
		uint32_t with_it = places[digit];

		places[digit] = at;
		at += with_it;
	}
	for (size_t i = 0; i < nr; i++)
		to[places[from[i].key >> shift & mask]++] = from[i];
}

static void sort(struct round *round, uint32_t max_key)
{
	unsigned int bits = 32 - (unsigned int)__builtin_clz(max_key);
	unsigned int nr_digits = (bits + DIGIT_BITS - 1) / DIGIT_BITS, now = 0;
	unsigned int digit_bits = (bits + nr_digits - 1) / nr_digits;

	for (unsigned int shift = 0; shift < bits; shift += digit_bits, now = !now)
		sort_by(round->items[now], round->items[!now], round->nr, shift, digit_bits);
	round->sorted = round->items[now];
}

/*
 * Of a round that has the last event of a stream: what is at the same time, but behind it, is put
 * back, as something else may come first. What comes behind all frees is in a row with what was
 * before it in its stream, which therefore is nothing or frees.
 */
static void cut(struct kmt_merge *merge, uint32_t end_key)
{
	struct round *round = merge->round;
	size_t last = round->nr;

	while (last > 0 && round->sorted[last - 1].key >= end_key)
		last--;
	for (;; last++) {
		uint32_t number = round->sorted[last].number;

		assert(last < round->nr);
		round->dry = round->streams[number];
		if (round->events[number] + 1 == merge->streams[round->dry].end)
			break;
	}
	while (--round->nr > last) {
		uint32_t number = round->sorted[round->nr].number;

		merge->streams[round->streams[number]].now = (struct place){
			.at = round->events[number],
			.head_ns = merge->bound_ns,
		};
	}
	round->nr++;
	merge->is_stale = true;
}

static void add_sorted(struct round *round, const struct kmt_event *event)
{
	round->events[round->nr] = event;
	round->items[0][round->nr].number = (uint32_t)round->nr;
	round->nr++;
}

/* Those at one time that is_behind or not, in order. Return: false if they are no more for now. */
static bool gather_at_once(struct kmt_merge *merge, size_t number, bool is_behind)
{
	struct stream *stream = &merge->streams[number];
	uint64_t time_ns = merge->first_ns;

	while (stream->now.head_ns == time_ns && stream->now.at < stream->end) {
		struct place next = stream->now;

		if (pass(&next, stream->end) && !is_behind)
			break;
		if (merge->round->nr == ROUND_MAX)
			return false;
		add_sorted(merge->round, stream->now.at);
		stream->now = next;
		if (next.at == stream->end) {
			merge->round->dry = number;
			return false;
		}
	}
	return true;
}

/* There are more at the same time than a round has room for. */
static void take_moment(struct kmt_merge *merge)
{
	struct round *round = merge->round;
	bool goes_on = true;

	round->nr = 0;
	for (int is_behind = 0; is_behind < 2 && round->nr == 0; is_behind++)
		for (size_t i = 0; i < merge->nr && goes_on; i++)
			goes_on = gather_at_once(merge, i, is_behind);
	round->sorted = round->items[0];
	merge->is_stale = true;
}

static uint64_t end_of_round(const struct kmt_merge *merge)
{
	uint64_t left_ns = merge->bound_ns - merge->first_ns;

	return merge->first_ns + min_of(left_ns, merge->span_ns - 1);
}

static void set_span(struct kmt_merge *merge)
{
	if (merge->round->nr < ROUND_EVENTS / 2 && merge->span_ns < SPAN_MAX_NS)
		merge->span_ns *= 2;
	else if (merge->round->nr > ROUND_EVENTS + ROUND_EVENTS / 2 && merge->span_ns > 1)
		merge->span_ns -= merge->span_ns / 4;
}

static void make_round(struct kmt_merge *merge)
{
	uint64_t first_ns, until_ns;
	size_t nr_read;

	if (merge->is_stale)
		look_ahead(merge);
	first_ns = merge->first_ns;
	merge->round->nr_taken = 0;
	merge->round->dry = SIZE_MAX;
	while ((nr_read = gather(merge, until_ns = end_of_round(merge))) < merge->nr) {
		for (size_t i = 0; i < nr_read; i++)
			merge->streams[i].now = merge->streams[i].before;
		if (until_ns == first_ns) {
			take_moment(merge);
			return;
		}
		merge->span_ns = (until_ns - first_ns + 1) / 2;
	}
	sort(merge->round, (uint32_t)(until_ns - first_ns) << 1 | 1);
	if (until_ns == merge->bound_ns)
		cut(merge, (uint32_t)(until_ns - first_ns) << 1);
	else
		set_span(merge);
}

static size_t take_many(struct kmt_merge *merge, const struct kmt_event **ret_events, size_t max)
{
	struct round *round = merge->round;
	size_t nr;

	if (round->nr_taken == round->nr)
		make_round(merge);
	nr = round->nr - round->nr_taken < max ? round->nr - round->nr_taken : max;
	for (size_t i = 0; i < nr; i++)
		ret_events[i] = round->events[round->sorted[round->nr_taken + i].number];
	round->nr_taken += nr;
	if (round->nr_taken == round->nr)
		merge->dry = round->dry;
	return nr;
}

size_t kmt_merge_take(struct kmt_merge *merge, const struct kmt_event **ret_events, size_t max,
		      size_t *ret_dry)
{
	size_t nr = 0;

	assert(merge->dry == SIZE_MAX);
	if (merge->nr_live)
		nr = merge->round ? take_many(merge, ret_events, max)
				  : take_few(merge, ret_events, max);
	*ret_dry = merge->dry;
	return nr;
}
