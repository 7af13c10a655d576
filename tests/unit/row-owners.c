// SPDX-License-Identifier: GPL-2.0-only
/* Of a function that allocates for others, the one that leaks is accused, and nobody else. */
#include <stdbool.h>
#include <stdio.h>

#include "kmemtape/names.h"
#include "kmemtape/result.h"
#include "kmemtape/symbols.h"
#include "kmemtape/tape.h"

#include "check.h"
#include "ledger.h"

#include "../../src/replay/conclusion.h"
#include "../../src/replay/frames.h"

#define SECOND	UINT64_C(1000000000)
#define END	(200 * SECOND)
#define SKB	(SITE_A + 0x10)
#define KOBJECT (SITE_A + 0x110)
#define LEAKER	(SITE_A + 0x210)
#define HEALTHY (SITE_A + 0x310)
#define SYSCALL (SITE_A + 0x410)
#define OTHERS	(SITE_A + 0x510) /* and more, 0x100 apart */
#define DRIVER	UINT64_C(0xffffffffc0000110)

struct bench {
	struct kmt_stacks *stacks;
	struct kmt_ledger *ledger;
	struct kmt_symbols *symbols;
	struct kmt_names *names;
	struct kmt_reconciler *reconciler;
	struct kmt_frames *frames;
	struct kmt_suppressions *suppressions;
	struct kmt_result *result;
	struct kmt_tape tape;
	uint64_t next_ptr;
};

static int read_module(void *context, unsigned int line, char **ret_text, size_t *ret_bytes)
{
	*ret_text = strdup("ffffffffc0000100 t foo_rx\t[foo]\n");
	CHECK(*ret_text);
	*ret_bytes = strlen(*ret_text);
	return 0;
}

static void begin(struct bench *bench, const char *modules)
{
	static const char kallsyms[] =
		"ffffffff81000100 T __alloc_skb\nffffffff81000200 T kobject_create_and_add\n"
		"ffffffff81000300 T leaker.isra.0\nffffffff81000400 T healthy\n"
		"ffffffff81000500 T do_syscall_64\nffffffff81000600 T other_0\n"
		"ffffffff81000700 T other_1\nffffffff81000800 T other_2\n"
		"ffffffff81000900 T other_3\nffffffff81000a00 D end\n";

	*bench = (struct bench){ .tape = { 0 }, .next_ptr = PTR };
	CHECK_EQ(kmt_stacks_new(usual.kernel_from, usual.kernel_to, &bench->stacks, NULL), 0);
	CHECK_EQ(kmt_ledger_new(&usual, &bench->ledger, NULL), 0);
	CHECK_EQ(kmt_names_new(&bench->names, NULL), 0);
	CHECK_EQ(kmt_symbols_new(&bench->symbols, NULL), 0);
	CHECK_EQ(kmt_symbols_add_modules(bench->symbols, modules, strlen(modules), read_module,
					 NULL, NULL),
		 0);
	CHECK_EQ(kmt_symbols_add_kallsyms(bench->symbols, strdup(kallsyms), strlen(kallsyms), NULL),
		 0);
	CHECK_EQ(kmt_result_new(&bench->result, NULL), 0);
	CHECK_EQ(kmt_reconciler_new(&bench->tape, &bench->reconciler, NULL), 0);
}

static void end(struct bench *bench)
{
	(void)kmt_frames_free(bench->frames);
	(void)kmt_result_free(bench->result);
	(void)kmt_suppressions_free(bench->suppressions);
	(void)kmt_reconciler_free(bench->reconciler);
	(void)kmt_symbols_free(bench->symbols);
	(void)kmt_names_free(bench->names);
	(void)kmt_ledger_free(bench->ledger);
	(void)kmt_stacks_free(bench->stacks);
}

#define BENCH(modules)                       \
	KMT_CLEANUP(end) struct bench bench; \
	begin(&bench, modules)

/* @site for @owner. Return: where it is. */
static uint64_t allocate(struct bench *bench, uint64_t time_ns, uint64_t site, uint64_t owner)
{
	const uint64_t frames[] = { site, owner, SYSCALL };
	uint32_t stack = kmt_stacks_intern(bench->stacks, frames, 3);

	bench->next_ptr += 256;
	take(bench->ledger, KMALLOC(.time_ns = time_ns, .call_site = site, .ptr = bench->next_ptr,
				    .stack = stack & 0xffffff));
	return bench->next_ptr;
}

static void conclude(struct bench *bench, enum kmt_group group)
{
	struct kmt_frames_context frames = {
		.stacks = bench->stacks,
		.symbols = bench->symbols,
		.result = bench->result,
		.kernel_from = usual.kernel_from,
		.kernel_to = usual.kernel_to,
	};
	struct kmt_replay_options options = { .group = group,
					      .grace_ns = 10 * SECOND,
					      .suppressions = bench->suppressions };
	struct kmt_rows_context context = { .symbols = bench->symbols,
					    .names = bench->names,
					    .page_bytes = PAGE };
	struct kmt_conclusion conclusion = {
		.ledger = bench->ledger,
		.options = &options,
		.context = &context,
		.reconciler = bench->reconciler,
	};

	CHECK_EQ(kmt_frames_new(&frames, &bench->frames, NULL), 0);
	context.frames = bench->frames;
	CHECK_EQ(kmt_ledger_finish(bench->ledger, END, 0, options.grace_ns), 0);
	bench->result->grid = *kmt_ledger_grid(bench->ledger);
	bench->result->totals = *kmt_ledger_totals(bench->ledger);
	bench->result->end_ns = END;
	bench->result->duration_ns = END;
	bench->result->grace_ns = options.grace_ns;
	bench->result->group = group;
	CHECK_EQ(kmt_conclude(&conclusion, bench->result), 0);
}

static const struct kmt_row *row(const struct bench *bench, const char *function)
{
	for (size_t i = 0; i < bench->result->nr_rows; i++) {
		const struct kmt_row *row = &bench->result->rows[i];

		if (row->function && strcmp(row->function, function) == 0)
			return row;
	}
	fail_msg("no row of %s", function);
	return NULL;
}

/* One keeps what it gets from the helper; of the other, all comes and goes, and some at the end. */
static void one_of_two_leaks(struct bench *bench, uint64_t leaker)
{
	uint64_t held[8] = { 0 };

	for (unsigned int i = 1; i < 400; i++) {
		uint64_t time_ns = i * SECOND / 2;

		if (i % 2)
			(void)allocate(bench, time_ns, SKB, leaker);
		if (held[i % 8])
			take(bench->ledger, KFREE(.time_ns = time_ns, .ptr = held[i % 8]));
		held[i % 8] = allocate(bench, time_ns, SKB, HEALTHY);
	}
}

TEST(who_leaks_is_named_and_not_the_helper)
{
	BENCH("");
	const struct kmt_verdict *verdict = &bench.result->verdict;
	const struct kmt_row *site;

	one_of_two_leaks(&bench, LEAKER);
	conclude(&bench, KMT_BY_SITE);
	CHECK_EQ(verdict->leak, KMT_LEAK_LIKELY);
	CHECK_HAS(verdict->headline, "LEAK LIKELY: leaker (by __alloc_skb+0x10): ");
	CHECK_TEXT(verdict->owner, "leaker");
	CHECK_TEXT(verdict->function, "__alloc_skb");
	site = row(&bench, "__alloc_skb");
	CHECK_EQ(site->judgement.class, KMT_CLASS_LEAK);
	CHECK_TEXT(site->owner, "leaker");
	CHECK(site->is_owners);
	CHECK_EQ(site->nr_owners, 2);
	CHECK_EQ(site->nr_stacks, 2);
	CHECK_EQ(site->nr_frames, 3);
	CHECK_EQ(site->frames[1].address, LEAKER);
}

TEST(a_module_that_leaks_through_a_helper_is_named)
{
	BENCH("load 0 foo 4096 0xffffffffc0000000 OE -\n");
	const struct kmt_verdict *verdict = &bench.result->verdict;

	one_of_two_leaks(&bench, DRIVER);
	conclude(&bench, KMT_BY_SITE);
	CHECK_HAS(verdict->headline,
		  "LEAK LIKELY: foo_rx [foo] (out of tree) (by __alloc_skb+0x10): ");
	CHECK_TEXT(verdict->owner_module, "foo");
}

TEST(by_owner_each_is_judged_by_itself)
{
	BENCH("load 0 foo 4096 0xffffffffc0000000 OE -\n");
	const struct kmt_row *leaker, *healthy;

	one_of_two_leaks(&bench, DRIVER);
	conclude(&bench, KMT_BY_OWNER);
	CHECK_EQ(bench.result->nr_rows, 2);
	leaker = row(&bench, "foo_rx");
	healthy = row(&bench, "healthy");
	CHECK(leaker == bench.result->rows); /* who is blamed goes first */
	CHECK_EQ(leaker->judgement.class, KMT_CLASS_LEAK);
	CHECK_TEXT(leaker->module, "foo");
	CHECK_EQ(leaker->frees, 0);
	CHECK(healthy->judgement.class < KMT_CLASS_UNTRACED);
	CHECK(!healthy->module);
}

TEST(parts_of_a_function_are_one_owner)
{
	BENCH("");

	(void)allocate(&bench, SECOND, SKB, LEAKER);
	(void)allocate(&bench, SECOND, KOBJECT, LEAKER + 0x20);
	conclude(&bench, KMT_BY_OWNER);
	CHECK_EQ(bench.result->nr_rows, 1);
	CHECK_TEXT(bench.result->rows[0].function, "leaker");
	CHECK_EQ(bench.result->rows[0].live_objects, 2);
	CHECK_EQ(bench.result->rows[0].nr_stacks, 2);
}

/* The kernel frees them without an event, which just one owner's objects have shown. */
TEST(untraced_frees_of_a_site_are_everybodys)
{
	BENCH("");

	for (unsigned int i = 1; i < 400; i++) {
		(void)allocate(&bench, i * SECOND / 2, SKB, HEALTHY);
		if (i % 32 == 0)
			(void)allocate(&bench, i * SECOND / 2, SKB, LEAKER);
		else
			bench.next_ptr -= 256; /* handed out again */
	}
	conclude(&bench, KMT_BY_OWNER);
	CHECK_EQ(row(&bench, "leaker")->reused, 0);
	CHECK_EQ(row(&bench, "leaker")->judgement.class, KMT_CLASS_UNTRACED);
	CHECK_EQ(bench.result->verdict.leak, KMT_LEAK_NONE);
}

/* Each of them is a handful, and all together they leak. */
TEST(a_helper_that_leaks_for_all_is_accused_itself)
{
	BENCH("");
	const struct kmt_verdict *verdict = &bench.result->verdict;

	for (unsigned int i = 1; i < 24; i++)
		(void)allocate(&bench, i * 8 * SECOND, SKB, OTHERS + i % 4 * 0x100);
	conclude(&bench, KMT_BY_SITE);
	CHECK(verdict->leak != KMT_LEAK_NONE);
	CHECK(!verdict->owner);
	CHECK_HAS(verdict->headline, ": __alloc_skb+0x10: ");
	CHECK_EQ(row(&bench, "__alloc_skb")->nr_owners, 4);
	CHECK(!row(&bench, "__alloc_skb")->is_owners);
}

#define GONE "load 0 foo 4096 0xffffffffc0000000 - -\nunload 100000000000 foo\n"

static enum kmt_class left_behind(uint64_t site)
{
	BENCH(GONE);

	for (unsigned int i = 0; i < 20; i++)
		(void)allocate(&bench, SECOND + i, site, DRIVER);
	conclude(&bench, KMT_BY_OWNER);
	CHECK(row(&bench, "foo_rx")->live_objects == 20);
	return row(&bench, "foo_rx")->judgement.class;
}

TEST(what_a_module_left_behind_is_its_own_unless_it_was_handed_on)
{
	CHECK_EQ(left_behind(KOBJECT), KMT_CLASS_LEAK);
	CHECK(left_behind(SKB) != KMT_CLASS_LEAK);
}

TEST(whom_the_user_knows_of_is_not_accused)
{
	static const char lines[] = "leak:^leaker$\n";
	BENCH("");

	CHECK_EQ(kmt_suppressions_new(&bench.suppressions, NULL), 0);
	CHECK_EQ(kmt_suppressions_add(bench.suppressions, "s", lines, sizeof(lines) - 1, NULL), 0);
	one_of_two_leaks(&bench, LEAKER);
	conclude(&bench, KMT_BY_SITE);
	CHECK_EQ(bench.result->verdict.leak, KMT_LEAK_NONE);
	CHECK_EQ(bench.result->suppressions[0].rows, 1);
	CHECK(row(&bench, "__alloc_skb")->judgement.class < KMT_CLASS_UNTRACED);
}

static void totals(enum kmt_group group, uint64_t sums[4])
{
	BENCH("");
	uint64_t random = 7;

	for (unsigned int i = 1; i < 300; i++)
		(void)allocate(&bench, i * SECOND / 2, check_random(&random) % 2 ? SKB : KOBJECT,
			       OTHERS + check_random(&random) % 4 * 0x100);
	take(bench.ledger, KMALLOC(.time_ns = END, .call_site = SKB)); /* without a stack */
	conclude(&bench, group);
	memset(sums, 0, 4 * sizeof(*sums));
	for (size_t i = 0; i < bench.result->nr_rows; i++) {
		const struct kmt_row *row = &bench.result->rows[i];

		sums[0] += row->allocs;
		sums[1] += row->live_objects;
		sums[2] += row->live_bytes;
		sums[3]++;
		CHECK(group != KMT_BY_STACK || row->nr_frames == 3 || row->allocs == 1);
	}
}

TEST(sums_are_the_same_by_all)
{
	uint64_t by_site[4], by_stack[4], by_owner[4];

	totals(KMT_BY_SITE, by_site);
	totals(KMT_BY_STACK, by_stack);
	totals(KMT_BY_OWNER, by_owner);
	CHECK_BYTES(by_site, by_stack, 3 * sizeof(*by_site));
	CHECK_BYTES(by_site, by_owner, 3 * sizeof(*by_site));
	CHECK_EQ(by_site[3], 2);
	CHECK_EQ(by_stack[3], 9);
	CHECK_EQ(by_owner[3], 5);
}

/* Numbers of stacks depend on threads; what is seen of them must not. */
TEST(rows_have_one_order_whoever_interned_first)
{
	uint64_t order[2][4];

	for (size_t turn = 0; turn < 2; turn++) {
		BENCH("");

		for (unsigned int i = 0; i < 4; i++) {
			const uint64_t frames[] = { SKB, OTHERS + (turn ? 3 - i : i) * 0x100,
						    SYSCALL };

			(void)kmt_stacks_intern(bench.stacks, frames, 3);
		}
		for (unsigned int i = 0; i < 4; i++)
			(void)allocate(&bench, SECOND + i, SKB, OTHERS + i * 0x100);
		conclude(&bench, KMT_BY_STACK);
		CHECK_EQ(bench.result->nr_rows, 4);
		for (size_t i = 0; i < 4; i++)
			order[turn][i] = bench.result->rows[i].frames[1].address;
	}
	CHECK_BYTES(order[0], order[1], sizeof(order[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(who_leaks_is_named_and_not_the_helper),
		ROW(a_module_that_leaks_through_a_helper_is_named),
		ROW(by_owner_each_is_judged_by_itself),
		ROW(parts_of_a_function_are_one_owner),
		ROW(untraced_frees_of_a_site_are_everybodys),
		ROW(a_helper_that_leaks_for_all_is_accused_itself),
		ROW(what_a_module_left_behind_is_its_own_unless_it_was_handed_on),
		ROW(whom_the_user_knows_of_is_not_accused),
		ROW(sums_are_the_same_by_all),
		ROW(rows_have_one_order_whoever_interned_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
