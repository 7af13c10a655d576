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
#include "../../src/replay/recorded.h"
#include "../../src/replay/sums.h"
#include "../../src/replay/twins.h"
#include "../../src/replay/uses.h"

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
		"ffffffff81000500 t alloc_vmap_area\n"
		"ffffffff81000500 D end\n";

	*bench = (struct bench){ .tape = { 0 } };
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
	CHECK_EQ(kmt_rows_fill(&bench->entries, (struct kmt_grouping){ group, false }, &tape,
			       bench->result, &bench->rows, &bench->nr_rows),
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
	struct kmt_history history;
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
	kmt_history_unpack(bench.rows[0].history, &history);
	CHECK_EQ(history.live[last], 4);
	CHECK_EQ(history.live_bytes[last], 3 * 64 + 1024);
	CHECK_EQ(history.live[last / 4], 1);
	CHECK_EQ(sum(history.born, KMT_HISTORY_POINTS), 4);
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

/* The same in three functions: two are known to allocate what belongs to something else. */
TEST(the_allocators_own_bookkeeping_is_no_leak)
{
	const uint64_t bookkeeping = 0xffffffff81000310, other = 0xffffffff81000410,
		       lazy = 0xffffffff81000510;
	struct bench bench;

	begin(&bench, "");
	for (unsigned int i = 0; i < 400; i++) {
		take(bench.ledger, KMALLOC(.time_ns = i * SECOND / 4, .ptr = PTR + i * 256,
					   .call_site = bookkeeping));
		take(bench.ledger, KMALLOC(.time_ns = i * SECOND / 4, .ptr = PTR + i * 256 + 128,
					   .call_site = other));
		take(bench.ledger, KMALLOC(.time_ns = i * SECOND / 4, .ptr = PTR + i * 256 + 64,
					   .call_site = lazy));
	}
	fill(&bench, KMT_BY_SITE, 0);
	CHECK_EQ(bench.nr_rows, 3);
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(bench.rows[i].judgement.class,
			 bench.rows[i].call_site == other ? KMT_CLASS_LEAK : KMT_CLASS_CACHE);
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

/* --- other spaces --- */

#define PFN(n) ((n) + KMT_PFN_BIAS)

TEST(a_row_is_of_one_address_space)
{
	BENCH("");

	take(bench.ledger, KMALLOC(.time_ns = SECOND, .call_site = SITE_A + 4));
	take(bench.ledger, (struct kmt_event){ .kind = KMT_EVENT_VMALLOC,
					       .space = KMT_SPACE_VMALLOC,
					       .time_ns = 2 * SECOND,
					       .call_site = SITE_A + 4,
					       .ptr = PTR,
					       .bytes_alloc = 8192,
					       .bytes_req = 8192 });
	for (int group = KMT_BY_SITE; group <= KMT_BY_PID; group++) {
		fill(&bench, (enum kmt_group)group, 0);
		CHECK_EQ(bench.nr_rows, 2);
		CHECK_EQ(bench.rows[0].live_objects, 1);
		CHECK_EQ(bench.rows[1].live_objects, 1);
		kmt_result_free_rows(bench.rows, bench.nr_rows);
		bench.rows = NULL;
		bench.nr_rows = 0;
		kmt_entries_deinit(&bench.entries);
	}
}

static void take_page(struct kmt_ledger *ledger, uint64_t time_ns, uint64_t pfn, uint32_t gfp)
{
	take(ledger, (struct kmt_event){ .kind = KMT_EVENT_PAGE_ALLOC,
					 .space = KMT_SPACE_PAGE,
					 .time_ns = time_ns,
					 .ptr = PFN(pfn),
					 .gfp = gfp,
					 .bytes_alloc = 4,
					 .bytes_req = 4 });
}

TEST(pages_without_a_stack_are_told_by_their_flags_and_accuse_nobody)
{
	BENCH("");

	for (uint64_t i = 0; i < 90; i++)
		take_page(bench.ledger, (i + 1) * SECOND, 1024 + 4 * i, i % 2 ? 0xcc0 : 0xdc0);
	fill(&bench, KMT_BY_SITE, 0);
	CHECK_EQ(bench.nr_rows, 2);
	for (int i = 0; i < 2; i++) {
		const struct kmt_row *row = &bench.rows[i];

		CHECK_EQ(row->space, KMT_SPACE_PAGE);
		CHECK_EQ(row->use, KMT_USE_UNKNOWN);
		CHECK_EQ(row->bytes_each, 4 * PAGE);
		CHECK_EQ(row->live_bytes, 45 * 4 * PAGE);
		CHECK(row->gfp != NULL);
		CHECK_EQ(row->call_site, 0);
		CHECK(row->judgement.class < KMT_CLASS_LEAK);
	}
	CHECK(strcmp(bench.rows[0].gfp, bench.rows[1].gfp) != 0);
}

TEST(rows_that_differ_in_their_flags_only_have_an_order)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = NULL;
	struct kmt_row rows[3] = { { .space = KMT_SPACE_PAGE, .bytes_each = 8192, .gfp = "a" },
				   { .space = KMT_SPACE_PAGE, .bytes_each = 4096, .gfp = "b" },
				   { .space = KMT_SPACE_PAGE, .bytes_each = 4096, .gfp = "a" } };

	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	result->rows = rows;
	result->nr_rows = 3;
	kmt_result_sort(result, KMT_SORT_BYTES);
	CHECK(rows[0].bytes_each == 4096 && *rows[0].gfp == 'a');
	CHECK(rows[1].bytes_each == 4096 && *rows[1].gfp == 'b');
	CHECK(rows[2].bytes_each == 8192);
	result->rows = NULL;
	result->nr_rows = 0;
}

TEST(what_is_left_of_a_block_has_a_row)
{
	BENCH("");
	uint64_t bytes = 0;

	take_page(bench.ledger, SECOND, 1024, 0xcc0);
	take(bench.ledger, (struct kmt_event){ .kind = KMT_EVENT_PAGE_FREE,
					       .space = KMT_SPACE_PAGE,
					       .time_ns = 2 * SECOND,
					       .ptr = PFN(1024),
					       .bytes_alloc = 1 });
	fill(&bench, KMT_BY_SITE, 0);
	for (size_t i = 0; i < bench.nr_rows; i++)
		bytes += bench.rows[i].live_bytes;
	CHECK_EQ(bytes, 3 * PAGE);
}

/* The same survivors, but of a space where every free has its event. */
TEST(areas_that_nobody_frees_are_a_leak)
{
	BENCH("");

	for (uint64_t i = 0; i < 90; i++)
		take(bench.ledger, (struct kmt_event){ .kind = KMT_EVENT_VMALLOC,
						       .space = KMT_SPACE_VMALLOC,
						       .time_ns = (i + 1) * SECOND,
						       .call_site = SITE_A + 4,
						       .ptr = PTR + i * 8192,
						       .bytes_alloc = 8192,
						       .bytes_req = 8192 });
	fill(&bench, KMT_BY_SITE, 0);
	CHECK_EQ(row(&bench, "first")->judgement.class, KMT_CLASS_LEAK);
	CHECK(row(&bench, "first")->judgement.confidence > 0.7);
}

TEST(objects_of_a_pair_are_judged_by_their_number)
{
	BENCH("");
	const struct kmt_row *pair;

	CHECK_EQ(kmt_result_keep(bench.result, "dentry", &bench.result->pairs[1]), 0);
	for (uint64_t i = 0; i < 90; i++) {
		struct kmt_event event = { .kind = KMT_EVENT_PAIR_ALLOC,
					   .space = KMT_SPACE_PAIR + 1,
					   .time_ns = (i + 1) * SECOND,
					   .call_site = SITE_A + 4,
					   .pid = 100,
					   .ptr = PTR + i };

		CHECK_EQ(kmt_ledger_take(bench.ledger, &event), 0);
	}
	fill(&bench, KMT_BY_SITE, 0);
	pair = row(&bench, "first");
	CHECK_TEXT(pair->pair, "dentry");
	CHECK_EQ(pair->live_objects, 90);
	CHECK_EQ(pair->live_bytes, 0);
	CHECK(pair->judgement.class >= KMT_CLASS_GROWTH);
	CHECK_EQ(pair->judgement.trend.shape, KMT_SHAPE_LINEAR);
	CHECK(pair->judgement.trend.bytes_per_s > 0.8 && pair->judgement.trend.bytes_per_s < 1.2);
}

TEST(an_area_that_events_and_counters_saw_is_one_finding)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = NULL;
	struct kmt_row row = { .space = KMT_SPACE_VMALLOC, .function = "foo", .module = "mod" };
	struct kmt_vmalloc_row *areas = calloc(3, sizeof(*areas));

	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	result->reconciliation.vmallocs = areas;
	result->reconciliation.nr_vmallocs = 3;
	areas[0] = (struct kmt_vmalloc_row){ .caller = "foo+0x30/0x80 [mod]", .module = "mod" };
	areas[1] = (struct kmt_vmalloc_row){ .caller = "foo+0x30/0x80" };
	areas[2] = (struct kmt_vmalloc_row){ .caller = "foobar+0x3/0x8 [mod]", .module = "mod" };
	kmt_twins_mark(&row, 1, result);
	CHECK(areas[0].is_seen_by_events);
	CHECK(!areas[1].is_seen_by_events && !areas[2].is_seen_by_events);
	/* Where events were lost, what the counters saw is not to be hidden by what is left. */
	areas[0].is_seen_by_events = false;
	areas[0].judgement.class = KMT_CLASS_LEAK;
	result->lost = 1;
	kmt_twins_mark(&row, 1, result);
	CHECK(!areas[0].is_seen_by_events);
	row.judgement.class = KMT_CLASS_LEAK;
	kmt_twins_mark(&row, 1, result);
	CHECK(areas[0].is_seen_by_events);
}

/* --- samples --- */

/* Every eighth page, of 1024 that each hold a pair of objects of two sites; one is large. */
TEST(estimates_of_a_sample_are_of_all)
{
	KMT_CLEANUP(kmt_samples_deinit) struct kmt_samples samples = { 0 };
	struct kmt_rows_context context = { .page_bytes = PAGE, .sample_mask = 0x7000 };
	const struct kmt_row *first, *second;
	BENCH("");

	context.symbols = bench.symbols;
	context.names = bench.names;
	bench.result->sample = 8;
	bench.result->end_ns = END;
	for (uint64_t i = 0; i < 1024; i += 8) {
		uint64_t page = (PTR & ~UINT64_C(0x7fff)) + i * PAGE;

		take(bench.ledger,
		     KMALLOC(.time_ns = SECOND, .call_site = SITE_A + 4, .ptr = page));
		take(bench.ledger,
		     KMALLOC(.time_ns = SECOND, .call_site = SITE_A + 4, .ptr = page + 64));
		take(bench.ledger,
		     KMALLOC(.time_ns = 99 * SECOND, .call_site = SITE_A + 4, .ptr = page + 128));
	}
	take(bench.ledger, KMALLOC(.time_ns = SECOND, .call_site = SITE_B + 4, .ptr = 1u << 30,
				   .bytes_alloc = 32768, .bytes_req = 32000));
	fill(&bench, KMT_BY_SITE, 10 * SECOND);
	CHECK_EQ(kmt_samples_init(&samples, bench.ledger, &context, END, 10 * SECOND), 0);
	CHECK_EQ(kmt_sums_fill(&bench.entries, &samples, bench.result), 0);
	CHECK_EQ(kmt_sums_estimate_rows(&bench.entries, &samples, bench.rows, bench.nr_rows), 0);
	first = row(&bench, "first");
	second = row(&bench, "second");
	CHECK_EQ(first->live_objects, 256);
	CHECK_EQ((int)first->estimate.objects, 2048);
	CHECK_EQ((int)first->estimate.bytes, 2048 * 64);
	CHECK(first->estimate.objects_low > 256 && first->estimate.objects_low < 2048);
	/* The two of a page are kept together; and pages may have more than two of them. */
	CHECK(first->estimate.objects_high > 2048 + 2 * 16 * 11);
	CHECK(first->estimate.objects_high < 4500);
	CHECK_EQ((int)second->estimate.bytes, 32768); /* always kept */
	CHECK_EQ((int)second->estimate.bytes_high, 32768);
	CHECK_EQ((int)bench.result->estimate.bytes, 2048 * 64 + 32768);
	CHECK_EQ((int)bench.result->spaces[KMT_SPACE_SLAB].estimate.objects, 2049);
}

/* --- who asked for pages --- */

TEST(flags_tell_pages_of_users)
{
	CHECK_EQ(kmt_use_of_flags("GFP_HIGHUSER_MOVABLE|__GFP_COMP"), KMT_USE_USER);
	CHECK_EQ(kmt_use_of_flags("GFP_NOFS|__GFP_MOVABLE"), KMT_USE_USER);
	CHECK_EQ(kmt_use_of_flags("GFP_KERNEL|__GFP_COMP"), KMT_USE_UNKNOWN);
}

/* --- what was left out on purpose --- */

TEST(what_the_manifest_says_was_left_out_is_told_to_the_books)
{
	KMT_CLEANUP(kmt_manifest_deinit) struct kmt_manifest manifest;
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = NULL;
	struct kmt_ledger_options options = usual;

	kmt_manifest_init(&manifest);
	kmt_recorded_fill(&manifest, &options);
	for (size_t i = 0; i < KMT_SPACES_MAX; i++)
		CHECK(!options.is_filtered[i] && !options.sample_mask[i]);
	manifest.sample = 8;
	kmt_recorded_fill(&manifest, &options);
	CHECK_EQ(options.sample_mask[KMT_SPACE_SLAB], 0x7000); /* as older recorders did */
	manifest.sample_mask = 0xe000;
	manifest.sample_page_mask = 7;
	manifest.nr_possible_cpus = 12;
	(void)strcpy(manifest.sets, "slab,percpu");
	CHECK_EQ(kmt_manifest_add_pair(&manifest, &(struct kmt_pair){ .name = "skb" }), 0);
	CHECK_EQ(kmt_manifest_add_pair(&manifest, &(struct kmt_pair){ .name = "dentry" }), 0);
	CHECK_EQ(kmt_manifest_add_filter(&manifest, "kmem:kmalloc", "bytes_alloc >= 4096"), 0);
	CHECK_EQ(kmt_manifest_add_filter(&manifest, "kmemtape:vma_new", "common_pid == 7"), 0);
	CHECK_EQ(kmt_manifest_add_filter(&manifest, "kmemtape:pair_dentry_alloc", "x == 1"), 0);
	kmt_recorded_fill(&manifest, &options);
	CHECK_EQ(options.sample_mask[KMT_SPACE_SLAB], 0xe000);
	CHECK_EQ(options.sample_mask[KMT_SPACE_PAGE], 7);
	CHECK_EQ(options.nr_possible_cpus, 12);
	CHECK(options.is_filtered[KMT_SPACE_SLAB] && options.is_filtered[KMT_SPACE_VMALLOC]);
	CHECK(options.is_filtered[KMT_SPACE_PAGE]); /* frees of frames are all recorded */
	CHECK(!options.is_filtered[KMT_SPACE_PERCPU] && !options.is_filtered[KMT_SPACE_PAIR]);
	CHECK(options.is_filtered[KMT_SPACE_PAIR + 1]);
	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	CHECK_EQ(kmt_recorded_describe(&manifest, result), 0);
	CHECK(result->spaces[KMT_SPACE_SLAB].is_recorded);
	CHECK(!result->spaces[KMT_SPACE_PAGE].is_recorded);
	CHECK(result->spaces[KMT_SPACE_PERCPU].is_recorded);
	CHECK_TEXT(result->pairs[1], "dentry");
	CHECK_EQ(result->nr_filters, 3);
	CHECK_TEXT(result->filters[0], "kmem:kmalloc: bytes_alloc >= 4096");
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
		ROW(a_row_is_of_one_address_space),
		ROW(pages_without_a_stack_are_told_by_their_flags_and_accuse_nobody),
		ROW(rows_that_differ_in_their_flags_only_have_an_order),
		ROW(what_is_left_of_a_block_has_a_row),
		ROW(areas_that_nobody_frees_are_a_leak),
		ROW(objects_of_a_pair_are_judged_by_their_number),
		ROW(an_area_that_events_and_counters_saw_is_one_finding),
		ROW(estimates_of_a_sample_are_of_all),
		ROW(flags_tell_pages_of_users),
		ROW(what_the_manifest_says_was_left_out_is_told_to_the_books),
	};

	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
