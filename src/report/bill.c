// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>

#include "kmemtape/units.h"

#include "bill.h"
#include "words.h"

#define CONTRADICTIONS_SHOWN 3

/* A share can be told only of what grew, and only if no more is explained than there is. */
static void print_growth(const struct kmt_reconciliation *counted, FILE *file)
{
	char growth[KMT_UNITS_BYTES], explained[KMT_UNITS_BYTES], share[KMT_UNITS_BYTES];
	int64_t whole = counted->kernel_growth_bytes, part = counted->explained_bytes;

	fprintf(file, "kernel memory %s by its own counters", kmt_words_growth(growth, whole));
	if (whole > 0 && part >= 0 && part <= whole)
		fprintf(file, ", %s of it explained",
			kmt_words_percent(share, (uint64_t)part, (uint64_t)whole));
	else
		fprintf(file, "; explained %s", kmt_words_growth(explained, part));
	fprintf(file, "\n");
}

static void print_items(const struct kmt_reconciliation *counted, FILE *file)
{
	char growth[KMT_UNITS_BYTES], explained[KMT_UNITS_BYTES];
	struct kmt_line line;

	kmt_line_begin(&line, file, "  ", 2, 3);
	for (size_t i = 0; i < counted->nr_items; i++) {
		const struct kmt_bill_item *item = &counted->items[i];

		if (item->growth_bytes == 0 && (!item->is_explained || item->explained_bytes == 0))
			continue;
		if (item->is_explained)
			kmt_line_addf(&line, "%s %s (explained %s)", item->name,
				      kmt_words_growth(growth, item->growth_bytes),
				      kmt_words_growth(explained, item->explained_bytes));
		else
			kmt_line_addf(&line, "%s %s", item->name,
				      kmt_words_growth(growth, item->growth_bytes));
	}
	kmt_line_end(&line);
}

static bool has_items(const struct kmt_reconciliation *counted)
{
	for (size_t i = 0; i < counted->nr_items; i++)
		if (counted->items[i].growth_bytes ||
		    (counted->items[i].is_explained && counted->items[i].explained_bytes))
			return true;
	return false;
}

/* The live set against slabinfo: what no other tool compares. */
static void print_contradictions(const struct kmt_reconciliation *counted, FILE *file)
{
	char cache[KMT_ESCAPED_BYTES], sentence[KMT_NAME_BYTES];
	size_t nr = 0;

	for (size_t i = 0; i < counted->nr_caches; i++) {
		const struct kmt_cache_check *check = &counted->caches[i];

		if (!check->is_contradicted || nr++ >= CONTRADICTIONS_SHOWN)
			continue;
		(void)snprintf(sentence, sizeof(sentence),
			       "%.400s: slabinfo counts %+" PRId64 " objects, the events %+" PRId64
			       " or more: not all frees were seen",
			       kmt_escape(cache, sizeof(cache), check->cache),
			       check->counted_objects, check->booked_low);
		kmt_words_wrap(file, "  ", 4, sentence);
	}
	if (nr > CONTRADICTIONS_SHOWN)
		fprintf(file, "  and %zu more caches like this\n", nr - CONTRADICTIONS_SHOWN);
}

void kmt_bill_print(const struct kmt_result *result, FILE *file)
{
	const struct kmt_reconciliation *counted = &result->reconciliation;

	if (counted->nr_snapshots < 2) {
		fprintf(file, "kernel memory by its own counters: not on this tape\n");
		return;
	}
	print_growth(counted, file);
	if (has_items(counted))
		print_items(counted, file);
	print_contradictions(counted, file);
}
