// SPDX-License-Identifier: GPL-2.0-only
/* What a report says of the probes of its tape. */
#include <stdio.h>

#include "kmemtape/result.h"

#include "../../src/replay/loss.h"
#include "../../src/replay/probe-notes.h"
#include "ledger.h"

struct bench {
	struct kmt_manifest manifest;
	struct kmt_result *result;
};

static void leave(struct bench *b)
{
	kmt_manifest_deinit(&b->manifest);
	b->result = kmt_result_free(b->result);
}

static struct bench enter(uint64_t alloc_hits, uint64_t free_hits, const char *module)
{
	struct kmt_pair pair = { .name = "x", .alloc = "x_new", .free = "x_del" };
	struct kmt_probe_stats alloc = { .event = "kmemtape:pair_x_alloc", .hits = alloc_hits };
	struct kmt_probe_stats freed = { .event = "kmemtape:pair_x_free", .hits = free_hits };
	struct bench b;

	(void)snprintf(pair.module, sizeof(pair.module), "%s", module);
	kmt_manifest_init(&b.manifest);
	CHECK_EQ(kmt_manifest_add_pair(&b.manifest, &pair), 0);
	CHECK_EQ(kmt_manifest_add_probe(&b.manifest, &alloc), 0);
	CHECK_EQ(kmt_manifest_add_probe(&b.manifest, &freed), 0);
	CHECK_EQ(kmt_result_new(&b.result, NULL), 0);
	return b;
}

static void expect(struct bench b, const char *note)
{
	CHECK_EQ(kmt_probe_notes(&b.manifest, b.result), 0);
	CHECK_EQ(b.result->nr_notes, note != NULL);
	if (note)
		CHECK_HAS(b.result->notes[0], note);
	leave(&b);
}

TEST(a_function_that_was_never_called_is_named)
{
	expect(enter(5, 3, ""), NULL);
	expect(enter(5, 0, ""), "pair x: x_del was never called");
	expect(enter(0, 5, ""), "pair x: x_new was never called");
	expect(enter(0, 0, ""), "neither x_new nor x_del was called");
	expect(enter(0, 0, "mod"), "was mod loaded?");
}

static uint64_t lost(const char *event)
{
	KMT_CLEANUP(kmt_ledger_freep) struct kmt_ledger *ledger = new_ledger(&usual);
	KMT_CLEANUP(leave) struct bench b = enter(1, 1, "");
	struct kmt_probe_stats stats = { .hits = 9, .missed = 4 };
	const struct kmt_totals *totals;

	(void)snprintf(stats.event, sizeof(stats.event), "%s", event);
	CHECK_EQ(kmt_manifest_add_probe(&b.manifest, &stats), 0);
	take(ledger, KMALLOC(.time_ns = 1));
	CHECK_EQ(kmt_loss_book(ledger, &b.manifest, 10), 0);
	CHECK_EQ(kmt_probe_notes(&b.manifest, b.result), 0);
	totals = finish(ledger);
	CHECK_EQ(totals->uncertain, totals->lost ? 1 : 0);
	/* One or the other: lost, or told. */
	CHECK_EQ(b.result->nr_notes, totals->lost == 0);
	return totals->lost;
}

/* A free that was missed lets its object look leaked; an allocation that was missed accuses nobody.
 */
TEST(missed_frees_are_losses_and_missed_allocations_are_told)
{
	CHECK_EQ(lost("kmemtape:pair_x_free"), 4);
	CHECK_EQ(lost("kmemtape:vma_del"), 4);
	CHECK_EQ(lost("kmemtape:rcu_free"), 4);
	CHECK_EQ(lost("kmemtape:pair_x_alloc"), 0);
	CHECK_EQ(lost("kmemtape:vma_new"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_function_that_was_never_called_is_named),
		ROW(missed_frees_are_losses_and_missed_allocations_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
