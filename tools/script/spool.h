/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_SPOOL_H
#define KMEMTAPE_TOOLS_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/err.h"

#include "ring.h"

/*
 * What one CPU's file will hold. Kept in memory until the script is read, so that a script with a
 * mistake leaves no tape, and hundreds of CPUs need just one chunk writer.
 */
enum spool_kind { SPOOL_SUBBUF, SPOOL_FLUSH };

struct spool_step {
	enum spool_kind kind;
	uint64_t drained_ns;
};

struct spool {
	uint32_t cpu;
	struct ring_state state; /* of the sub-buffer that is being filled */
	uint8_t *raw;		 /* it is the last one in here */
	size_t raw_used, raw_room; /* used: whole sub-buffers, without the last one */
	struct spool_step *steps;
	size_t nr_steps, steps_room;
	uint64_t first_ns, last_ns; /* of the events; first UINT64_MAX while there is none */
	size_t waiting;		    /* sub-buffers since the last flush */
};

void spool_init(struct spool *spool, uint32_t cpu);
void spool_deinit(struct spool *spool);

/* The sub-buffer to fill, zeros at first. NULL if out of memory. */
uint8_t *spool_subbuf(struct spool *spool, const struct ring_layout *layout);

/* It is full. Nothing happens if it is empty. @drained_ns: 0 unknown. Return: 0 or -ENOMEM. */
int spool_close(struct spool *spool, const struct ring_layout *layout, uint64_t drained_ns);

/* End a chunk here; or write a mark, if nothing waits. Return: 0 or -ENOMEM. */
int spool_flush(struct spool *spool, uint64_t drained_ns);

/* Write the file of the CPU. @end_ns: what the footer says; without @is_closed there is none. */
int spool_write(const struct spool *spool, const struct ring_layout *layout, int dirfd,
		bool is_closed, uint64_t end_ns, struct kmt_err *err);

#endif
