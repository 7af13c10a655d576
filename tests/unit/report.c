// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdio.h>

#include <json-c/json.h>

#include "kmemtape/report.h"

#include "check.h"

static const char hostile[] = "a\x1b[2J\n\xff\xe2\x80\xae\"\\b";

/* A result with rows of every kind; the caller frees it. */
static struct kmt_result *make(enum kmt_group group, size_t nr_rows)
{
	struct kmt_result *result;

	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	result->path = strdup("slow.tape");
	result->kernel = strdup("6.18.5");
	result->arch = strdup("x86_64");
	result->clock = strdup("mono");
	result->host = strdup("h");
	(void)snprintf(result->started_at, sizeof(result->started_at), "2026-11-22T20:00:00Z");
	result->nr_cpus = 2;
	result->duration_ns = UINT64_C(12500000000);
	result->sample = 1;
	result->is_complete = true;
	result->has_symbols = true;
	result->group = group;
	result->totals = (struct kmt_totals){ .allocs = 1000,
					      .frees = 905,
					      .null_frees = 5,
					      .paired = 890,
					      .unknown_frees = 10,
					      .reused = 10,
					      .live = 100,
					      .peak_live = 300 };
	result->totals.by_kind[KMT_EVENT_KMALLOC] = 1000;
	result->totals.by_kind[KMT_EVENT_KFREE] = 905;
	result->rows = calloc(nr_rows ? nr_rows : 1, sizeof(*result->rows));
	CHECK(result->rows);
	result->nr_rows = nr_rows;
	for (size_t i = 0; i < nr_rows; i++)
		result->rows[i] = (struct kmt_row){ .call_site = 0xffffffff81000000 + i,
						    .function = "alloc_pipe_info",
						    .offset = 0x4d,
						    .size = 0x1f0,
						    .taint = "",
						    .cache = "kmalloc-1k",
						    .nr_caches = 1,
						    .comm = "bash",
						    .pid = 100,
						    .allocs = 10,
						    .frees = 5,
						    .live_objects = 5,
						    .live_bytes = 5120,
						    .requested_bytes = 5000,
						    .oldest_age_ns = 2000000000 };
	return result;
}

static char *text_of(const struct kmt_result *result, uint64_t top)
{
	struct kmt_report_options options = { .top = top };
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	CHECK(file);
	kmt_report_text(result, &options, file);
	CHECK_EQ(fclose(file), 0);
	return text;
}

static struct json_object *json_of(const struct kmt_result *result, uint64_t top)
{
	struct kmt_report_options options = { .top = top };
	struct json_object *root;
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	CHECK(file);
	CHECK_EQ(kmt_report_json(result, &options, file, NULL), 0);
	CHECK_EQ(fclose(file), 0);
	root = json_tokener_parse(text);
	if (!root)
		fail_msg("not JSON: %s", text);
	free(text);
	return root;
}

static void put_json(struct json_object **object)
{
	json_object_put(*object);
}

/* "tape.kernel"; NULL if it isn't there */
static struct json_object *at(struct json_object *root, const char *path)
{
	char name[64];

	while (*path) {
		size_t n = strcspn(path, ".");

		(void)snprintf(name, sizeof(name), "%.*s", (int)n, path);
		if (!json_object_object_get_ex(root, name, &root))
			return NULL;
		path += n + (path[n] == '.');
	}
	return root;
}

static struct json_object *first_row(struct json_object *root, const char *list)
{
	CHECK(at(root, list));
	CHECK(json_object_array_length(at(root, list)) > 0);
	return json_object_array_get_idx(at(root, list), 0);
}

static size_t count(const char *text, const char *part)
{
	size_t nr = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		nr++;
	return nr;
}

static const char *const lists[] = {
	[KMT_BY_SITE] = "sites", [KMT_BY_CACHE] = "caches", [KMT_BY_MODULE] = "modules",
	[KMT_BY_COMM] = "comms", [KMT_BY_PID] = "pids",
};

TEST(text_fits_80_columns)
{
	for (enum kmt_group group = KMT_BY_SITE; group <= KMT_BY_PID; group++) {
		KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(group, 3);
		KMT_CLEANUP(kmt_freep) char *text = NULL;

		result->lost = result->totals.lost = 123456;
		result->totals.losses = 12;
		result->totals.uncertain = 99;
		result->is_complete = false;
		result->older_ns = UINT64_C(10000000000);
		result->live_bytes = 15360;
		result->recorder_objects = 3;
		result->recorder_bytes = 4096;
		result->rows[0].uncertain_objects = 1;
		result->rows[1].reused = 90;
		result->rows[2].module = "nf_conntrack";
		result->rows[2].taint = "";
		result->rows[2].function = "nf_conntrack_alloc";
		text = text_of(result, 2);
		for (const char *line = text; *line;) {
			size_t n = strcspn(line, "\n");

			if (n > 80)
				fail_msg("%zu columns: %.*s", n, (int)n, line);
			line += n + (line[n] == '\n');
		}
	}
}

TEST(hostile_names_are_escaped_in_text)
{
	for (enum kmt_group group = KMT_BY_SITE; group <= KMT_BY_PID; group++) {
		KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(group, 1);
		KMT_CLEANUP(kmt_freep) char *text = NULL;

		free(result->path);
		free(result->kernel);
		free(result->arch);
		free(result->clock);
		result->path = strdup(hostile);
		result->kernel = strdup(hostile);
		result->arch = strdup(hostile);
		result->clock = strdup(hostile);
		result->rows[0].function = result->rows[0].module = result->rows[0].cache = hostile;
		result->rows[0].comm = result->rows[0].taint = hostile;
		result->rows[0].owner = result->rows[0].owner_module = hostile;
		result->rows[0].owner_taint = hostile;
		CHECK_EQ(kmt_result_note(result, "%s", hostile), 0);
		text = text_of(result, 0);
		for (const char *p = text; *p; p++)
			CHECK((*p >= 0x20 && *p < 0x7f) || *p == '\n');
		CHECK(!strstr(text, "\n\\xff")); /* no line was broken */
	}
}

TEST(very_long_names_do_no_harm)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(kmt_freep) char *text = NULL, *name = malloc(100000);
	KMT_CLEANUP(put_json) struct json_object *root = NULL;

	CHECK(name);
	memset(name, '\x01', 99999);
	name[99999] = '\0';
	result->rows[0].function = result->rows[0].module = result->rows[0].cache = name;
	CHECK_EQ(kmt_result_note(result, "%s", name), 0);
	text = text_of(result, 0);
	CHECK(strlen(text) < 10000);
	root = json_of(result, 0);
	CHECK(at(root, "sites"));
}

TEST(losses_and_doubts_come_before_the_numbers)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	result->lost = result->totals.lost = 7;
	result->totals.losses = 1;
	result->is_complete = false;
	CHECK_EQ(kmt_result_note(result, "kallsyms was hidden"), 0);
	text = text_of(result, 0);
	CHECK_HAS(text, "LOST 7 EVENTS in 1 place:");
	CHECK(strstr(text, "LOST") < strstr(text, "events "));
	CHECK(strstr(text, "INCOMPLETE") < strstr(text, "events "));
	CHECK(strstr(text, "kallsyms was hidden") < strstr(text, "events "));
}

TEST(a_whole_tape_without_loss_raises_no_doubt)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(kmt_freep) char *text = text_of(result, 0);

	CHECK(!strstr(text, "LOST"));
	CHECK(!strstr(text, "INCOMPLETE"));
	CHECK(!strstr(text, "note:"));
	CHECK(!strstr(text, "maybe"));
	CHECK(!strstr(text, "freed unseen"));
}

TEST(an_unknown_number_of_lost_events_is_not_called_zero)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	result->totals.losses = 2;
	text = text_of(result, 0);
	CHECK_HAS(text, "LOST AN UNKNOWN NUMBER OF EVENTS in 2 places");
}

TEST(lost_events_that_only_the_kernel_counted_have_no_place)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	result->lost = 5; /* from per_cpu/stats; no mark on the tape */
	text = text_of(result, 0);
	CHECK_HAS(text, "LOST 5 EVENTS");
	CHECK(!strstr(text, "in 0 places"));
}

TEST(what_qualifies_the_numbers_is_said_in_words)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 3);
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	result->rows[0].reused = 7;
	result->rows[1].uncertain_objects = 4;
	result->rows[1].recorder_objects = 1;
	result->rows[2].is_unloaded = true;
	text = text_of(result, 0);
	CHECK_EQ(count(text, "7 freed unseen"), 1);
	CHECK_EQ(count(text, "4 maybe freed in a loss"), 1);
	CHECK_EQ(count(text, "1 kmemtape's own"), 1);
	CHECK_EQ(count(text, "module unloaded"), 1);
}

TEST(text_shows_as_many_rows_as_asked_and_tells_of_the_rest)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 10);
	KMT_CLEANUP(kmt_freep) char *some = text_of(result, 4), *all = text_of(result, 0);
	KMT_CLEANUP(kmt_freep) char *just = text_of(result, 10);

	CHECK_EQ(count(some, "alloc_pipe_info"), 4);
	CHECK_HAS(some, "and 6 more with 30.0 KiB");
	CHECK_EQ(count(all, "alloc_pipe_info"), 10);
	CHECK_EQ(count(just, "alloc_pipe_info"), 10);
	CHECK(!strstr(just, " more with"));
}

TEST(rows_with_nothing_live_are_not_in_the_text)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 2);
	KMT_CLEANUP(kmt_freep) char *text = NULL, *none = NULL;

	result->rows[0].live_objects = 0;
	text = text_of(result, 1);
	CHECK_EQ(count(text, "alloc_pipe_info"), 1);
	CHECK(!strstr(text, " more with"));
	result->rows[1].live_objects = 0;
	none = text_of(result, 1);
	CHECK_HAS(none, "No call site has anything live.");
}

TEST(a_site_without_a_name_is_an_address)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(kmt_freep) char *text = NULL, *in_module = NULL;

	result->rows[0].function = NULL;
	text = text_of(result, 0);
	CHECK_HAS(text, "0xffffffff81000000");
	result->rows[0].module = "m";
	in_module = text_of(result, 0);
	CHECK_HAS(in_module, "+0x4d");
	CHECK_HAS(in_module, "[m]");
}

TEST(an_empty_result_divides_by_nothing)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 0);
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	memset(&result->totals, 0, sizeof(result->totals));
	text = text_of(result, 0);
	CHECK(!strstr(text, "nan") && !strstr(text, "inf"));
}

TEST(percentages_never_round_to_all_or_nothing)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 0);
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	result->totals.allocs = 1000000;
	result->totals.paired = 999999;
	result->totals.reused = 0;
	result->totals.live = 1;
	text = text_of(result, 0);
	CHECK_HAS(text, "freed 99.9 %");
	CHECK_HAS(text, "live < 0.1 %");
	CHECK_HAS(text, "unseen 0.0 %");
}

TEST(json_has_all_keys_of_schema_1)
{
	static const char *const keys[] = {
		"schema",
		"tape.path",
		"tape.kernel",
		"tape.arch",
		"tape.clock",
		"tape.cpus",
		"tape.started_at",
		"tape.duration_ns",
		"tape.complete",
		"tape.sample",
		"events.total",
		"events.allocs",
		"events.frees",
		"events.null_frees",
		"events.lost",
		"events.by_name.kmalloc",
		"events.by_name.kfree",
		"events.by_name.kmem_cache_alloc",
		"events.by_name.kmem_cache_free",
		"matching.paired",
		"matching.reused",
		"matching.unknown_frees",
		"matching.live",
		"matching.grace_ns",
		"verdict.leak",
		"verdict.confidence",
		"verdict.headline",
		"reconciliation",
		"history.start_ns",
		"suppressions",
		"sites",
	};
	static const char *const site[] = { "call_site",       "symbol",
					    "function",	       "offset",
					    "module",	       "cache",
					    "allocs",	       "frees",
					    "reused",	       "live_objects",
					    "live_bytes",      "requested_bytes",
					    "oldest_age_ns",   "class",
					    "confidence",      "reasons.for",
					    "reasons.against", "rate_bytes_per_s",
					    "trend.shape",     "uncertain_objects",
					    "live_estimate",   "suppressed" };
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(put_json) struct json_object *root = NULL;

	result->rows[0].module = "m";
	(void)strcpy(result->verdict.headline, "NO LEAK");
	root = json_of(result, 0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!at(root, keys[i]))
			fail_msg("no %s", keys[i]);
	for (size_t i = 0; i < sizeof(site) / sizeof(site[0]); i++)
		if (!at(first_row(root, "sites"), site[i]))
			fail_msg("no %s in a site", site[i]);
	CHECK_EQ(json_object_get_int(at(root, "schema")), 1);
}

TEST(json_numbers_are_those_of_the_result)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(put_json) struct json_object *root = NULL;
	struct json_object *row;

	result->duration_ns = UINT64_MAX;
	root = json_of(result, 0);
	row = first_row(root, "sites");
	CHECK_EQ(json_object_get_int64(at(root, "events.total")), 1905);
	CHECK_EQ(json_object_get_int64(at(root, "matching.live")), 100);
	CHECK(json_object_get_uint64(at(root, "tape.duration_ns")) == UINT64_MAX);
	CHECK_TEXT(json_object_get_string(at(row, "call_site")), "0xffffffff81000000");
	CHECK_TEXT(json_object_get_string(at(row, "symbol")), "alloc_pipe_info+0x4d");
	CHECK_EQ(json_object_get_int64(at(row, "live_bytes")), 5120);
	CHECK_EQ(json_object_get_int64(at(row, "oldest_age_ns")), 2000000000);
}

TEST(absent_means_unknown)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(put_json) struct json_object *root = NULL;
	struct json_object *row;

	result->started_at[0] = '\0';
	free(result->kernel);
	result->kernel = NULL;
	result->rows[0].function = result->rows[0].cache = NULL;
	result->rows[0].offset = 0;
	result->rows[0].is_unknown = true;
	result->rows[0].live_objects = 0;
	root = json_of(result, 0);
	row = first_row(root, "sites");
	CHECK(!at(root, "tape.started_at") && !at(root, "tape.kernel"));
	CHECK(!at(row, "symbol") && !at(row, "function") && !at(row, "offset") &&
	      !at(row, "cache"));
	CHECK(!json_object_object_get_ex(row, "module", NULL)); /* not even null */
	CHECK(!at(row, "oldest_age_ns"));			/* there is none */
	CHECK(at(row, "call_site"));
}

TEST(built_in_code_has_module_null)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(put_json) struct json_object *root = json_of(result, 0);
	struct json_object *module = root;

	CHECK(json_object_object_get_ex(first_row(root, "sites"), "module", &module));
	CHECK(!module);
}

TEST(each_grouping_has_its_own_list)
{
	for (enum kmt_group group = KMT_BY_SITE; group <= KMT_BY_PID; group++) {
		KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(group, 2);
		KMT_CLEANUP(put_json) struct json_object *root = json_of(result, 0);

		for (enum kmt_group other = KMT_BY_SITE; other <= KMT_BY_PID; other++)
			CHECK_EQ(at(root, lists[other]) != NULL, other == group);
		CHECK_EQ(json_object_array_length(at(root, lists[group])), 2);
	}
}

TEST(json_shows_as_many_rows_as_asked)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 10);
	KMT_CLEANUP(put_json)
	struct json_object *some = json_of(result, 4), *all = json_of(result, 0);

	CHECK_EQ(json_object_array_length(at(some, "sites")), 4);
	CHECK_EQ(json_object_array_length(at(all, "sites")), 10);
}

TEST(rows_with_nothing_live_are_in_the_json)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 3);
	KMT_CLEANUP(put_json) struct json_object *root = NULL;

	result->rows[1].live_objects = 0;
	root = json_of(result, 0);
	CHECK_EQ(json_object_array_length(at(root, "sites")), 3);
}

TEST(hostile_names_are_valid_json)
{
	for (enum kmt_group group = KMT_BY_SITE; group <= KMT_BY_PID; group++) {
		KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(group, 1);
		KMT_CLEANUP(put_json) struct json_object *root = NULL;
		const char *name;

		result->rows[0].function = result->rows[0].module = result->rows[0].cache = hostile;
		result->rows[0].comm = result->rows[0].taint = hostile;
		CHECK_EQ(kmt_result_note(result, "%s", hostile), 0);
		root = json_of(result, 0);
		name = json_object_get_string(json_object_array_get_idx(at(root, "notes"), 0));
		for (const char *p = name; *p; p++)
			CHECK(*p >= 0x20 && *p < 0x7f);
	}
}

TEST(json_has_the_verdict_and_what_it_is_made_of)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(put_json) struct json_object *root = NULL;
	struct kmt_judgement *judgement = &result->rows[0].judgement;
	struct json_object *row;

	result->verdict =
		(struct kmt_verdict){ KMT_LEAK_POSSIBLE, 0.64999, "POSSIBLE LEAK", 77, 1.5 };
	result->rows[0].is_suppressed = true;
	result->rows[0].mature_objects = 4;
	judgement->class = KMT_CLASS_UNTRACED;
	judgement->live_estimate = 3;
	judgement->certain_objects = 2;
	judgement->trend = (struct kmt_trend){ KMT_SHAPE_STEPS, 10, -1, 20, 5 };
	judgement->reasons = calloc(3, sizeof(*judgement->reasons));
	CHECK(judgement->reasons);
	judgement->nr_reasons = 3;
	judgement->reasons[0] = (struct kmt_reason){ true, "first" };
	judgement->reasons[1] = (struct kmt_reason){ false, "but" };
	judgement->reasons[2] = (struct kmt_reason){ true, "second" };
	root = json_of(result, 0);
	row = first_row(root, "sites");
	CHECK_TEXT(json_object_get_string(at(root, "verdict.leak")), "possible");
	CHECK_TEXT(json_object_to_json_string(at(root, "verdict.confidence")), "0.650");
	CHECK_TEXT(json_object_get_string(at(root, "verdict.headline")), "POSSIBLE LEAK");
	CHECK_EQ(json_object_get_int(at(root, "verdict.leaking_bytes")), 77);
	CHECK_TEXT(json_object_get_string(at(row, "class")), "untraced-frees");
	CHECK_TEXT(json_object_to_json_string(at(row, "reasons.for")), "[ \"first\", \"second\" ]");
	CHECK_TEXT(json_object_to_json_string(at(row, "reasons.against")), "[ \"but\" ]");
	CHECK_TEXT(json_object_to_json_string(at(row, "rate_bytes_per_s")), "10.000");
	CHECK_TEXT(json_object_to_json_string(at(row, "rate_interval")), "[ -1.000, 20.000 ]");
	CHECK_TEXT(json_object_get_string(at(row, "trend.shape")), "steps");
	CHECK_EQ(json_object_get_int(at(row, "trend.since_ns")), 5);
	CHECK_EQ(json_object_get_int(at(row, "live_estimate")), 3);
	CHECK_EQ(json_object_get_int(at(row, "certain_objects")), 2);
	CHECK_EQ(json_object_get_int(at(row, "mature_objects")), 4);
	CHECK(json_object_get_boolean(at(row, "suppressed")));
	CHECK(!at(row, "history") && !at(row, "ages"));
}

TEST(json_curves_are_as_long_as_the_grid)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(put_json) struct json_object *root = NULL;
	struct kmt_history history = { 0 };
	struct json_object *row;

	result->grid = (struct kmt_grid){ 100, 1 << 20, 3 };
	history.live[2] = 7;
	history.born[0] = UINT64_MAX;
	history.live_ages[0] = 6;
	history.freed_ages[KMT_AGE_BINS - 1] = 5;
	CHECK_EQ(kmt_history_pack(&history, &result->rows[0].history), 0);
	root = json_of(result, 0);
	row = first_row(root, "sites");
	CHECK_EQ(json_object_get_int(at(root, "history.bucket_ns")), 1 << 20);
	CHECK_TEXT(json_object_to_json_string(at(row, "history.live_objects")), "[ 0, 0, 7 ]");
	CHECK_TEXT(json_object_to_json_string(at(row, "history.born")),
		   "[ 18446744073709551615, 0, 0 ]");
	CHECK_EQ(json_object_array_length(at(row, "ages")), 2);
	CHECK_TEXT(json_object_to_json_string(json_object_array_get_idx(at(row, "ages"), 0)),
		   "{ \"from_ns\": 0, \"live\": 6, \"freed\": 0, \"reused\": 0 }");
}

TEST(json_has_the_counters_only_if_they_were_read_twice)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(put_json) struct json_object *once = NULL, *twice = NULL;
	struct kmt_reconciliation *counted = &result->reconciliation;
	struct json_object *item;

	counted->nr_snapshots = 1;
	once = json_of(result, 0);
	CHECK_EQ(json_object_get_int(at(once, "reconciliation.snapshots")), 1);
	CHECK(!at(once, "reconciliation.kernel_growth_bytes") && !at(once, "reconciliation.items"));

	counted->nr_snapshots = 2;
	counted->kernel_growth_bytes = -5;
	counted->items = calloc(2, sizeof(*counted->items));
	counted->caches = calloc(1, sizeof(*counted->caches));
	counted->vmallocs = calloc(1, sizeof(*counted->vmallocs));
	CHECK(counted->items && counted->caches && counted->vmallocs);
	counted->nr_items = 2;
	counted->items[0] = (struct kmt_bill_item){ "SUnreclaim", 9, true, 8 };
	counted->items[1] = (struct kmt_bill_item){ "PageTables", 9, false, 0 };
	counted->nr_caches = counted->nr_vmallocs = 1;
	counted->caches[0].cache = hostile;
	counted->vmallocs[0].caller = hostile;
	counted->vmallocs[0].judgement.class = KMT_CLASS_LEAK;
	twice = json_of(result, 0);
	CHECK_EQ(json_object_get_int(at(twice, "reconciliation.kernel_growth_bytes")), -5);
	item = json_object_array_get_idx(at(twice, "reconciliation.items"), 1);
	CHECK(!at(item, "explained_bytes")); /* nothing is known of it, which is not 0 */
	item = json_object_array_get_idx(at(twice, "reconciliation.vmallocs"), 0);
	CHECK_TEXT(json_object_get_string(at(item, "class")), "leak");
}

TEST(json_has_no_infinities)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(put_json) struct json_object *root = NULL;
	struct kmt_trend *trend = &result->rows[0].judgement.trend;

	result->verdict.confidence = __builtin_nan("");
	trend->bytes_per_s = __builtin_inf();
	trend->low = -__builtin_inf();
	trend->high = 1.7e308;
	root = json_of(result, 0); /* parses it */
	CHECK(json_object_get_double(at(root, "verdict.confidence")) == 0);
	CHECK(json_object_get_double(at(first_row(root, "sites"), "rate_bytes_per_s")) == 0);
}

TEST(json_lists_what_suppressions_hid)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_SITE, 1);
	KMT_CLEANUP(put_json) struct json_object *root = NULL;

	result->suppressions = calloc(1, sizeof(*result->suppressions));
	CHECK(result->suppressions);
	result->nr_suppressions = 1;
	result->suppressions[0] = (struct kmt_suppression_hits){ "foo*", 1, 2, 3 };
	root = json_of(result, 0);
	CHECK_TEXT(json_object_to_json_string(at(root, "suppressions")),
		   "[ { \"pattern\": \"foo*\", \"rows\": 1, \"objects\": 2, \"bytes\": 3 } ]");
}

TEST(an_interrupt_has_no_pid)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make(KMT_BY_PID, 1);
	KMT_CLEANUP(put_json) struct json_object *root = NULL;

	result->rows[0].pid = -1;
	result->rows[0].comm = "<interrupt>";
	root = json_of(result, 0);
	CHECK(!at(first_row(root, "pids"), "pid"));
	CHECK_TEXT(json_object_get_string(at(first_row(root, "pids"), "comm")), "<interrupt>");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(text_fits_80_columns),
		ROW(hostile_names_are_escaped_in_text),
		ROW(very_long_names_do_no_harm),
		ROW(losses_and_doubts_come_before_the_numbers),
		ROW(a_whole_tape_without_loss_raises_no_doubt),
		ROW(an_unknown_number_of_lost_events_is_not_called_zero),
		ROW(lost_events_that_only_the_kernel_counted_have_no_place),
		ROW(what_qualifies_the_numbers_is_said_in_words),
		ROW(text_shows_as_many_rows_as_asked_and_tells_of_the_rest),
		ROW(rows_with_nothing_live_are_not_in_the_text),
		ROW(a_site_without_a_name_is_an_address),
		ROW(an_empty_result_divides_by_nothing),
		ROW(percentages_never_round_to_all_or_nothing),
		ROW(json_has_all_keys_of_schema_1),
		ROW(json_numbers_are_those_of_the_result),
		ROW(absent_means_unknown),
		ROW(built_in_code_has_module_null),
		ROW(each_grouping_has_its_own_list),
		ROW(json_shows_as_many_rows_as_asked),
		ROW(rows_with_nothing_live_are_in_the_json),
		ROW(hostile_names_are_valid_json),
		ROW(json_has_the_verdict_and_what_it_is_made_of),
		ROW(json_curves_are_as_long_as_the_grid),
		ROW(json_has_the_counters_only_if_they_were_read_twice),
		ROW(json_has_no_infinities),
		ROW(json_lists_what_suppressions_hid),
		ROW(an_interrupt_has_no_pid),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
