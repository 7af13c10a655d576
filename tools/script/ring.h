/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_RING_H
#define KMEMTAPE_TOOLS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes sub-buffers as Linux does: kernel/trace/ring_buffer.c (rb_update_event(), and
 * ring_buffer_read_page() for the header) and include/linux/ring_buffer.h.
 */
struct ring_layout {
	bool is_big_endian;
	unsigned int long_bytes; /* of the commit field */
	unsigned int data_offset;
	unsigned int subbuf_bytes; /* header and data */
};

enum ring_stamp {
	RING_STAMP_AUTO = 0, /* as short as the time allows */
	RING_STAMP_EXTEND,
	RING_STAMP_ABSOLUTE,
};

/* How far a sub-buffer is filled: enough to tell whether the next record fits. */
struct ring_state {
	uint64_t time_ns; /* of the last record */
	unsigned int used;
	bool is_begun;
	bool is_lossy;
	uint64_t lost; /* 0: unknown how many */
};

#define RING_RECORD_BYTES_MAX 2048u

/* Fields of a record and of the header. @bytes: 1, 2, 4 or 8. */
void ring_put(const struct ring_layout *layout, void *to, uint64_t n, unsigned int bytes);
uint64_t ring_get(const struct ring_layout *layout, const void *from, unsigned int bytes);

/*
 * What goes before a record. The first one of a sub-buffer has the time of the header; later ones
 * need a stamp when the delta is too long for them, or negative.
 */
enum ring_stamp ring_stamp_needed(const struct ring_state *state, uint64_t time_ns,
				  enum ring_stamp stamp);

/* True if a record of @bytes at @time_ns goes into this sub-buffer; into an empty one it does. */
bool ring_fits(const struct ring_layout *layout, const struct ring_state *state, uint64_t time_ns,
	       enum ring_stamp stamp, unsigned int bytes);

/* Bytes left for records. */
unsigned int ring_room(const struct ring_layout *layout, const struct ring_state *state);

/* Append a record to the sub-buffer at @subbuf (zeros before the first). It must fit. */
void ring_add(const struct ring_layout *layout, struct ring_state *state, uint8_t *subbuf,
	      uint64_t time_ns, enum ring_stamp stamp, const void *record, unsigned int bytes);

/*
 * A discarded record of @bytes, a multiple of 4 in 8..ring_room(), at @time_ns. Linux writes a
 * delta of 1 where it was 0 (rb_event_discard()), so that 1 means nothing (check_buffer()): the time
 * must stand still, or move by 2 or more.
 */
void ring_pad(const struct ring_layout *layout, struct ring_state *state, uint8_t *subbuf,
	      uint64_t time_ns, unsigned int bytes);

/* Write the header: the sub-buffer is done, and @state is that of an empty one. */
void ring_close(const struct ring_layout *layout, struct ring_state *state, uint8_t *subbuf);

#endif
