// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <stdbool.h>

#include "kmemtape/merge.h"

/* The events of a stream that were given and not taken. At its end: NULL. */
struct stream {
	const struct kmt_event *at, *end;
};

struct head {
	uint64_t time_ns; /* of a stream's next event; UINT64_MAX, too, if it has ended */
	uint64_t stream;
};

/*
 * A tree of losers (Knuth, TAOCP 3, 5.4.1): each inner node has the later one of the two heads that
 * met there, and the earliest of all is the winner. Which one is earlier cannot be predicted, and a
 * wrong guess takes longer than to merge an event: so nothing here branches on it.
 */
struct kmt_merge {
	size_t nr;
	size_t width; /* leaves of the tree: a power of two */
	size_t dry; /* stream that has to be filled before anything else is taken; SIZE_MAX: none */
	bool is_built;
	struct head winner;
	struct head *losers; /* inner nodes, 1 is the root */
	struct stream streams[];
};

int kmt_merge_new(size_t nr_streams, struct kmt_merge **ret_merge, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_merge_freep) struct kmt_merge *merge = NULL;
	size_t width = 1;

	while (width < nr_streams)
		width *= 2;
	merge = calloc(1, sizeof(*merge) + width * sizeof(merge->streams[0]));
	if (merge)
		merge->losers = calloc(width, sizeof(*merge->losers));
	if (!merge || !merge->losers)
		return kmt_fail(err, -ENOMEM, "out of memory");
	merge->nr = nr_streams;
	merge->width = width;
	merge->dry = SIZE_MAX;
	*ret_merge = KMT_STEAL(merge);
	return 0;
}

struct kmt_merge *kmt_merge_free(struct kmt_merge *merge)
{
	if (merge)
		free(merge->losers);
	free(merge);
	return NULL;
}

/* Of two next events at the same time. One that isn't there is never before another. */
static __attribute__((noinline)) bool is_before_at_once(const struct kmt_event *a,
							const struct kmt_event *b)
{
	return a && (!b || kmt_event_rank(a) < kmt_event_rank(b));
}

static inline bool is_before(const struct kmt_merge *merge, struct head a, struct head b)
{
	if (__builtin_expect(a.time_ns == b.time_ns, 0))
		return is_before_at_once(merge->streams[a.stream].at, merge->streams[b.stream].at);
	return a.time_ns < b.time_ns;
}

static struct head head_of(const struct kmt_merge *merge, size_t stream)
{
	const struct kmt_event *event = merge->streams[stream].at;

	return (struct head){ event ? event->time_ns : UINT64_MAX, stream };
}

/* The winner's stream has another head: it meets the losers on the way from its leaf to the root.
 */
static inline void play(struct kmt_merge *merge, struct head head)
{
	for (size_t i = (head.stream + merge->width) / 2; i > 0; i /= 2) {
		struct head *loser = &merge->losers[i];
		uint64_t swap = -(uint64_t)is_before(merge, *loser, head);
		uint64_t times = (loser->time_ns ^ head.time_ns) & swap;
		uint64_t streams = (loser->stream ^ head.stream) & swap;

		loser->time_ns ^= times;
		loser->stream ^= streams;
		head.time_ns ^= times;
		head.stream ^= streams;
	}
	merge->winner = head;
}

/* Return: the winner of the part of the tree below a node, whose losers are set. */
static struct head build(struct kmt_merge *merge, size_t node)
{
	struct head a, b;

	if (node >= merge->width)
		return head_of(merge, node - merge->width);
	a = build(merge, 2 * node);
	b = build(merge, 2 * node + 1);
	if (is_before(merge, b, a)) {
		merge->losers[node] = a;
		return b;
	}
	merge->losers[node] = b;
	return a;
}

void kmt_merge_fill(struct kmt_merge *merge, size_t stream, const struct kmt_event *events,
		    size_t nr)
{
	assert(stream < merge->nr && (!merge->is_built || stream == merge->dry));
	merge->streams[stream] = (struct stream){ nr ? events : NULL, nr ? events + nr : NULL };
	merge->dry = SIZE_MAX;
	if (merge->is_built)
		play(merge, head_of(merge, stream));
}

/* Two that have events both, as long as they do: of most merges, and without a tree. */
static size_t take_two(struct kmt_merge *merge, const struct kmt_event **ret_events, size_t max)
{
	struct stream a = merge->streams[0], b = merge->streams[1];
	size_t nr = 0;

	while (nr < max && a.at < a.end && b.at < b.end) {
		size_t left = (size_t)(a.end - a.at < b.end - b.at ? a.end - a.at : b.end - b.at);

		if (left > max - nr)
			left = max - nr;
		while (left-- > 0) {
			bool is_b = b.at->time_ns < a.at->time_ns;

			if (__builtin_expect(b.at->time_ns == a.at->time_ns, 0))
				is_b = is_before_at_once(b.at, a.at);
			ret_events[nr++] =
				(const struct kmt_event *)((uintptr_t)a.at ^
							   (((uintptr_t)a.at ^ (uintptr_t)b.at) &
							    -(uintptr_t)is_b));
			a.at += !is_b;
			b.at += is_b;
		}
	}
	merge->streams[0].at = a.at;
	merge->streams[1].at = b.at;
	if (a.at < a.end && b.at < b.end) {
		merge->winner = build(merge, 1);
		return nr;
	}
	merge->dry = b.at == b.end;
	merge->losers[1] = head_of(merge, !merge->dry); /* whom the dry one's next event meets */
	return nr;
}

static size_t take_any(struct kmt_merge *merge, const struct kmt_event **ret_events, size_t max)
{
	size_t nr = 0;

	while (nr < max) {
		struct stream *stream = &merge->streams[merge->winner.stream];

		if (!stream->at)
			break;
		ret_events[nr++] = stream->at++;
		/* With many streams, too many for the CPU to see that each is read in a row. */
		__builtin_prefetch(stream->at + 2);
		if (stream->at == stream->end) {
			merge->dry = merge->winner.stream;
			break;
		}
		play(merge, (struct head){ stream->at->time_ns, merge->winner.stream });
	}
	return nr;
}

size_t kmt_merge_take(struct kmt_merge *merge, const struct kmt_event **ret_events, size_t max,
		      size_t *ret_dry)
{
	size_t nr;

	assert(merge->dry == SIZE_MAX);
	if (!merge->is_built)
		merge->winner = build(merge, 1);
	merge->is_built = true;
	nr = merge->nr == 2 && merge->streams[0].at && merge->streams[1].at
		     ? take_two(merge, ret_events, max)
		     : take_any(merge, ret_events, max);
	*ret_dry = merge->dry;
	return nr;
}
