/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_DUMP_CPU_H
#define KMEMTAPE_TOOLS_DUMP_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <traceevent/kbuffer.h>

#include "kmemtape/chunk.h"

#include "ring.h"

/*
 * One CPU's file as the lines of a script, read with libtraceevent's kbuffer: nothing of src/decode
 * is in here, so that it can be a second opinion on it.
 */
enum dump_kind {
	DUMP_EVENT,
	DUMP_LOST,
	DUMP_SUBBUF,
	DUMP_PAD,
	DUMP_CHUNK,
	DUMP_MARK,
};

struct dump_line {
	enum dump_kind kind;
	uint64_t time_ns;
	uint64_t number; /* DUMP_LOST: 0 unknown; DUMP_PAD: bytes */
	enum ring_stamp stamp;
	const uint8_t *record; /* borrowed until dump_cpu_next() */
	unsigned int bytes;
};

#define DUMP_QUEUE_MAX 4

struct dump_cpu {
	struct kmt_chunk_reader *reader; /* borrowed */
	struct kmt_chunk_scratch *scratch; /* borrowed, shared between CPUs */
	const struct ring_layout *layout;
	uint64_t end_ns; /* what the footer says */
	struct kbuffer *kbuf;

	uint8_t *chunk; /* the one that is being read */
	uint32_t chunk_bytes, chunk_room, chunk_at;
	uint64_t chunk_drained_ns, known_drained_ns;
	bool has_chunk;

	uint8_t *subbuf; /* in it; NULL between two */
	unsigned int commit, at;
	uint64_t subbuf_ns;
	struct ring_state state, before;
	bool is_boundary_said; /* a line was printed that begins a sub-buffer anyway */

	struct dump_line queue[DUMP_QUEUE_MAX];
	unsigned int nr_queued, queue_at;
	bool is_at_end, is_damaged;
};

int dump_cpu_init(struct dump_cpu *cpu, struct kmt_chunk_reader *reader,
		  struct kmt_chunk_scratch *scratch, const struct ring_layout *layout,
		  uint64_t end_ns, struct kmt_err *err);
void dump_cpu_deinit(struct dump_cpu *cpu);

/* The next line, without taking it; NULL at the end. Damage is told on stderr, and passed over. */
const struct dump_line *dump_cpu_peek(struct dump_cpu *cpu);
void dump_cpu_take(struct dump_cpu *cpu);

#endif
