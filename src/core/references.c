// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "ledger-parts.h"

/*
 * References: pairs that count (get and put on a pointer). What is live is the gets that no put has
 * answered; a pointer has as many of them as it was counted up. No record says which get a put
 * answers: here it's the last one of the same task, else the last of all. So gets and puts that are
 * nested, as most are, answer each other, and what is left is those that were forgotten, with their
 * age. (The oldest would be the wrong choice: whoever comes and goes would be taken for a
 * forgetful one, and the forgotten references would always look young.)
 *
 * The live set of such a space has the pointers: object->account is the number of the pointer's
 * last get, the others follow by `older`.
 */

#define NONE UINT32_MAX

/* So many gets of a pointer are looked at for one by the same task: bounds the time of a put. */
#define LOOKED_AT_MAX 64

/* Interrupts are no task, and what they get another one may put: each answers to any. */
static int32_t task_of(const struct kmt_event *event)
{
	return event->context & CONTEXT_INTERRUPT ? -1 : event->pid;
}

static int make_room(struct kmt_references *references, struct kmt_quota *quota)
{
	size_t room = references->room + references->room / 2 + 256;
	struct kmt_reference *grown;
	int r = kmt_quota_tell(quota, references->nr, &references->told);

	if (r < 0)
		return r;
	if (room >= NONE)
		return -ENOMEM;
	grown = reallocarray(references->all, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	references->all = grown;
	references->room = room;
	return 0;
}

/* Return: 0, -ENOMEM, -EOVERFLOW. */
static int reserve(struct kmt_references *references, struct kmt_quota *quota, uint32_t *ret_number)
{
	if (references->nr_free) {
		*ret_number = references->first_free;
		references->first_free = references->all[*ret_number].older;
		references->nr_free--;
		return 0;
	}
	if (references->nr == references->room) {
		int r = make_room(references, quota);

		if (r < 0)
			return r;
	}
	*ret_number = (uint32_t)references->nr++;
	return 0;
}

static void release(struct kmt_references *references, uint32_t number)
{
	references->all[number].older = references->first_free;
	references->first_free = number;
	references->nr_free++;
}

int kmt_ledger_take_reference(struct kmt_ledger *ledger, const struct kmt_event *event)
{
	struct kmt_references *references = &ledger->references;
	struct kmt_liveset *pointers;
	struct kmt_object *pointer;
	uint32_t number, index;
	int r;

	ledger->totals.allocs++;
	if (event->ptr == 0) {
		ledger->totals.failed_allocs++;
		return 0;
	}
	(void)((r = kmt_ledger_space(ledger, event->space, &pointers)) < 0 ||
	       (r = kmt_ledger_open(ledger, event, 0, &index)) < 0 ||
	       (r = reserve(references, &ledger->quota, &number)) < 0);
	if (r < 0)
		return r;
	r = kmt_liveset_add(pointers, event->ptr, &pointer);
	if (r < 0) {
		release(references, number);
		return r;
	}
	references->all[number] = (struct kmt_reference){
		.task = task_of(event),
		.older = r == KMT_OBJECT_LIVE ? pointer->account : NONE,
	};
	*pointer = (struct kmt_object){ .account = number };
	ledger->nr_others++;
	return kmt_ledger_book_alloc(ledger, event, index, &references->all[number].object);
}

/* The get that is answered: where its number stands, which is in the one before it or in @last. */
static uint32_t *find_answered(struct kmt_references *references, uint32_t *last, int32_t task)
{
	uint32_t *link = last;

	for (int i = 0; i < LOOKED_AT_MAX && *link != NONE && task >= 0; i++) {
		if (references->all[*link].task == task)
			return link;
		link = &references->all[*link].older;
	}
	return last;
}

int kmt_ledger_free_reference(struct kmt_ledger *ledger, const struct kmt_event *event)
{
	struct kmt_references *references = &ledger->references;
	struct kmt_liveset *pointers = ledger->others[event->space];
	struct kmt_object *pointer = NULL;
	uint32_t *link, number;
	int r;

	ledger->totals.frees++;
	if (event->ptr == 0) {
		ledger->totals.null_frees++;
		return 0;
	}
	if (pointers)
		pointer = kmt_liveset_find(pointers, event->ptr);
	if (!pointer) { /* of a reference that is older than the recording */
		kmt_ledger_note_unknown(ledger, event);
		return 0;
	}
	link = find_answered(references, &pointer->account, task_of(event));
	number = *link;
	r = kmt_ledger_book_end(ledger, &references->all[number].object, KMT_END_FREED, event);
	*link = references->all[number].older;
	release(references, number);
	ledger->nr_others--;
	if (pointer->account == NONE)
		kmt_liveset_remove(pointers, event->ptr, pointer);
	return r;
}

struct visitor {
	const struct kmt_references *references;
	void (*visit)(void *context, uint64_t ptr, const struct kmt_object *object);
	void *context;
};

static void visit_pointer(void *context, uint64_t ptr, const struct kmt_object *pointer)
{
	const struct visitor *visitor = context;
	const struct kmt_reference *all = visitor->references->all;

	for (uint32_t number = pointer->account; number != NONE; number = all[number].older)
		visitor->visit(visitor->context, ptr, &all[number].object);
}

void kmt_ledger_walk_references(const struct kmt_ledger *ledger, uint32_t space,
				void (*visit)(void *context, uint64_t ptr,
					      const struct kmt_object *object),
				void *context)
{
	struct visitor visitor = { &ledger->references, visit, context };

	kmt_liveset_walk(ledger->others[space], visit_pointer, &visitor);
}
