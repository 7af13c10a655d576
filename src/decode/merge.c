// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "kmemtape/merge.h"

/* So many events are put into order at once, about: they are in the cache until they are taken. */
#define ROUND_EVENTS 2048u
#define ROUND_MAX    (2 * ROUND_EVENTS)
#define SPAN_MAX_NS  (UINT64_C(1) << 30) /* of a round: times, with a bit more, fit into 32 bits */
#define DIGIT_BITS   8u

struct stream {
	const struct kmt_event *at, *end; /* NULL: it has ended */
	uint64_t head_ns;		/* of the event there; UINT64_MAX, too, if there is none */
	uint64_t end_ns;		/* of the last event; likewise */
	const struct kmt_event *before; /* where the round began */
};

struct item {
	uint32_t key; /* time since the first of the round, and in bit 0 whether it comes behind */
	uint32_t number; /* of the event, as it was found */
};

struct round {
	const struct kmt_event *found[ROUND_MAX];
	struct item items[2][ROUND_MAX];
	const struct kmt_event *sorted[ROUND_MAX];
	size_t nr, nr_taken;
	size_t dry; /* stream whose last event is the last one here; SIZE_MAX: none */
};

/*
 * Events of many streams are put into order by rounds: all before a time, stream by stream, so that
 * each stream is read in a row; then sorted by the digits of their times. Nothing here waits for
 * something else, or branches on what cannot be predicted, as to compare each event with those of
 * other streams does. A round ends before the last event of any stream: none has to be looked for.
 *
 * At one time, first come the frees that each stream begins with, stream by stream, then likewise
 * all the rest: so does always to take the one of all next events with the lowest rank. The moment
 * of a last event is taken in this way: more at the same time may come when its stream is filled.
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
	merge->nr_live += (nr > 0) - (size_t)(filled->at != NULL);
	filled->at = nr ? events : NULL;
	filled->head_ns = nr ? events->time_ns : UINT64_MAX;
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

	while (nr < max && stream->at < stream->end)
		ret_events[nr++] = stream->at++;
	if (stream->at == stream->end)
		merge->dry = number;
	return nr;
}

/* As long as both have events. */
static size_t take_two(struct kmt_merge *merge, const struct kmt_event **ret_events, size_t max)
{
	const struct kmt_event *a = merge->streams[0].at, *a_end = merge->streams[0].end;
	const struct kmt_event *b = merge->streams[1].at, *b_end = merge->streams[1].end;
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
	merge->streams[0].at = a;
	merge->streams[1].at = b;
	if (a == a_end || b == b_end)
		merge->dry = b == b_end;
	return nr;
}

static size_t take_few(struct kmt_merge *merge, const struct kmt_event **ret_events, size_t max)
{
	if (merge->nr_live == 2)
		return take_two(merge, ret_events, max);
	return take_one(merge, !merge->streams[0].at, ret_events, max);
}

/* --- rounds --- */

static inline uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Where the next round begins, and where it has to end. */
static void look_ahead(struct kmt_merge *merge)
{
	merge->first_ns = merge->bound_ns = UINT64_MAX;
	for (size_t i = 0; i < merge->nr; i++) {
		merge->first_ns = min_of(merge->first_ns, merge->streams[i].head_ns);
		merge->bound_ns = min_of(merge->bound_ns, merge->streams[i].end_ns);
	}
	merge->is_stale = false;
}

static inline bool is_later(const struct kmt_event *event)
{
	return kmt_event_rank(event) > UINT16_MAX;
}

/*
 * The events of a stream before a time, of which there is one at least, and which is not behind its
 * last event. Return: false if there is no room for them.
 */
static inline bool gather_from(struct kmt_merge *merge, struct stream *stream, uint64_t until_ns)
{
	const struct kmt_event *event = stream->at;
	struct round *round = merge->round;
	uint64_t time_ns = stream->head_ns, before_ns = time_ns;
	size_t nr = round->nr;
	uint32_t is_behind = 0;

	do {
		if (nr == ROUND_MAX)
			return false;
		is_behind = (is_behind & (time_ns == before_ns)) | is_later(event);
		round->items[0][nr].key = (uint32_t)(time_ns - merge->first_ns) << 1 | is_behind;
		round->items[0][nr].number = (uint32_t)nr;
		round->found[nr++] = event++;
		before_ns = time_ns;
		time_ns = event->time_ns;
	} while (time_ns < until_ns);
	/* As much again, for the next round: such short rows the CPU doesn't see by itself. */
	for (ptrdiff_t taken = event - stream->at; taken > 0; taken--)
		__builtin_prefetch(event + taken);
	stream->at = event;
	stream->head_ns = time_ns;
	round->nr = nr;
	return true;
}

/* All events before a time. Return: false if there is no room for them; then none is taken. */
static bool gather(struct kmt_merge *merge, uint64_t until_ns)
{
	uint64_t first_ns = UINT64_MAX;

	merge->round->nr = 0;
	for (size_t i = 0; i < merge->nr; i++) {
		struct stream *stream = &merge->streams[i];

		stream->before = stream->at;
		if (stream->head_ns < until_ns && !gather_from(merge, stream, until_ns)) {
			while (i-- > 0) {
				stream = &merge->streams[i];
				stream->at = stream->before;
				stream->head_ns = stream->at ? stream->at->time_ns : UINT64_MAX;
			}
			return false;
		}
		first_ns = min_of(first_ns, stream->head_ns);
	}
	merge->first_ns = first_ns;
	return true;
}

/* Where each digit begins. */
static void find_places(const struct item *items, size_t nr, unsigned int shift, uint32_t mask,
			uint32_t *places)
{
	uint32_t at = 0;

	memset(places, 0, (mask + 1) * sizeof(*places));
	for (size_t i = 0; i < nr; i++)
		places[items[i].key >> shift & mask]++;
	for (uint32_t digit = 0; digit <= mask; digit++) {
		uint32_t with_it = places[digit];

		places[digit] = at;
		at += with_it;
	}
}

/* By one digit after the other; what has the same stays in its order. */
static void sort(struct round *round, uint32_t max_key)
{
	unsigned int bits = 32 - (unsigned int)__builtin_clz(max_key), shift = 0;
	unsigned int nr_digits = (bits + DIGIT_BITS - 1) / DIGIT_BITS;
	unsigned int digit_bits = (bits + nr_digits - 1) / nr_digits;
	const struct item *from = round->items[0];
	struct item *to = round->items[1];
	uint32_t places[1 << DIGIT_BITS], mask = (1u << digit_bits) - 1;

	for (; shift + digit_bits < bits; shift += digit_bits) {
		find_places(from, round->nr, shift, mask, places);
		for (size_t i = 0; i < round->nr; i++)
			to[places[from[i].key >> shift & mask]++] = from[i];
		from = to;
		to = from == round->items[1] ? round->items[0] : round->items[1];
	}
	find_places(from, round->nr, shift, mask, places);
	for (size_t i = 0; i < round->nr; i++)
		round->sorted[places[from[i].key >> shift & mask]++] = round->found[from[i].number];
}

/*
 * Of a stream what is at first_ns: all, if every stream begins with something behind, or the frees
 * that it begins with. Return: false if nothing is to follow for now.
 */
static bool gather_at_once(struct kmt_merge *merge, size_t number, bool with_all)
{
	struct stream *stream = &merge->streams[number];
	struct round *round = merge->round;

	while (stream->head_ns == merge->first_ns && stream->at < stream->end) {
		if (is_later(stream->at) && !with_all)
			break;
		if (round->nr == ROUND_MAX)
			return false;
		round->sorted[round->nr++] = stream->at++;
		if (stream->at == stream->end) {
			round->dry = number;
			return false;
		}
		stream->head_ns = stream->at->time_ns;
	}
	return true;
}

/* What is at the same time as the first event. */
static void take_moment(struct kmt_merge *merge)
{
	struct round *round = merge->round;
	bool goes_on = true;

	round->nr = 0;
	for (int with_all = 0; with_all < 2 && round->nr == 0; with_all++)
		for (size_t i = 0; i < merge->nr && goes_on; i++)
			goes_on = gather_at_once(merge, i, with_all);
	merge->is_stale = true;
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

	if (merge->is_stale)
		look_ahead(merge);
	merge->round->nr_taken = 0;
	merge->round->dry = SIZE_MAX;
	first_ns = merge->first_ns;
	until_ns = first_ns + min_of(merge->bound_ns - first_ns, merge->span_ns);
	while (until_ns > first_ns && !gather(merge, until_ns)) {
		merge->span_ns = (until_ns - first_ns) / 2;
		until_ns = first_ns + merge->span_ns;
	}
	if (until_ns == first_ns) {
		merge->span_ns += merge->span_ns == 0;
		take_moment(merge);
		return;
	}
	sort(merge->round, (uint32_t)(until_ns - 1 - first_ns) << 1 | 1);
	if (until_ns != merge->bound_ns)
		set_span(merge);
}

static size_t take_many(struct kmt_merge *merge, const struct kmt_event **ret_events, size_t max)
{
	struct round *round = merge->round;
	size_t nr;

	if (round->nr_taken == round->nr)
		make_round(merge);
	nr = min_of(round->nr - round->nr_taken, max);
	memcpy(ret_events, round->sorted + round->nr_taken, nr * sizeof(const struct kmt_event *));
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
