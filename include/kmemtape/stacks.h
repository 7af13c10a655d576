/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_STACKS_H
#define KMEMTAPE_STACKS_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/event.h"

/* Interned call stacks of allocations: equal stacks have equal numbers. */
struct kmt_stacks;

#define KMT_STACK_FRAMES_MAX 64u	/* deeper ones are cut at their outer end */
#define KMT_STACK_ALL_FRAMES_MAX (1u << 24) /* of all stacks; then as below */
#define KMT_STACKS_MAX	     (1u << 22) /* then no new ones are kept: KMT_STACK_NONE */

/**
 * kmt_stacks_new() - none yet
 * @kernel_from, @kernel_to: the kernel's own code, see KMT_STACK_HAS_MODULE; 0..0: unknown
 */
int kmt_stacks_new(uint64_t kernel_from, uint64_t kernel_to, struct kmt_stacks **ret_stacks,
		   struct kmt_err *err);
/* Before there is one in it: as kmt_liveset_set_seed(). */
void kmt_stacks_set_seed(struct kmt_stacks *stacks, uint64_t seed);
struct kmt_stacks *kmt_stacks_free(struct kmt_stacks *stacks);

/**
 * kmt_stacks_intern() - the number of a stack
 * @frames: return addresses, the innermost first: of an event with a call site, that one is the
 * first
 * @nr: more than KMT_STACK_FRAMES_MAX are cut
 *
 * May be called by several threads at once. Numbers depend on who comes first: nothing that can be
 * seen may depend on them, compare frames.
 *
 * Return: the number, never KMT_STACK_NONE; KMT_STACK_NONE of no frames, if there are too many, or
 * if out of memory: then the stack is unknown, and all else is right.
 */
uint32_t kmt_stacks_intern(struct kmt_stacks *stacks, const uint64_t *frames, size_t nr);

/* Frames of @stack, borrowed until kmt_stacks_free(); NULL and 0 for KMT_STACK_NONE. Like
 * kmt_stacks_intern(), by several threads at once. */
const uint64_t *kmt_stacks_frames(const struct kmt_stacks *stacks, uint32_t stack, size_t *ret_nr);

/* Orders by frames, the innermost first; 0: the same stack. */
int kmt_stacks_compare(const struct kmt_stacks *stacks, uint32_t a, uint32_t b);

KMT_DEFINE_FREEP(struct kmt_stacks *, kmt_stacks_free)

#endif
