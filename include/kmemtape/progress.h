/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_PROGRESS_H
#define KMEMTAPE_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * How far long work has come. Whoever wants to show it hands one in, and looks at it from another
 * thread; whoever works adds to it once a chunk, or once a slice of one.
 */
struct kmt_progress {
	_Atomic uint64_t bytes;	 /* read, as they are in files: of chunks of sub-buffers */
	_Atomic uint64_t events; /* decoded; 0 where nobody decodes */
};

/* @progress: NULL where nobody looks */
static inline void kmt_progress_add(struct kmt_progress *progress, uint64_t bytes, uint64_t events)
{
	if (!progress)
		return;
	atomic_fetch_add_explicit(&progress->bytes, bytes, memory_order_relaxed);
	atomic_fetch_add_explicit(&progress->events, events, memory_order_relaxed);
}

#endif
