// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drop.h"

#define RB_MISSED_EVENTS (UINT64_C(1) << 31)
#define RB_MISSED_STORED (UINT64_C(1) << 30)

void drop_cpu_init(struct drop_cpu *cpu, uint32_t number)
{
	*cpu = (struct drop_cpu){ .nr = 0 };
	spool_init(&cpu->spool, number);
}

void drop_cpu_deinit(struct drop_cpu *cpu)
{
	spool_deinit(&cpu->spool);
	free(cpu->subbufs);
}

/* The sub-buffer that is being filled is done. */
static int close_subbuf(struct drop_cpu *cpu, const struct ring_layout *layout,
			struct drop_subbuf *current, uint64_t drained_ns)
{
	struct ring_state *state = &cpu->spool.state;

	if (!state->is_begun)
		return 0;
	if (cpu->nr == cpu->room) {
		size_t room = cpu->room * 2 + 64;
		struct drop_subbuf *grown = reallocarray(cpu->subbufs, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		cpu->subbufs = grown;
		cpu->room = room;
	}
	current->used = state->used;
	cpu->subbufs[cpu->nr++] = *current;
	*current = (struct drop_subbuf){ 0 };
	return spool_close(&cpu->spool, layout, drained_ns);
}

/* @tight: a layout with room left for the number of lost events. */
static int take_record(struct drop_cpu *cpu, const struct ring_layout *layout,
		       const struct ring_layout *tight, const struct dump_line *line,
		       struct drop_subbuf *current)
{
	struct ring_state *state = &cpu->spool.state;
	uint8_t *subbuf;

	if (!ring_fits(tight, state, line->time_ns, line->stamp, line->bytes) &&
	    close_subbuf(cpu, layout, current, 0) < 0)
		return -ENOMEM;
	subbuf = spool_subbuf(&cpu->spool, layout);
	if (!subbuf)
		return -ENOMEM;
	ring_add(layout, state, subbuf, line->time_ns, line->stamp, line->record, line->bytes);
	current->nr_events++;
	if (line->time_ns < cpu->spool.first_ns)
		cpu->spool.first_ns = line->time_ns;
	if (line->time_ns > cpu->spool.last_ns)
		cpu->spool.last_ns = line->time_ns;
	return 0;
}

static int take_line(struct drop_cpu *cpu, const struct ring_layout *layout,
		     const struct ring_layout *tight, const struct dump_line *line,
		     struct drop_subbuf *current)
{
	int r;

	switch (line->kind) {
	case DUMP_EVENT:
		return take_record(cpu, layout, tight, line, current);
	case DUMP_LOST:
		r = close_subbuf(cpu, layout, current, 0);
		current->is_lossy = true;
		current->lost = line->number;
		return r;
	case DUMP_CHUNK:
	case DUMP_MARK:
		r = close_subbuf(cpu, layout, current, line->time_ns);
		return r < 0 ? r : spool_flush(&cpu->spool, line->time_ns);
	case DUMP_SUBBUF: /* of another size */
	case DUMP_PAD:	  /* nothing is in it; the time of the next record is known without it */
		return 0;
	}
	return 0;
}

int drop_cpu_fill(struct drop_cpu *cpu, struct dump_cpu *from, const struct ring_layout *layout)
{
	struct ring_layout tight = *layout;
	struct drop_subbuf current = { 0 };
	const struct dump_line *line;
	int r;

	tight.subbuf_bytes -= tight.long_bytes;
	while ((line = dump_cpu_peek(from))) {
		r = take_line(cpu, layout, &tight, line, &current);
		if (r < 0)
			return r;
		dump_cpu_take(from);
	}
	return close_subbuf(cpu, layout, &current, 0);
}

size_t drop_cpu_candidates(const struct drop_cpu *cpu)
{
	return cpu->nr ? cpu->nr - 1 : 0;
}

static void mark(const struct ring_layout *layout, uint8_t *subbuf, const struct drop_subbuf *what)
{
	uint64_t commit = what->used;

	if (what->is_lossy)
		commit |= RB_MISSED_EVENTS;
	if (what->is_lossy && what->lost) {
		commit |= RB_MISSED_STORED;
		ring_put(layout, subbuf + layout->data_offset + what->used, what->lost,
			 layout->long_bytes);
	}
	ring_put(layout, subbuf + 8, commit, layout->long_bytes);
}

/* What was lost before @dropped, and what is in it, is lost before @next. */
static void hand_on(const struct drop_subbuf *dropped, struct drop_subbuf *next, bool is_stored)
{
	bool is_unknown = !is_stored || (dropped->is_lossy && !dropped->lost) ||
			  (next->is_lossy && !next->lost);

	next->lost = is_unknown ? 0 : dropped->lost + dropped->nr_events + next->lost;
	next->is_lossy = true;
}

uint64_t drop_cpu_apply(struct drop_cpu *cpu, const struct ring_layout *layout, bool is_stored)
{
	struct spool *spool = &cpu->spool;
	uint8_t *from = spool->raw, *to = spool->raw;
	size_t nr_steps = 0, at = 0;
	uint64_t nr_events = 0;

	for (size_t i = 0; i < spool->nr_steps; i++) {
		struct drop_subbuf *subbuf;

		if (spool->steps[i].kind != SPOOL_SUBBUF) {
			spool->steps[nr_steps++] = spool->steps[i];
			continue;
		}
		subbuf = &cpu->subbufs[at++];
		if (subbuf->is_dropped) {
			assert(at < cpu->nr);
			nr_events += subbuf->nr_events;
			hand_on(subbuf, &cpu->subbufs[at], is_stored);
		} else {
			memmove(to, from, layout->subbuf_bytes);
			mark(layout, to, subbuf);
			to += layout->subbuf_bytes;
			spool->steps[nr_steps++] = spool->steps[i];
		}
		from += layout->subbuf_bytes;
	}
	spool->nr_steps = nr_steps;
	spool->raw_used = (size_t)(to - spool->raw);
	return nr_events;
}
