/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_FRAMES_H
#define KMT_REPLAY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/account.h"
#include "kmemtape/owners.h"
#include "kmemtape/result.h"
#include "kmemtape/stacks.h"
#include "kmemtape/symbols.h"

/*
 * Frames and stacks of the books, named. Addresses of modules mean something for a time only: so a
 * stack is named once for each time that it was of the same code, and what had the same code has
 * the same name.
 */
struct kmt_frames;

struct kmt_frames_context {
	const struct kmt_stacks *stacks; /* NULL: there are none */
	const struct kmt_symbols *symbols;
	const struct kmt_owners *owners; /* NULL: the built-in table */
	struct kmt_result *result;	 /* keeps the texts */
	uint64_t hash_seed; /* as kmt_liveset_set_seed() */
	uint64_t kernel_from, kernel_to; /* the kernel's own code */
};

/* A frame. Two that are the same code have the same number. */
struct kmt_named_frame {
	struct kmt_frame frame;
	uint32_t instance;    /* as in struct kmt_symbol */
	uint64_t unloaded_ns; /* likewise */
	bool is_unknown;      /* nobody knows whose code it is */
	bool is_allocator;    /* of the tracer or of an allocator: see helpers.h */
	bool is_entry;	      /* likewise */
	bool is_handed_on;    /* likewise */
};

/* A stack. */
struct kmt_trace {
	const uint32_t *frames; /* their numbers, innermost first; all that was recorded */
	uint32_t nr;
	uint32_t site;	   /* the one that stands for the call site; below @nr */
	uint32_t owner;	   /* the first from there that is no helper; @site if there is none */
	bool is_handed_on; /* a helper between them makes what may outlive the owner */
};

int kmt_frames_new(const struct kmt_frames_context *context, struct kmt_frames **ret_frames,
		   struct kmt_err *err);
struct kmt_frames *kmt_frames_free(struct kmt_frames *frames);

/**
 * kmt_frames_trace() - the named stack of an account
 * @ret_trace: borrowed until kmt_frames_free(); NULL: it has none
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_frames_trace(struct kmt_frames *frames, const struct kmt_account *account,
		     const struct kmt_trace **ret_trace);

/* Borrowed until the next kmt_frames_trace(). */
const struct kmt_named_frame *kmt_frames_at(const struct kmt_frames *frames, uint32_t number);

static inline const struct kmt_named_frame *kmt_trace_frame(const struct kmt_frames *frames,
							    const struct kmt_trace *trace, size_t i)
{
	return kmt_frames_at(frames, trace->frames[i]);
}

/* Orders by what is outside of the call sites, these included; 0: the same. NULL goes last. */
int kmt_trace_compare(const struct kmt_frames *frames, const struct kmt_trace *a,
		      const struct kmt_trace *b);

/**
 * kmt_frames_keep() - frames of a stack, from its call site on, as rows have them
 * @ret_frames: the result's
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_frames_keep(struct kmt_frames *frames, const struct kmt_trace *trace,
		    const struct kmt_frame **ret_frames, size_t *ret_nr);

KMT_DEFINE_FREEP(struct kmt_frames *, kmt_frames_free)

#endif
