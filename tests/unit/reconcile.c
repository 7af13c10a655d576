// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>

#include "kmemtape/names.h"
#include "kmemtape/symbols.h"

#include "../../src/replay/cache-books.h"
#include "../../src/replay/slack.h"
#include "../../src/replay/vmalloc-series.h"
#include "ledger.h"

/* --- a live set and two snapshots, made short --- */

#define SECOND UINT64_C(1000000000)

struct scene {
	struct kmt_ledger *ledger;
	struct kmt_names *names;
	struct kmt_counters first, last;
	struct kmt_result *result;
	struct kmt_cache_books books;
	uint64_t ptr, time_ns;
};

static void init_scene(struct scene *scene)
{
	*scene = (struct scene){ .ledger = new_ledger(&usual), .ptr = PTR };
	CHECK_EQ(kmt_names_new(&scene->names, NULL), 0);
	CHECK_EQ(kmt_result_new(&scene->result, NULL), 0);
	scene->result->nr_cpus = 1;
	scene->result->sample = 1;
	kmt_counters_init(&scene->first);
	kmt_counters_init(&scene->last);
	scene->first.time_ns = 1;
	scene->last.time_ns = 10 * SECOND;
	kmt_ledger_mark(scene->ledger);
}

static void deinit_scene(struct scene *scene)
{
	kmt_cache_books_deinit(&scene->books);
	kmt_counters_deinit(&scene->first);
	kmt_counters_deinit(&scene->last);
	(void)kmt_result_free(scene->result);
	(void)kmt_ledger_free(scene->ledger);
	(void)kmt_names_free(scene->names);
}

static const char *intern(struct scene *scene, const char *name)
{
	return name ? kmt_names_intern(scene->names, name, strlen(name)) : NULL;
}

static void add_slab(struct kmt_counters *counters, const char *name, uint64_t active,
		     uint64_t bytes)
{
	char line[160];
	int n = snprintf(line, sizeof(line),
			 "%s %llu %llu %llu %llu 1 : tunables 0 0 0 : slabdata %llu %llu 0", name,
			 (unsigned long long)active, (unsigned long long)active,
			 (unsigned long long)bytes, 4096ull / bytes, active / (4096ull / bytes),
			 active / (4096ull / bytes));

	CHECK_EQ(kmt_counters_add_line(counters, KMT_COUNTERS_SLABINFO, line, (size_t)n), 0);
}

static void count(struct scene *scene, const char *name, uint64_t before, uint64_t after,
		  uint64_t bytes)
{
	add_slab(&scene->first, name, before, bytes);
	add_slab(&scene->last, name, after, bytes);
}

/* @nr objects of a cache (NULL: kmalloc), of which @freed are freed, and @reused replaced by
 * others. */
static void allocate(struct scene *scene, const char *cache, uint64_t bytes, unsigned int nr,
		     unsigned int freed, unsigned int reused)
{
	const char *name = intern(scene, cache);

	for (unsigned int i = 0; i < nr; i++) {
		struct kmt_event event = name ? CACHE_ALLOC(.text = name) : KMALLOC();

		event.ptr = scene->ptr += 4096;
		event.bytes_alloc = event.bytes_req = bytes;
		event.time_ns = ++scene->time_ns;
		take(scene->ledger, event);
		if (i < freed) {
			struct kmt_event free = name ? CACHE_FREE(.text = name) : KFREE();

			free.ptr = scene->ptr;
			free.time_ns = ++scene->time_ns;
			take(scene->ledger, free);
		} else if (i < freed + reused) {
			event.time_ns = scene->time_ns += 1000000;
			take(scene->ledger, event);
		}
	}
}

static void free_unknown(struct scene *scene, const char *cache, unsigned int nr)
{
	const char *name = intern(scene, cache);

	for (unsigned int i = 0; i < nr; i++)
		take(scene->ledger,
		     (struct kmt_event){ .kind = name ? KMT_EVENT_CACHE_FREE : KMT_EVENT_KFREE,
					 .ptr = scene->ptr += 4096,
					 .text = name,
					 .time_ns = ++scene->time_ns });
}

static void compare(struct scene *scene)
{
	struct kmt_rows_context context = { .names = scene->names, .page_bytes = PAGE };

	kmt_ledger_mark(scene->ledger);
	CHECK_EQ(kmt_counters_finish(&scene->first), 0);
	CHECK_EQ(kmt_counters_finish(&scene->last), 0);
	CHECK_EQ(kmt_cache_books_fill(&scene->books, &scene->first, &scene->last, scene->ledger,
				      &context, scene->result),
		 0);
}

static const struct kmt_cache_check *check_of(const struct scene *scene, const char *cache)
{
	const struct kmt_reconciliation *counted = &scene->result->reconciliation;

	for (size_t i = 0; i < counted->nr_caches; i++)
		if (strcmp(counted->caches[i].cache, cache) == 0)
			return &counted->caches[i];
	fail_msg("nothing on %s", cache);
	return NULL;
}

static struct kmt_cache_limit limit_of(const struct scene *scene, const char *cache, uint64_t bytes)
{
	struct kmt_cache_limit limit = { .allows = KMT_UNKNOWN };

	kmt_cache_books_limit(&scene->books, cache, bytes, &limit);
	return limit;
}

/* --- the error of slabinfo --- */

TEST(the_error_of_slub_is_what_its_cpus_keep)
{
	struct kmt_slab slab = { .active_objects = 100000,
				 .object_bytes = 192,
				 .objects_a_slab = 21 };

	/* b47291ef02b0: 240 in partial slabs and one slab more, and the slab in use; the node's
	 * sheaves */
	CHECK_EQ(kmt_slack_idle(&slab, 1, 1, PAGE), 21 + 240 + 21 + 600);
	CHECK_EQ(kmt_slack_idle(&slab, 2, 1, PAGE), 2 * (21 + 240 + 21) + 600);
	slab.active_objects = 50;
	CHECK_EQ(kmt_slack_idle(&slab, 64, 1, PAGE), 50); /* no more than there are */
}

TEST(the_error_of_slab_is_in_its_tunables)
{
	struct kmt_slab slab = { .active_objects = 100000,
				 .object_bytes = 192,
				 .limit = 120,
				 .batch = 60,
				 .shared = 8 };

	CHECK_EQ(kmt_slack_idle(&slab, 4, 1, PAGE), 4 * 120 + 60 * 8);
}

/* --- caches --- */

TEST(growth_that_is_counted_too_is_confirmed)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;
	struct kmt_cache_limit limit;

	init_scene(&scene);
	count(&scene, "mine", 0, 5000, 256);
	allocate(&scene, "mine", 256, 5000, 0, 0);
	compare(&scene);
	limit = limit_of(&scene, "mine", 256);
	CHECK(limit.is_confirmed && limit.allows >= 5000 && limit.allows < 5300);
	CHECK_EQ(check_of(&scene, "mine")->counted_objects, 5000);
	CHECK(check_of(&scene, "mine")->booked_low == 5000 &&
	      check_of(&scene, "mine")->booked_high == 5000);
	CHECK(!check_of(&scene, "mine")->is_contradicted);
	/* 16 a page, so that 312 whole slabs */
	CHECK_EQ(kmt_cache_books_explained(&scene.books, false, 312 * 4096), 312 * 4096);
}

TEST(more_than_was_counted_is_contradicted)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;

	init_scene(&scene);
	count(&scene, "mine", 100, 150, 256);
	allocate(&scene, "mine", 256, 5000, 0, 0);
	compare(&scene);
	CHECK(check_of(&scene, "mine")->is_contradicted);
	CHECK(!limit_of(&scene, "mine", 256).is_confirmed);
	/* 150 are active; what came while they were counted, and kfence's, is 102 and 2 (5 ms of
	 * 500 a second) */
	CHECK(limit_of(&scene, "mine", 256).allows < 150 + 110);
}

TEST(what_older_objects_left_is_room_for_new_ones)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;

	init_scene(&scene);
	count(&scene, "mine", 9000, 9000, 256);
	allocate(&scene, "mine", 256, 5000, 0, 0);
	free_unknown(&scene, "mine", 5000);
	compare(&scene);
	CHECK(!check_of(&scene, "mine")->is_contradicted);
	CHECK(check_of(&scene, "mine")->booked_low == 0 &&
	      check_of(&scene, "mine")->booked_high == 5000);
	CHECK(limit_of(&scene, "mine", 256).allows >= 5000);
	CHECK(!limit_of(&scene, "mine", 256).is_confirmed);
}

TEST(older_objects_may_have_gone_unseen_where_others_do)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;

	init_scene(&scene);
	count(&scene, "mine", 9000, 9000, 256);
	count(&scene, "seen", 9000, 9000, 256);
	allocate(&scene, "mine", 256, 5000, 0, 4000);
	allocate(&scene, "seen", 256, 5000, 0, 0);
	compare(&scene);
	CHECK(!check_of(&scene, "mine")->is_contradicted); /* the turnover of 5000 may be real */
	CHECK(check_of(&scene, "seen")->is_contradicted);
}

TEST(no_more_is_live_than_is_active)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;

	init_scene(&scene);
	count(&scene, "mine", 9000, 300, 256);
	allocate(&scene, "mine", 256, 2000, 0, 0);
	free_unknown(&scene, "mine", 30000); /* of allocations without an event, too */
	compare(&scene);
	CHECK(check_of(&scene, "mine")->is_contradicted);
	CHECK(limit_of(&scene, "mine", 256).allows < 300 + 110);
}

TEST(what_is_freed_again_is_no_growth)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;

	init_scene(&scene);
	count(&scene, "mine", 500, 600, 256);
	allocate(&scene, "mine", 256, 3000, 2900, 0);
	compare(&scene);
	CHECK_EQ(check_of(&scene, "mine")->booked_high, 100);
	CHECK(!check_of(&scene, "mine")->is_contradicted);
}

TEST(variants_of_kmalloc_are_one_cache)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;

	init_scene(&scene);
	count(&scene, "kmalloc-64", 0, 1000, 64);
	count(&scene, "kmalloc-cg-64", 0, 1000, 64);
	count(&scene, "kmalloc-rcl-64", 0, 1000, 64);
	count(&scene, "kmalloc-rnd-03-64", 0, 1000, 64);
	count(&scene, "dma-kmalloc-64", 0, 1000, 64);
	count(&scene, "msg_msg-64", 0, 1000, 64);
	count(&scene, "kmalloc-1024", 0, 500, 1024); /* until Linux 4.18 */
	allocate(&scene, NULL, 64, 6000, 0, 0);
	allocate(&scene, NULL, 1024, 500, 0, 0);
	compare(&scene);
	CHECK_EQ(check_of(&scene, "kmalloc-64")->counted_objects, 6000);
	CHECK(!check_of(&scene, "kmalloc-64")->is_contradicted);
	CHECK(limit_of(&scene, "kmalloc-64", 64).is_confirmed);
	CHECK_EQ(check_of(&scene, "kmalloc-1k")->counted_objects, 500);
	CHECK(!limit_of(&scene, "kmalloc-64", 64).is_reclaimable); /* but one of them is */
}

TEST(a_free_by_kfree_may_be_of_any_kmalloc_cache)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;

	init_scene(&scene);
	count(&scene, "kmalloc-64", 9000, 9000, 64);
	count(&scene, "mine", 9000, 9000, 64);
	allocate(&scene, NULL, 64, 3000, 0, 0);
	allocate(&scene, "mine", 64, 3000, 0, 0);
	free_unknown(&scene, NULL, 3000);
	compare(&scene);
	CHECK_EQ(check_of(&scene, "kmalloc-64")->booked_low, 0);
	CHECK_EQ(check_of(&scene, "mine")->booked_low, 3000);
	CHECK(!check_of(&scene, "kmalloc-64")->is_contradicted);
}

TEST(without_names_the_size_tells)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;
	unsigned int nr = 3000;

	init_scene(&scene);
	count(&scene, "mine", 0, 100, 320);
	count(&scene, "yours", 0, 3000, 328);
	for (unsigned int i = 0; i < nr; i++)
		take(scene.ledger, CACHE_ALLOC(.ptr = scene.ptr += 4096,
					       .bytes_alloc = i % 2 ? 320 : 328, .time_ns = i + 1));
	compare(&scene);
	CHECK(limit_of(&scene, NULL, 320).allows < 500);
	CHECK(limit_of(&scene, NULL, 328).allows >= 1500 &&
	      limit_of(&scene, NULL, 328).is_confirmed);
	CHECK_EQ(limit_of(&scene, NULL, 400).allows, KMT_UNKNOWN);
	CHECK_EQ(limit_of(&scene, "nobody's", 320).allows, KMT_UNKNOWN);
}

TEST(settling_does_not_count)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;
	uint64_t ptr;

	init_scene(&scene);
	count(&scene, "mine", 0, 3000, 256);
	allocate(&scene, "mine", 256, 3000, 0, 0);
	ptr = scene.ptr;
	compare(&scene);
	for (unsigned int i = 0; i < 3000; i++) /* behind the last snapshot */
		take(scene.ledger, CACHE_FREE(.ptr = ptr - 4096ull * i, .time_ns = 20 * SECOND));
	CHECK_EQ(check_of(&scene, "mine")->booked_high, 3000);
	CHECK(limit_of(&scene, "mine", 256).is_confirmed);
}

TEST(lost_events_may_have_been_frees_of_older_objects)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;

	init_scene(&scene);
	count(&scene, "mine", 9000, 9000, 256);
	allocate(&scene, "mine", 256, 3000, 0, 0);
	scene.result->totals.losses = 1;
	scene.result->lost = 2500;
	compare(&scene);
	CHECK(limit_of(&scene, "mine", 256).allows >= 2500);
}

TEST(of_a_sample_nothing_is_said)
{
	KMT_CLEANUP(deinit_scene) struct scene scene;

	init_scene(&scene);
	count(&scene, "mine", 0, 100, 256);
	allocate(&scene, "mine", 256, 3000, 0, 0);
	scene.result->sample = 16;
	compare(&scene);
	CHECK_EQ(limit_of(&scene, "mine", 256).allows, KMT_UNKNOWN);
	CHECK(!limit_of(&scene, "mine", 256).is_confirmed &&
	      !check_of(&scene, "mine")->is_contradicted);
	CHECK_EQ(check_of(&scene, "mine")->booked_high, 48000);
}

/* --- callers of vmalloc --- */

static void add_snapshot(struct kmt_vmalloc_series *series, const struct kmt_symbols *symbols,
			 uint64_t time_ns, const char *text)
{
	KMT_CLEANUP(kmt_counters_deinit) struct kmt_counters counters;

	kmt_counters_init(&counters);
	CHECK_EQ(kmt_counters_add(&counters, KMT_COUNTERS_VMALLOCINFO, text, strlen(text)), 0);
	CHECK_EQ(kmt_counters_finish(&counters), 0);
	counters.time_ns = time_ns;
	CHECK_EQ(kmt_vmalloc_series_add(series, &counters, symbols), 0);
}

#define AREA(size, caller) "0x1-0x2 " size " " caller " pages=1 vmalloc N0=1\n"

static int read_no_table(void *context, unsigned int line, char **ret_text, size_t *ret_bytes)
{
	return -ENOENT;
}

TEST(callers_that_grew_are_judged_and_no_others)
{
	KMT_CLEANUP(kmt_vmalloc_series_deinit) struct kmt_vmalloc_series series;
	KMT_CLEANUP(kmt_symbols_freep) struct kmt_symbols *symbols = NULL;
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = NULL;
	static const char modules[] = "load 0 lab 8192 0xffffffffc0000000 OE -\n";
	const struct kmt_vmalloc_row *row;
	char text[16384];

	kmt_vmalloc_series_init(&series);
	CHECK_EQ(kmt_symbols_new(&symbols, NULL), 0);
	CHECK_EQ(kmt_symbols_add_modules(symbols, modules, strlen(modules), read_no_table, NULL,
					 NULL),
		 0);
	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	for (unsigned int i = 0; i < 8; i++) {
		(void)snprintf(
			text, sizeof(text),
			AREA("8192", "same+0x1/0x2") "0x1-0x2 %u lab_take+0x1/0x2 [lab] pages=%u\n"
						     "0x1-0x2 %u kernel_clone+0x1/0x2 pages=%u\n"
						     "0x1-0x2 %u less+0x1/0x2 pages=1\n",
			(i + 1) * 40960, i + 1, (i + 1) * 20480, 4 * (i + 1), 99999 - i);
		for (unsigned int k = 0; k < 10 * i; k++)
			strcat(text, AREA("4096", "lab_take+0x1/0x2 [lab]"));
		add_snapshot(&series, symbols, (i + 1) * 60 * SECOND, text);
	}
	result->grace_ns = 10 * SECOND;
	CHECK_EQ(kmt_vmalloc_series_fill(&series, symbols, result), 0);
	CHECK_EQ(result->reconciliation.nr_vmallocs, 2);
	row = &result->reconciliation.vmallocs[0];
	CHECK_TEXT(row->caller, "lab_take+0x1/0x2 [lab]");
	CHECK_TEXT(row->module, "lab");
	CHECK_TEXT(row->taint, "OE");
	CHECK(row->areas == 71 && row->grown_areas == 70 && row->bytes == 8 * 40960 + 70 * 4096);
	CHECK(row->judgement.class == KMT_CLASS_LEAK);
	row = &result->reconciliation.vmallocs[1]; /* linear as it is */
	CHECK(row->judgement.class <= KMT_CLASS_GROWTH && row->judgement.confidence < 0.5);
	CHECK(row->judgement.nr_reasons > 0);
}

static int read_table(void *context, unsigned int line, char **ret_text, size_t *ret_bytes)
{
	*ret_text =
		strdup("ffffffffc0000100 t lab_take\t[lab]\nffffffffc0000200 t lab_end\t[lab]\n");
	*ret_bytes = strlen(*ret_text);
	return 0;
}

TEST(areas_keep_their_caller_when_its_module_goes)
{
	KMT_CLEANUP(kmt_vmalloc_series_deinit) struct kmt_vmalloc_series series;
	KMT_CLEANUP(kmt_symbols_freep) struct kmt_symbols *symbols = NULL;
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = NULL;
	static const char modules[] = "load 5 lab 8192 0xffffffffc0000000 OE -\nunload 15 lab\n";
	const struct kmt_vmalloc_row *row;

	kmt_vmalloc_series_init(&series);
	CHECK_EQ(kmt_symbols_new(&symbols, NULL), 0);
	CHECK_EQ(kmt_symbols_add_modules(symbols, modules, strlen(modules), read_table, NULL, NULL),
		 0);
	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	add_snapshot(&series, symbols, 1, "");
	add_snapshot(&series, symbols, 10, AREA("8192", "lab_take+0x30/0x100 [lab]"));
	add_snapshot(&series, symbols, 20, AREA("8192", "0xffffffffc0000130"));
	CHECK_EQ(kmt_vmalloc_series_fill(&series, symbols, result), 0);
	CHECK_EQ(result->reconciliation.nr_vmallocs, 1);
	row = &result->reconciliation.vmallocs[0];
	CHECK_TEXT(row->caller, "lab_take+0x30/0x100 [lab]");
	CHECK(row->areas == 1 && row->judgement.class == KMT_CLASS_LEAK &&
	      row->judgement.confidence > 0.7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(the_error_of_slub_is_what_its_cpus_keep),
		ROW(the_error_of_slab_is_in_its_tunables),
		ROW(growth_that_is_counted_too_is_confirmed),
		ROW(more_than_was_counted_is_contradicted),
		ROW(what_older_objects_left_is_room_for_new_ones),
		ROW(older_objects_may_have_gone_unseen_where_others_do),
		ROW(no_more_is_live_than_is_active),
		ROW(what_is_freed_again_is_no_growth),
		ROW(variants_of_kmalloc_are_one_cache),
		ROW(a_free_by_kfree_may_be_of_any_kmalloc_cache),
		ROW(without_names_the_size_tells),
		ROW(settling_does_not_count),
		ROW(lost_events_may_have_been_frees_of_older_objects),
		ROW(of_a_sample_nothing_is_said),
		ROW(callers_that_grew_are_judged_and_no_others),
		ROW(areas_keep_their_caller_when_its_module_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
