// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "kmemtape/merge.h"

struct head {
	uint64_t time_ns;
	uint32_t rank; /* at the same time: frees before all else, then by CPU */
	uint32_t stream;
};

/* A binary heap of the streams' next events (Knuth, TAOCP 3, 5.2.3). */
struct kmt_merge {
	size_t nr;
	struct head heap[];
};

int kmt_merge_new(size_t nr_streams, struct kmt_merge **ret_merge, struct kmt_err *err)
{
	struct kmt_merge *merge = calloc(1, sizeof(*merge) + nr_streams * sizeof(merge->heap[0]));

	if (!merge)
		return kmt_fail(err, -ENOMEM, "out of memory");
	*ret_merge = merge;
	return 0;
}

struct kmt_merge *kmt_merge_free(struct kmt_merge *merge)
{
	free(merge);
	return NULL;
}

static inline struct head head_of(size_t stream, const struct kmt_event *event)
{
	return (struct head){
		.time_ns = event->time_ns,
		.rank = (uint32_t)!kmt_event_is_free(event) << 16 | event->cpu,
		.stream = (uint32_t)stream,
	};
}

static inline bool is_before(const struct head *a, const struct head *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns;
	return a->rank < b->rank;
}

/* Let @head sink from the top to where it belongs. */
static void sink(struct kmt_merge *merge, struct head head)
{
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < merge->nr &&
		    is_before(&merge->heap[child + 1], &merge->heap[child]))
			child++;
		if (child >= merge->nr || !is_before(&merge->heap[child], &head))
			break;
		merge->heap[i] = merge->heap[child];
		i = child;
	}
	merge->heap[i] = head;
}

void kmt_merge_push(struct kmt_merge *merge, size_t stream, const struct kmt_event *event)
{
	struct head head = head_of(stream, event);
	size_t i = merge->nr++;

	while (i > 0 && is_before(&head, &merge->heap[(i - 1) / 2])) {
		merge->heap[i] = merge->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	merge->heap[i] = head;
}

bool kmt_merge_first(const struct kmt_merge *merge, size_t *ret_stream, uint64_t *ret_time_ns)
{
	if (merge->nr == 0)
		return false;
	*ret_stream = merge->heap[0].stream;
	*ret_time_ns = merge->heap[0].time_ns;
	return true;
}

bool kmt_merge_leads(const struct kmt_merge *merge, const struct kmt_event *event)
{
	struct head head = head_of(merge->heap[0].stream, event);

	return (merge->nr < 2 || is_before(&head, &merge->heap[1])) &&
	       (merge->nr < 3 || is_before(&head, &merge->heap[2]));
}

void kmt_merge_replace(struct kmt_merge *merge, const struct kmt_event *event)
{
	if (event)
		sink(merge, head_of(merge->heap[0].stream, event));
	else if (--merge->nr > 0)
		sink(merge, merge->heap[merge->nr]);
}
