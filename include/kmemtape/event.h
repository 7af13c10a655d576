/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_EVENT_H
#define KMEMTAPE_EVENT_H

#include <assert.h>
#include <stdint.h>

/*
 * EVENT, the border between decode and core: one thing that happened to kernel memory, or that
 * tells how to understand it, with everything that depends on the kernel taken out. The numbers of
 * kinds are on distilled tapes.
 */
enum kmt_event_kind {
	KMT_EVENT_KMALLOC = 1,
	KMT_EVENT_KMALLOC_NODE, /* until Linux 6.0: 11e9734bcb6a (v6.1) folded both _node events in
				 */
	KMT_EVENT_CACHE_ALLOC,
	KMT_EVENT_CACHE_ALLOC_NODE,
	KMT_EVENT_KFREE,
	KMT_EVENT_CACHE_FREE,
	KMT_EVENT_RCU_FREE, /* given to kfree_rcu(): lost to its owner now, freed some time later */
	KMT_EVENT_BULK_FREE,   /* one of those that kmem_cache_free_bulk() was given at once */
	KMT_EVENT_MODULE_LOAD, /* text: the module's name */
	KMT_EVENT_MODULE_FREE, /* text: the module's name */
	KMT_EVENT_TASK_NAME,   /* task @pid is called @text from now on */
	KMT_EVENT_LOSS, /* this CPU lost @lost events (0: unknown how many) in since_ns..time_ns */
	KMT_EVENT_UNSEEN, /* @lost objects were freed that a record had no room for */

	/* KMT_SPACE_PERCPU. bytes_alloc 0: this kernel doesn't tell, bytes_req is of one CPU */
	KMT_EVENT_PERCPU_ALLOC,
	KMT_EVENT_PERCPU_FREE,
	/* KMT_SPACE_VMALLOC. Both sizes are of the area, with its guard page */
	KMT_EVENT_VMALLOC,
	KMT_EVENT_VFREE,
	/* KMT_SPACE_PAGE. ptr is the page frame number + KMT_PFN_BIAS, both sizes are numbers of
	   pages */
	KMT_EVENT_PAGE_ALLOC,
	KMT_EVENT_PAGE_FREE,
	KMT_EVENT_PAGE_FREE_BATCHED, /* says what a KMT_EVENT_PAGE_FREE says, too: counted, no more
				      */
	KMT_EVENT_STACK, /* never leaves the decoder: it belongs to the allocation before */
	/* A space of its own for each pair; text: its name. Sizes are 0: nobody knows them */
	KMT_EVENT_PAIR_ALLOC,
	KMT_EVENT_PAIR_FREE,
};

#define KMT_EVENT_KINDS (KMT_EVENT_PAIR_FREE + 1)

/*
 * Address spaces: an address means something in its own only, and memory is never matched across
 * them. What one space hands out may be made of what another one did: slabs, vmalloc areas and
 * per-CPU chunks are page allocations, so that sums over spaces count memory twice unless pages of
 * these are left out (see result.h).
 */
enum kmt_space {
	KMT_SPACE_SLAB = 0,
	KMT_SPACE_PAGE,
	KMT_SPACE_PERCPU,
	KMT_SPACE_VMALLOC,
	KMT_SPACE_PAIR, /* the first pair's; the others' follow */
};

#define KMT_PAIRS_MAX  16u
#define KMT_SPACES_MAX (KMT_SPACE_PAIR + KMT_PAIRS_MAX)

#define KMT_PFN_BIAS 1u /* frame 0 exists, and ptr 0 is a failed allocation */

/*
 * The buddy allocator's largest block has so many powers of two of pages: 10 to 13, by architecture
 * (MAX_ORDER). As each begins at a multiple of its size (Linux mm/page_alloc.c), none reaches
 * beyond a range of as many frames as the largest; what is said to is damage, and no block.
 */
#define KMT_PAGE_ORDER_MAX 13u

/*
 * Stacks are interned (stacks.h). Bit 0 of the number of a stack says that a frame of it is outside
 * the kernel's own code: such addresses may be someone else's when a module has come or gone.
 */
#define KMT_STACK_NONE	     0u
#define KMT_STACK_HAS_MODULE 1u

struct kmt_event {
	uint64_t time_ns;   /* trace clock; never decreases within one CPU */
	uint64_t call_site; /* a return address: look up call_site - 1 */
	uint64_t ptr;	    /* 0 and 16 (ZERO_SIZE_PTR) own no memory */
	union {
		uint64_t bytes_alloc; /* allocations: what the allocator handed out */
		uint64_t lost;	      /* KMT_EVENT_LOSS, KMT_EVENT_UNSEEN */
	};
	union {
		uint64_t bytes_req; /* allocations: what was asked for */
		uint64_t
			since_ns; /* KMT_EVENT_LOSS: the last event before it, 0 if there is none */
	};
	const char *text; /* cache, module or task name, NULL if unknown. Interned: equal names are
			     equal pointers, borrowed from the decoder's kmt_names */
	uint32_t gfp;
	int32_t pid; /* task that ran; in an interrupt, the task that was interrupted */
	uint16_t cpu;
	uint8_t kind;	     /* enum kmt_event_kind */
	uint8_t context;     /* common_flags of the trace entry: 0x08 hard, 0x10 soft interrupt */
	uint32_t stack : 24; /* allocations: KMT_STACK_NONE, or a number of stacks.h */
	uint32_t space : 7;  /* enum kmt_space, or KMT_SPACE_PAIR + number of the pair */
	uint32_t is_behind : 1; /* a free that must not pass what it stood behind: see
				   kmt_event_rank() */
};

static_assert(sizeof(struct kmt_event) <= 64, "a cache line: replay moves billions of them");

static inline int kmt_event_is_alloc(const struct kmt_event *event)
{
	return (event->kind >= KMT_EVENT_KMALLOC && event->kind <= KMT_EVENT_CACHE_ALLOC_NODE) ||
	       event->kind == KMT_EVENT_PERCPU_ALLOC || event->kind == KMT_EVENT_VMALLOC ||
	       event->kind == KMT_EVENT_PAGE_ALLOC || event->kind == KMT_EVENT_PAIR_ALLOC;
}

/* A bit for each kind: which of them an event is cannot be predicted, and nothing branches on it.
 */
#define KMT_EVENT_FREES                                                                    \
	(1u << KMT_EVENT_KFREE | 1u << KMT_EVENT_CACHE_FREE | 1u << KMT_EVENT_RCU_FREE |   \
	 1u << KMT_EVENT_BULK_FREE | 1u << KMT_EVENT_PERCPU_FREE | 1u << KMT_EVENT_VFREE | \
	 1u << KMT_EVENT_PAGE_FREE | 1u << KMT_EVENT_PAIR_FREE)

static_assert(KMT_EVENT_KINDS <= 32, "a bit for each kind");

/* Its object is nobody's any more, even if its memory is given back later. */
static inline int kmt_event_is_free(const struct kmt_event *event)
{
	return KMT_EVENT_FREES >> event->kind & 1;
}

/* One of both, without asking which. */
static inline int kmt_event_is_alloc_or_free(const struct kmt_event *event)
{
	const uint32_t kinds = KMT_EVENT_FREES | 1u << KMT_EVENT_KMALLOC |
			       1u << KMT_EVENT_KMALLOC_NODE | 1u << KMT_EVENT_CACHE_ALLOC |
			       1u << KMT_EVENT_CACHE_ALLOC_NODE | 1u << KMT_EVENT_PERCPU_ALLOC |
			       1u << KMT_EVENT_VMALLOC | 1u << KMT_EVENT_PAGE_ALLOC |
			       1u << KMT_EVENT_PAIR_ALLOC;

	return kinds >> event->kind & 1;
}

/* It is about no address: whoever books a part of the events has to have it. */
static inline int kmt_event_is_for_all(const struct kmt_event *event)
{
	return event->kind >= KMT_EVENT_MODULE_LOAD && event->kind <= KMT_EVENT_UNSEEN;
}

/*
 * Which of several CPUs' next events at the same time comes first: a free before all else, then by
 * CPU. A free that comes behind something else on its own CPU at that time is no next event; where
 * what was before it has gone another way, is_behind says so. An event of no kind, too, is where
 * that says.
 */
static inline uint32_t kmt_event_rank(const struct kmt_event *event)
{
	uint32_t is_later = ~(KMT_EVENT_FREES | 1u) >> event->kind & 1;

	return (is_later | event->is_behind) << 16 | event->cpu;
}

/*
 * The kernel's name of the event ("kmalloc"), or of the function that a probe saw called, or "loss"
 * and the like; NULL for a @kind that does not exist.
 */
const char *kmt_event_kind_name(int kind);

#endif
