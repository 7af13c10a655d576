/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_HEAP_H
#define KMT_TESTS_HEAP_H

#include <stddef.h>

/* What the whole process has on the heap, libraries included. Not for several threads. */
struct heap {
	size_t calls; /* that took memory */
	size_t bytes, peak_bytes;
};

extern struct heap heap;

/* Begin counting from 0; memory that was there before counts as 0 bytes. */
void heap_watch(void);

#endif
