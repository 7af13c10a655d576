// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dump-cpu.h"

#define COMMIT_MASK	 ((1u << 27) - 1)
#define RB_MISSED_EVENTS (UINT64_C(1) << 31)
#define RB_MISSED_STORED (UINT64_C(1) << 30)
#define SLACK_BYTES	 16 /* kbuffer looks at whole record headers, without asking for the end */

int dump_cpu_init(struct dump_cpu *cpu, struct kmt_chunk_reader *reader,
		  struct kmt_chunk_scratch *scratch, const struct ring_layout *layout,
		  uint64_t end_ns, struct kmt_err *err)
{
	*cpu = (struct dump_cpu){
		.reader = reader,
		.scratch = scratch,
		.layout = layout,
		.end_ns = end_ns,
		.kbuf = kbuffer_alloc(layout->long_bytes == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4,
				      layout->is_big_endian ? KBUFFER_ENDIAN_BIG
							    : KBUFFER_ENDIAN_LITTLE),
	};
	if (!cpu->kbuf)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return 0;
}

void dump_cpu_deinit(struct dump_cpu *cpu)
{
	kbuffer_free(cpu->kbuf);
	free(cpu->chunk);
	*cpu = (struct dump_cpu){ 0 };
}

static void push(struct dump_cpu *cpu, struct dump_line line)
{
	assert(cpu->nr_queued < DUMP_QUEUE_MAX);
	cpu->queue[cpu->nr_queued++] = line;
}

static void note_damage(struct dump_cpu *cpu, const char *what)
{
	(void)fprintf(stderr, "tapedump: %s\n", what);
	cpu->is_damaged = true;
}

/* The line that mktape needs to end the chunk just there; none if it does so by itself. */
static void end_chunk(struct dump_cpu *cpu, bool is_last)
{
	unsigned int unit = cpu->layout->subbuf_bytes;
	bool is_full = cpu->chunk_bytes + unit > KMT_CHUNK_RAW_BYTES_MAX;

	if (!cpu->has_chunk)
		return;
	cpu->has_chunk = false;
	if (is_last && cpu->chunk_drained_ns == cpu->end_ns)
		return;
	if (is_full && cpu->chunk_drained_ns == cpu->known_drained_ns)
		return;
	cpu->known_drained_ns = cpu->chunk_drained_ns;
	cpu->is_boundary_said = true;
	push(cpu, (struct dump_line){ .kind = DUMP_CHUNK, .time_ns = cpu->chunk_drained_ns });
}

static int keep_chunk(struct dump_cpu *cpu, const struct kmt_chunk *chunk)
{
	if (chunk->raw_bytes + SLACK_BYTES > cpu->chunk_room) {
		uint8_t *grown = realloc(cpu->chunk, chunk->raw_bytes + SLACK_BYTES);

		if (!grown)
			return -ENOMEM;
		cpu->chunk = grown;
		cpu->chunk_room = chunk->raw_bytes + SLACK_BYTES;
	}
	memcpy(cpu->chunk, chunk->raw, chunk->raw_bytes);
	memset(cpu->chunk + chunk->raw_bytes, 0, SLACK_BYTES);
	cpu->chunk_bytes = chunk->raw_bytes;
	cpu->chunk_at = 0;
	cpu->chunk_drained_ns = chunk->drained_ns;
	cpu->has_chunk = true;
	return 0;
}

static void next_chunk(struct dump_cpu *cpu)
{
	struct kmt_err err = { "" };
	struct kmt_chunk chunk;
	int r = kmt_chunk_reader_next(cpu->reader, cpu->scratch, &chunk, &err);

	end_chunk(cpu, r == KMT_CHUNK_END);
	if (r == KMT_CHUNK_IDLE) {
		push(cpu, (struct dump_line){ .kind = DUMP_MARK, .time_ns = chunk.drained_ns });
		cpu->known_drained_ns = chunk.drained_ns;
	} else if (r == KMT_CHUNK_GOT) {
		if (keep_chunk(cpu, &chunk) < 0) {
			note_damage(cpu, "out of memory");
			cpu->is_at_end = true;
		}
	} else if (r == -EBADMSG) {
		note_damage(cpu, err.text);
	} else {
		if (r != KMT_CHUNK_END)
			(void)fprintf(stderr, "tapedump: %s\n", err.text);
		cpu->is_damaged |= r < 0;
		cpu->is_at_end = true;
	}
}

static void next_subbuf(struct dump_cpu *cpu)
{
	const struct ring_layout *layout = cpu->layout;
	uint8_t *subbuf = cpu->chunk + cpu->chunk_at;
	uint64_t commit = ring_get(layout, subbuf + 8, layout->long_bytes);

	cpu->chunk_at += layout->subbuf_bytes;
	cpu->commit = (unsigned int)commit & COMMIT_MASK;
	if (cpu->commit > layout->subbuf_bytes - layout->data_offset) {
		note_damage(cpu, "a sub-buffer that is longer than itself");
		return;
	}
	if (kbuffer_load_subbuffer(cpu->kbuf, subbuf) < 0)
		return;
	cpu->subbuf = subbuf;
	cpu->subbuf_ns = kbuffer_subbuf_timestamp(cpu->kbuf, subbuf);
	cpu->at = layout->data_offset;
	cpu->before = cpu->state;
	cpu->state = (struct ring_state){ .time_ns = cpu->subbuf_ns };
	if (!(commit & RB_MISSED_EVENTS))
		return;
	cpu->state.is_lossy = true;
	if (commit & RB_MISSED_STORED &&
	    cpu->at + cpu->commit + layout->long_bytes <= layout->subbuf_bytes)
		cpu->state.lost =
			ring_get(layout, subbuf + cpu->at + cpu->commit, layout->long_bytes);
}

/* The line that begins a sub-buffer, before its first record; none if the last one was full. */
static void begin_subbuf(struct dump_cpu *cpu, const struct dump_line *first)
{
	bool is_first = !cpu->before.is_begun;

	if (cpu->state.is_lossy)
		push(cpu, (struct dump_line){ .kind = DUMP_LOST,
					      .time_ns = first->time_ns,
					      .number = cpu->state.lost });
	else if (!is_first && !cpu->is_boundary_said &&
		 ring_fits(cpu->layout, &cpu->before, first->time_ns, first->stamp, first->bytes))
		push(cpu, (struct dump_line){ .kind = DUMP_SUBBUF, .time_ns = first->time_ns });
	cpu->is_boundary_said = false;
}

static void take_record(struct dump_cpu *cpu, struct dump_line *line, uint64_t time_ns)
{
	struct ring_state *state = &cpu->state;

	line->time_ns = time_ns;
	if (line->stamp == ring_stamp_needed(state, time_ns, RING_STAMP_AUTO))
		line->stamp = RING_STAMP_AUTO;
	if (!state->is_begun)
		begin_subbuf(cpu, line);
	push(cpu, *line);
	state->is_begun = true;
	state->time_ns = time_ns;
	state->used = cpu->at - cpu->layout->data_offset;
}

/* One record of the ring buffer, and what stands before it. */
static void next_record(struct dump_cpu *cpu)
{
	uint64_t time_ns = cpu->state.time_ns;
	struct dump_line line = { .kind = DUMP_EVENT };

	while (cpu->subbuf) {
		uint8_t *start = cpu->subbuf + cpu->at;
		struct kbuffer_raw_info info = { .next = start };

		if (!kbuffer_raw_get(cpu->kbuf, cpu->subbuf, &info) ||
		    (info.type == KBUFFER_TYPE_PADDING && info.delta == 0)) {
			cpu->subbuf = NULL;
			return;
		}
		if ((uint8_t *)info.next <= start ||
		    (uint8_t *)info.next > cpu->subbuf + cpu->layout->data_offset + cpu->commit) {
			note_damage(cpu, "a record longer than its sub-buffer");
			cpu->subbuf = NULL;
			return;
		}
		cpu->at = (unsigned int)((uint8_t *)info.next - cpu->subbuf);
		if (info.type == KBUFFER_TYPE_TIME_STAMP) {
			time_ns = info.delta;
			line.stamp = RING_STAMP_ABSOLUTE;
			continue;
		}
		/* Linux makes the delta of a discarded record 1 if it is 0, so 1 means nothing. */
		if (info.type != KBUFFER_TYPE_PADDING || info.delta != 1)
			time_ns += info.delta;
		if (info.type == KBUFFER_TYPE_TIME_EXTEND) {
			line.stamp = RING_STAMP_EXTEND;
			continue;
		}
		line.bytes = (unsigned int)info.length;
		line.record = (uint8_t *)info.next - info.length;
		if (info.type == KBUFFER_TYPE_PADDING) {
			line.kind = DUMP_PAD;
			line.number = (uint64_t)((uint8_t *)info.next - start);
		}
		take_record(cpu, &line, time_ns);
		return;
	}
}

const struct dump_line *dump_cpu_peek(struct dump_cpu *cpu)
{
	while (cpu->queue_at == cpu->nr_queued) {
		cpu->queue_at = cpu->nr_queued = 0;
		if (cpu->subbuf)
			next_record(cpu);
		else if (cpu->has_chunk && cpu->chunk_at < cpu->chunk_bytes)
			next_subbuf(cpu);
		else if (!cpu->is_at_end)
			next_chunk(cpu);
		else
			return NULL;
	}
	return &cpu->queue[cpu->queue_at];
}

void dump_cpu_take(struct dump_cpu *cpu)
{
	cpu->queue_at++;
}
