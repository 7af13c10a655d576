// SPDX-License-Identifier: GPL-2.0-only
/* Trees of stacks: all is there once, shares add up, and what is cut is said. */
#include <stdio.h>
#include <string.h>

#include "../../src/report/stack-tree.h"
#include "check.h"

#define SITE UINT64_C(0xffffffff81000110)
#define MANY 300u

static const char *const functions[] = { "site", "a", "b", "c", "d", "entry" };

struct bench {
	struct kmt_result result;
	struct kmt_stack_row rows[MANY];
	struct kmt_frame frames[MANY][8];
	char text[1 << 16];
};

/* @path: one letter a caller, "e" the system call */
static void add(struct bench *bench, const char *path, uint64_t live)
{
	struct kmt_stack_row *row = &bench->rows[bench->result.nr_stacks];
	struct kmt_frame *frames = bench->frames[bench->result.nr_stacks++];

	*row = (struct kmt_stack_row){ .site = { .call_site = SITE },
				       .frames = frames,
				       .allocs = live + 1,
				       .live_objects = live,
				       .live_bytes = live * 64 };
	frames[row->nr_frames++] = (struct kmt_frame){
		.address = SITE, .function = "site", .offset = 0x10, .size = 0x80, .taint = ""
	};
	for (; *path; path++)
		frames[row->nr_frames++] = (struct kmt_frame){
			.address = SITE + 0x100 * (uint64_t)*path,
			.function = functions[*path == 'e' ? 5 : *path - 'a' + 1],
			.offset = 0x20,
			.size = 0x90,
			.module = *path == 'd' ? "drv" : NULL,
			.taint = "",
		};
}

static const char *print(struct bench *bench, uint64_t top)
{
	FILE *file = fmemopen(bench->text, sizeof(bench->text), "w");
	const struct kmt_site site = { .call_site = SITE };

	CHECK(file);
	bench->result.stacks = bench->rows;
	CHECK_EQ(kmt_stack_tree_print(&bench->result, &site, top, false, file), 0);
	(void)fclose(file);
	return bench->text;
}

TEST(stacks_are_merged_from_the_site_outward)
{
	static struct bench bench;

	add(&bench, "abe", 10);
	add(&bench, "ace", 30);
	add(&bench, "dce", 60);
	CHECK_TEXT(print(&bench, 10),
		   "\n  SHARE      LIVE  OBJECTS  CALLED BY, OUTWARD FROM THE CALL SITE\n"
		   "100.0 %  6.25 KiB      100  site+0x10/0x80\n"
		   " 60.0 %  3.75 KiB       60  + d+0x20/0x90 [drv]\n"
		   "                            | c+0x20/0x90\n"
		   "                            | entry+0x20/0x90\n"
		   " 40.0 %  2.50 KiB       40  ` a+0x20/0x90\n"
		   " 30.0 %  1.88 KiB       30    + c+0x20/0x90\n"
		   "                              | entry+0x20/0x90\n"
		   " 10.0 %     640 B       10    ` b+0x20/0x90\n"
		   "                                entry+0x20/0x90\n");
}

TEST(a_stack_may_end_where_others_go_on)
{
	static struct bench bench;

	add(&bench, "a", 10);
	add(&bench, "ab", 30);
	CHECK_HAS(print(&bench, 10), " 25.0 %     640 B       10  ` (the stack ends here)\n");
	CHECK_HAS(bench.text, " 75.0 %  1.88 KiB       30  + b+0x20/0x90\n");
}

TEST(what_is_cut_is_said)
{
	static struct bench bench;
	unsigned int lines = 0;

	for (unsigned int i = 0; i < MANY; i++) {
		add(&bench, "abcd", MANY - i);
		bench.frames[i][1].address += i;
	}
	print(&bench, 10);
	CHECK_HAS(bench.text, "and 295 more stacks with ");
	for (const char *p = bench.text; *p; p++)
		lines += *p == '\n';
	CHECK(lines < 40);
	print(&bench, 0);
	CHECK(!strstr(bench.text, " more"));
	for (lines = 0; *bench.text && strchr(bench.text, '\n'); lines++)
		memmove(bench.text, strchr(bench.text, '\n') + 1,
			strlen(strchr(bench.text, '\n') + 1) + 1);
	CHECK_EQ(lines, 3 + MANY * 4);
}

TEST(stacks_of_other_sites_and_none_are_no_branches)
{
	static struct bench bench;

	add(&bench, "ae", 10);
	add(&bench, "be", 10);
	bench.rows[1].site.call_site++;
	add(&bench, "", 5);
	bench.rows[2].nr_frames = 0;
	print(&bench, 10);
	CHECK(!strstr(bench.text, "b+0x20"));
	CHECK_HAS(bench.text, "  and 6 allocations without a stack, 5 live\n");
}

TEST(long_names_lose_their_size_first)
{
	static struct bench bench;

	add(&bench, "ae", 10);
	bench.frames[0][1].function = "a_function_whose_name_is_hard_to_fit_in_a_line";
	CHECK_HAS(print(&bench, 10), "a_function_whose_name_is_hard_to_fit_in_a_line+0x20\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(stacks_are_merged_from_the_site_outward),
		ROW(a_stack_may_end_where_others_go_on),
		ROW(what_is_cut_is_said),
		ROW(stacks_of_other_sites_and_none_are_no_branches),
		ROW(long_names_lose_their_size_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
