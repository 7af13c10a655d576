/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_FORMATS_H
#define KMEMTAPE_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/event.h"

/*
 * How the recorded kernel lays out its events: bound by name from the format files of the tape,
 * never from a kernel version, because distributions backport.
 */
struct kmt_field {
	uint16_t offset;
	uint16_t bytes; /* 0: this kernel doesn't have the field */
	bool is_signed;
	bool is_data_loc; /* holds length << 16 | offset of a text elsewhere in the record */
	bool is_rel_loc;  /* the same, and that offset counts from the end of the field (Linux 5.17)
			   */
};

/*
 * Probes on functions that free without an event (see record/probes.h). Their fields' names tell
 * what was recorded, because that is not the same on all kernels:
 *
 *   head, ptr           kvfree_call_rcu(): the address of what is in the object, and of the object
 *   head, func          the same, until Linux 6.1: offset of @head in the object; without @head,
 * the object head, ptr_or_func   one of the two: what is below a page is an offset n, p0, p16, ...
 * kmem_cache_free_bulk(): number of objects, and an array of the addresses from that one on, as
 * many as there was room for cache               the second one's cache: 0 for kfree_bulk()
 *   call_site           where the caller goes on; not on all architectures
 *
 * Probes on vmalloc, where there are no events of it: kmemtape:vma_new (return of
 * __get_vm_area_node()) and kmemtape:vma_del (remove_vm_area()):
 *
 *   area                         what it returned: 0 if there was no room, and then the others mean
 *                                nothing
 *   addr, size, flags, caller    of that struct vm_struct
 *   addr                         of remove_vm_area(), with call_site
 *
 * Probes on pairs of functions that a user named, kmemtape:pair_NAME_alloc and
 * kmemtape:pair_NAME_free:
 *
 *   object              what the one returned or got, and the other got; an error number
 * (ERR_PTR()) is no object call_site, or __probe_ret_ip    where the caller goes on: of probes at
 * the entry of a function, and at its return
 *
 * ftrace:kernel_stack (size, caller[]) is the stack of the allocation before it on this CPU, by the
 * same task in the same context. Its innermost frames up to the call site are the tracer's own.
 */
enum kmt_rcu_meaning {
	KMT_RCU_POINTER = 0,
	KMT_RCU_OFFSET,
	KMT_RCU_EITHER,
};

/* Return addresses, pointers and sizes have the kernel's word size; nothing here assumes it. */
struct kmt_layout {
	uint8_t kind;  /* enum kmt_event_kind; 0: not an event for us */
	uint8_t space; /* enum kmt_space, or of a pair: by the order of the pairs' names given to
			  kmt_formats_set_pairs() */
	bool is_plain; /* of the slab, little-endian, 64-bit, usual widths: the case worth being
			  fast for */
	uint16_t min_bytes;	     /* a record must have to hold all of the fields below */
	struct kmt_field pid, flags; /* of the entry, whatever the event */
	struct kmt_field call_site, ptr, bytes_req, bytes_alloc, gfp;
	struct kmt_field text;	   /* cache, module or task name */
	struct kmt_field task_pid; /* KMT_EVENT_TASK_NAME: who is called so */
	struct kmt_field head;	   /* KMT_EVENT_RCU_FREE */
	uint8_t rcu_meaning;	   /* enum kmt_rcu_meaning, of its ptr */
	struct kmt_field
		order; /* pages: base 2 logarithm of their number; else, and if missing, 0 */
	struct kmt_field failed; /* vmalloc areas: nonzero if there was no room */
	struct kmt_field area;	 /* likewise: zero if there was no room */
	struct kmt_field frames; /* KMT_EVENT_STACK: the first; nr says how many follow */
	/* KMT_EVENT_BULK_FREE: ptr is the array */
	struct kmt_field nr, cache;
	uint16_t first;	      /* of the objects, that the array begins with */
	uint16_t nr_pointers; /* in the array */
	bool is_last;	      /* no other event shows what this one has no room for */
};

#define KMT_LAYOUTS_MAX 63u /* 24 and two of each pair */

struct kmt_page_layout {
	bool is_big_endian;
	uint8_t long_bytes;
	uint16_t time_offset, commit_offset, commit_bytes, data_offset;
	uint32_t subbuf_bytes; /* header and data */
};

struct kmt_formats;

/**
 * kmt_formats_new() - begin with a page layout
 * @header_page: text of events/header_page
 *
 * Return: 0; -EBADMSG if the text makes no sense.
 */
int kmt_formats_new(bool is_big_endian, uint32_t long_bytes, const char *header_page, size_t bytes,
		    struct kmt_formats **ret_formats, struct kmt_err *err);
struct kmt_formats *kmt_formats_free(struct kmt_formats *formats);

/**
 * kmt_formats_set_pairs() - whose events are pairs
 * @names: of all pairs of the tape, in its order, KMT_PAIRS_MAX at most; of shorter than
 * KMT_PAIR_NAME_BYTES, as the manifest has them. Copied
 *
 * Before kmt_formats_add(), to which events of other pairs mean nothing.
 */
void kmt_formats_set_pairs(struct kmt_formats *formats, const char *const *names, size_t nr);

/* Name of the pair of an address space, valid as long as @formats; NULL: of none. */
const char *kmt_formats_pair(const struct kmt_formats *formats, uint32_t space);

/**
 * kmt_formats_add() - bind the fields of one event
 * @name: "kmem:kmalloc"; events that mean nothing to us are passed over
 * @text: of its format file
 *
 * Return: 0; -EBADMSG if the text makes no sense or a field is missing that we cannot do without.
 */
int kmt_formats_add(struct kmt_formats *formats, const char *name, const char *text, size_t bytes,
		    struct kmt_err *err);

/* True if stacks were recorded. */
bool kmt_formats_has_stacks(const struct kmt_formats *formats);

/*
 * True if page events were recorded that nobody can make sense of, since they do not tell the page
 * frames' numbers: until Linux 3.19. They were passed over.
 */
bool kmt_formats_has_unnumbered_pages(const struct kmt_formats *formats);

const struct kmt_page_layout *kmt_formats_page(const struct kmt_formats *formats);

/* The shortest record that can become an event, with its 4-byte header. */
size_t kmt_formats_min_record_bytes(const struct kmt_formats *formats);

/* Layout of the event with the id @common_type; kind 0 if it's none of ours. Never NULL. */
const struct kmt_layout *kmt_formats_layout(const struct kmt_formats *formats,
					    uint16_t common_type);

/* The same in two steps: the layouts' numbers, 0..KMT_LAYOUTS_MAX, by id; and the layouts by them.
 */
const uint8_t *kmt_formats_numbers(const struct kmt_formats *formats);
const struct kmt_layout *kmt_formats_at(const struct kmt_formats *formats, unsigned int number);

/* The same by event name, and its id; NULL if it was not added. */
const struct kmt_layout *kmt_formats_find(const struct kmt_formats *formats, const char *name,
					  uint16_t *ret_id);

/* True if there are events of both kinds of probes: every way to free an object was recorded. */
bool kmt_formats_has_free_probes(const struct kmt_formats *formats);

/* True if kfree_rcu() was recorded, and what it makes kfree_bulk() do later is known before. */
bool kmt_formats_has_rcu_probe(const struct kmt_formats *formats);

/*
 * True if kmem_cache_free may have been traced after the object was free already, so that another
 * CPU's allocation of the same address can come first: until Linux 5.16, which is known here by
 * kmalloc lacking the `node` field of Linux 6.1.
 */
bool kmt_formats_has_late_frees(const struct kmt_formats *formats);

KMT_DEFINE_FREEP(struct kmt_formats *, kmt_formats_free)

#endif
