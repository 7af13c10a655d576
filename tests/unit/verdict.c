// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdio.h>

#include "kmemtape/verdict.h"

#include "check.h"

#define S   UINT64_C(1000000000)
#define MIB (UINT64_C(1) << 20)

/* Snapshots of one vmalloc caller, every 5 s: areas of 64 KiB. */
static struct kmt_judgement judge_areas(const uint64_t *areas, size_t nr, bool is_module,
					bool is_unloaded)
{
	struct kmt_judgement judgement;
	uint64_t times_ns[200], bytes[200];

	for (size_t i = 0; i < nr; i++) {
		times_ns[i] = 100 * S + i * 5 * S;
		bytes[i] = areas[i] << 16;
	}
	CHECK_EQ(kmt_judge_counter(
			 &(struct kmt_counter_evidence){
				 .times_ns = times_ns,
				 .objects = areas,
				 .bytes = bytes,
				 .nr = nr,
				 .grace_ns = 10 * S,
				 .is_module = is_module,
				 .is_out_of_tree = is_module,
				 .is_unloaded = is_unloaded,
			 },
			 &judgement),
		 0);
	free(judgement.reasons);
	return judgement;
}

TEST(areas_that_rise_at_every_snapshot_leak)
{
	static const uint64_t areas[] = { 3, 10, 19, 30, 41, 50, 61, 70 };
	struct kmt_judgement judgement = judge_areas(areas, 8, false, false);

	CHECK_EQ(judgement.class, KMT_CLASS_LEAK);
	CHECK(judgement.confidence >= 0.7);
	CHECK_EQ(judgement.live_estimate, 67);
	CHECK_EQ(judgement.trend.shape, KMT_SHAPE_LINEAR);
	CHECK(judgement.trend.since_ns == 100 * S);
	CHECK(judgement.trend.until_ns == 135 * S);
	/* Two in each second, 64 KiB each */
	CHECK(fabs(judgement.trend.bytes_per_s / (2 << 16) - 1) < 0.1);
}

TEST(a_long_series_is_judged_to_its_end)
{
	uint64_t areas[200];

	for (size_t i = 0; i < 200; i++)
		areas[i] = i;
	CHECK_EQ(judge_areas(areas, 200, false, false).class, KMT_CLASS_LEAK);
	CHECK_EQ(judge_areas(areas, 200, false, false).live_estimate, 199);
	for (size_t i = 0; i < 200; i++)
		areas[i] = i < 100 ? i : 100;
	CHECK_EQ(judge_areas(areas, 200, false, false).class, KMT_CLASS_CACHE);
}

TEST(what_rises_once_or_falls_again_is_no_leak)
{
	static const uint64_t once[] = { 3, 3, 40, 40, 40, 40, 40, 40 }, same[] = { 3, 3, 3, 3, 3 },
			      hill[] = { 3, 90, 200, 50, 3, 3 }, last[] = { 3, 3, 3, 3, 3, 4 },
			      wiggle[] = { 3, 20, 8, 25, 9, 30, 12, 33 };

	CHECK_EQ(judge_areas(once, 8, true, false).class, KMT_CLASS_CACHE);
	CHECK_EQ(judge_areas(same, 5, true, false).class, KMT_CLASS_NONE);
	CHECK_EQ(judge_areas(hill, 6, true, false).class, KMT_CLASS_TRANSIENT);
	CHECK_EQ(judge_areas(last, 6, true, false).class, KMT_CLASS_CACHE);
	CHECK_EQ(judge_areas(wiggle, 8, false, false).class, KMT_CLASS_GROWTH);
	CHECK(judge_areas(wiggle, 8, false, false).confidence < 0.5);
}

TEST(two_snapshots_show_growth_at_most)
{
	static const uint64_t much[] = { 0, 60 }, little[] = { 0, 1 };

	CHECK_EQ(judge_areas(much, 2, true, false).class, KMT_CLASS_GROWTH);
	CHECK(judge_areas(much, 2, true, false).confidence >= 0.5);
	CHECK(judge_areas(much, 2, false, false).confidence < 0.5); /* threads have stacks */
	CHECK_EQ(judge_areas(little, 2, true, false).class, KMT_CLASS_CACHE);
	CHECK_EQ(judge_areas(NULL, 0, true, false).class, KMT_CLASS_NONE);
}

TEST(what_an_unloaded_module_left_is_a_leak)
{
	static const uint64_t areas[] = { 0, 1 };

	CHECK_EQ(judge_areas(areas, 2, true, true).class, KMT_CLASS_LEAK);
	CHECK(judge_areas(areas, 2, true, true).confidence >= 0.9);
}

/* The verdict */

static struct kmt_result ten_minutes(void)
{
	return (struct kmt_result){
		.duration_ns = 600 * S,
		.start_ns = 1000 * S,
		.end_ns = 1600 * S,
		.grace_ns = 10 * S,
		.sample = 1,
		.is_complete = true,
		.totals = { .allocs = 1000000, .frees = 990000 },
	};
}

static struct kmt_row row(const char *function, enum kmt_class class, double confidence,
			  uint64_t objects)
{
	return (struct kmt_row){
		.function = function,
		.offset = 0x4c,
		.taint = "",
		.allocs = objects,
		.live_objects = objects,
		.mature_objects = objects,
		.mature_bytes = objects * 192,
		.judgement = { .class = class,
			       .confidence = confidence,
			       .trend = { KMT_SHAPE_LINEAR, (double)objects * 192 / 600, 0, 0,
					  1060 * S, 1600 * S } },
	};
}

TEST(the_headline_names_the_leak)
{
	struct kmt_result result = ten_minutes();
	struct kmt_row rows[] = { row("alloc_inode", KMT_CLASS_CACHE, 0.9, 1000000),
				  row("foo_rx_alloc", KMT_CLASS_LEAK, 0.97, 8102) };

	rows[1].module = "foo";
	rows[1].taint = "OE";
	CHECK_EQ(kmt_verdict_make(&result, rows, 2), 0);
	CHECK_EQ(result.verdict.leak, KMT_LEAK_LIKELY);
	CHECK_TEXT(result.verdict.headline,
		   "LEAK LIKELY: foo_rx_alloc+0x4c [foo] (out of tree): +8102 objects, "
		   "1.48 MiB, +8.90 MiB/h, linear for 9 m 00 s");
	CHECK_EQ(result.verdict.leaking_bytes, 8102 * 192);
	CHECK(result.verdict.confidence > 0.96);
}

TEST(the_order_of_rows_does_not_matter)
{
	struct kmt_result a = ten_minutes(), b = ten_minutes();
	struct kmt_row rows[] = { row("one", KMT_CLASS_LEAK, 0.9, 500),
				  row("two", KMT_CLASS_LEAK, 0.9, 500),
				  row("three", KMT_CLASS_LEAK, 0.6, 90000),
				  row("four", KMT_CLASS_LEAK, 0.9, 20) };
	struct kmt_row turned[] = { rows[3], rows[2], rows[1], rows[0] };

	for (int i = 0; i < 4; i++)
		rows[i].call_site = 0x1000 + i, turned[3 - i].call_site = 0x1000 + i;
	CHECK_EQ(kmt_verdict_make(&a, rows, 4), 0);
	CHECK_EQ(kmt_verdict_make(&b, turned, 4), 0);
	CHECK_TEXT(a.verdict.headline, b.verdict.headline);
	CHECK_HAS(a.verdict.headline, "LEAK LIKELY: one+0x4c: +500 objects");
	CHECK_HAS(a.verdict.headline, "(and 2 more)"); /* as sure as it is */
}

TEST(a_module_out_of_tree_is_named_first_among_equals)
{
	struct kmt_result result = ten_minutes();
	struct kmt_row rows[] = { row("__alloc_skb", KMT_CLASS_LEAK, 0.95, 3000),
				  row("foo_rx", KMT_CLASS_LEAK, 0.95, 1000) };

	rows[1].module = "foo";
	rows[1].taint = "O";
	CHECK_EQ(kmt_verdict_make(&result, rows, 2), 0);
	CHECK_HAS(result.verdict.headline, "foo_rx+0x4c [foo] (out of tree)");
	rows[0].mature_bytes *= 1000;
	CHECK_EQ(kmt_verdict_make(&result, rows, 2), 0);
	CHECK_HAS(result.verdict.headline, "__alloc_skb");
}

TEST(what_is_not_sure_is_called_possible_and_says_why)
{
	struct kmt_result result = ten_minutes();
	struct kmt_reason reasons[] = { { true, "rises" },
					{ false, "no probe says that it is freed" } };
	struct kmt_row rows[] = { row("foo", KMT_CLASS_LEAK, 0.6, 500) };

	rows[0].judgement.reasons = reasons;
	rows[0].judgement.nr_reasons = 2;
	CHECK_EQ(kmt_verdict_make(&result, rows, 1), 0);
	CHECK_EQ(result.verdict.leak, KMT_LEAK_POSSIBLE);
	CHECK_HAS(result.verdict.headline, "POSSIBLE LEAK: foo+0x4c");
	CHECK_HAS(result.verdict.headline, "not sure: no probe says that it is freed");
}

TEST(healthy_classes_make_no_leak)
{
	struct kmt_result result = ten_minutes();
	struct kmt_row rows[] = {
		row("a", KMT_CLASS_CACHE, 0.9, 100000),	 row("b", KMT_CLASS_TRANSIENT, 0.9, 1000),
		row("c", KMT_CLASS_UNTRACED, 0.9, 9000), row("d", KMT_CLASS_GROWTH, 0.4, 100),
		row("e", KMT_CLASS_GROWTH, 0.55, 20), /* too little */
		row("f", KMT_CLASS_NONE, 0.9, 3),
	};

	CHECK_EQ(kmt_verdict_make(&result, rows, 6), 0);
	CHECK_EQ(result.verdict.leak, KMT_LEAK_NONE);
	CHECK_HAS(result.verdict.headline, "NO LEAK: ");
	CHECK(result.verdict.confidence > 0.7);
	CHECK_EQ(result.verdict.leaking_bytes, 0);
}

TEST(what_is_suppressed_or_the_recorders_own_does_not_count)
{
	struct kmt_result result = ten_minutes();
	struct kmt_row rows[] = { row("a", KMT_CLASS_LEAK, 0.9, 1000),
				  row("b", KMT_CLASS_LEAK, 0.9, 1000) };

	rows[0].is_suppressed = true;
	rows[1].recorder_objects = 1000;
	CHECK_EQ(kmt_verdict_make(&result, rows, 2), 0);
	CHECK_EQ(result.verdict.leak, KMT_LEAK_NONE);
	rows[1].recorder_objects = 10;
	CHECK_EQ(kmt_verdict_make(&result, rows, 2), 0);
	CHECK_EQ(result.verdict.leak, KMT_LEAK_LIKELY);
}

TEST(what_is_not_told_apart_stays_a_doubt_if_suppressed)
{
	struct kmt_result result = ten_minutes();
	struct kmt_row rest = row(NULL, KMT_CLASS_UNCERTAIN, 0, 1000);

	rest.is_rest = true;
	rest.live_bytes = 192000;
	for (int i = 0; i < 2; i++) {
		rest.is_suppressed = i > 0;
		CHECK_EQ(kmt_verdict_make(&result, &rest, 1), 0);
		CHECK_EQ(result.verdict.leak, KMT_LEAK_NONE);
		CHECK_HAS(result.verdict.headline, "more call sites than are told apart");
		CHECK(result.verdict.confidence <= 0.4);
	}
}

TEST(a_tape_that_cannot_tell_says_so)
{
	struct kmt_result result = ten_minutes();

	result.totals.allocs = 0;
	CHECK_EQ(kmt_verdict_make(&result, NULL, 0), 0);
	CHECK_HAS(result.verdict.headline, "no allocation was recorded");
	CHECK(result.verdict.confidence < 0.1);

	result = ten_minutes();
	result.duration_ns = 4 * S;
	CHECK_EQ(kmt_verdict_make(&result, NULL, 0), 0);
	CHECK_TEXT(
		result.verdict.headline,
		"NO LEAK SEEN, but 4.00 s are too short to tell (objects younger than 10.0 s are not judged)");

	result = ten_minutes();
	result.lost = 500000;
	CHECK_EQ(kmt_verdict_make(&result, NULL, 0), 0);
	CHECK_HAS(result.verdict.headline, "NO LEAK SEEN, but 20 % of the events were lost");
	CHECK(result.verdict.confidence < 0.5);

	result = ten_minutes();
	result.reconciliation.nr_snapshots = 5;
	result.reconciliation.kernel_growth_bytes = 1200 * (int64_t)MIB;
	result.reconciliation.explained_bytes = 100 * (int64_t)MIB;
	CHECK_EQ(kmt_verdict_make(&result, NULL, 0), 0);
	CHECK_EQ(result.verdict.leak, KMT_LEAK_NONE);
	CHECK_HAS(result.verdict.headline, "NO LEAK SEEN, but kernel memory grew by 1.17 GiB");
	CHECK(result.verdict.confidence < 0.5);
}

TEST(vmalloc_alone_makes_a_verdict)
{
	struct kmt_result result = ten_minutes();
	struct kmt_vmalloc_row area = {
		.caller = "leaky_init+0x30/0x80 [leaky]",
		.module = "leaky",
		.taint = "O",
		.areas = 60,
		.bytes = 60 * MIB,
		.grown_areas = 60,
		.grown_bytes = 60 * (int64_t)MIB,
		.judgement = { .class = KMT_CLASS_LEAK, .confidence = 0.9 },
	};

	result.reconciliation.vmallocs = &area;
	result.reconciliation.nr_vmallocs = 1;
	CHECK_EQ(kmt_verdict_make(&result, NULL, 0), 0);
	CHECK_TEXT(
		result.verdict.headline,
		"LEAK LIKELY: vmalloc by leaky_init+0x30/0x80 [leaky] (out of tree): +60 areas, 60.0 MiB");
	area.judgement.class = KMT_CLASS_GROWTH;
	area.judgement.confidence = 0.6;
	CHECK_EQ(kmt_verdict_make(&result, NULL, 0), 0);
	CHECK_EQ(result.verdict.leak, KMT_LEAK_POSSIBLE);
}

TEST(texts_of_the_tape_are_made_safe)
{
	struct kmt_result result = ten_minutes();
	char function[600], module[600];
	struct kmt_row rows[] = { row(function, KMT_CLASS_LEAK, 0.6, 500) };
	struct kmt_reason reason = { false, "" };

	memset(function, '\x1b', sizeof(function) - 1);
	memset(module, '\xff', sizeof(module) - 1);
	memset(reason.text, 'x', sizeof(reason.text) - 1);
	function[sizeof(function) - 1] = module[sizeof(module) - 1] = '\0';
	rows[0].module = module;
	rows[0].taint = "O";
	rows[0].judgement.reasons = &reason;
	rows[0].judgement.nr_reasons = 1;
	rows[0].mature_objects = rows[0].mature_bytes = UINT64_MAX;
	rows[0].judgement.trend.bytes_per_s = 1e300;
	CHECK_EQ(kmt_verdict_make(&result, rows, 1), 0);
	CHECK(!strchr(result.verdict.headline, '\x1b'));
	CHECK(strlen(result.verdict.headline) < sizeof(result.verdict.headline));
	CHECK_HAS(result.verdict.headline, "\\x1b");
}

TEST(a_sample_is_scaled_and_said_to_be)
{
	struct kmt_result result = ten_minutes();
	struct kmt_row rows[] = { row("foo", KMT_CLASS_LEAK, 0.9, 500) };

	result.sample = 16;
	CHECK_EQ(kmt_verdict_make(&result, rows, 1), 0);
	CHECK_HAS(result.verdict.headline, "about +8000 objects, 1.46 MiB, +8.79 MiB/h");
	CHECK_EQ(result.verdict.leaking_bytes, 16 * 500 * 192);
}

TEST(a_pair_that_leaks_is_told_by_its_objects)
{
	struct kmt_result result = ten_minutes();
	struct kmt_row rows[] = { row("d_alloc", KMT_CLASS_LEAK, 0.9, 1000) };

	rows[0].space = KMT_SPACE_PAIR;
	rows[0].pair = "dentry";
	rows[0].mature_bytes = 0;
	rows[0].judgement.trend.bytes_per_s = 2; /* objects */
	CHECK_EQ(kmt_verdict_make(&result, rows, 1), 0);
	CHECK_EQ(result.verdict.leak, KMT_LEAK_LIKELY);
	CHECK_HAS(result.verdict.headline, "d_alloc+0x4c: +1000 objects (dentry), +7200/h");
	CHECK_EQ(result.verdict.leaking_bytes, 0);
	CHECK(result.verdict.is_unsized); /* so that --min-bytes doesn't forgive it */
}

TEST(a_calm_verdict_has_no_memory_twice)
{
	struct kmt_result result = ten_minutes();
	struct kmt_row rows[] = { row("ext4_alloc_inode", KMT_CLASS_CACHE, 0.9, 1 << 20),
				  row("allocate_slab", KMT_CLASS_CACHE, 0.9, 1 << 20),
				  row("do_anonymous_page", KMT_CLASS_CACHE, 0.9, 1 << 20) };

	rows[1].space = rows[2].space = KMT_SPACE_PAGE;
	rows[1].use = KMT_USE_SLAB;
	rows[2].use = KMT_USE_USER;
	CHECK_EQ(kmt_verdict_make(&result, rows, 3), 0);
	CHECK_HAS(result.verdict.headline, "; 192 MiB in caches");
}

/* What is always kept is not multiplied, and what nobody sampled neither. */
TEST(rows_of_a_sample_are_scaled_by_their_own_estimates)
{
	struct kmt_result result = ten_minutes();
	struct kmt_row rows[] = { row("foo", KMT_CLASS_LEAK, 0.9, 1000) };

	result.sample = 16;
	rows[0].live_bytes = 192000;
	rows[0].is_estimated = true;
	rows[0].estimate = (struct kmt_estimate){ .objects = 1000, .bytes = 192000 };
	CHECK_EQ(kmt_verdict_make(&result, rows, 1), 0);
	CHECK_EQ(result.verdict.leaking_bytes, 192000);
	CHECK_HAS(result.verdict.headline, ": +1000 objects");
	rows[0].estimate = (struct kmt_estimate){ .objects = 4000, .bytes = 768000 };
	CHECK_EQ(kmt_verdict_make(&result, rows, 1), 0);
	CHECK_EQ(result.verdict.leaking_bytes, 768000);
	CHECK_HAS(result.verdict.headline, ": about +4000 objects");
}

TEST(an_area_that_has_a_row_is_no_second_suspect)
{
	struct kmt_result result = ten_minutes();
	struct kmt_row rows[] = { row("foo", KMT_CLASS_LEAK, 0.9, 1000) };
	struct kmt_vmalloc_row area = { .caller = "foo+0x30/0x80",
					.taint = "",
					.grown_areas = 1000,
					.grown_bytes = 192000,
					.is_seen_by_events = true,
					.judgement = { .class = KMT_CLASS_LEAK,
						       .confidence = 0.9 } };

	rows[0].space = KMT_SPACE_VMALLOC;
	result.reconciliation.vmallocs = &area;
	result.reconciliation.nr_vmallocs = 1;
	CHECK_EQ(kmt_verdict_make(&result, rows, 1), 0);
	CHECK_EQ(result.verdict.leaking_bytes, 192000);
	CHECK_HAS(result.verdict.headline, "foo+0x4c (vmalloc): +1000 areas");
	CHECK(!strstr(result.verdict.headline, "more"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(areas_that_rise_at_every_snapshot_leak),
		ROW(a_long_series_is_judged_to_its_end),
		ROW(what_rises_once_or_falls_again_is_no_leak),
		ROW(two_snapshots_show_growth_at_most),
		ROW(what_an_unloaded_module_left_is_a_leak),
		ROW(the_headline_names_the_leak),
		ROW(the_order_of_rows_does_not_matter),
		ROW(a_module_out_of_tree_is_named_first_among_equals),
		ROW(what_is_not_sure_is_called_possible_and_says_why),
		ROW(healthy_classes_make_no_leak),
		ROW(what_is_suppressed_or_the_recorders_own_does_not_count),
		ROW(what_is_not_told_apart_stays_a_doubt_if_suppressed),
		ROW(a_tape_that_cannot_tell_says_so),
		ROW(vmalloc_alone_makes_a_verdict),
		ROW(texts_of_the_tape_are_made_safe),
		ROW(a_sample_is_scaled_and_said_to_be),
		ROW(a_pair_that_leaks_is_told_by_its_objects),
		ROW(a_calm_verdict_has_no_memory_twice),
		ROW(rows_of_a_sample_are_scaled_by_their_own_estimates),
		ROW(an_area_that_has_a_row_is_no_second_suspect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
