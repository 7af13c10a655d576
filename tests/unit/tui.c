// SPDX-License-Identifier: GPL-2.0-only
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>

#include "../../src/tui/filter.h"
#include "../../src/tui/glyph.h"
#include "../../src/tui/keys.h"
#include "../../src/tui/list.h"
#include "../../src/tui/screen.h"
#include "../../src/tui/wrap.h"

#include "check.h"

#define SECOND UINT64_C(1000000000)
#define FOO    UINT64_C(0xffffffffc0001000)
#define KERNEL UINT64_C(0xffffffff81001000)

static struct kmt_frame frames[] = {
	{ .address = FOO, .function = "leak", .size = 64, .module = "foo" },
	{ .address = FOO + 64, .function = "one", .size = 64, .module = "foo" },
	{ .address = FOO + 128, .function = "two", .size = 64, .module = "foo" },
	{ .address = KERNEL, .function = "entry", .size = 64 },
};
static struct kmt_frame by_one[3], by_two[3];

static void name_row(struct kmt_row *row, const char *function, const char *module,
		     const char *cache)
{
	row->call_site = (module ? FOO : KERNEL) + (uint64_t)function[0];
	row->function = function;
	row->size = 64;
	row->module = module;
	row->taint = "";
	row->cache = cache;
}

static void count_row(struct kmt_row *row, uint64_t allocs, uint64_t live, uint64_t bytes)
{
	row->allocs = allocs;
	row->frees = allocs - live;
	row->live_objects = live;
	row->live_bytes = bytes;
	row->oldest_age_ns = live * SECOND;
}

static void judge_row(struct kmt_row *row, enum kmt_class class, double bytes_per_s)
{
	row->judgement.class = class;
	row->judgement.confidence = 0.5;
	row->judgement.trend.shape = KMT_SHAPE_LINEAR;
	row->judgement.trend.bytes_per_s = bytes_per_s;
}

static struct kmt_result *make_result(enum kmt_group group, size_t nr_rows)
{
	struct kmt_result *result;

	CHECK_EQ(kmt_result_new(&result, NULL), 0);
	result->path = strdup("/tapes/host1.tape");
	result->kernel = strdup("6.1.0");
	result->arch = strdup("x86_64");
	result->clock = strdup("mono");
	result->host = strdup("host1");
	result->rows = calloc(nr_rows, sizeof(*result->rows));
	CHECK(result->path && result->kernel && result->arch && result->clock && result->host &&
	      result->rows);
	result->nr_rows = nr_rows;
	result->group = group;
	result->sample = 1;
	result->nr_cpus = 1;
	result->is_complete = true;
	result->duration_ns = 100 * SECOND;
	(void)snprintf(result->verdict.headline, sizeof(result->verdict.headline),
		       "LEAK LIKELY: leak+0x0 [foo]: +300 KiB");
	result->verdict.leak = KMT_LEAK_LIKELY;
	return result;
}

static void give_history(struct kmt_result *result, struct kmt_row *row)
{
	struct kmt_history history = { .live = { 0 } };

	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++)
		history.live_bytes[i] = row->live_bytes * i / KMT_HISTORY_POINTS;
	CHECK_EQ(kmt_history_pack(&history, &row->history), 0);
	result->grid.nr = KMT_HISTORY_POINTS;
}

/* In the order of suspicion: not that of any number. */
static struct kmt_result *make_sites(void)
{
	struct kmt_result *result = make_result(KMT_BY_SITE, 4);

	name_row(&result->rows[0], "leak", "foo", "foo_cache");
	count_row(&result->rows[0], 300, 300, 307200);
	judge_row(&result->rows[0], KMT_CLASS_LEAK, 100);
	give_history(result, &result->rows[0]);
	name_row(&result->rows[1], "inode", NULL, "inode_cache");
	count_row(&result->rows[1], 1000, 500, 1024000);
	judge_row(&result->rows[1], KMT_CLASS_CACHE, 10);
	name_row(&result->rows[2], "brief", NULL, "kmalloc-64");
	count_row(&result->rows[2], 5000, 2, 128);
	judge_row(&result->rows[2], KMT_CLASS_TRANSIENT, 0);
	name_row(&result->rows[3], "gone", NULL, "kmalloc-64");
	count_row(&result->rows[3], 7, 0, 0);
	return result;
}

/* Two stacks of the same call site. */
static struct kmt_result *make_stacks(void)
{
	struct kmt_result *result = make_result(KMT_BY_STACK, 3);

	by_one[0] = by_two[0] = frames[0];
	by_one[1] = frames[1];
	by_two[1] = frames[2];
	by_one[2] = by_two[2] = frames[3];
	for (int i = 0; i < 2; i++) {
		name_row(&result->rows[i], "leak", "foo", "foo_cache");
		count_row(&result->rows[i], 100, 100, i ? 102400 : 204800);
		judge_row(&result->rows[i], KMT_CLASS_LEAK, 10);
		result->rows[i].frames = i ? by_two : by_one;
		result->rows[i].nr_frames = 3;
	}
	name_row(&result->rows[2], "inode", NULL, "inode_cache");
	count_row(&result->rows[2], 1000, 500, 1024000);
	return result;
}

static char *read_row(const struct kmt_canvas *canvas, int row, char text[4096])
{
	const struct kmt_cell *cells = kmt_canvas_row(canvas, row);
	size_t used = 0;

	for (int i = 0; i < canvas->nr_columns; i++)
		if (cells[i].glyph)
			used += (size_t)snprintf(text + used, 4096 - used, "%lc",
						 (wint_t)cells[i].glyph);
	return text;
}

/* The first row that has @part; -1: none does. */
static int find_row(const struct kmt_screen *screen, const char *part)
{
	char text[4096];

	for (int i = 0; i < screen->canvas.nr_rows; i++)
		if (strstr(read_row(&screen->canvas, i, text), part))
			return i;
	return -1;
}

static void draw(struct kmt_screen *screen)
{
	kmt_screen_draw(screen, (struct kmt_reading){ 0 });
}

static void open_screen(struct kmt_screen *screen, int nr_rows, int nr_columns)
{
	struct kmt_tui_request request;

	kmt_screen_init(screen, "/tapes/host1.tape", true);
	kmt_screen_want(screen, KMT_BY_SITE);
	CHECK_EQ(kmt_screen_resize(screen, nr_rows, nr_columns), 0);
	CHECK(kmt_screen_wants(screen, &request));
	CHECK_EQ(request.group, KMT_BY_SITE);
	CHECK_EQ(kmt_screen_take(screen, &request, make_sites(), NULL), 0);
	draw(screen);
}

static void press(struct kmt_screen *screen, const char *keys)
{
	for (; *keys; keys++)
		CHECK_EQ(kmt_screen_press(screen, *keys), 0);
	draw(screen);
}

static void press_key(struct kmt_screen *screen, int key)
{
	CHECK_EQ(kmt_screen_press(screen, key), 0);
	draw(screen);
}

static const char *chosen_name(struct kmt_screen *screen)
{
	const struct kmt_item *item = kmt_table_chosen(kmt_screen_table(screen));

	return item ? item->name : "";
}

TEST(no_character_moves_the_cursor)
{
	const char *texts[] = {
		"\x1b", "\x07", "\x7f", "\xc2\x9b", "\xff", "\xe2\x80", "\xcc\x81"
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (const char *p = texts[i]; *p;) {
			int columns;

			CHECK_EQ(kmt_glyph_next(&p, true, &columns), L'?');
			CHECK_EQ(columns, 1);
		}
}

TEST(wide_characters_take_two_columns_or_a_mark)
{
	CHECK_EQ(kmt_glyph_columns("a漢b", true), 4);
	CHECK_EQ(kmt_glyph_columns("a漢b", false), 3);
}

TEST(a_wide_character_is_not_cut_in_halves)
{
	struct kmt_canvas canvas = { .is_utf8 = true };
	char text[4096];

	CHECK_EQ(kmt_canvas_resize(&canvas, 1, 4), 0);
	CHECK_EQ(kmt_canvas_put(&canvas, 0, 1, 9, KMT_STYLE_PLAIN, "漢漢"), 2);
	CHECK_TEXT(read_row(&canvas, 0, text), " 漢 ");
	CHECK_EQ(kmt_canvas_put(&canvas, 7, 0, 9, KMT_STYLE_PLAIN, "x"), 0);
	CHECK_EQ(kmt_canvas_put(&canvas, 0, 9, 9, KMT_STYLE_PLAIN, "x"), 0);
	kmt_canvas_deinit(&canvas);
}

TEST(lines_are_broken_between_words)
{
	CHECK_EQ(kmt_wrap_bytes("one two three", 13, 9, true), 7);
	CHECK_EQ(kmt_wrap_bytes("one two three", 13, 7, true), 7);
	CHECK_EQ(kmt_wrap_bytes("one two three", 13, 13, true), 13);
	CHECK_EQ(kmt_wrap_bytes("onetwothree", 11, 4, true), 4);
	CHECK_EQ(kmt_wrap_bytes("漢", 3, 1, true), 3);
}

TEST(the_chosen_line_is_on_the_screen)
{
	struct kmt_list list = { 0 };
	uint64_t state = 1;

	for (int i = 0; i < 100000; i++) {
		uint64_t n = check_random(&state);

		if (n % 5 == 0)
			kmt_list_set_nr(&list, n / 5 % 30);
		else if (n % 5 == 1)
			kmt_list_set_rows(&list, n / 5 % 10);
		else if (n % 5 == 2)
			kmt_list_choose(&list, n / 5 % 40);
		else
			kmt_list_move(&list, (long)(n / 5 % 41) - 20);
		CHECK(list.nr_rows >= 1);
		CHECK(list.nr ? list.chosen < list.nr : list.chosen == 0);
		CHECK(list.top <= list.chosen && list.chosen < list.top + list.nr_rows);
		CHECK(list.nr <= list.nr_rows ? list.top == 0 : list.top <= list.nr - list.nr_rows);
	}
}

TEST(more_rows_show_what_is_above)
{
	struct kmt_list list = { .nr = 10, .nr_rows = 1, .top = 4, .chosen = 4 };

	kmt_list_set_rows(&list, 3);
	CHECK_EQ(list.top, 2);
	kmt_list_set_rows(&list, 30);
	CHECK_EQ(list.top, 0);
	CHECK_EQ(list.chosen, 4);
}

TEST(a_filter_wants_each_word_in_any_case)
{
	struct kmt_filter filter = { 0 };

	CHECK(kmt_filter_matches(&filter, "anything", NULL));
	for (const char *p = "FOO rx"; *p; p++)
		CHECK(kmt_filter_add(&filter, *p));
	CHECK(kmt_filter_matches(&filter, "rx_alloc [foo]", NULL));
	CHECK(kmt_filter_matches(&filter, "rx_alloc", "foo_cache"));
	CHECK(!kmt_filter_matches(&filter, "rx_alloc", "bar"));
	CHECK(!kmt_filter_add(&filter, 0x1b));
	CHECK(!kmt_filter_add(&filter, KMT_KEY_UP));
	for (int i = 0; i < 1000; i++)
		(void)kmt_filter_add(&filter, 'x');
	CHECK_EQ(filter.length, KMT_FILTER_BYTES - 1);
	while (filter.length)
		CHECK(kmt_filter_erase(&filter));
	CHECK(!kmt_filter_erase(&filter));
}

TEST(each_key_has_one_meaning)
{
	for (const struct kmt_keys *keys = kmt_keys; keys->names; keys++)
		for (size_t i = 0; i < 6 && keys->bindings[i].key; i++)
			CHECK_EQ(kmt_key_action(keys->bindings[i].key), keys->bindings[i].action);
}

TEST(the_first_screen_says_what_leaks)
{
	struct kmt_screen screen;

	open_screen(&screen, 24, 80);
	CHECK(find_row(&screen, "host1.tape") == 0);
	CHECK(find_row(&screen, "LEAK LIKELY: leak+0x0 [foo]") == 1);
	CHECK(find_row(&screen, "confidence") > 1);
	CHECK(find_row(&screen, "leak+0x0/0x40 [foo]") > find_row(&screen, "CALL SITE"));
	CHECK(find_row(&screen, "gone") < 0); /* nothing of it is live */
	kmt_screen_deinit(&screen);
}

TEST(what_cannot_be_told_does_not_look_healthy)
{
	struct kmt_screen screen;
	struct kmt_verdict *verdict;

	open_screen(&screen, 24, 80);
	verdict = &screen.groups[KMT_BY_SITE].result->verdict;
	verdict->leak = KMT_LEAK_NONE;
	verdict->confidence = 0;
	draw(&screen);
	CHECK_EQ(kmt_canvas_row(&screen.canvas, 1)->style, KMT_STYLE_DOUBTFUL);
	verdict->confidence = 0.9;
	draw(&screen);
	CHECK_EQ(kmt_canvas_row(&screen.canvas, 1)->style, KMT_STYLE_GOOD);
	kmt_screen_deinit(&screen);
}

TEST(rows_go_by_each_column_and_back)
{
	struct kmt_screen screen;

	open_screen(&screen, 24, 80);
	CHECK_HAS(chosen_name(&screen), "leak");
	press(&screen, "s"); /* live bytes */
	CHECK_HAS(chosen_name(&screen), "inode");
	press(&screen, "r");
	CHECK_HAS(chosen_name(&screen), "brief");
	press(&screen, "ss"); /* objects, rate */
	CHECK_HAS(chosen_name(&screen), "leak");
	press(&screen, "ss"); /* oldest, share freed */
	CHECK_HAS(chosen_name(&screen), "leak");
	press(&screen, "s"); /* allocations */
	CHECK_HAS(chosen_name(&screen), "brief");
	press(&screen, "s"); /* name */
	CHECK_HAS(chosen_name(&screen), "brief");
	press(&screen, "s");
	CHECK_HAS(chosen_name(&screen), "leak");
	CHECK(find_row(&screen, "by suspicion") == 23);
	press(&screen, "S");
	CHECK(find_row(&screen, "by name") == 23);
	kmt_screen_deinit(&screen);
}

static void add_all(struct kmt_filter *filter, const char *text)
{
	for (; *text; text++)
		CHECK(kmt_filter_add(filter, (unsigned char)*text));
}

TEST(a_filter_takes_and_erases_whole_characters)
{
	struct kmt_filter filter = { 0 };

	add_all(&filter, "a\u00e9\u6f22");
	CHECK(kmt_filter_matches(&filter, "leaky A\u00e9\u6f22+0x20", NULL));
	CHECK(!kmt_filter_matches(&filter, "leaky a\u00e9\u6f23+0x20", NULL));
	CHECK(kmt_filter_erase(&filter));
	CHECK_TEXT(filter.text, "a\u00e9");
	CHECK(kmt_filter_erase(&filter));
	CHECK_TEXT(filter.text, "a");
	/* What is none is gone at once, too, and nothing before it. */
	CHECK(kmt_filter_add(&filter, 0xe6));
	CHECK(kmt_filter_erase(&filter));
	CHECK_TEXT(filter.text, "a");
	CHECK(kmt_filter_add(&filter, 0x80));
	while (filter.length)
		CHECK(kmt_filter_erase(&filter));
	/* Where one would be cut, it isn't begun. */
	while (filter.length < KMT_FILTER_BYTES - 3)
		CHECK(kmt_filter_add(&filter, 'x'));
	CHECK(!kmt_filter_add(&filter, 0xe6));
	CHECK(!kmt_filter_add(&filter, 0x7f));
}

TEST(a_tiny_screen_shows_whom_it_blames)
{
	struct kmt_screen screen;

	open_screen(&screen, 5, 40);
	CHECK(find_row(&screen, "LEAK LIKELY") == 1);
	CHECK(find_row(&screen, "leak+0x0/0x40 [foo]") == 3);
	kmt_screen_deinit(&screen);
}

TEST(what_is_typed_filters_at_once)
{
	struct kmt_screen screen;

	open_screen(&screen, 24, 80);
	press(&screen, "/ino");
	CHECK_EQ(kmt_screen_table(&screen)->list.nr, 1);
	CHECK_HAS(chosen_name(&screen), "inode");
	CHECK(find_row(&screen, "/ino_") == 23);
	press(&screen, "q"); /* is typed, too */
	CHECK(!screen.is_over);
	CHECK(find_row(&screen, "nothing has these words") > 0);
	press_key(&screen, KMT_KEY_BACKSPACE);
	CHECK_HAS(chosen_name(&screen), "inode");
	press_key(&screen, KMT_KEY_ENTER);
	press(&screen, "a"); /* no longer typed */
	CHECK_EQ(kmt_screen_table(&screen)->list.nr, 1);
	press_key(&screen, KMT_KEY_ESCAPE);
	CHECK_EQ(kmt_screen_table(&screen)->list.nr, 4);
	CHECK_HAS(chosen_name(&screen), "inode"); /* still */
	kmt_screen_deinit(&screen);
}

TEST(rows_are_found_by_their_cache_and_class)
{
	struct kmt_screen screen;

	open_screen(&screen, 24, 80);
	press(&screen, "/foo_cache");
	CHECK_EQ(kmt_screen_table(&screen)->list.nr, 1);
	press_key(&screen, KMT_KEY_ESCAPE);
	press(&screen, "/transient");
	CHECK_EQ(kmt_screen_table(&screen)->list.nr, 1);
	kmt_screen_deinit(&screen);
}

TEST(a_site_is_read_when_it_is_opened)
{
	struct kmt_tui_request request;
	struct kmt_screen screen;

	open_screen(&screen, 24, 80);
	CHECK(!kmt_screen_wants(&screen, &request));
	press_key(&screen, KMT_KEY_ENTER);
	CHECK(find_row(&screen, "class leak, confidence 0.50") > 0);
	CHECK(kmt_screen_wants(&screen, &request));
	CHECK(request.row == screen.base->rows);
	CHECK_EQ(kmt_screen_take(&screen, &request, NULL, "not on \x1b this tape"), 0);
	draw(&screen);
	CHECK(find_row(&screen, "No more is known: not on \\x1b this tape") > 0);
	CHECK(!kmt_screen_wants(&screen, &request));
	press(&screen, "q");
	CHECK(!screen.is_over);
	CHECK(find_row(&screen, "CALL SITE") > 0);
	press(&screen, "q");
	CHECK(screen.is_over);
	kmt_screen_deinit(&screen);
}

TEST(how_far_the_reading_is_shows)
{
	struct kmt_screen screen;

	kmt_screen_init(&screen, "/tapes/\x1bhost1.tape", true);
	CHECK_EQ(kmt_screen_resize(&screen, 24, 80), 0);
	kmt_screen_draw(&screen, (struct kmt_reading){ 3 * SECOND, 42 });
	CHECK(find_row(&screen, "reading /tapes/\\x1bhost1.tape") > 0);
	CHECK(find_row(&screen, "42 %  3.00 s") > 0);
	press(&screen, "j");
	CHECK(!screen.is_over);
	press(&screen, "q");
	CHECK(screen.is_over);
	kmt_screen_deinit(&screen);
	open_screen(&screen, 24, 80);
	press_key(&screen, KMT_KEY_ENTER);
	kmt_screen_draw(&screen, (struct kmt_reading){ 3 * SECOND, 42 });
	CHECK(find_row(&screen, "reading the tape, for who allocates and who frees: 42 %") == 23);
	kmt_screen_draw(&screen, (struct kmt_reading){ SECOND / 10, 1 });
	CHECK(find_row(&screen, "reading the tape") < 0);
	kmt_screen_deinit(&screen);
}

TEST(what_comes_too_late_is_dropped)
{
	struct kmt_tui_request request;
	struct kmt_screen screen;

	open_screen(&screen, 24, 80);
	press_key(&screen, KMT_KEY_ENTER);
	CHECK(kmt_screen_wants(&screen, &request));
	press(&screen, "q");
	CHECK_EQ(kmt_screen_take(&screen, &request, make_sites(), NULL), 0);
	draw(&screen);
	CHECK_EQ(screen.page, KMT_PAGE_NONE);
	kmt_screen_deinit(&screen);
}

TEST(a_view_is_read_when_it_is_wanted)
{
	struct kmt_tui_request request;
	struct kmt_screen screen;

	open_screen(&screen, 24, 80);
	press_key(&screen, KMT_KEY_TAB);
	CHECK(kmt_screen_wants(&screen, &request));
	CHECK_EQ(request.group, KMT_BY_CACHE);
	CHECK(!request.row);
	CHECK(find_row(&screen, "reading the tape again, for the view by cache") > 0);
	CHECK_EQ(kmt_screen_take(&screen, &request, NULL, "can't tell"), 0);
	draw(&screen);
	CHECK(find_row(&screen, "can't tell") > 0);
	CHECK(!kmt_screen_wants(&screen, &request));
	press(&screen, "1");
	CHECK(find_row(&screen, "CALL SITE") > 0);
	kmt_screen_deinit(&screen);
}

/* The user need not wait for a view before using it: not even words are taken for commands then. */
TEST(keys_wait_for_their_view)
{
	struct kmt_tui_request request;
	struct kmt_screen screen;

	kmt_screen_init(&screen, "tape", true);
	kmt_screen_want(&screen, KMT_BY_SITE);
	CHECK_EQ(kmt_screen_resize(&screen, 24, 80), 0);
	CHECK(kmt_screen_wants(&screen, &request));
	press(&screen, "s/tQ");
	press_key(&screen, KMT_KEY_ESCAPE); /* and all was nothing */
	press(&screen, "j2/leaQt");
	press_key(&screen, KMT_KEY_BACKSPACE);
	press_key(&screen, KMT_KEY_BACKSPACE);
	press(&screen, "k");
	CHECK(!screen.is_over);
	CHECK_EQ(kmt_screen_take(&screen, &request, make_sites(), NULL), 0);
	CHECK_EQ(kmt_screen_table(&screen) == NULL, true);
	CHECK_EQ(screen.view, KMT_BY_CACHE);
	CHECK(kmt_screen_wants(&screen, &request));
	CHECK_EQ(kmt_screen_take(&screen, &request, make_result(KMT_BY_CACHE, 2), NULL), 0);
	CHECK_TEXT(kmt_screen_table(&screen)->filter.text, "leak");
	CHECK_EQ(kmt_screen_table(&screen)->filter.is_typed, true);
	press_key(&screen, KMT_KEY_ENTER);

	/* Where one can go to another view at once, so one does; q leaves. */
	press(&screen, "3jj4q");
	CHECK(screen.is_over);
	CHECK_EQ(screen.view, KMT_BY_COMM);
	CHECK_EQ(screen.typed.nr, 0);
	kmt_screen_deinit(&screen);
}

TEST(keys_for_a_view_that_fails_are_dropped)
{
	struct kmt_tui_request request;
	struct kmt_screen screen;

	open_screen(&screen, 24, 80);
	press(&screen, "2/tQ");
	for (int i = 0; i < 100; i++)
		press(&screen, "Q");
	CHECK(kmt_screen_wants(&screen, &request));
	CHECK_EQ(kmt_screen_take(&screen, &request, NULL, "can't tell"), 0);
	CHECK_EQ(screen.view, KMT_BY_CACHE);
	CHECK(!screen.is_over);
	press(&screen, "1");
	CHECK_EQ(screen.view, KMT_BY_SITE);
	kmt_screen_deinit(&screen);
}

/* The base of the screens here has no frames: no stack was recorded. */
TEST(the_tree_has_call_sites_without_stacks)
{
	struct kmt_tui_request request;
	struct kmt_screen screen;

	open_screen(&screen, 24, 80);
	press(&screen, "t");
	CHECK(!kmt_screen_wants(&screen, &request));
	CHECK(find_row(&screen, "MODULE, CACHE, CALL SITE") > 0);
	CHECK(find_row(&screen, "(built in)") > 0);
	press(&screen, "6");
	CHECK(find_row(&screen, "no stack was recorded") > 0);
	CHECK(!kmt_screen_wants(&screen, &request));
	kmt_screen_deinit(&screen);
}

static void open_tree(struct kmt_tree *tree, const struct kmt_result *result)
{
	CHECK_EQ(kmt_tree_init(tree, result), 0);
	kmt_list_set_rows(&tree->list, 100);
}

static const char *line_name(const struct kmt_tree *tree, size_t line, char *name)
{
	kmt_tree_name(tree, &tree->nodes[tree->lines[line]], name);
	return name;
}

TEST(a_tree_adds_up)
{
	struct kmt_result *result = make_stacks();
	struct kmt_tree tree;

	open_tree(&tree, result);
	CHECK_EQ(tree.nodes[0].live_bytes, 204800 + 102400 + 1024000);
	for (uint32_t i = 0; i < tree.nr_nodes; i++) {
		uint64_t bytes = 0, allocs = 0;

		for (uint32_t j = tree.nodes[i].first; j != KMT_NODE_NONE; j = tree.nodes[j].next) {
			bytes += tree.nodes[j].live_bytes;
			allocs += tree.nodes[j].allocs;
			CHECK_EQ(tree.nodes[j].parent, i);
		}
		if (tree.nodes[i].first != KMT_NODE_NONE) {
			CHECK_EQ(bytes, tree.nodes[i].live_bytes);
			CHECK_EQ(allocs, tree.nodes[i].allocs);
		}
	}
	kmt_tree_deinit(&tree);
	(void)kmt_result_free(result);
}

TEST(a_tree_of_a_sample_adds_up_estimates)
{
	struct kmt_result *result = make_stacks();
	struct kmt_row *row = &result->rows[0];
	uint64_t bytes = row->live_bytes;
	struct kmt_tree tree;

	row->is_estimated = true;
	row->estimate.bytes = 4 * (double)bytes;
	open_tree(&tree, result);
	CHECK_EQ(tree.nodes[0].live_bytes, 204800 + 102400 + 1024000 + 3 * bytes);
	kmt_tree_deinit(&tree);
	row->estimate.bytes = 1e30;
	open_tree(&tree, result);
	CHECK(tree.nodes[0].live_bytes == UINT64_MAX);
	kmt_tree_deinit(&tree);
	(void)kmt_result_free(result);
}

TEST(what_has_no_size_is_not_0_bytes)
{
	struct kmt_screen screen;
	struct kmt_row *row;

	open_screen(&screen, 24, 80);
	row = &screen.groups[KMT_BY_SITE].result->rows[0];
	row->space = KMT_SPACE_PAIR;
	row->live_bytes = 0;
	strcpy(screen.groups[KMT_BY_STACK].failed, "none");
	press(&screen, "t+");
	CHECK(find_row(&screen, "MODULE, CACHE, CALL SITE") > 0);
	CHECK(find_row(&screen, "leak+0x0") > 0);
	CHECK(find_row(&screen, " 0 B ") < 0);
	CHECK(find_row(&screen, "        - ") > 0);
	kmt_screen_deinit(&screen);
}

TEST(a_tree_unfolds_to_where_it_divides)
{
	struct kmt_result *result = make_stacks();
	char name[1100];
	struct kmt_tree tree;

	open_tree(&tree, result);
	kmt_tree_set_all(&tree, false);
	CHECK_EQ(tree.list.nr, 2);
	CHECK_TEXT(line_name(&tree, 0, name), "(built in)"); /* it has most */
	CHECK_TEXT(line_name(&tree, 1, name), "foo");
	kmt_list_choose(&tree.list, 1);
	kmt_tree_unfold(&tree); /* foo, its only cache, the only site there, which two call */
	CHECK_EQ(tree.list.nr, 6);
	CHECK_HAS(line_name(&tree, 4, name), "one");
	CHECK_HAS(line_name(&tree, 5, name), "two");
	kmt_list_choose(&tree.list, 5);
	kmt_tree_fold(&tree); /* has no open part: to whom it is of */
	CHECK_EQ(tree.list.chosen, 3);
	kmt_tree_fold(&tree);
	CHECK_EQ(tree.list.nr, 4);
	kmt_tree_set_all(&tree, true);
	CHECK_EQ(tree.list.nr, tree.nr_nodes - 1);
	kmt_tree_deinit(&tree);
	(void)kmt_result_free(result);
}

TEST(a_filter_opens_the_tree_and_shuts_it_again)
{
	struct kmt_result *result = make_stacks();
	char name[1100];
	struct kmt_tree tree;

	open_tree(&tree, result);
	kmt_tree_set_all(&tree, false);
	for (const char *p = "two"; *p; p++)
		(void)kmt_filter_add(&tree.filter, *p);
	kmt_tree_arrange(&tree);
	CHECK_EQ(tree.list.nr, 4); /* and all that it is of */
	CHECK_TEXT(line_name(&tree, 0, name), "foo");
	CHECK_HAS(line_name(&tree, 3, name), "two");
	(void)kmt_filter_clear(&tree.filter);
	kmt_tree_arrange(&tree);
	CHECK_EQ(tree.list.nr, 2);
	kmt_tree_deinit(&tree);
	(void)kmt_result_free(result);
}

TEST(a_tree_goes_by_objects_and_allocations)
{
	struct kmt_result *result = make_stacks();
	char name[1100];
	struct kmt_tree tree;

	open_tree(&tree, result);
	kmt_tree_set_all(&tree, false);
	kmt_tree_reverse(&tree);
	CHECK_TEXT(line_name(&tree, 0, name), "foo");
	kmt_tree_sort(&tree, 1);
	CHECK_EQ(tree.order, KMT_TREE_BY_OBJECTS);
	CHECK_TEXT(line_name(&tree, 0, name), "(built in)");
	kmt_tree_sort(&tree, -1);
	CHECK_EQ(tree.order, KMT_TREE_BY_BYTES);
	kmt_tree_deinit(&tree);
	(void)kmt_result_free(result);
}

TEST(pages_of_the_slab_are_not_counted_twice)
{
	struct kmt_result *result = make_sites();
	struct kmt_tree tree;

	result->rows[1].space = KMT_SPACE_PAGE;
	result->rows[1].use = KMT_USE_SLAB;
	open_tree(&tree, result);
	CHECK_EQ(tree.nodes[0].live_bytes, 307200 + 128);
	kmt_tree_deinit(&tree);
	(void)kmt_result_free(result);
}

TEST(a_text_is_searched_round_and_round)
{
	struct kmt_pager pager = { 0 };

	CHECK_EQ(kmt_pager_fit(&pager, 20, 2, true), 0);
	CHECK_EQ(kmt_pager_set(&pager, strdup("one\nneedle a\nthree\nfour\nneedle b\n")), 0);
	CHECK_EQ(pager.nr_rows, 5);
	(void)kmt_filter_add(&pager.search, 'n');
	(void)kmt_filter_add(&pager.search, 'e');
	(void)kmt_filter_add(&pager.search, 'e');
	kmt_pager_find(&pager, 0, 1);
	CHECK_EQ(pager.found, 1);
	kmt_pager_find_next(&pager, 1);
	CHECK_EQ(pager.found, 4);
	CHECK(pager.top >= 2);
	kmt_pager_find_next(&pager, 1);
	CHECK_EQ(pager.found, 1);
	kmt_pager_find_next(&pager, -1);
	CHECK_EQ(pager.found, 4);
	CHECK_EQ(kmt_pager_fit(&pager, 4, 2, true), 0); /* "needle a" is in several rows now */
	CHECK(pager.nr_rows > 5);
	kmt_pager_deinit(&pager);
}

static void search_for(struct kmt_pager *pager, const char *words)
{
	(void)kmt_filter_clear(&pager->search);
	while (*words)
		(void)kmt_filter_add(&pager->search, *words++);
	kmt_pager_find(pager, pager->top, 1);
}

/* The user need not wait for the rest of a page before looking for something in it. */
TEST(what_comes_later_is_searched_too)
{
	struct kmt_pager pager = { .found = SIZE_MAX };

	CHECK_EQ(kmt_pager_fit(&pager, 20, 2, true), 0);
	CHECK_EQ(kmt_pager_set(&pager, strdup("one\ntwo\nthree\n")), 0);
	search_for(&pager, "needle");
	CHECK_EQ(pager.found, SIZE_MAX);
	CHECK_EQ(kmt_pager_renew(&pager, strdup("one\ntwo\nthree\nfour\nfive\nneedle\n")), 0);
	CHECK_EQ(pager.found, 5);
	CHECK_EQ(pager.top, 4);

	/* Who has found it, and gone on, stays there. */
	kmt_pager_move(&pager, -3);
	CHECK_EQ(kmt_pager_renew(&pager, strdup("one\ntwo\nthree\nfour\nfive\nneedle\nsix\n")), 0);
	CHECK_EQ(pager.found, 5);
	CHECK_EQ(pager.top, 1);

	/* Who has gone to the end has meant all of it, unless he has gone back since. */
	kmt_pager_move_to_end(&pager);
	CHECK_EQ(kmt_pager_renew(&pager, strdup("1\n2\n3\n4\n5\nneedle\n6\n7\n8\n9\n")), 0);
	CHECK_EQ(pager.top, 8);
	CHECK_EQ(kmt_pager_renew(&pager, strdup("1\n2\n3\n4\n5\nneedle\n6\n7\n8\n9\n10\n")), 0);
	CHECK_EQ(pager.top, 9);
	kmt_pager_move(&pager, -1);
	CHECK_EQ(kmt_pager_renew(&pager, strdup("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n")), 0);
	CHECK_EQ(pager.top, 8);
	kmt_pager_deinit(&pager);
}

/* Who makes the window narrower goes on reading where it was. */
TEST(a_text_stays_where_it_is_read)
{
	struct kmt_pager pager = { .found = SIZE_MAX };

	CHECK_EQ(kmt_pager_fit(&pager, 20, 2, true), 0);
	CHECK_EQ(kmt_pager_set(&pager, strdup("one one one\ntwo two\nthree three\nfour\nfive\n")),
		 0);
	search_for(&pager, "four");
	CHECK_EQ(pager.found, 3);
	kmt_pager_move(&pager, -1);
	CHECK_EQ(pager.top, 1);
	CHECK_EQ(kmt_pager_fit(&pager, 5, 2, true), 0);
	CHECK(strncmp(pager.text + pager.rows[pager.top].from, "two", 3) == 0);
	CHECK(strncmp(pager.text + pager.rows[pager.found].from, "four", 4) == 0);
	CHECK_EQ(kmt_pager_renew(&pager, strdup("1 1 1\n2 2\n3 3\nfour\nfive\n")), 0);
	CHECK(strncmp(pager.text + pager.rows[pager.top].from, "2 2", 3) == 0);
	CHECK_EQ(kmt_pager_fit(&pager, 20, 2, true), 0);
	CHECK_EQ(pager.top, 1);
	CHECK_EQ(pager.found, 3);
	kmt_pager_deinit(&pager);
}

static char *detail_at(struct kmt_screen *screen)
{
	char *text = strdup(screen->texts[KMT_PAGE_DETAIL].text);

	CHECK(strstr(text, "live bytes, over") != NULL);
	return text;
}

/* The curve of a page is as wide as the screen is, and not as it was. */
TEST(a_page_is_as_wide_as_the_screen)
{
	struct kmt_tui_request request;
	struct kmt_screen screen;
	char *narrow, *wide;

	open_screen(&screen, 24, 40);
	press_key(&screen, KMT_KEY_ENTER);
	narrow = detail_at(&screen);
	kmt_screen_deinit(&screen);

	open_screen(&screen, 24, 80);
	press_key(&screen, KMT_KEY_ENTER);
	wide = detail_at(&screen);
	CHECK(strcmp(narrow, wide) != 0);
	press(&screen, "?");
	CHECK_EQ(kmt_screen_resize(&screen, 24, 40), 0);
	press(&screen, "q");
	CHECK(strcmp(screen.texts[KMT_PAGE_DETAIL].text, narrow) == 0);

	/* So is what comes later, and it is not forgotten. */
	CHECK(kmt_screen_wants(&screen, &request));
	CHECK_EQ(kmt_screen_take(&screen, &request, make_sites(), NULL), 0);
	CHECK_EQ(kmt_screen_resize(&screen, 24, 80), 0);
	CHECK(!kmt_screen_wants(&screen, &request));
	free(narrow);
	narrow = strdup(screen.texts[KMT_PAGE_DETAIL].text);
	CHECK(strcmp(narrow, wide) != 0);
	CHECK_EQ(kmt_screen_resize(&screen, 24, 40), 0);
	CHECK_EQ(kmt_screen_resize(&screen, 24, 80), 0);
	CHECK(strcmp(screen.texts[KMT_PAGE_DETAIL].text, narrow) == 0);
	free(narrow);
	free(wide);
	kmt_screen_deinit(&screen);
}

/* Whatever is pressed on whatever size: no crash, nothing beyond the edge (the sanitizer looks). */
TEST(any_keys_on_any_size_do_no_harm)
{
	static const int special[] = { KMT_KEY_UP,	  KMT_KEY_DOWN,	   KMT_KEY_LEFT,
				       KMT_KEY_RIGHT,	  KMT_KEY_HOME,	   KMT_KEY_END,
				       KMT_KEY_ENTER,	  KMT_KEY_TAB,	   KMT_KEY_ESCAPE,
				       KMT_KEY_BACKSPACE, KMT_KEY_PAGE_UP, KMT_KEY_PAGE_DOWN };
	static const char letters[] = "hjklgGtsSr<>avnN?/ +-123456789q";
	struct kmt_tui_request request;
	struct kmt_screen screen;
	uint64_t state = 2;

	open_screen(&screen, 24, 80);
	for (int i = 0; i < 20000; i++) {
		uint64_t n = check_random(&state);

		if (n % 50 == 0)
			CHECK_EQ(kmt_screen_resize(&screen, (int)(n / 50 % 40),
						   (int)(n / 2000 % 140)),
				 0);
		else if (n % 3)
			press_key(&screen, letters[n / 64 % (sizeof(letters) - 1)]);
		else
			press_key(&screen, special[n / 64 % (sizeof(special) / sizeof(int))]);
		if (n % 7 == 0 && kmt_screen_wants(&screen, &request))
			CHECK_EQ(kmt_screen_take(&screen, &request,
						 request.group == KMT_BY_STACK ? make_stacks()
						 : request.row		       ? make_sites()
									       : NULL,
						 "no"),
				 0);
	}
	kmt_screen_deinit(&screen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(no_character_moves_the_cursor),
		ROW(wide_characters_take_two_columns_or_a_mark),
		ROW(a_wide_character_is_not_cut_in_halves),
		ROW(lines_are_broken_between_words),
		ROW(the_chosen_line_is_on_the_screen),
		ROW(more_rows_show_what_is_above),
		ROW(a_filter_wants_each_word_in_any_case),
		ROW(a_filter_takes_and_erases_whole_characters),
		ROW(a_tiny_screen_shows_whom_it_blames),
		ROW(each_key_has_one_meaning),
		ROW(the_first_screen_says_what_leaks),
		ROW(what_cannot_be_told_does_not_look_healthy),
		ROW(rows_go_by_each_column_and_back),
		ROW(what_is_typed_filters_at_once),
		ROW(rows_are_found_by_their_cache_and_class),
		ROW(a_site_is_read_when_it_is_opened),
		ROW(how_far_the_reading_is_shows),
		ROW(what_comes_too_late_is_dropped),
		ROW(a_view_is_read_when_it_is_wanted),
		ROW(keys_wait_for_their_view),
		ROW(keys_for_a_view_that_fails_are_dropped),
		ROW(the_tree_has_call_sites_without_stacks),
		ROW(a_tree_adds_up),
		ROW(what_has_no_size_is_not_0_bytes),
		ROW(a_tree_of_a_sample_adds_up_estimates),
		ROW(a_tree_unfolds_to_where_it_divides),
		ROW(a_filter_opens_the_tree_and_shuts_it_again),
		ROW(a_tree_goes_by_objects_and_allocations),
		ROW(pages_of_the_slab_are_not_counted_twice),
		ROW(a_text_is_searched_round_and_round),
		ROW(what_comes_later_is_searched_too),
		ROW(a_text_stays_where_it_is_read),
		ROW(a_page_is_as_wide_as_the_screen),
		ROW(any_keys_on_any_size_do_no_harm),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		printf("needs the locale C.UTF-8\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
