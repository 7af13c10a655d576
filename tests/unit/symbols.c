// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>

#include "kmemtape/symbols.h"

#include "check.h"

#define KERNEL                              \
	"ffffffff81000000 T _text\n"        \
	"ffffffff81000100 t helper\n"       \
	"ffffffff81000200 T caller\n"       \
	"ffffffff81000280 d not_code\n"     \
	"ffffffff81000300 T alias_first\n"  \
	"ffffffff81000300 t alias_second\n" \
	"ffffffff81000400 W last\n"

/* kallsyms text of a module that a line loads, by its number; NULL: there is none */
static int read_text(void *context, unsigned int line, char **ret_text, size_t *ret_bytes)
{
	const char *const *texts = context;

	if (!texts || line > 8 || !texts[line])
		return -ENOENT;
	*ret_text = strdup(texts[line]);
	CHECK(*ret_text);
	*ret_bytes = strlen(*ret_text);
	return 0;
}

static struct kmt_symbols *make(const char *modules, const char *const *texts, const char *kallsyms)
{
	struct kmt_symbols *symbols;

	CHECK_EQ(kmt_symbols_new(&symbols, NULL), 0);
	CHECK_EQ(kmt_symbols_add_modules(symbols, modules, strlen(modules), read_text,
					 (void *)(uintptr_t)texts, NULL),
		 0);
	CHECK_EQ(kmt_symbols_add_kallsyms(symbols, strdup(kallsyms), strlen(kallsyms), NULL), 0);
	return symbols;
}

#define SYMBOLS(modules, texts, kallsyms) \
	KMT_CLEANUP(kmt_symbols_freep) struct kmt_symbols *symbols = make(modules, texts, kallsyms)

/* "function+offset/size [module]", "[module]+offset", or "?" */
static const char *at(const struct kmt_symbols *symbols, uint64_t address, uint64_t time_ns)
{
	static char text[256];
	struct kmt_symbol symbol;

	if (!kmt_symbols_look_up(symbols, address, 0, time_ns, &symbol))
		return "?";
	if (symbol.function)
		(void)snprintf(text, sizeof(text), "%s+%#lx/%#lx", symbol.function,
			       (long)symbol.offset, (long)symbol.size);
	else
		(void)snprintf(text, sizeof(text), "+%#lx", (long)symbol.offset);
	if (symbol.module)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " [%s]%s",
			       symbol.module, symbol.taint);
	return text;
}

TEST(a_return_address_is_in_the_function_that_called)
{
	SYMBOLS("", NULL, KERNEL);

	CHECK_TEXT(at(symbols, 0xffffffff81000120, 0), "helper+0x20/0x100");
	CHECK_TEXT(at(symbols, 0xffffffff81000201, 0), "caller+0x1/0x80");
}

TEST(a_call_that_is_the_last_instruction_stays_in_its_function)
{
	SYMBOLS("", NULL, KERNEL);

	/* The address is that of the next function: the call did not return. */
	CHECK_TEXT(at(symbols, 0xffffffff81000200, 0), "helper+0x100/0x100");
}

TEST(before_the_first_symbol_and_in_data_there_is_no_function)
{
	SYMBOLS("", NULL, KERNEL);

	CHECK_TEXT(at(symbols, 0xffffffff81000000, 0), "?");
	CHECK_TEXT(at(symbols, 0xffffffff81000281, 0), "?"); /* behind not_code */
	CHECK_TEXT(at(symbols, 0xffffffff81000280, 0), "caller+0x80/0x80");
	CHECK_TEXT(at(symbols, 0, 0), "?");
	CHECK_TEXT(at(symbols, 1, 0), "?");
}

TEST(of_aliases_the_first_is_taken_as_the_kernel_does)
{
	SYMBOLS("", NULL, KERNEL);

	CHECK_TEXT(at(symbols, 0xffffffff81000310, 0), "alias_first+0x10/0x100");
}

TEST(the_last_function_does_not_reach_to_the_end_of_the_world)
{
	SYMBOLS("", NULL, KERNEL);

	CHECK_TEXT(at(symbols, 0xffffffff81000410, 0), "last+0x10/0xc00");
	CHECK_TEXT(at(symbols, 0xffffffff90000000, 0), "?");
}

TEST(unsorted_kallsyms_are_found_too)
{
	SYMBOLS("", NULL,
		"ffffffff81000400 T d\nffffffff81000100 T a\nffffffff81000300 T c\nffffffff81000200 T b\n");

	CHECK_TEXT(at(symbols, 0xffffffff81000110, 0), "a+0x10/0x100");
	CHECK_TEXT(at(symbols, 0xffffffff81000210, 0), "b+0x10/0x100");
	CHECK_TEXT(at(symbols, 0xffffffff81000310, 0), "c+0x10/0x100");
}

TEST(lines_that_are_no_symbols_are_passed_over)
{
	SYMBOLS("", NULL,
		"\n \njunk\n81000100\n81000100 T\n81000100 T \n-1 T minus\n0x81000100 T hex\n"
		"fffffffff81000100 T too_long\nffffffff81000100 T good\nffffffff81000200 T last_without_newline");

	CHECK_TEXT(at(symbols, 0xffffffff81000180, 0), "good+0x80/0x100");
	CHECK_TEXT(at(symbols, 0xffffffff81000204, 0), "last_without_newline+0x4/0xe00");
	CHECK_TEXT(at(symbols, 0x81000101, 0), "?");
}

TEST(a_32_bit_kernel_has_short_addresses)
{
	SYMBOLS("", NULL, "c1000000 T _text\nc1000100 T f\nc1000200 T g\n");

	CHECK_TEXT(at(symbols, 0xc1000110, 0), "f+0x10/0x100");
}

TEST(hidden_kallsyms_name_nothing)
{
	uint64_t from = 1, to = 1;
	SYMBOLS("", NULL,
		"0000000000000000 T _text\n0000000000000000 T f\n0000000000000000 t m_init\t[m]\n");

	CHECK_TEXT(at(symbols, 0xffffffff81000110, 0), "?");
	kmt_symbols_kernel_range(symbols, &from, &to);
	CHECK_EQ(from, 0);
	CHECK_EQ(to, 0);
}

TEST(the_kernels_own_range_is_that_of_its_code)
{
	uint64_t from, to;
	SYMBOLS("load 0 m 4096 0xffffffffc0000000 - -\n", NULL,
		"0000000000000000 D per_cpu\n" KERNEL
		"ffffffff90000000 D data\nffffffffc0000000 t f\t[m]\n");

	kmt_symbols_kernel_range(symbols, &from, &to);
	CHECK(from == 0xffffffff81000000);
	CHECK(to > 0xffffffff81000400 && to <= 0xffffffff90000000);
}

#define ALPHA UINT64_C(0xffffffffc0000000)
#define TWO_IN_TURN                                             \
	"load 100 alpha 16384 0xffffffffc0000000 OE build-id\n" \
	"unload 200 alpha\n"                                    \
	"load 300 beta 16384 0xffffffffc0000000 - -\n"
static const char *const two_texts[9] = {
	[1] = "ffffffffc0000100 t alpha_leak\t[alpha]\nffffffffc0000200 t alpha_end\t[alpha]\n",
	[3] = "ffffffffc0000080 t beta_leak\t[beta]\nffffffffc0000180 t beta_end\t[beta]\n",
};

TEST(two_modules_in_turn_at_one_address_are_told_apart_by_time)
{
	SYMBOLS(TWO_IN_TURN, two_texts, KERNEL);

	CHECK_TEXT(at(symbols, ALPHA + 0x110, 150), "alpha_leak+0x10/0x100 [alpha]OE");
	CHECK_TEXT(at(symbols, ALPHA + 0x110, 350), "beta_leak+0x90/0x100 [beta]");
}

TEST(each_load_of_a_module_has_its_build_id)
{
	SYMBOLS("load 0 alpha 16384 0xffffffffc0000000 OE 1a2b\n"
		"unload 200 alpha\n"
		"load 300 alpha 16384 0xffffffffc0000000 OE 3c4d\n"
		"load 300 beta 16384 0xffffffffd0000000 - 5e6f\n"
		"load 400 gamma 16384 0xffffffffe0000000 -\n"
		"load 500 delta 16384 0xffffffffe0000000 OE -\n",
		NULL, KERNEL);

	CHECK_TEXT(kmt_symbols_build_id(symbols, "alpha", 1), "1a2b");
	CHECK_TEXT(kmt_symbols_build_id(symbols, "alpha", 2), "3c4d");
	CHECK(!kmt_symbols_build_id(symbols, "alpha", 0)); /* it was either */
	CHECK_TEXT(kmt_symbols_build_id(symbols, "beta", 0), "5e6f");
	CHECK_TEXT(kmt_symbols_build_id(symbols, "gamma", 0), "");
	CHECK_TEXT(kmt_symbols_build_id(symbols, "delta", 0), "");
	CHECK_TEXT(kmt_symbols_build_id(symbols, "nobody", 0), "");
	CHECK_TEXT(kmt_symbols_build_id(symbols, "init of alpha", 77), "");
}

TEST(the_kernel_begins_at_stext)
{
	SYMBOLS("", NULL, "ffffffff81000000 T _text\nffffffff81000080 T _stext\n");

	CHECK(kmt_symbols_stext(symbols) == 0xffffffff81000080);
}

TEST(between_modules_and_before_them_an_address_is_unknown)
{
	SYMBOLS(TWO_IN_TURN, two_texts, KERNEL);

	CHECK_EQ(kmt_symbols_note_load(symbols, "alpha", 1, 100), 0);
	CHECK_EQ(kmt_symbols_note_load(symbols, "beta", 1, 300), 0);
	CHECK_TEXT(at(symbols, ALPHA + 0x110, 99), "?");
	CHECK_TEXT(at(symbols, ALPHA + 0x110, 250), "?");
	CHECK_TEXT(at(symbols, ALPHA + 0x110, 200), "?"); /* just gone */
	CHECK_TEXT(at(symbols, ALPHA + 0x110, 300), "beta_leak+0x90/0x100 [beta]");
}

TEST(code_of_nobody_is_of_the_module_that_is_noticed_next)
{
	SYMBOLS("load 0 there 65536 0xffffffffbfff8000 - -\n"
		"load 90 other 16384 0xffffffffd0000000 - -\n" TWO_IN_TURN,
		((const char *const[9]){ [3] = two_texts[1], [5] = two_texts[3] }),
		KERNEL "ffffffffbfff8000 t there_first\t[there]\n");

	/* Not of the one whose bounds reach over it: the event that says when alpha came was lost.
	 */
	CHECK_TEXT(at(symbols, ALPHA + 0x110, 80), "alpha_leak+0x10/0x100 [alpha]OE");
	CHECK_TEXT(at(symbols, ALPHA + 0x110, 250), "beta_leak+0x90/0x100 [beta]");
	/* Where neither has a function, bounds are all there is. */
	CHECK_TEXT(at(symbols, ALPHA + 0x20, 80), "+0x8020 [there]");
	/* If it was not lost, it is none of alpha's. */
	CHECK_EQ(kmt_symbols_note_load(symbols, "alpha", 1, 100), 0);
	CHECK_EQ(kmt_symbols_note_load(symbols, "beta", 1, 300), 0);
	CHECK_TEXT(at(symbols, ALPHA + 0x110, 80), "+0x8110 [there]");
}

TEST(loads_of_the_same_module_are_told_apart)
{
	struct kmt_symbol first, second;
	SYMBOLS("load 100 m 4096 0xffffffffc0000000 - -\nunload 200 m\nload 300 m 4096 0xffffffffc0000000 - -\n",
		NULL, KERNEL);

	CHECK_EQ(kmt_symbols_look_up(symbols, ALPHA + 9, 0, 150, &first), 1);
	CHECK_EQ(kmt_symbols_look_up(symbols, ALPHA + 9, 0, 350, &second), 1);
	CHECK(first.instance && second.instance && first.instance != second.instance);
}

TEST(built_in_code_belongs_to_no_load)
{
	struct kmt_symbol symbol;
	SYMBOLS(TWO_IN_TURN, two_texts, KERNEL);

	CHECK_EQ(kmt_symbols_look_up(symbols, 0xffffffff81000120, 0, 150, &symbol), 1);
	CHECK(!symbol.module);
	CHECK_EQ(symbol.instance, 0);
	CHECK_TEXT(symbol.taint, "");
}

TEST(a_module_whose_symbols_are_gone_is_still_named)
{
	SYMBOLS("load 100 m 4096 0xffffffffc0000000 O -\n", NULL, KERNEL);

	CHECK_TEXT(at(symbols, ALPHA + 0x20, 150), "+0x20 [m]O");
	CHECK_TEXT(at(symbols, ALPHA + 4096, 150), "+0x1000 [m]O"); /* a call at its very end */
	CHECK_TEXT(at(symbols, ALPHA + 4097, 150), "?");
	CHECK_TEXT(at(symbols, ALPHA, 150), "?"); /* a call before its first byte */
}

TEST(in_the_place_of_a_modules_init_code_only_the_module_is_known)
{
	/* It was freed when init returned: kallsyms has nothing there. */
	static const char *const texts[9] = { [1] = "ffffffffc0000800 t behind\t[m]\n" };
	SYMBOLS("load 100 m 4096 0xffffffffc0000000 - -\n", texts, KERNEL);

	CHECK_TEXT(at(symbols, ALPHA + 0x20, 150), "+0x20 [m]");
	CHECK_TEXT(at(symbols, ALPHA + 0x820, 150),
		   "behind+0x20/0x800 [m]"); /* ends with the module */
}

TEST(modules_of_the_first_kallsyms_get_its_symbols)
{
	SYMBOLS("load 0 m 8192 0xffffffffc0000000 OE x\nunload 500 m\n", NULL,
		KERNEL "ffffffffc0000000 t one\t[m]\nffffffffc0000100 t two\t[m]\n");

	CHECK_TEXT(at(symbols, ALPHA + 0x10, 499), "one+0x10/0x100 [m]OE");
	CHECK_TEXT(at(symbols, ALPHA + 0x10, 500), "?");
}

TEST(code_that_only_kallsyms_knows_has_the_bounds_of_its_symbols)
{
	SYMBOLS("", NULL,
		KERNEL
		"ffffffffa0000000 t bpf_prog_a\t[bpf]\nffffffffa0000080 t bpf_prog_b\t[bpf]\n");

	CHECK_TEXT(at(symbols, 0xffffffffa0000010, 5), "bpf_prog_a+0x10/0x80 [bpf]");
	CHECK_TEXT(at(symbols, 0xffffffffa0001000, 5), "?");
}

TEST(an_exact_load_time_takes_the_place_of_when_it_was_noticed)
{
	SYMBOLS("load 300 m 4096 0xffffffffc0000000 - -\n", NULL, KERNEL);

	CHECK_TEXT(at(symbols, ALPHA + 9, 250), "?");
	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 200), 0);
	CHECK_TEXT(at(symbols, ALPHA + 9, 250), "+0x9 [m]");
	CHECK_TEXT(at(symbols, ALPHA + 9, 199), "?");
}

TEST(a_load_event_after_it_was_noticed_is_of_another_load)
{
	SYMBOLS("load 300 m 4096 0xffffffffc0000000 - -\n", NULL, KERNEL);

	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 400), 0);
	CHECK_TEXT(at(symbols, ALPHA + 9, 350), "+0x9 [m]");
}

TEST(an_exact_free_time_takes_the_place_of_when_it_was_noticed)
{
	SYMBOLS("load 0 m 4096 0xffffffffc0000000 - -\nunload 400 m\n", NULL, KERNEL);

	CHECK_EQ(kmt_symbols_note_free(symbols, "m", 300), 0);
	CHECK_TEXT(at(symbols, ALPHA + 9, 299), "+0x9 [m]");
	CHECK_TEXT(at(symbols, ALPHA + 9, 300), "?");
}

TEST(a_free_event_of_a_module_that_was_never_noticed_to_go_ends_it)
{
	SYMBOLS("load 0 m 4096 0xffffffffc0000000 - -\n", NULL, KERNEL);

	CHECK_EQ(kmt_symbols_note_free(symbols, "m", 300), 0);
	CHECK_TEXT(at(symbols, ALPHA + 9, 301), "?");
	CHECK_EQ(kmt_symbols_note_free(symbols, "nobody", 300), 0);
	CHECK_EQ(kmt_symbols_note_load(symbols, "nobody", 1, 300), 0);
}

/* Of a load that was never noticed, the events tell the module; and who is just there is not
 * accused. */
TEST(unknown_code_is_of_the_module_that_the_task_initializes_then)
{
	SYMBOLS("load 300 m 4096 0xffffffffc0000000 - -\n", NULL, KERNEL);
	struct kmt_symbol symbol;

	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 200), 0);
	CHECK_EQ(kmt_symbols_note_load(symbols, "fails", 2, 250), 0);
	CHECK_EQ(kmt_symbols_note_free(symbols, "fails", 280), 0);
	CHECK_EQ(kmt_symbols_look_up(symbols, 0xffffffffc0005000, 1, 199, &symbol), 0);
	CHECK_EQ(kmt_symbols_look_up(symbols, 0xffffffffc0005000, 7, 200, &symbol), 0);
	CHECK_EQ(kmt_symbols_look_up(symbols, 0xffffffffc0005000, 1, 200, &symbol), 1);
	CHECK_TEXT(symbol.module, "m");
	CHECK_EQ(kmt_symbols_look_up(symbols, 0xffffffffc0005000, 2, 260, &symbol), 1);
	CHECK_TEXT(symbol.module, "fails");
	CHECK_EQ(kmt_symbols_look_up(symbols, 0xffffffffc0005000, 2, 280, &symbol), 0);
	CHECK_EQ(kmt_symbols_look_up(symbols, 0xffffffffc0005000, 1, 300, &symbol), 0);
}

static uint64_t unloaded_ns(const struct kmt_symbols *symbols, uint64_t address, int32_t pid,
			    uint64_t time_ns)
{
	struct kmt_symbol symbol;

	CHECK_EQ(kmt_symbols_look_up(symbols, address, pid, time_ns, &symbol), 1);
	return symbol.unloaded_ns;
}

TEST(what_became_of_a_module_is_known_of_each_of_its_loads)
{
	SYMBOLS(TWO_IN_TURN, two_texts, KERNEL);

	CHECK_EQ(unloaded_ns(symbols, ALPHA + 0x110, 0, 150), 200);
	CHECK_EQ(unloaded_ns(symbols, ALPHA + 0x110, 0, 350), 0);
	CHECK_EQ(unloaded_ns(symbols, 0xffffffff81000120, 0, 150), 0);
	CHECK_EQ(kmt_symbols_note_free(symbols, "alpha", 190), 0);
	CHECK_EQ(unloaded_ns(symbols, ALPHA + 0x110, 0, 150), 190);
}

TEST(what_became_of_a_module_is_known_of_its_init_function)
{
	SYMBOLS("load 300 m 4096 0xffffffffc0000000 OE -\nunload 900 m\n"
		"load 300 stays 4096 0xffffffffc0010000 - -\n",
		NULL, KERNEL);
	const uint64_t init = 0xffffffffc0005000;
	struct kmt_symbol symbol;

	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 200), 0);
	CHECK_EQ(kmt_symbols_note_load(symbols, "stays", 2, 200), 0);
	CHECK_EQ(kmt_symbols_note_load(symbols, "fails", 3, 200), 0);
	CHECK_EQ(kmt_symbols_note_load(symbols, "unheard", 4, 200), 0);
	CHECK_EQ(kmt_symbols_note_free(symbols, "fails", 280), 0);
	CHECK_EQ(unloaded_ns(symbols, init, 1, 250), 900);
	CHECK_EQ(unloaded_ns(symbols, init, 2, 250), 0);
	CHECK_EQ(unloaded_ns(symbols, init, 3, 250), 280);
	CHECK_EQ(unloaded_ns(symbols, init, 4, 250), 0); /* nobody said that it went */
	CHECK_EQ(kmt_symbols_note_free(symbols, "m", 800), 0);
	CHECK_EQ(kmt_symbols_look_up(symbols, init, 1, 250, &symbol), 1);
	CHECK_EQ(symbol.unloaded_ns, 800);
	CHECK_TEXT(symbol.taint, "OE");
}

/* Parts of modules lie apart since Linux 6.4: far's bounds, and its last function, reach over near.
 */
static const char *const apart[] = {
	NULL,
	"ffffffffc0000000 t far_code\t[far]\nffffffffc0008000 t far_more\t[far]\n",
	"ffffffffc0003000 t near_code\t[near]\nffffffffc0003100 t near_end\t[near]\n",
};

TEST(the_nearest_function_tells_whose_code_it_is)
{
	/* Whichever came first. */
	SYMBOLS("load 1 far 65536 0xffffffffc0000000 - -\nload 2 near 8192 0xffffffffc0003000 - -\n",
		apart, "");
	const char *const swapped[] = { NULL, apart[2], apart[1] };
	KMT_CLEANUP(kmt_symbols_freep)
	struct kmt_symbols *others = make("load 1 near 8192 0xffffffffc0003000 - -\n"
					  "load 2 far 65536 0xffffffffc0000000 - -\n",
					  swapped, "");

	CHECK_TEXT(at(symbols, 0xffffffffc0003010, 5), "near_code+0x10/0x100 [near]");
	CHECK_TEXT(at(others, 0xffffffffc0003010, 5), "near_code+0x10/0x100 [near]");
	CHECK_TEXT(at(others, 0xffffffffc0000010, 5), "far_code+0x10/0x8000 [far]");
}

TEST(a_module_that_went_later_does_not_take_the_blame_for_its_neighbour)
{
	struct kmt_symbol symbol;
	SYMBOLS("load 1 far 65536 0xffffffffc0000000 O -\nload 2 near 8192 0xffffffffc0003000 - -\n"
		"unload 10 near\nunload 20 far\n",
		apart, "");

	/* Gone both, then one of them. */
	for (uint64_t time_ns = 30; time_ns >= 15; time_ns -= 15) {
		CHECK_EQ(kmt_symbols_look_back(symbols, 0xffffffffc0003010, time_ns, &symbol), 1);
		CHECK_TEXT(symbol.module, "near");
		CHECK_TEXT(symbol.function, "near_code");
		CHECK_EQ(symbol.unloaded_ns, 10);
	}
	CHECK_EQ(kmt_symbols_look_back(symbols, 0xffffffffc0003010, 5, &symbol), 0);
	CHECK_EQ(kmt_symbols_look_back(symbols, 0xffffffffc0000010, 15, &symbol), 0);
	CHECK_EQ(kmt_symbols_look_back(symbols, 0xffffffffc0000010, 20, &symbol), 1);
	CHECK_TEXT(symbol.module, "far");
}

TEST(a_reload_that_nobody_noticed_has_the_same_symbols)
{
	SYMBOLS("load 300 m 4096 0xffffffffc0000000 - -\n", NULL, KERNEL);

	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 200), 0);
	CHECK_EQ(kmt_symbols_note_free(symbols, "m", 400), 0);
	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 500), 0);
	CHECK_TEXT(at(symbols, ALPHA + 9, 250), "+0x9 [m]");
	CHECK_TEXT(at(symbols, ALPHA + 9, 450), "?");
	CHECK_TEXT(at(symbols, ALPHA + 9, 550), "+0x9 [m]");
}

/* A reload that nobody noticed has no end of its init function: the task, or its pid, goes on to do
 * other things. */
TEST(a_task_is_not_initializing_for_ever)
{
	SYMBOLS("load 300 m 4096 0xffffffffc0000000 - -\n", NULL, KERNEL);
	struct kmt_symbol symbol;

	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 200), 0);
	CHECK_EQ(kmt_symbols_note_free(symbols, "m", 400), 0);
	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 500), 0);
	CHECK_EQ(kmt_symbols_look_up(symbols, 0xffffffffc0005000, 1, 1000, &symbol), 1);
	CHECK_EQ(kmt_symbols_look_up(symbols, 0xffffffffc0005000, 1, UINT64_C(3600000000000),
				     &symbol),
		 0);
}

TEST(without_symbols_nobody_is_accused_of_the_kernels_own_code)
{
	struct kmt_symbol symbol;
	SYMBOLS("load 300 m 4096 0xffffffffc0000000 - -\n", NULL, "");

	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 200), 0);
	CHECK_EQ(kmt_symbols_look_up(symbols, 0xffffffff81000120, 1, 250, &symbol), 0);
}

TEST(events_of_several_loads_go_to_each_in_turn)
{
	SYMBOLS("load 0 m 4096 0xffffffffc0000000 - -\nunload 200 m\n"
		"load 400 m 4096 0xffffffffc0000000 - -\nunload 600 m\n",
		NULL, KERNEL);

	CHECK_EQ(kmt_symbols_note_free(symbols, "m", 150), 0);
	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 350), 0);
	CHECK_EQ(kmt_symbols_note_free(symbols, "m", 550), 0);
	CHECK_TEXT(at(symbols, ALPHA + 9, 149), "+0x9 [m]");
	CHECK_TEXT(at(symbols, ALPHA + 9, 150), "?");
	CHECK_TEXT(at(symbols, ALPHA + 9, 349), "?");
	CHECK_TEXT(at(symbols, ALPHA + 9, 350), "+0x9 [m]");
	CHECK_TEXT(at(symbols, ALPHA + 9, 550), "?");
}

/* A load so short that the recorder did not notice it must not take the times of one that it did.
 */
TEST(a_load_that_nobody_noticed_does_not_shift_the_others)
{
	SYMBOLS("load 400 m 4096 0xffffffffc0000000 - -\nunload 600 m\n", NULL, KERNEL);

	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 100), 0);
	CHECK_EQ(kmt_symbols_note_free(symbols, "m", 110), 0);
	CHECK_EQ(kmt_symbols_note_load(symbols, "m", 1, 350), 0);
	CHECK_EQ(kmt_symbols_note_free(symbols, "m", 550), 0);
	CHECK_TEXT(at(symbols, ALPHA + 9, 360), "+0x9 [m]");
	CHECK_TEXT(at(symbols, ALPHA + 9, 500), "+0x9 [m]");
}

TEST(lines_of_a_newer_writer_are_passed_over)
{
	SYMBOLS("reload 5 x\n\nload\nload soon m 1 0x1 -\nload 0 m 4096 0xffffffffc0000000 - - and more\n",
		NULL, KERNEL);

	CHECK_TEXT(at(symbols, ALPHA + 9, 5), "+0x9 [m]");
}

TEST(a_module_name_longer_than_linux_allows_is_cut)
{
	char line[200], name[100];
	struct kmt_symbol symbol;

	memset(name, 'n', 99);
	name[99] = '\0';
	(void)snprintf(line, sizeof(line), "load 0 %s 4096 0xffffffffc0000000 - -\n", name);
	SYMBOLS(line, NULL, KERNEL);
	if (kmt_symbols_look_up(symbols, ALPHA + 9, 0, 5, &symbol))
		CHECK(strlen(symbol.module) < 64);
}

TEST(lookups_agree_with_a_linear_search)
{
	struct {
		uint64_t address;
		char name[16];
	} functions[300];
	char *text = malloc(300 * 64), *p = text;
	uint64_t random = 1, address = 0xffffffff81000000;

	CHECK(text);
	for (size_t i = 0; i < 300; i++) {
		functions[i].address = address += 16 + check_random(&random) % 500;
		(void)snprintf(functions[i].name, sizeof(functions[i].name), "f%zu", i);
	}
	for (size_t i = 0; i < 300; i++) { /* in another order */
		size_t k = i * 7 % 300;

		p += sprintf(p, "%016lx T %s\n", (long)functions[k].address, functions[k].name);
	}
	SYMBOLS("", NULL, text);
	for (int i = 0; i < 20000; i++) {
		uint64_t probe =
			0xffffffff81000000 + check_random(&random) % (address - 0xffffffff81000000);
		struct kmt_symbol symbol;
		const char *name = NULL;

		for (size_t k = 0; k < 300 && functions[k].address <= probe - 1; k++)
			name = functions[k].name;
		CHECK_EQ(kmt_symbols_look_up(symbols, probe, 0, 0, &symbol), name != NULL);
		if (name)
			CHECK_TEXT(symbol.function, name);
	}
	free(text);
}

/* --- many modules --- */

#define NR_CROWD 60

/* Modules at random, few places and times, some of which have a function. */
struct crowd {
	uint64_t base[NR_CROWD], size[NR_CROWD], from_ns[NR_CROWD], to_ns[NR_CROWD];
	uint64_t function[NR_CROWD]; /* 0: none */
};

static int read_crowd(void *context, unsigned int line, char **ret_text, size_t *ret_bytes)
{
	const struct crowd *crowd = context;
	uint64_t function = line <= NR_CROWD ? crowd->function[line - 1] : 0;

	if (!function)
		return -ENOENT;
	*ret_bytes = (size_t)asprintf(ret_text, "%lx t f\n%lx d end\n", (long)function,
				      (long)function + 24);
	return 0;
}

static void make_crowd(uint64_t *random, struct crowd *crowd)
{
	uint64_t last = check_random(random) % 2 ? 0 : UINT64_MAX - 150; /* some go on at 0 */

	for (size_t i = 0; i < NR_CROWD; i++) {
		uint64_t bits = check_random(random);

		crowd->base[i] = last + 16 + bits % 12 * 16;
		crowd->size[i] = (bits >> 8) % 8 * 16;
		crowd->from_ns[i] = (bits >> 16) % 8;
		crowd->to_ns[i] = crowd->from_ns[i] + 1 + (bits >> 24) % 8;
		crowd->function[i] = (bits >> 32) % 3 ? 0 : crowd->base[i] + (bits >> 40) % 4 * 8;
	}
}

static struct kmt_symbols *symbols_of(struct crowd *crowd)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	struct kmt_symbols *symbols;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);

	CHECK(file);
	for (size_t i = 0; i < NR_CROWD; i++)
		fprintf(file, "load %lu m%zu %lu 0x%lx - -\n", (long)crowd->from_ns[i], i,
			(long)crowd->size[i], (long)crowd->base[i]);
	for (size_t i = 0; i < NR_CROWD; i++)
		fprintf(file, "unload %lu m%zu\n", (long)crowd->to_ns[i], i);
	CHECK_EQ(fclose(file), 0);
	CHECK_EQ(kmt_symbols_new(&symbols, NULL), 0);
	CHECK_EQ(kmt_symbols_add_modules(symbols, text, bytes, read_crowd, crowd, NULL), 0);
	return symbols;
}

static bool has_function(const struct crowd *crowd, size_t i, uint64_t inside)
{
	uint64_t from = crowd->function[i], end = from + 24;

	/* What ends behind the last address ends nobody knows where. */
	return from && inside >= from && (inside < end || end < from);
}

/* The nearest function of those that are there, else the last base; of the same the last module. */
static size_t module_at(const struct crowd *crowd, uint64_t inside, uint64_t time_ns)
{
	size_t best = SIZE_MAX;

	for (size_t i = NR_CROWD; i-- > 0;) {
		if (inside - crowd->base[i] >= crowd->size[i] || time_ns < crowd->from_ns[i] ||
		    time_ns >= crowd->to_ns[i])
			continue;
		if (best == SIZE_MAX ||
		    has_function(crowd, i, inside) > has_function(crowd, best, inside) ||
		    (has_function(crowd, i, inside) && has_function(crowd, best, inside) &&
		     crowd->function[i] > crowd->function[best]) ||
		    (!has_function(crowd, i, inside) && !has_function(crowd, best, inside) &&
		     crowd->base[i] > crowd->base[best]))
			best = i;
	}
	return best;
}

/* The one with a function there that is noticed next; of the same time the last module. */
static size_t module_to_come(const struct crowd *crowd, uint64_t inside, uint64_t time_ns)
{
	size_t best = SIZE_MAX;

	for (size_t i = NR_CROWD; i-- > 0;)
		if (inside - crowd->base[i] < crowd->size[i] && has_function(crowd, i, inside) &&
		    crowd->from_ns[i] > time_ns &&
		    (best == SIZE_MAX || crowd->from_ns[i] < crowd->from_ns[best]))
			best = i;
	return best;
}

TEST(of_modules_at_the_same_place_it_is_the_one_that_a_walk_through_all_finds)
{
	uint64_t random = 1;

	for (int round = 0; round < 100; round++) {
		KMT_CLEANUP(kmt_symbols_freep) struct kmt_symbols *symbols = NULL;
		struct crowd crowd;

		make_crowd(&random, &crowd);
		symbols = symbols_of(&crowd);
		for (int i = 0; i < 200; i++) {
			uint64_t bits = check_random(&random), time_ns = bits % 16;
			uint64_t inside = crowd.base[0] - 200 + (bits >> 8) % 512;
			size_t there = module_at(&crowd, inside, time_ns), found;
			struct kmt_symbol symbol;

			found = there;
			if (there == SIZE_MAX || !has_function(&crowd, there, inside))
				found = module_to_come(&crowd, inside, time_ns);
			if (found == SIZE_MAX)
				found = there;
			CHECK_EQ(kmt_symbols_look_up(symbols, inside + 1, 0, time_ns, &symbol),
				 found != SIZE_MAX);
			CHECK_EQ(symbol.instance, found + 1);
			CHECK_EQ(!symbol.function,
				 found == SIZE_MAX || !has_function(&crowd, found, inside));
		}
	}
}

/* A walk through all of them was too much after 15000. */
TEST(a_crowd_of_modules_is_no_work)
{
	static const char line[] = "load 0 mod 4096 0xffffffffc0000000 - -\n";
	KMT_CLEANUP(kmt_freep) char *text = malloc(20000 * (sizeof(line) - 1) + 1);
	KMT_CLEANUP(kmt_symbols_freep) struct kmt_symbols *symbols = NULL;

	CHECK(text);
	*text = '\0';
	for (size_t i = 0; i < 20000; i++)
		memcpy(text + i * (sizeof(line) - 1), line, sizeof(line));
	symbols = make(text, NULL, "");
	for (size_t i = 0; i < 100000; i++)
		CHECK_TEXT(at(symbols, 0xffffffffc0000010, 1), "+0x10 [mod]");
	CHECK(!kmt_symbols_is_exhausted(symbols));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(a_return_address_is_in_the_function_that_called),
		ROW(a_call_that_is_the_last_instruction_stays_in_its_function),
		ROW(before_the_first_symbol_and_in_data_there_is_no_function),
		ROW(of_aliases_the_first_is_taken_as_the_kernel_does),
		ROW(the_last_function_does_not_reach_to_the_end_of_the_world),
		ROW(unsorted_kallsyms_are_found_too),
		ROW(lines_that_are_no_symbols_are_passed_over),
		ROW(a_32_bit_kernel_has_short_addresses),
		ROW(hidden_kallsyms_name_nothing),
		ROW(the_kernels_own_range_is_that_of_its_code),
		ROW(two_modules_in_turn_at_one_address_are_told_apart_by_time),
		ROW(each_load_of_a_module_has_its_build_id),
		ROW(the_kernel_begins_at_stext),
		ROW(between_modules_and_before_them_an_address_is_unknown),
		ROW(code_of_nobody_is_of_the_module_that_is_noticed_next),
		ROW(loads_of_the_same_module_are_told_apart),
		ROW(built_in_code_belongs_to_no_load),
		ROW(a_module_whose_symbols_are_gone_is_still_named),
		ROW(in_the_place_of_a_modules_init_code_only_the_module_is_known),
		ROW(modules_of_the_first_kallsyms_get_its_symbols),
		ROW(code_that_only_kallsyms_knows_has_the_bounds_of_its_symbols),
		ROW(an_exact_load_time_takes_the_place_of_when_it_was_noticed),
		ROW(a_load_event_after_it_was_noticed_is_of_another_load),
		ROW(an_exact_free_time_takes_the_place_of_when_it_was_noticed),
		ROW(a_free_event_of_a_module_that_was_never_noticed_to_go_ends_it),
		ROW(unknown_code_is_of_the_module_that_the_task_initializes_then),
		ROW(what_became_of_a_module_is_known_of_each_of_its_loads),
		ROW(what_became_of_a_module_is_known_of_its_init_function),
		ROW(the_nearest_function_tells_whose_code_it_is),
		ROW(a_module_that_went_later_does_not_take_the_blame_for_its_neighbour),
		ROW(a_reload_that_nobody_noticed_has_the_same_symbols),
		ROW(a_task_is_not_initializing_for_ever),
		ROW(without_symbols_nobody_is_accused_of_the_kernels_own_code),
		ROW(events_of_several_loads_go_to_each_in_turn),
		ROW(a_load_that_nobody_noticed_does_not_shift_the_others),
		ROW(lines_of_a_newer_writer_are_passed_over),
		ROW(a_module_name_longer_than_linux_allows_is_cut),
		ROW(lookups_agree_with_a_linear_search),
		ROW(of_modules_at_the_same_place_it_is_the_one_that_a_walk_through_all_finds),
		ROW(a_crowd_of_modules_is_no_work),
	};

	return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
