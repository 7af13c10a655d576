// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "../../src/replay/distilled.h"

#include "fuzz.h"

/* Input: text of books.zst. What can be read is written as the same thing again, and a ledger takes
 * it or says no. */

static char *copy_of(const void *text, size_t bytes)
{
	char *copy = malloc(bytes + 1); /* no longer than it must be */

	MUST(copy);
	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return copy;
}

static void restore(const struct kmt_distilled *distilled)
{
	struct kmt_ledger_options options = { .page_bytes = 4096 };
	struct kmt_ledger *ledger;
	size_t nr;

	MUST(kmt_ledger_new(&options, &ledger, NULL) == 0);
	if (kmt_ledger_restore(ledger, &distilled->books) == 0) {
		(void)kmt_ledger_accounts(ledger, &nr);
		MUST(nr == distilled->books.nr_accounts);
		MUST(kmt_ledger_totals(ledger)->live == distilled->books.totals.live);
	}
	(void)kmt_ledger_free(ledger);
}

static void check_references(const struct kmt_distilled *distilled)
{
	size_t at = 0;

	for (size_t i = 0; i < distilled->nr_stacks; i++) {
		MUST(distilled->stacks[i].from == at && distilled->stacks[i].nr > 0);
		at += distilled->stacks[i].nr;
	}
	MUST(at == distilled->nr_frames);
	for (size_t i = 0; i < distilled->books.nr_accounts; i++)
		MUST(distilled->books.accounts[i].key.stack <= distilled->nr_stacks);
	for (size_t i = 0; i < distilled->nr_cells; i++)
		MUST(distilled->cells[i].account < distilled->books.nr_accounts);
	for (size_t i = 0; i < distilled->nr_modules; i++)
		MUST(distilled->modules[i].name);
}

static void write_again(const struct kmt_distilled *distilled, struct kmt_names *names)
{
	struct kmt_distilled again;
	char *text, *copy, *other;
	size_t bytes, other_bytes;

	kmt_distilled_init(&again);
	MUST(kmt_distilled_format(distilled, &text, &bytes) == 0);
	copy = copy_of(text, bytes);
	MUST(kmt_distilled_parse(&again, copy, bytes, names, NULL) == 0);
	MUST(kmt_distilled_format(&again, &other, &other_bytes) == 0);
	MUST(bytes == other_bytes && memcmp(text, other, bytes) == 0);
	kmt_distilled_deinit(&again);
	free(copy);
	free(other);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kmt_distilled distilled;
	struct kmt_names *names;
	char *text = copy_of(data, size);

	MUST(kmt_names_new(&names, NULL) == 0);
	kmt_distilled_init(&distilled);
	if (kmt_distilled_parse(&distilled, text, size, names, NULL) == 0) {
		check_references(&distilled);
		write_again(&distilled, names);
		restore(&distilled);
	}
	kmt_distilled_deinit(&distilled);
	(void)kmt_names_free(names);
	free(text);
	return 0;
}
