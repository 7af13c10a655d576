// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <string.h>

#include "ring.h"

#define TYPE_PADDING	 29u
#define TYPE_TIME_EXTEND 30u
#define TYPE_TIME_STAMP	 31u
#define SMALL_BYTES_MAX	 112u /* RB_MAX_SMALL_DATA: 28 words */
#define DELTA_BITS	 27
#define DELTA_MAX	 ((UINT64_C(1) << DELTA_BITS) - 1)
#define RB_MISSED_EVENTS (UINT64_C(1) << 31)
#define RB_MISSED_STORED (UINT64_C(1) << 30)
#define HEAD_BYTES	 4u
#define STAMP_BYTES	 8u

void ring_put(const struct ring_layout *layout, void *to, uint64_t n, unsigned int bytes)
{
	uint8_t *p = to;

	for (unsigned int i = 0; i < bytes; i++)
		p[layout->is_big_endian ? bytes - 1 - i : i] = (uint8_t)(n >> (8 * i));
}

uint64_t ring_get(const struct ring_layout *layout, const void *from, unsigned int bytes)
{
	const uint8_t *p = from;
	uint64_t n = 0;

	for (unsigned int i = 0; i < bytes; i++)
		n |= (uint64_t)p[layout->is_big_endian ? bytes - 1 - i : i] << (8 * i);
	return n;
}

static unsigned int align4(unsigned int n)
{
	return (n + 3) & ~3u;
}

enum ring_stamp ring_stamp_needed(const struct ring_state *state, uint64_t time_ns,
				  enum ring_stamp stamp)
{
	if (stamp != RING_STAMP_AUTO || !state->is_begun)
		return stamp;
	if (time_ns < state->time_ns)
		return RING_STAMP_ABSOLUTE;
	return time_ns - state->time_ns > DELTA_MAX ? RING_STAMP_EXTEND : RING_STAMP_AUTO;
}

unsigned int ring_room(const struct ring_layout *layout, const struct ring_state *state)
{
	unsigned int bytes = layout->subbuf_bytes - layout->data_offset - state->used;

	/* The number of lost events is put behind the records. */
	if (state->is_lossy && state->lost)
		bytes -= layout->long_bytes < bytes ? layout->long_bytes : bytes;
	return bytes;
}

bool ring_fits(const struct ring_layout *layout, const struct ring_state *state, uint64_t time_ns,
	       enum ring_stamp stamp, unsigned int bytes)
{
	unsigned int need = HEAD_BYTES + align4(bytes);

	if (bytes > SMALL_BYTES_MAX)
		need += 4;
	if (ring_stamp_needed(state, time_ns, stamp) != RING_STAMP_AUTO)
		need += STAMP_BYTES;
	return need <= ring_room(layout, state);
}

/* struct ring_buffer_event: two bitfields, which a big-endian compiler begins at the top. */
static void put_head(const struct ring_layout *layout, uint8_t *to, unsigned int type_len,
		     uint64_t delta)
{
	uint64_t head = layout->is_big_endian ? (uint64_t)type_len << DELTA_BITS | delta
					      : delta << 5 | type_len;

	ring_put(layout, to, head, 4);
}

static uint8_t *tail_of(const struct ring_layout *layout, const struct ring_state *state,
			uint8_t *subbuf)
{
	return subbuf + layout->data_offset + state->used;
}

static void put_stamp(const struct ring_layout *layout, struct ring_state *state, uint8_t *subbuf,
		      unsigned int type, uint64_t n)
{
	uint8_t *tail = tail_of(layout, state, subbuf);

	put_head(layout, tail, type, n & DELTA_MAX);
	ring_put(layout, tail + 4, n >> DELTA_BITS, 4);
	state->used += STAMP_BYTES;
}

static void begin(const struct ring_layout *layout, struct ring_state *state, uint8_t *subbuf,
		  uint64_t time_ns)
{
	if (state->is_begun)
		return;
	ring_put(layout, subbuf, time_ns, 8);
	state->is_begun = true;
	state->time_ns = time_ns;
}

void ring_add(const struct ring_layout *layout, struct ring_state *state, uint8_t *subbuf,
	      uint64_t time_ns, enum ring_stamp stamp, const void *record, unsigned int bytes)
{
	uint64_t delta;
	uint8_t *tail;

	assert(bytes > 4 && ring_fits(layout, state, time_ns, stamp, bytes));
	stamp = ring_stamp_needed(state, time_ns, stamp);
	begin(layout, state, subbuf, time_ns);
	delta = time_ns - state->time_ns;
	if (stamp == RING_STAMP_EXTEND)
		put_stamp(layout, state, subbuf, TYPE_TIME_EXTEND, delta);
	if (stamp == RING_STAMP_ABSOLUTE)
		put_stamp(layout, state, subbuf, TYPE_TIME_STAMP,
			  time_ns & ((UINT64_C(1) << 59) - 1));
	if (stamp != RING_STAMP_AUTO)
		delta = 0;

	tail = tail_of(layout, state, subbuf);
	if (bytes > SMALL_BYTES_MAX) {
		put_head(layout, tail, 0, delta);
		ring_put(layout, tail + 4, align4(bytes) + 4, 4);
		state->used += 4;
		tail += 4;
	} else {
		put_head(layout, tail, align4(bytes) / 4, delta);
	}
	memcpy(tail + HEAD_BYTES, record, bytes);
	state->used += HEAD_BYTES + align4(bytes);
	state->time_ns = time_ns;
}

void ring_pad(const struct ring_layout *layout, struct ring_state *state, uint8_t *subbuf,
	      uint64_t time_ns, unsigned int bytes)
{
	uint8_t *tail;
	uint64_t delta;

	begin(layout, state, subbuf, time_ns);
	assert(bytes >= 8 && bytes % 4 == 0 && bytes <= ring_room(layout, state));
	delta = time_ns - state->time_ns;
	assert(delta != 1 && delta <= DELTA_MAX);
	tail = tail_of(layout, state, subbuf);
	put_head(layout, tail, TYPE_PADDING, delta ? delta : 1);
	ring_put(layout, tail + 4, bytes - HEAD_BYTES, 4);
	state->used += bytes;
	state->time_ns = time_ns;
}

void ring_close(const struct ring_layout *layout, struct ring_state *state, uint8_t *subbuf)
{
	uint64_t commit = state->used;

	if (state->is_lossy) {
		commit |= RB_MISSED_EVENTS;
		if (state->lost) {
			commit |= RB_MISSED_STORED;
			ring_put(layout, tail_of(layout, state, subbuf), state->lost,
				 layout->long_bytes);
		}
	}
	ring_put(layout, subbuf + 8, commit, layout->long_bytes);
	*state = (struct ring_state){ 0 };
}
