/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_KALLSYMS_H
#define KMT_RECORD_KALLSYMS_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/manifest.h"
#include "symbol-text.h"

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
 * @ret_writer: for other files, by kmt_chunk_writer_reopen(); NULL with KMT_SYMBOLS_NONE
 *
 * Return: 0, also if there is no /proc/kallsyms (KMT_SYMBOLS_NONE); negative errno of a write.
 */
int kmt_kallsyms_capture(int tape_fd, const char *path, struct kmt_kallsyms_waiter *waiter,
			 enum kmt_symbols_state *ret_state, struct kmt_chunk_writer **ret_writer,
			 struct kmt_err *err);

/**
 * kmt_kallsyms_go() - let one wait, if none does: a part of its way
 *
 * Takes about a millisecond. Where it fails, reading just takes longer.
 *
 * Return: true if it is still on its way.
 */
bool kmt_kallsyms_go(struct kmt_kallsyms_waiter *waiter);

/**
 * kmt_kallsyms_read_modules() - the symbols of modules that are loaded now
 * @waiter: if one waits, or is on its way, it is used up
 * @is_wanted: whether those of a module are
 * @text: replaced
 *
 * Return: 0, also if there is no /proc/kallsyms: then it is empty; negative errno.
 */
int kmt_kallsyms_read_modules(struct kmt_kallsyms_waiter *waiter,
			      bool (*is_wanted)(const void *context, const char *module),
			      const void *context, struct kmt_symbol_text *text,
			      struct kmt_err *err);

#endif
