/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_BIG_RINGS_H
#define KMEMTAPE_TOOLS_BIG_RINGS_H

#include "records.h"

/* A CPU of a load as sub-buffers. */
struct rings {
	const struct load *load;
	const struct ring_layout *layout;
	struct records records;
	uint8_t *subbuf;
	struct load_event events[LOAD_ROUND_EVENTS];
};

/* @records: copied, so that each thread can have rings of its own */
int rings_init(struct rings *rings, const struct load *load, const struct ring_layout *layout,
	       const struct records *records, struct kmt_err *err);
void rings_deinit(struct rings *rings);

/* Told of each sub-buffer, which is borrowed; all before @drained_ns is in it or in earlier ones.
 */
typedef int (*rings_take)(void *context, const uint8_t *subbuf, uint64_t drained_ns,
			  struct kmt_err *err);

/* The rounds @from..@to-1 of a CPU. The last sub-buffer ends with the last round. */
int rings_run(struct rings *rings, unsigned int cpu, uint64_t from, uint64_t to, rings_take take,
	      void *context, struct kmt_err *err);

#endif
