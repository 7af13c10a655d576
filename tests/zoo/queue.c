// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdlib.h>

#include "fatal.h"
#include "queue.h"

static bool is_before(const struct zoo_action *a, const struct zoo_action *b)
{
	return a->time_ns < b->time_ns || (a->time_ns == b->time_ns && a->order < b->order);
}

void zoo_queue_deinit(struct zoo_queue *queue)
{
	free(queue->actions);
	*queue = (struct zoo_queue){ .nr = 0 };
}

void zoo_queue_add(struct zoo_queue *queue, int64_t time_ns, enum zoo_what what, uint32_t arg,
		   uint32_t generation)
{
	struct zoo_action action = { time_ns, queue->nr_ever++, arg, generation, what };
	size_t i = queue->nr++;

	if (queue->nr > queue->room) {
		queue->room = queue->room * 2 + 1024;
		queue->actions = zoo_realloc(queue->actions, queue->room * sizeof(*queue->actions));
	}
	for (; i > 0 && is_before(&action, &queue->actions[(i - 1) / 2]); i = (i - 1) / 2)
		queue->actions[i] = queue->actions[(i - 1) / 2];
	queue->actions[i] = action;
}

struct zoo_action zoo_queue_take(struct zoo_queue *queue)
{
	struct zoo_action first = queue->actions[0], last = queue->actions[--queue->nr];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < queue->nr) {
		if (child + 1 < queue->nr &&
		    is_before(&queue->actions[child + 1], &queue->actions[child]))
			child++;
		if (!is_before(&queue->actions[child], &last))
			break;
		queue->actions[i] = queue->actions[child];
		i = child;
	}
	queue->actions[i] = last;
	return first;
}
