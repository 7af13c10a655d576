// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdio.h>

#include <json-c/json.h>

#include "kmemtape/report.h"

#include "check.h"

#define S UINT64_C(1000000000)

static const char hostile[] = "a\x1b[2J\n\xff\xe2\x80\xae\"\\b";

static const struct kmt_frame frames[] = {
	{ .address = 0x1234,
	  .function = hostile,
	  .module = hostile,
	  .taint = "O",
	  .lines = hostile },
	{ .address = 0x5678, .module = hostile, .taint = "" },
};

/* One site, whose every text comes from someone who means harm; the caller frees it. */
static struct kmt_result *make(void)
{
	struct kmt_dossier *dossier;
	struct kmt_result *result;

	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	result->path = strdup(hostile);
	result->kernel = strdup(hostile);
	result->arch = strdup(hostile);
	result->clock = strdup(hostile);
	result->host = strdup(hostile);
	CHECK_EQ(kmt_result_note(result, "%s", hostile), 0);
	result->end_ns = 3700 * S;
	result->is_complete = result->is_explanation = true;
	result->rows = calloc(1, sizeof(*result->rows));
	result->dossiers = dossier = calloc(1, sizeof(*dossier));
	CHECK(result->rows && dossier);
	result->nr_rows = result->nr_dossiers = 1;
	result->rows[0] = (struct kmt_row){ .call_site = 0x1234,
					    .function = hostile,
					    .module = hostile,
					    .taint = "OE",
					    .cache = hostile,
					    .instance = 1,
					    .owner = hostile,
					    .owner_module = hostile,
					    .owner_taint = "O",
					    .nr_owners = 1,
					    .nr_stacks = 1,
					    .frames = frames,
					    .nr_frames = 2 };
	result->stacks = calloc(1, sizeof(*result->stacks));
	CHECK(result->stacks);
	result->nr_stacks = 1;
	result->stacks[0] = (struct kmt_stack_row){ .site = { .call_site = 0x1234, .instance = 1 },
						    .frames = frames,
						    .nr_frames = 2,
						    .allocs = 10 };
	*dossier = (struct kmt_dossier){ .site = { .call_site = 0x1234, .instance = 1 },
					 .allocs = 10,
					 .frees = 3,
					 .live = 7,
					 .remembered = 1 };
	dossier->tasks = calloc(2, sizeof(*dossier->tasks));
	dossier->flags = calloc(1, sizeof(*dossier->flags));
	dossier->sizes = calloc(1, sizeof(*dossier->sizes));
	dossier->freers = calloc(1, sizeof(*dossier->freers));
	CHECK(dossier->tasks && dossier->flags && dossier->sizes && dossier->freers);
	dossier->nr_tasks = 2;
	dossier->nr_flags = dossier->nr_sizes = dossier->nr_freers = 1;
	dossier->tasks[0] =
		(struct kmt_dossier_task){ .comm = hostile, .pid = 42, .allocs = 4, .live = 1 };
	dossier->tasks[1] =
		(struct kmt_dossier_task){ .comm = NULL, .pid = KMT_PID_OTHERS, .allocs = 3 };
	dossier->flags[0] =
		(struct kmt_dossier_flags){ .gfp = 0xcc0, .text = hostile, .allocs = 10 };
	dossier->sizes[0] = (struct kmt_dossier_size){ 100, 128, 10, 7 };
	dossier->freers[0] = (struct kmt_dossier_freer){
		.call_site = 0x77, .function = hostile, .module = hostile, .taint = "", .frees = 3
	};
	dossier->nr_oldest = 3;
	dossier->oldest[0] = (struct kmt_dossier_object){ .ptr = 0xffff888104f5a000,
							  .time_ns = 98877 * (S / 1000),
							  .allocated = 192,
							  .has_details = true,
							  .comm = "foo",
							  .pid = 4242 };
	dossier->oldest[1] = (struct kmt_dossier_object){ .ptr = 0x99,
							  .time_ns = 3000 * S,
							  .has_details = true,
							  .comm = "<interrupt>",
							  .pid = -1,
							  .running = KMT_RUNNING_SOFTIRQ };
	dossier->oldest[2] = (struct kmt_dossier_object){ .ptr = 0x98, .time_ns = 3001 * S };
	return result;
}

static char *explanation(const struct kmt_result *result)
{
	struct kmt_report_options options = { .top = 10 };
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	CHECK(file);
	kmt_report_explain(result, &options, file);
	CHECK_EQ(fclose(file), 0);
	return text;
}

static char *table(const struct kmt_result *result)
{
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	CHECK(file);
	CHECK_EQ(kmt_report_intervals(result, file, NULL), 0);
	CHECK_EQ(fclose(file), 0);
	return text;
}

static void check_safe(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		CHECK((*p >= 0x20 && *p < 0x7f) || *p == '\n');
}

TEST(texts_of_the_tape_are_made_safe)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make();
	KMT_CLEANUP(kmt_freep) char *text = explanation(result);

	check_safe(text);
	CHECK_HAS(text, "a\\x1b[2J\\x0a\\xff");
}

TEST(the_oldest_objects_look_as_in_kmemleak)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make();
	KMT_CLEANUP(kmt_freep) char *text = explanation(result);

	CHECK_HAS(text, "\nunreferenced object 0xffff888104f5a000 (size 192):\n"
			"  comm \"foo\", pid 4242, age 3601.123s\n  backtrace");
	CHECK_HAS(text, "  comm \"softirq\", pid 0, age 700.000s (allocated in interrupt)\n");
	CHECK_HAS(text, "  comm and pid not remembered, age 699.000s\n");
}

/* All of it where there is just one: else nobody knows which it was. */
TEST(a_backtrace_is_that_of_the_only_stack)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make();
	KMT_CLEANUP(kmt_freep) char *one = explanation(result), *two = NULL;

	CHECK_HAS(one, "  backtrace:\n    [<0000000000001234>] a\\x1b");
	CHECK_HAS(one, "\n    [<0000000000005678>] 0x5678 (init) [a\\x1b");
	result->rows[0].nr_stacks = 2;
	two = explanation(result);
	CHECK_HAS(two, "  backtrace (call site only):\n    [<0000000000001234>] a\\x1b");
	CHECK(!strstr(two, "[<0000000000005678>]"));
}

TEST(what_a_list_leaves_out_is_said)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make();
	KMT_CLEANUP(kmt_freep) char *text = explanation(result);

	CHECK_HAS(text, "and 3 allocations by tasks that the list");
	CHECK_HAS(text, "(more of them)");
	CHECK_HAS(text, "LIVE is of the 1 live objects whose birth is remembered");
}

TEST(an_explanation_is_json_too)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make();
	struct kmt_report_options options = { .top = 0 };
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	struct json_object *root, *list = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	CHECK(file);
	CHECK_EQ(kmt_report_json(result, &options, file, NULL), 0);
	CHECK_EQ(fclose(file), 0);
	root = json_tokener_parse(text);
	CHECK(root && json_object_object_get_ex(root, "explain", &list));
	CHECK_EQ(json_object_array_length(list), 1);
	CHECK(!json_object_object_get_ex(root, "intervals", &list)); /* nobody asked */
	json_object_put(root);
}

TEST(a_table_has_columns_and_remarks)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make();
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	result->interval_ns = S;
	result->only = hostile;
	result->only_by = KMT_BY_CACHE;
	result->intervals = calloc(2, sizeof(*result->intervals));
	CHECK(result->intervals);
	result->nr_intervals = 2;
	result->intervals[0] =
		(struct kmt_interval){ 100 * S, 101 * S, 33118, 20531, 7, 12580, 2415360, 0, 0 };
	result->intervals[1] =
		(struct kmt_interval){ 101 * S, 101 * S + S / 2, 1, 11, 0, 12570, 2413440, 1, 9 };
	text = table(result);
	check_safe(text);
	CHECK_HAS(text, "\n    1.000 -           33118    20531       7   +12580    12580"
			"    2415360 0\n");
	CHECK_HAS(text, " 1.500 -               1       11       0      -10    12570"
			"    2413440 9?\n");
	CHECK_HAS(text, "# in all: alloc 33119 free 20542 reused 7 live 12570\n");
	for (char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n'))
		CHECK(line[1] == '#' || line[1] == ' ');
	CHECK_EQ(text[0], '#');
}

TEST(a_table_without_lines_is_only_remarks)
{
	KMT_CLEANUP(kmt_result_freep) struct kmt_result *result = make();
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	result->interval_ns = 10;
	text = table(result);
	CHECK_HAS(text, "# in all: alloc 0 free 0 reused 0 live 0\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(texts_of_the_tape_are_made_safe),
		ROW(the_oldest_objects_look_as_in_kmemleak),
		ROW(a_backtrace_is_that_of_the_only_stack),
		ROW(what_a_list_leaves_out_is_said),
		ROW(an_explanation_is_json_too),
		ROW(a_table_has_columns_and_remarks),
		ROW(a_table_without_lines_is_only_remarks),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
