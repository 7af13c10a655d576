// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>

#include "kmemtape/names.h"
#include "kmemtape/result.h"
#include "kmemtape/symbols.h"
#include "kmemtape/tape.h"

#include "check.h"
#include "ledger.h"

#include "../../src/replay/entries.h"
#include "../../src/replay/loss.h"

#define SECOND UINT64_C(1000000000)
#define END    (100 * SECOND)

/* All that rows are made of, without a tape. */
struct bench {
	struct kmt_ledger *ledger;
	struct kmt_symbols *symbols;
	struct kmt_names *names;
	struct kmt_reconciler *reconciler;
	struct kmt_result *result;
	struct kmt_tape tape;
	struct kmt_entries entries;
	struct kmt_row *rows;
	size_t nr_rows;
};

static int no_text(void *context, unsigned int line, char **ret_text, size_t *ret_bytes)
{
	return -1;
}

static void begin(struct bench *bench, const char *modules)
{
	static const char kallsyms[] =
		"ffffffff81000100 T first\nffffffff81000200 T second\n"
		"ffffffff81000300 T alloc_slab_obj_exts.isra.0\nffffffff81000400 T alloc_slab\n"
		"ffffffff81000500 D end\n";

	*bench = (struct bench){ .tape = { .dirfd = -1 } };
	CHECK_EQ(kmt_ledger_new(&usual, &bench->ledger, NULL), 0);
	CHECK_EQ(kmt_names_new(&bench->names, NULL), 0);
	CHECK_EQ(kmt_symbols_new(&bench->symbols, NULL), 0);
	CHECK_EQ(kmt_symbols_add_modules(bench->symbols, modules, strlen(modules), no_text, NULL,
					 NULL),
		 0);
	CHECK_EQ(kmt_symbols_add_kallsyms(bench->symbols, strdup(kallsyms), strlen(kallsyms), NULL),
		 0);
	CHECK_EQ(kmt_result_new(&bench->result, NULL), 0);
	CHECK_EQ(kmt_reconciler_new(&bench->tape, &bench->reconciler, NULL), 0);
}

static void end(struct bench *bench)
{
	kmt_result_free_rows(bench->rows, bench->nr_rows);
	kmt_entries_deinit(&bench->entries);
	(void)kmt_result_free(bench->result);
	(void)kmt_reconciler_free(bench->reconciler);
	(void)kmt_symbols_free(bench->symbols);
	(void)kmt_names_free(bench->names);
	(void)kmt_ledger_free(bench->ledger);
}

static void fill(struct bench *bench, enum kmt_group group, uint64_t older_ns)
{
	const struct kmt_rows_context context = { bench->symbols, bench->names, PAGE };
	struct kmt_evidence tape = {
		.end_ns = END, .allocs_off_ns = END, .grace_ns = 10 * SECOND, .sample = 1
	};

	CHECK_EQ(kmt_ledger_finish(bench->ledger, END, older_ns, tape.grace_ns), 0);
	tape.grid = kmt_ledger_grid(bench->ledger);
	CHECK_EQ(kmt_entries_init(&bench->entries, bench->ledger, &context, bench->reconciler, END),
		 0);
	CHECK_EQ(kmt_rows_fill(&bench->entries, group, &tape, bench->result, &bench->rows,
			       &bench->nr_rows),
		 0);
}

static const struct kmt_row *row(const struct bench *bench, const char *name)
{
	for (size_t i = 0; i < bench->nr_rows; i++) {
		const struct kmt_row *row = &bench->rows[i];
		const char *names[] = { row->function, row->module, row->cache };

		for (size_t k = 0; k < 3; k++)
			if (names[k] && strcmp(names[k], name) == 0)
				return row;
	}
	fail_msg("no row of %s", name);
	return NULL;
}

#define BENCH(modules)                       \
	KMT_CLEANUP(end) struct bench bench; \
	begin(&bench, modules)

static uint64_t sum(const uint64_t *counts, size_t nr)
{
	uint64_t all = 0;

	for (size_t i = 0; i < nr; i++)
		all += counts[i];
	return all;
}

TEST(the_history_of_a_row_is_the_sum_of_its_accounts)
{
	BENCH("");
	size_t last;

	take(bench.ledger, KMALLOC(.time_ns = SECOND, .call_site = SITE_A + 4));
	take(bench.ledger, KMALLOC(.time_ns = 50 * SECOND, .call_site = SITE_A + 4, .ptr = PTR + 64,
				   .bytes_alloc = 1024, .bytes_req = 1000));
	take(bench.ledger,
	     KMALLOC(.time_ns = 95 * SECOND, .call_site = SITE_A + 8, .ptr = PTR + 128));
	take(bench.ledger,
	     KMALLOC(.time_ns = 96 * SECOND, .call_site = SITE_B + 4, .ptr = PTR + 192));
	fill(&bench, KMT_BY_MODULE, 0);
	CHECK_EQ(bench.nr_rows, 1);
	last = kmt_ledger_grid(bench.ledger)->nr - 1;
	CHECK_EQ(bench.rows[0].history->live[last], 4);
	CHECK_EQ(bench.rows[0].history->live_bytes[last], 3 * 64 + 1024);
	CHECK_EQ(bench.rows[0].history->live[last / 4], 1);
	CHECK_EQ(sum(bench.rows[0].history->born, KMT_HISTORY_POINTS), 4);
	CHECK_EQ(bench.rows[0].mature_objects, 2);
	CHECK_EQ(bench.rows[0].mature_bytes, 64 + 1024);
}

TEST(leaving_out_the_young_changes_no_judgement)
{
	struct kmt_judgement judgements[2];

	for (int i = 0; i < 2; i++) {
		BENCH("");
		for (uint64_t k = 0; k < 90; k++)
			take(bench.ledger,
			     KMALLOC(.time_ns = (k + 1) * SECOND, .ptr = PTR + 64 * k));
		fill(&bench, KMT_BY_SITE, i ? 60 * SECOND : 0);
		CHECK_EQ(bench.rows[0].live_objects, i ? 40 : 90);
		CHECK_EQ(bench.rows[0].mature_objects, 90);
		judgements[i] = bench.rows[0].judgement;
	}
	CHECK_EQ(judgements[0].class, KMT_CLASS_LEAK);
	CHECK_EQ(judgements[1].class, KMT_CLASS_LEAK);
	CHECK(judgements[0].confidence == judgements[1].confidence);
}

/* The same in two functions: one is known to allocate what belongs to something else. */
TEST(the_allocators_own_bookkeeping_is_no_leak)
{
	const uint64_t bookkeeping = 0xffffffff81000310, other = 0xffffffff81000410;
	struct bench bench;

	begin(&bench, "");
	for (unsigned int i = 0; i < 400; i++) {
		take(bench.ledger, KMALLOC(.time_ns = i * SECOND / 4, .ptr = PTR + i * 256,
					   .call_site = bookkeeping));
		take(bench.ledger, KMALLOC(.time_ns = i * SECOND / 4, .ptr = PTR + i * 256 + 128,
					   .call_site = other));
	}
	fill(&bench, KMT_BY_SITE, 0);
	CHECK_EQ(bench.nr_rows, 2);
	for (size_t i = 0; i < 2; i++)
		CHECK_EQ(bench.rows[i].judgement.class,
			 bench.rows[i].call_site == bookkeeping ? KMT_CLASS_CACHE : KMT_CLASS_LEAK);
	end(&bench);
}

TEST(what_never_held_anything_has_no_history_and_no_class)
{
	BENCH("");

	take(bench.ledger, KMALLOC(.time_ns = SECOND));
	take(bench.ledger, KFREE(.time_ns = SECOND + 1));
	fill(&bench, KMT_BY_SITE, 0);
	CHECK_EQ(bench.nr_rows, 1);
	CHECK(!bench.rows[0].history);
	CHECK_EQ(bench.rows[0].judgement.class, KMT_CLASS_NONE);
}

#define ALPHA UINT64_C(0xffffffffc0000100)
#define BETA  UINT64_C(0xffffffffc0010100)

TEST(a_module_that_went_left_behind_what_is_live)
{
	BENCH("load 0 alpha 4096 0xffffffffc0000000 OE -\nunload 40000000000 alpha\n"
	      "load 50000000000 alpha 4096 0xffffffffc0000000 OE -\n"
	      "load 0 beta 4096 0xffffffffc0010000 - -\nunload 200000000000 beta\n");
	bool was_seen[2] = { false, false };

	take(bench.ledger, KMALLOC(.time_ns = SECOND, .call_site = ALPHA));
	take(bench.ledger, KMALLOC(.time_ns = 2 * SECOND, .call_site = BETA, .ptr = PTR + 64));
	take(bench.ledger,
	     (struct kmt_event){ .kind = KMT_EVENT_MODULE_FREE, .time_ns = 40 * SECOND });
	take(bench.ledger, KMALLOC(.time_ns = 60 * SECOND, .call_site = ALPHA, .ptr = PTR + 128));
	fill(&bench, KMT_BY_SITE, 0);
	CHECK_EQ(bench.nr_rows, 3);
	CHECK(!row(&bench, "beta")->is_unloaded); /* it went when the tape had ended */
	for (size_t i = 0; i < 3; i++)
		if (strcmp(bench.rows[i].module, "alpha") == 0)
			was_seen[bench.rows[i].is_unloaded] = true;
	CHECK(was_seen[false] && was_seen[true]);
}

TEST(a_module_that_cleaned_up_left_nothing)
{
	BENCH("load 0 alpha 4096 0xffffffffc0000000 OE -\nunload 40000000000 alpha\n");

	take(bench.ledger, KMALLOC(.time_ns = SECOND, .call_site = ALPHA));
	take(bench.ledger, KFREE(.time_ns = 39 * SECOND));
	fill(&bench, KMT_BY_MODULE, 0);
	CHECK(!row(&bench, "alpha")->is_unloaded);
}

static const struct kmt_entry *entry(const struct bench *bench, uint64_t call_site, uint64_t bytes)
{
	for (size_t i = 0; i < bench->entries.nr; i++)
		if (bench->entries.entries[i].account->key.call_site == call_site &&
		    bench->entries.entries[i].account->key.bytes_alloc == bytes)
			return &bench->entries.entries[i];
	fail_msg("no such entry");
	return NULL;
}

TEST(a_cache_is_summed_up_over_all_call_sites)
{
	BENCH("");

	for (uint64_t i = 0; i < 3; i++) { /* reused twice, live once */
		take(bench.ledger, KMALLOC(.time_ns = SECOND + i, .call_site = SITE_A));
		take(bench.ledger,
		     KMALLOC(.time_ns = SECOND + i, .call_site = SITE_B, .ptr = PTR + 64));
		take(bench.ledger, KFREE(.time_ns = SECOND + i, .ptr = PTR + 64));
	}
	take(bench.ledger, CACHE_ALLOC(.time_ns = 2 * SECOND, .ptr = PTR + 128));
	take(bench.ledger, CACHE_ALLOC(.time_ns = 3 * SECOND, .ptr = PTR + 192, .bytes_alloc = 96));
	take(bench.ledger, CACHE_ALLOC(.time_ns = 4 * SECOND, .ptr = PTR + 192, .bytes_alloc = 96));
	fill(&bench, KMT_BY_CACHE, 0);
	CHECK_EQ(row(&bench, "kmalloc-64")->allocs, 6);
	CHECK(entry(&bench, SITE_B, 64)->sum->reused == 2);
	CHECK(entry(&bench, SITE_B, 64)->sum->frees == 3);
	/* Of no known cache: told apart by size. */
	CHECK(entry(&bench, SITE_A, 96)->sum->reused == 1);
	CHECK_EQ(bench.nr_rows, 2);
}

static uint64_t loss_if_all_read(uint64_t read, uint64_t other_events)
{
	struct kmt_cpu_stats stats = { .overrun = 70, .read = read };
	struct kmt_manifest manifest = { .stats = &stats, .nr_stats = 1 };
	LEDGER(&usual);

	take(ledger, KMALLOC(.time_ns = 1));
	take(ledger, LOSS(.time_ns = 2)); /* it is not said how many */
	take(ledger, KFREE(.time_ns = 3));
	return kmt_loss_if_all_read(ledger, &manifest, other_events);
}

TEST(the_kernel_counts_all_losses_but_those_behind_its_back)
{
	CHECK_EQ(loss_if_all_read(2, 0), 70);
	CHECK_EQ(loss_if_all_read(5, 3), 70);
	CHECK(loss_if_all_read(3, 0) == KMT_UNKNOWN);
	CHECK(loss_if_all_read(0, 0) == KMT_UNKNOWN);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(the_history_of_a_row_is_the_sum_of_its_accounts),
		ROW(leaving_out_the_young_changes_no_judgement),
		ROW(the_allocators_own_bookkeeping_is_no_leak),
		ROW(what_never_held_anything_has_no_history_and_no_class),
		ROW(a_module_that_went_left_behind_what_is_live),
		ROW(a_module_that_cleaned_up_left_nothing),
		ROW(a_cache_is_summed_up_over_all_call_sites),
		ROW(the_kernel_counts_all_losses_but_those_behind_its_back),
	};

	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
