// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "entries.h"
#include "samples.h"

#define SMALLEST_BYTES 8u    /* of an object: kmalloc-8 */
#define PAGE_BYTES     4096u /* where the tape doesn't say */

static uint64_t page_bytes(const struct kmt_samples *samples)
{
	return samples->context->page_bytes ? samples->context->page_bytes : PAGE_BYTES;
}

static bool is_sampled(const struct kmt_samples *samples, uint32_t space)
{
	const struct kmt_rows_context *context = samples->context;

	return (space == KMT_SPACE_SLAB && context->sample_mask) ||
	       (space == KMT_SPACE_PAGE && context->sample_page_mask);
}

static double weight_of(const struct kmt_samples *samples, const struct kmt_account *account,
			uint64_t ptr)
{
	uint64_t bytes = account->key.bytes_alloc;

	if (account->key.space == KMT_SPACE_PAGE)
		return kmt_sample_weight_pages(samples->context->sample_page_mask,
					       ptr ? ptr - KMT_PFN_BIAS : 0,
					       bytes / page_bytes(samples));
	return kmt_sample_weight(samples->context->sample_mask, page_bytes(samples),
				 samples->context->nr_cpus, ptr, bytes);
}

static struct kmt_sample_cell *make_room(struct kmt_samples *samples)
{
	size_t room = samples->room ? 2 * samples->room : 1024;
	struct kmt_sample_cell *grown;

	if (samples->nr < samples->room)
		return &samples->cells[samples->nr++];
	grown = reallocarray(samples->cells, room, sizeof(*grown));
	if (!grown) {
		samples->is_out_of_memory = true;
		return NULL;
	}
	samples->cells = grown;
	samples->room = room;
	return &samples->cells[samples->nr++];
}

static void take(void *context, const struct kmt_account *account, uint64_t ptr,
		 const struct kmt_object *object)
{
	struct kmt_samples *samples = context;
	bool is_page = account->key.space == KMT_SPACE_PAGE;
	struct kmt_sample_cell *cell;

	if (!is_sampled(samples, account->key.space) ||
	    samples->end_ns - object->time_ns < samples->older_ns || samples->is_out_of_memory)
		return;
	cell = make_room(samples);
	if (cell)
		*cell = (struct kmt_sample_cell){
			.cluster = is_page ? ptr : ptr / page_bytes(samples),
			.weight = (float)weight_of(samples, account, ptr),
			.account = account->index,
			.is_page = is_page,
		};
}

static int compare(const void *left, const void *right)
{
	const struct kmt_sample_cell *a = left, *b = right;

	if (a->is_page != b->is_page)
		return a->is_page - b->is_page;
	if (a->cluster != b->cluster)
		return a->cluster < b->cluster ? -1 : 1;
	if (a->account != b->account)
		return a->account < b->account ? -1 : 1;
	return (a->weight > b->weight) - (a->weight < b->weight);
}

int kmt_samples_init(struct kmt_samples *samples, const struct kmt_ledger *ledger,
		     const struct kmt_rows_context *context, uint64_t end_ns, uint64_t older_ns)
{
	*samples = (struct kmt_samples){
		.ledger = ledger, .context = context, .end_ns = end_ns, .older_ns = older_ns
	};
	if (!context->sample_mask && !context->sample_page_mask)
		return 0;
	kmt_ledger_walk(ledger, take, samples);
	if (samples->is_out_of_memory) {
		kmt_samples_deinit(samples);
		return -ENOMEM;
	}
	if (samples->nr)
		qsort(samples->cells, samples->nr, sizeof(*samples->cells), compare);
	return 0;
}

int kmt_samples_restore(struct kmt_samples *samples, const struct kmt_ledger *ledger,
			const struct kmt_rows_context *context, const struct kmt_sample_cell *cells,
			size_t nr)
{
	*samples = (struct kmt_samples){ .ledger = ledger, .context = context };
	if (nr == 0)
		return 0;
	samples->cells = calloc(nr, sizeof(*samples->cells));
	if (!samples->cells)
		return -ENOMEM;
	memcpy(samples->cells, cells, nr * sizeof(*cells));
	samples->nr = samples->room = nr;
	return 0;
}

void kmt_samples_deinit(struct kmt_samples *samples)
{
	free(samples->cells);
	*samples = (struct kmt_samples){ 0 };
}

/* Of what the account is made, even if nothing of it was seen live. */
static void expect(const struct kmt_samples *samples, const struct kmt_account *account,
		   struct kmt_sample_sum *sum)
{
	uint64_t bytes = account->key.bytes_alloc;
	bool is_block = account->key.space == KMT_SPACE_PAGE;
	double weight, nr;

	if (!is_sampled(samples, account->key.space)) {
		sum->objects.certain += (double)account->live_objects;
		sum->bytes.certain += (double)account->live_objects * (double)bytes;
		return;
	}
	weight = weight_of(samples, account, 0);
	nr = is_block || !bytes || bytes > page_bytes(samples)
		     ? 1
		     : (double)(page_bytes(samples) / bytes);
	kmt_estimator_expect(&sum->objects, weight, nr);
	kmt_estimator_expect(&sum->bytes, weight, nr * (double)bytes);
}

void kmt_samples_expect_unseen(const struct kmt_samples *samples, uint32_t space,
			       struct kmt_sample_sum *sum)
{
	const struct kmt_rows_context *context = samples->context;
	double bytes = (double)page_bytes(samples), weight = 1, nr = 1;

	if (!is_sampled(samples, space))
		return;
	if (space == KMT_SPACE_PAGE) {
		weight = kmt_sample_weight_pages(context->sample_page_mask, 0, 1);
	} else {
		weight = kmt_sample_weight(context->sample_mask, page_bytes(samples),
					   context->nr_cpus, 0, SMALLEST_BYTES);
		nr = bytes / SMALLEST_BYTES;
	}
	kmt_estimator_expect(&sum->objects, weight, nr);
	kmt_estimator_expect(&sum->bytes, weight, bytes);
}

static void collect(struct kmt_sample_sum *sum, const struct kmt_sample_cell *cell, uint64_t bytes)
{
	sum->pending_objects++;
	sum->pending_bytes += (double)bytes;
	sum->pending_weight += cell->weight;
}

static void close_cluster(struct kmt_sample_sum *sum)
{
	double weight = sum->pending_weight / sum->pending_objects;

	if (!(sum->pending_objects > 0))
		return; /* another cell of the cluster closed it */
	kmt_estimator_add(&sum->objects, weight, sum->pending_objects);
	kmt_estimator_add(&sum->bytes, weight, sum->pending_bytes);
	sum->pending_objects = sum->pending_bytes = sum->pending_weight = 0;
}

void kmt_samples_sum(const struct kmt_samples *samples, const uint32_t *sum_of,
		     struct kmt_sample_sum *sums)
{
	const struct kmt_sample_cell *cells = samples->cells;
	const struct kmt_account *accounts;
	size_t nr, to;

	accounts = kmt_ledger_accounts(samples->ledger, &nr);
	for (size_t i = 0; i < nr; i++)
		if (sum_of[i] != KMT_NO_ROW)
			expect(samples, &accounts[i], &sums[sum_of[i]]);
	for (size_t from = 0; from < samples->nr; from = to) {
		for (to = from; to < samples->nr && cells[to].is_page == cells[from].is_page &&
				cells[to].cluster == cells[from].cluster;
		     to++) {
			const struct kmt_account *account = &accounts[cells[to].account];

			if (sum_of[cells[to].account] != KMT_NO_ROW)
				collect(&sums[sum_of[cells[to].account]], &cells[to],
					account->key.bytes_alloc);
		}
		for (size_t i = from; i < to; i++)
			if (sum_of[cells[i].account] != KMT_NO_ROW)
				close_cluster(&sums[sum_of[cells[i].account]]);
	}
}

void kmt_sample_estimate(const struct kmt_sample_sum *sum, struct kmt_estimate *ret_estimate)
{
	kmt_estimator_get(&sum->objects, &ret_estimate->objects, &ret_estimate->objects_low,
			  &ret_estimate->objects_high);
	kmt_estimator_get(&sum->bytes, &ret_estimate->bytes, &ret_estimate->bytes_low,
			  &ret_estimate->bytes_high);
}
