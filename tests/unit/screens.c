// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>

#include "kmemtape/fs.h"
#include "kmemtape/report.h"

#include "check.h"

#define SECOND	    UINT64_C(1000000000)
#define MIB	    1048576
#define NR_BUCKETS  40
#define MODULE_ADDR UINT64_C(0xffffffffc0001000)

static struct kmt_result *make_empty(void)
{
	struct kmt_result *result;

	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	result->path = strdup("host1.tape");
	result->kernel = strdup("6.1.0-56-amd64");
	result->arch = strdup("x86_64");
	result->clock = strdup("mono");
	result->host = strdup("host1");
	CHECK(result->path && result->kernel && result->arch && result->clock && result->host);
	result->nr_cpus = 2;
	result->sample = 1;
	result->is_complete = result->has_symbols = true;
	result->start_ns = 100 * SECOND;
	result->duration_ns = 20880 * SECOND;
	result->end_ns = result->start_ns + result->duration_ns;
	result->grace_ns = 10 * SECOND;
	result->grid =
		(struct kmt_grid){ result->start_ns, result->duration_ns / NR_BUCKETS, NR_BUCKETS };
	return result;
}

enum curve {
	RISING,
	FILLING,
	FLAT,
	WAVES,
};

static struct kmt_packed_history *draw(enum curve curve, uint64_t most)
{
	struct kmt_packed_history *packed;
	struct kmt_history history = { 0 };

	for (uint64_t i = 0; i < NR_BUCKETS; i++) {
		uint64_t part = curve == RISING	   ? i
				: curve == FILLING ? (i < 8 ? i * 5 : NR_BUCKETS)
				: curve == FLAT	   ? NR_BUCKETS
						   : i % 8 * 5;

		history.live_bytes[i] = most / NR_BUCKETS * part;
	}
	CHECK_EQ(kmt_history_pack(&history, &packed), 0);
	return packed;
}

static void judge(struct kmt_judgement *judgement, enum kmt_class class, double confidence,
		  enum kmt_shape shape, double bytes_per_s)
{
	*judgement = (struct kmt_judgement){
		.class = class,
		.confidence = confidence,
		.trend = { .shape = shape,
			   .bytes_per_s = bytes_per_s,
			   .low = bytes_per_s * 0.98,
			   .high = bytes_per_s * 1.02,
			   .since_ns = bytes_per_s > 0 ? 112 * SECOND : 0 },
	};
}

static void give_reasons(struct kmt_judgement *judgement, const struct kmt_reason *reasons,
			 size_t nr)
{
	judgement->reasons = calloc(nr, sizeof(*reasons));
	CHECK(judgement->reasons);
	memcpy(judgement->reasons, reasons, nr * sizeof(*reasons));
	judgement->nr_reasons = nr;
}

static const struct kmt_reason leak_reasons[] = {
	{ true, "8102000 of 8102000 older than 10 s were never freed" },
	{ true, "allocated in 40 of 40 stretches of the recording, the last 0.4 s before its end" },
	{ true, "slabinfo: kmalloc-192 grew by 8090112 objects, too" },
	{ true, "module foo is out of tree" },
	{ false, "no probes on kfree_rcu(): what it frees would not be seen" },
};

/* A leak in a module, an inode cache that filled, untraced frees, and two that are healthy. */
static struct kmt_result *make_leak(void)
{
	struct kmt_result *result = make_empty();
	struct kmt_row *rows = calloc(5, sizeof(*rows));

	CHECK(rows);
	result->totals = (struct kmt_totals){ .allocs = 961000000,
					      .frees = 959000000,
					      .null_frees = 4000000,
					      .paired = 945000000,
					      .unknown_frees = 10000000,
					      .reused = 7000000,
					      .live = 8500000 };
	result->live_bytes = UINT64_C(1720000000);
	result->recorder_objects = 5;
	result->recorder_bytes = 1500;
	rows[0] = (struct kmt_row){ .call_site = MODULE_ADDR,
				    .function = "foo_rx_alloc",
				    .offset = 0x4c,
				    .size = 0x1f0,
				    .module = "foo",
				    .taint = "OE",
				    .cache = "kmalloc-192",
				    .nr_caches = 1,
				    .allocs = 8103000,
				    .live_objects = 8103000,
				    .mature_objects = 8102000,
				    .live_bytes = 8103000 * 192,
				    .mature_bytes = 8102000 * 192,
				    .oldest_age_ns = 20868 * SECOND,
				    .history = draw(RISING, 8103000 * 192) };
	judge(&rows[0].judgement, KMT_CLASS_LEAK, 0.97, KMT_SHAPE_LINEAR, 74500);
	give_reasons(&rows[0].judgement, leak_reasons, 5);
	rows[1] = (struct kmt_row){ .call_site = 0xffffffff81020000,
				    .function = "mas_alloc_nodes",
				    .offset = 0x3ef,
				    .size = 0x430,
				    .taint = "",
				    .cache = "maple_node",
				    .nr_caches = 1,
				    .allocs = 11226,
				    .reused = 10407,
				    .live_objects = 819,
				    .mature_objects = 819,
				    .live_bytes = 819 * 256,
				    .mature_bytes = 819 * 256,
				    .oldest_age_ns = 9000 * SECOND,
				    .history = draw(FLAT, 819 * 256) };
	judge(&rows[1].judgement, KMT_CLASS_UNTRACED, 0.9, KMT_SHAPE_FLAT, 0);
	rows[1].judgement.live_estimate = 60;
	rows[2] = (struct kmt_row){ .call_site = 0xffffffff81030000,
				    .function = "ext4_alloc_inode",
				    .offset = 0x5d,
				    .size = 0xc0,
				    .taint = "",
				    .cache = "ext4_inode_cache",
				    .nr_caches = 2,
				    .allocs = 2400000,
				    .frees = 2100000,
				    .live_objects = 300000,
				    .mature_objects = 300000,
				    .live_bytes = 62 * MIB,
				    .mature_bytes = 62 * MIB,
				    .oldest_age_ns = 20000 * SECOND,
				    .history = draw(FILLING, 62 * MIB) };
	judge(&rows[2].judgement, KMT_CLASS_CACHE, 0.88, KMT_SHAPE_PLATEAU, 0);
	rows[3] = (struct kmt_row){ .call_site = 0xffffffff81040000,
				    .function = "__alloc_skb",
				    .offset = 0x7e,
				    .size = 0x180,
				    .taint = "",
				    .cache = "skbuff_head_cache",
				    .nr_caches = 1,
				    .allocs = 950000000,
				    .frees = 949990000,
				    .live_objects = 10000,
				    .mature_objects = 2000,
				    .live_bytes = 10000 * 256,
				    .mature_bytes = 2000 * 256,
				    .oldest_age_ns = 300 * SECOND,
				    .history = draw(WAVES, 10000 * 256) };
	judge(&rows[3].judgement, KMT_CLASS_TRANSIENT, 0.9, KMT_SHAPE_SAWTOOTH, 0);
	rows[4] = (struct kmt_row){ .call_site = 0xffffffff81050000,
				    .function = "getname_flags",
				    .offset = 0x4c,
				    .size = 0x1d0,
				    .taint = "",
				    .cache = "names_cache",
				    .nr_caches = 1,
				    .allocs = 500000,
				    .frees = 499999,
				    .live_objects = 1,
				    .live_bytes = 4096,
				    .oldest_age_ns = SECOND / 10 };
	result->rows = rows;
	result->nr_rows = 5;
	result->verdict = (struct kmt_verdict){
		.leak = KMT_LEAK_LIKELY,
		.confidence = 0.97,
		.headline = "LEAK LIKELY: foo_rx_alloc+0x4c [foo] (out of tree): +8102000 objects, "
			    "1.45 GiB, +256 MiB/h, linear for 5.8 h",
	};
	return result;
}

static void count_memory(struct kmt_result *result)
{
	static const struct kmt_bill_item items[] = {
		{ "SUnreclaim", 1610612736, true, 1556480000 },
		{ "SReclaimable", 67108864, true, 65011712 },
		{ "VmallocUsed", 0, true, 0 },
		{ "Percpu", 0, false, 0 },
		{ "PageTables", -2097152, false, 0 },
		{ "KernelStack", 131072, false, 0 },
	};
	struct kmt_reconciliation *counted = &result->reconciliation;

	counted->nr_snapshots = 349;
	counted->kernel_growth_bytes = 1675755520;
	counted->explained_bytes = 1621491712;
	counted->items = calloc(6, sizeof(items[0]));
	counted->caches = calloc(1, sizeof(*counted->caches));
	CHECK(counted->items && counted->caches);
	memcpy(counted->items, items, sizeof(items));
	counted->nr_items = 6;
	counted->caches[0] = (struct kmt_cache_check){ .cache = "maple_node",
						       .counted_objects = 48,
						       .booked_low = 819,
						       .booked_high = 819,
						       .is_contradicted = true };
	counted->nr_caches = 1;
}

/* tests/screens/NAME.txt is what a reader sees, to the letter. */
static void check_screen(const struct kmt_result *result, const struct kmt_report_options *options,
			 const char *name)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL, *expected = NULL;
	const char *tests = getenv("KMT_TESTS");
	char path[4096];
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	CHECK(file && tests);
	kmt_report_text(result, options, file);
	CHECK_EQ(fclose(file), 0);
	(void)snprintf(path, sizeof(path), "%s/screens/%s.txt", tests, name);
	if (kmt_read_file(AT_FDCWD, path, 1 << 20, &expected, NULL, NULL) < 0 ||
	    strcmp(text, expected) != 0) {
		fputs(text, stderr); /* fail_msg() would cut it */
		fail_msg("the screen above isn't %s", path);
	}
}

static const struct kmt_report_options usual = { .top = 10, .hides_healthy = true };

TEST(a_leak_in_a_module)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make_leak();

	count_memory(result);
	check_screen(result, &usual, "a-leak-in-a-module");
}

TEST(the_same_on_a_utf8_terminal_with_all_rows)
{
	static const struct kmt_report_options all = { .is_utf8 = true };
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make_leak();

	check_screen(result, &all, "all-rows-in-utf8");
}

TEST(all_that_is_suspect_is_suppressed)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make_leak();
	struct kmt_suppression_hits *hits = calloc(14, sizeof(*hits));

	CHECK(hits);
	for (size_t i = 0; i < 14; i++)
		hits[i].pattern = "^never_seen$";
	hits[1] = (struct kmt_suppression_hits){ "foo_*", 1, 8102000, 8102000 * 192 };
	result->suppressions = hits;
	result->nr_suppressions = 14;
	result->rows[0].is_suppressed = true;
	result->verdict = (struct kmt_verdict){
		.confidence = 0.9,
		.headline = "NO LEAK: 62.2 MiB live in caches; 1 suspect is suppressed",
	};
	check_screen(result, &usual, "all-suspects-suppressed");
}

TEST(too_short_lossy_and_cut)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make_leak();

	result->duration_ns = 4 * SECOND;
	result->lost = result->totals.lost = 123456;
	result->totals.losses = 12;
	result->totals.uncertain = 8000000;
	result->is_complete = false;
	CHECK_EQ(kmt_result_note(result, "host1.tape/cpu/0001.zst: offset 1048576: cut: the file "
					 "ends within a chunk of 65536 bytes"),
		 0);
	result->rows[0].uncertain_objects = 8000000;
	result->rows[0].judgement.class = KMT_CLASS_UNCERTAIN;
	result->rows[0].judgement.confidence = 0.6;
	result->verdict = (struct kmt_verdict){
		.leak = KMT_LEAK_POSSIBLE,
		.confidence = 0.6,
		.headline = "POSSIBLE LEAK: foo_rx_alloc+0x4c [foo] (out of tree): +8102000 "
			    "objects, but events were lost",
	};
	check_screen(result, &usual, "short-lossy-and-cut");
}

TEST(nothing_on_the_tape)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make_empty();

	(void)strcpy(result->verdict.headline,
		     "NO LEAK SEEN, but: there are no events on the tape");
	check_screen(result, &usual, "nothing-on-the-tape");
}

TEST(vmalloc_that_is_never_freed)
{
	static const struct kmt_vmalloc_row rows[] = {
		{ .caller = "bar_init+0x30/0x80 [bar]",
		  .module = "bar",
		  .taint = "OE",
		  .areas = 70,
		  .bytes = 280 * MIB,
		  .grown_areas = 64,
		  .grown_bytes = 256 * MIB },
		{ .caller = "dup_task_struct+0x5b/0x1a0",
		  .taint = "",
		  .areas = 300,
		  .bytes = 5 * MIB,
		  .grown_areas = 2,
		  .grown_bytes = 40960 },
	};
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make_leak();
	struct kmt_reconciliation *counted = &result->reconciliation;

	counted->nr_snapshots = 2;
	counted->kernel_growth_bytes = -4096;
	counted->explained_bytes = 1000;
	counted->vmallocs = calloc(2, sizeof(rows[0]));
	CHECK(counted->vmallocs);
	memcpy(counted->vmallocs, rows, sizeof(rows));
	counted->nr_vmallocs = 2;
	judge(&counted->vmallocs[0].judgement, KMT_CLASS_LEAK, 0.8, KMT_SHAPE_STEPS, 12800);
	give_reasons(&counted->vmallocs[0].judgement, leak_reasons + 3, 1);
	free(result->rows[0].history);
	free(result->rows[0].judgement.reasons);
	result->rows[0] = (struct kmt_row){ .taint = "" };
	result->verdict = (struct kmt_verdict){
		.leak = KMT_LEAK_LIKELY,
		.confidence = 0.8,
		.headline = "LEAK LIKELY: vmalloc by bar_init+0x30/0x80 [bar] (out of tree): "
			    "+64 areas, 256 MiB",
	};
	check_screen(result, &usual, "vmalloc");
}

/* It is small, but in the first line: then the reasons are its, and not first those of all others.
 */
TEST(whom_the_first_line_blames_comes_first)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make_leak();

	judge(&result->rows[2].judgement, KMT_CLASS_LEAK, 0.95, KMT_SHAPE_LINEAR, 300);
	result->verdict.leak = KMT_LEAK_POSSIBLE;
	result->verdict.call_site = result->rows[1].call_site;
	result->verdict.function = result->rows[1].function;
	judge(&result->rows[1].judgement, KMT_CLASS_GROWTH, 0.6, KMT_SHAPE_LINEAR, 300);
	(void)strcpy(result->verdict.headline,
		     "POSSIBLE LEAK: mas_alloc_nodes+0x3ef: +819 objects");
	kmt_result_sort(result, KMT_SORT_SUSPICION);
	CHECK_TEXT(result->rows[0].function, "mas_alloc_nodes");
	check_screen(result, &usual, "a-small-one-is-blamed");
}

TEST(by_module_with_a_million_million_objects)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make_leak();
	struct kmt_row *row = &result->rows[0];

	result->group = KMT_BY_MODULE;
	row->live_objects = row->mature_objects = row->allocs = UINT64_C(1000000000000);
	row->live_bytes = row->mature_bytes = row->live_objects * 192;
	row->frees = row->reused = UINT64_MAX;
	row->judgement.trend.bytes_per_s = row->judgement.trend.high = 1e30;
	row->judgement.trend.low = -4e15;
	row->judgement.confidence = 0.9999;
	result->totals.live = result->totals.allocs = row->live_objects;
	result->live_bytes = UINT64_MAX;
	check_screen(result, &usual, "by-module-large-numbers");
}

TEST(names_that_are_hostile_or_long)
{
	static const char hostile[] = "a\x1b[2J\n\xff\xe2\x80\xae\"\\b \xe4\xb8\xad\xe6\x96\x87";
	static const char long_name[] =
		"_RNvXs2_NtNtCs1234567890_6kernel4sync3arcINtB5_3ArcNtNtCsabcdefghij_4rust5thing"
		"5ThingENtNtNtCs0987654321_4core3ops4drop4Drop4drop";
	static const struct kmt_reason reason = { false, "\x1b[31m\xff \xe4\xb8\xad" };
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make_leak();
	struct kmt_row *row = result->rows;

	row[0].function = long_name;
	free(row[0].judgement.reasons);
	give_reasons(&row[0].judgement, &reason, 1);
	row[1].function = row[1].module = row[1].cache = row[1].taint = hostile;
	result->nr_rows = 2;
	free(row[2].history);
	free(row[3].history);
	free(result->path);
	result->path = strdup(hostile);
	(void)snprintf(result->verdict.headline, sizeof(result->verdict.headline), "LEAK: %s %s",
		       hostile, long_name);
	check_screen(result, &usual, "hostile-and-long-names");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(a_leak_in_a_module),
		ROW(the_same_on_a_utf8_terminal_with_all_rows),
		ROW(all_that_is_suspect_is_suppressed),
		ROW(too_short_lossy_and_cut),
		ROW(nothing_on_the_tape),
		ROW(vmalloc_that_is_never_freed),
		ROW(whom_the_first_line_blames_comes_first),
		ROW(by_module_with_a_million_million_objects),
		ROW(names_that_are_hostile_or_long),
	};

	return cmocka_run_group_tests_name("screens", tests, NULL, NULL);
}
