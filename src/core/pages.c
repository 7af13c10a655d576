// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "ledger-parts.h"

/*
 * Page frames. What was handed out as one block may be freed in parts (split_page(),
 * alloc_pages_exact(), large folios), and what was handed out in parts as one: so it is kept by
 * frame. A block of which a part is freed ends, and what remains of it are smaller ones of the same
 * account but for their size, as old as it was. They count as `split`, and not as allocations.
 */

static uint64_t page_bytes(const struct kmt_ledger *ledger)
{
	return ledger->options.page_bytes ? ledger->options.page_bytes : 4096;
}

/* One that remains of a block. */
struct rest {
	struct kmt_ledger *ledger;
	struct kmt_object object; /* of the block */
	struct kmt_account_key key;
	const struct kmt_event *event; /* that ended the block */
};

static int add_rest(void *context, uint64_t first, uint64_t nr)
{
	struct rest *rest = context;
	struct kmt_ledger *ledger = rest->ledger;
	struct kmt_account *account;
	struct kmt_object *object;
	uint32_t index;
	int r;

	rest->key.bytes_alloc = nr * page_bytes(ledger);
	r = kmt_ledger_open_key(ledger, &rest->key, rest->event, rest->object.account, &index);
	if (r == 0)
		r = kmt_blocks_add(&ledger->blocks, first, nr, &object);
	if (r < 0)
		return r;
	account = kmt_accounts_at(ledger->accounts, index);
	account->split++;
	ledger->totals.split++;
	ledger->nr_others++;
	*object = rest->object;
	object->account = index;
	object->bytes_req = (uint32_t)nr;
	return 0;
}

/* Ends what of a block is in @from..@to; the rest of it stays live. Return: 0 or -ENOMEM. */
static int end_part(struct kmt_ledger *ledger, const struct kmt_block *block, uint64_t from,
		    uint64_t to, enum kmt_end how, const struct kmt_event *event)
{
	bool is_whole = from <= block->first && block->first + block->nr <= to;
	struct kmt_account *account = kmt_ledger_account_of(ledger, block->object);
	struct kmt_object object = *block->object;
	struct rest rest = { ledger, object, account->key, event };
	int r = 0;

	if (is_whole)
		r = kmt_ledger_book_end(ledger, block->object, how, event);
	else
		account->split--;
	kmt_blocks_remove(&ledger->blocks, block);
	ledger->nr_others--;
	if (is_whole || r < 0)
		return r;
	ledger->totals.paired += how == KMT_END_FREED;
	ledger->totals.reused += how == KMT_END_REUSED;
	return kmt_blocks_split(block, from, to, add_rest, &rest);
}

/* Return: number of blocks that ended, -ENOMEM. */
static int end_all(struct kmt_ledger *ledger, uint64_t from, uint64_t to, enum kmt_end how,
		   const struct kmt_event *event)
{
	struct kmt_block block;
	int nr = 0;

	for (uint64_t at = from; at < to && kmt_blocks_next(&ledger->blocks, at, to, &block);
	     nr++) {
		int r = end_part(ledger, &block, from, to, how, event);

		if (r < 0)
			return r;
		at = block.first + block.nr;
	}
	return nr;
}

int kmt_ledger_take_pages(struct kmt_ledger *ledger, const struct kmt_event *event)
{
	uint64_t first = event->ptr - KMT_PFN_BIAS, nr = event->bytes_alloc;
	struct kmt_liveset *set;
	struct kmt_object *object;
	uint32_t index;
	int r;

	ledger->totals.allocs++;
	if (event->ptr == 0 || !kmt_block_is_sane(first, nr)) {
		ledger->totals.failed_allocs++;
		return 0;
	}
	(void)((r = kmt_ledger_space(ledger, KMT_SPACE_PAGE, &set)) < 0 ||
	       (r = kmt_ledger_open(ledger, event, nr * page_bytes(ledger), &index)) < 0 ||
	       (r = end_all(ledger, first, first + nr, KMT_END_REUSED, event)) < 0 ||
	       (r = kmt_blocks_add(&ledger->blocks, first, nr, &object)) < 0);
	if (r < 0)
		return r;
	ledger->nr_others++;
	*object = (struct kmt_object){ .bytes_req = (uint32_t)nr };
	return kmt_ledger_book_alloc(ledger, event, index, object);
}

int kmt_ledger_free_pages(struct kmt_ledger *ledger, const struct kmt_event *event)
{
	uint64_t first = event->ptr - KMT_PFN_BIAS, nr = event->bytes_alloc;
	int r = 0;

	ledger->totals.frees++;
	if (event->ptr == 0 || !kmt_block_is_sane(first, nr)) {
		ledger->totals.null_frees++;
		return 0;
	}
	if (ledger->blocks.set)
		r = end_all(ledger, first, first + nr, KMT_END_FREED, event);
	if (r == 0)
		kmt_ledger_note_unknown(ledger, event);
	else if (r > 1)
		ledger->totals.joined += (uint64_t)r - 1;
	return r < 0 ? r : 0;
}
