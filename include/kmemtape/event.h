/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_EVENT_H
#define KMEMTAPE_EVENT_H

#include <assert.h>
#include <stdint.h>

/*
 * EVENT, the border between decode and core: one thing that happened to kernel memory, or that
 * tells how to understand it, with everything that depends on the kernel taken out.
 */
enum kmt_event_kind {
	KMT_EVENT_KMALLOC = 1,
	KMT_EVENT_KMALLOC_NODE, /* until Linux 6.0: 11e9734bcb6a (v6.1) folded both _node events in */
	KMT_EVENT_CACHE_ALLOC,
	KMT_EVENT_CACHE_ALLOC_NODE,
	KMT_EVENT_KFREE,
	KMT_EVENT_CACHE_FREE,
	KMT_EVENT_RCU_FREE,    /* given to kfree_rcu(): lost to its owner now, freed some time later */
	KMT_EVENT_BULK_FREE,   /* one of those that kmem_cache_free_bulk() was given at once */
	KMT_EVENT_MODULE_LOAD, /* text: the module's name */
	KMT_EVENT_MODULE_FREE, /* text: the module's name */
	KMT_EVENT_TASK_NAME,   /* task @pid is called @text from now on */
	KMT_EVENT_LOSS, /* this CPU lost @lost events (0: unknown how many) in since_ns..time_ns */
	KMT_EVENT_UNSEEN, /* @lost objects were freed that a record had no room for */
};

#define KMT_EVENT_KINDS (KMT_EVENT_UNSEEN + 1)

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
		uint64_t since_ns;  /* KMT_EVENT_LOSS: the last event before it, 0 if there is none */
	};
	const char *text; /* cache, module or task name, NULL if unknown. Interned: equal names are
			     equal pointers, borrowed from the decoder's kmt_names */
	uint32_t gfp;
	int32_t pid; /* task that ran; in an interrupt, the task that was interrupted */
	uint16_t cpu;
	uint8_t kind;	 /* enum kmt_event_kind */
	uint8_t context; /* common_flags of the trace entry: 0x08 hard, 0x10 soft interrupt */
	uint32_t reserved;
};

static_assert(sizeof(struct kmt_event) <= 64, "a cache line: replay moves billions of them");

static inline int kmt_event_is_alloc(const struct kmt_event *event)
{
	return event->kind >= KMT_EVENT_KMALLOC && event->kind <= KMT_EVENT_CACHE_ALLOC_NODE;
}

/* Its object is nobody's any more, even if its memory is given back later. */
static inline int kmt_event_is_free(const struct kmt_event *event)
{
	return event->kind >= KMT_EVENT_KFREE && event->kind <= KMT_EVENT_BULK_FREE;
}

/*
 * The kernel's name of the event ("kmalloc"), or of the function that a probe saw called, or "loss"
 * and the like; NULL for a @kind that does not exist.
 */
const char *kmt_event_kind_name(int kind);

#endif
