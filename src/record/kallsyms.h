/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_KALLSYMS_H
#define KMT_RECORD_KALLSYMS_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/manifest.h"

/*
 * Symbols of modules come behind all of the kernel's own, and the kernel makes each line when it is read: to
 * get there takes 50 ms on a fast machine, and a module may be gone by then. So one reader waits in front of them.
 */
struct kmt_kallsyms_waiter {
	const char *path;  /* "/proc/kallsyms"; borrowed */
	int fd;		   /* -1: none waits, or is on its way */
	uint64_t left;	   /* of its way */
	uint64_t position; /* where it waits; 0: unknown, or not worth it */
};

#define KMT_KALLSYMS_WAITER_NONE { .path = "/proc/kallsyms", .fd = -1, .position = 0 }

/**
 * kmt_kallsyms_capture() - copy /proc/kallsyms to the chunk file @path of the tape
 * @waiter: learns where to wait
 * @ret_state: whether it has addresses
 *
 * Allocates the 3 MiB of a chunk writer, and gives them back.
 *
 * Return: 0, also if there is no /proc/kallsyms (KMT_SYMBOLS_NONE); negative errno of a write.
 */
int kmt_kallsyms_capture(int tape_fd, const char *path, struct kmt_kallsyms_waiter *waiter,
			 enum kmt_symbols_state *ret_state, struct kmt_err *err);

/**
 * kmt_kallsyms_go() - let one wait, if none does: a part of its way
 *
 * Takes about a millisecond. Where it fails, reading just takes longer.
 *
 * Return: true if it is still on its way.
 */
bool kmt_kallsyms_go(struct kmt_kallsyms_waiter *waiter);

/**
 * kmt_kallsyms_read_modules() - the symbols of all modules that are loaded now
 * @waiter: if one waits, or is on its way, it is used up
 * @ret_text: on the heap
 *
 * Return: 0, also if there is no /proc/kallsyms: then it is empty; negative errno.
 */
int kmt_kallsyms_read_modules(struct kmt_kallsyms_waiter *waiter, char **ret_text, size_t *ret_bytes,
			      struct kmt_err *err);

/**
 * kmt_kallsyms_merge() - add the lines of another read
 * @text, @bytes: whole lines, on the heap; replaced
 *
 * When a module has initialized itself, the kernel swaps its table of symbols for a shorter one (do_init_module()), and
 * who reads just then misses some. They are in what was read before or after.
 *
 * Return: the number of lines that were not in @text, -ENOMEM.
 */
int kmt_kallsyms_merge(char **text, size_t *bytes, const char *more, size_t more_bytes);

/* Of the lines of @module in @text: equal lines have equal numbers. 0: it has none. */
uint64_t kmt_kallsyms_hash(const char *text, size_t bytes, const char *module);

/* Write the lines of @module in @text to the chunk file @path of the tape. Return: 0 or negative errno. */
int kmt_kallsyms_write_module(int tape_fd, const char *path, const char *module, const char *text,
			      size_t bytes, struct kmt_err *err);

#endif
