// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rings.h"

int rings_init(struct rings *rings, const struct load *load, const struct ring_layout *layout,
	       const struct records *records, struct kmt_err *err)
{
	rings->load = load;
	rings->layout = layout;
	rings->records = *records;
	rings->subbuf = calloc(1, layout->subbuf_bytes);
	return rings->subbuf ? 0 : kmt_fail(err, -ENOMEM, "out of memory");
}

void rings_deinit(struct rings *rings)
{
	free(rings->subbuf);
	rings->subbuf = NULL;
}

static int close_subbuf(struct rings *rings, struct ring_state *state, rings_take take,
			void *context, struct kmt_err *err)
{
	uint64_t drained_ns = state->time_ns;
	int r;

	if (!state->is_begun)
		return 0;
	ring_close(rings->layout, state, rings->subbuf);
	r = take(context, rings->subbuf, drained_ns, err);
	memset(rings->subbuf, 0, rings->layout->subbuf_bytes); /* also between the records */
	return r;
}

static int add_event(struct rings *rings, struct ring_state *state, const struct load_event *event,
		     rings_take take, void *context, struct kmt_err *err)
{
	const struct record *record = records_put(&rings->records, event);
	int r = 0;

	if (!ring_fits(rings->layout, state, event->time_ns, RING_STAMP_AUTO, record->nr_bytes))
		r = close_subbuf(rings, state, take, context, err);
	if (r == 0)
		ring_add(rings->layout, state, rings->subbuf, event->time_ns, RING_STAMP_AUTO,
			 record->bytes, record->nr_bytes);
	return r;
}

int rings_run(struct rings *rings, unsigned int cpu, uint64_t from, uint64_t to, rings_take take,
	      void *context, struct kmt_err *err)
{
	struct ring_state state = { 0 };
	int r = 0;

	for (uint64_t round = from; r == 0 && round < to; round++) {
		load_round(rings->load, cpu, round, rings->events);
		for (unsigned int i = 0; r == 0 && i < LOAD_ROUND_EVENTS; i++)
			r = add_event(rings, &state, &rings->events[i], take, context, err);
	}
	return r < 0 ? r : close_subbuf(rings, &state, take, context, err);
}
