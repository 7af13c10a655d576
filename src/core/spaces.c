// SPDX-License-Identifier: LGPL-2.1-only
#include "ledger-parts.h"

/*
 * Per-CPU memory and vmalloc areas: few events, all of them seen, each frees what one allocated.
 * None of the rules that slab objects need.
 */

/* Where the kernel doesn't tell, an object is there once for each possible CPU. */
static uint64_t bytes_of(const struct kmt_ledger *ledger, const struct kmt_event *event)
{
	uint64_t nr_cpus = ledger->options.nr_possible_cpus, bytes;

	if (event->kind != KMT_EVENT_PERCPU_ALLOC || event->bytes_alloc)
		return event->bytes_alloc;
	return __builtin_mul_overflow(event->bytes_req, nr_cpus ? nr_cpus : 1, &bytes)
		       ? event->bytes_req
		       : bytes;
}

int kmt_ledger_take_other(struct kmt_ledger *ledger, const struct kmt_event *event)
{
	struct kmt_liveset *set;
	struct kmt_object *object;
	uint32_t index;
	int r;

	ledger->totals.allocs++;
	if (event->ptr == 0) {
		ledger->totals.failed_allocs++;
		return 0;
	}
	r = kmt_ledger_space(ledger, event->space, &set);
	if (r == 0)
		r = kmt_ledger_open(ledger, event, bytes_of(ledger, event), &index);
	if (r < 0)
		return r;
	r = kmt_liveset_add(set, event->ptr, &object);
	if (r == KMT_OBJECT_LIVE)
		r = kmt_ledger_book_end(ledger, object, KMT_END_REUSED, event);
	else if (r == KMT_OBJECT_NEW)
		ledger->nr_others++;
	if (r < 0)
		return r;
	*object = (struct kmt_object){
		.bytes_req =
			event->bytes_req < UINT32_MAX ? (uint32_t)event->bytes_req : UINT32_MAX,
	};
	return kmt_ledger_book_alloc(ledger, event, index, object);
}

int kmt_ledger_free_other(struct kmt_ledger *ledger, const struct kmt_event *event)
{
	struct kmt_liveset *set = ledger->others[event->space];
	struct kmt_object *object = NULL;
	int r;

	ledger->totals.frees++;
	if (event->ptr == 0) {
		ledger->totals.null_frees++;
		return 0;
	}
	if (set)
		object = kmt_liveset_find(set, event->ptr);
	if (!object) {
		kmt_ledger_note_unknown(ledger, event);
		return 0;
	}
	r = kmt_ledger_book_end(ledger, object, KMT_END_FREED, event);
	kmt_liveset_remove(set, event->ptr, object);
	ledger->nr_others--;
	return r;
}
