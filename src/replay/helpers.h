/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_HELPERS_H
#define KMT_REPLAY_HELPERS_H

#include <stdbool.h>

/* What the kernel's own functions are to the memory that they allocate. */
enum kmt_helper {
	KMT_HELPER_NONE,
	/* Of the tracer and of the allocators: what calls them is what a call site is. */
	KMT_HELPER_ALLOCATOR,
	/* Allocates for its callers, and keeps nothing for itself. */
	KMT_HELPER_LIBRARY,
};

/* @function: of the kernel's own code, without ".isra.0" and the like */
enum kmt_helper kmt_helper_kind(const char *function);

/*
 * How the kernel comes to run anything: system calls, interrupts, threads, initcalls. They neither
 * own memory nor allocate for others.
 */
bool kmt_helper_is_entry(const char *function);

/* Makes what is handed on to others for good, and may outlive whoever asked for it. */
bool kmt_helper_is_handed_on(const char *function);

#endif
