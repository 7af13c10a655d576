// SPDX-License-Identifier: GPL-2.0-only
/* Stacks get names: of their time, the owner's, and the same ones whoever interned them. */
#include "kmemtape/account.h"

#include "../../src/replay/frames.h"
#include "../../src/replay/uses.h"
#include "check.h"

#define FROM   UINT64_C(0xffffffff81000000)
#define TO     UINT64_C(0xffffffff82000000)
#define MODULE UINT64_C(0xffffffffc0001000)
#define SECOND UINT64_C(1000000000)

/* A return address in each. */
enum {
	ALLOC_PAGES = 0x110,
	SKB = 0x210,
	RX = 0x310,
	SYSCALL = 0x410,
	STRDUP = 0x510,
	OTHER = 0x610,
	TRACER = 0x710,
	SLAB = 0x810,
	ANON = 0x910,
	FAULT = 0xa10,
	PTE = 0xb10,
	AREA = 0xc10,
};

struct bench {
	struct kmt_stacks *stacks;
	struct kmt_symbols *symbols;
	struct kmt_owners *owners;
	struct kmt_result *result;
	struct kmt_frames *frames;
};

/* Two modules in turn at one address. */
static const char modules[] = "load 2000000000 mod 8192 0xffffffffc0001000 - -\n"
			      "unload 5000000000 mod\n"
			      "load 6000000000 other 8192 0xffffffffc0001000 OE -\n";

static int read_module(void *context, unsigned int line, char **ret_text, size_t *ret_bytes)
{
	*ret_text = strdup(line == 1 ? "ffffffffc0001000 t kstrdup\t[mod]\n"
				     : "ffffffffc0001000 t other_open\t[other]\n");
	CHECK(*ret_text);
	*ret_bytes = strlen(*ret_text);
	return 0;
}

static void begin(struct bench *bench, const char *owners)
{
	static const char kallsyms[] =
		"ffffffff81000100 T __alloc_pages_noprof\nffffffff81000200 T __alloc_skb.part.0\n"
		"ffffffff81000300 T foo_rx\nffffffff81000400 T do_syscall_64\n"
		"ffffffff81000500 T kstrdup\nffffffff81000600 T foo_other\n"
		"ffffffff81000700 t trace_event_raw_event_mm_page_alloc\n"
		"ffffffff81000800 t allocate_slab.isra.0\n"
		"ffffffff81000900 t do_anonymous_page\nffffffff81000a00 T handle_mm_fault\n"
		"ffffffff81000b00 T pte_alloc_one\n"
		"ffffffff81000c00 T __vmalloc_node_range_noprof\nffffffff81000d00 T end\n";
	struct kmt_frames_context context = { .kernel_from = FROM, .kernel_to = TO };

	*bench = (struct bench){ 0 };
	CHECK_EQ(kmt_stacks_new(FROM, TO, &bench->stacks, NULL), 0);
	CHECK_EQ(kmt_symbols_new(&bench->symbols, NULL), 0);
	CHECK_EQ(kmt_result_new(&bench->result, NULL), 0);
	CHECK_EQ(kmt_symbols_add_modules(bench->symbols, modules, strlen(modules), read_module,
					 NULL, NULL),
		 0);
	CHECK_EQ(kmt_symbols_add_kallsyms(bench->symbols, strdup(kallsyms), strlen(kallsyms), NULL),
		 0);
	CHECK_EQ(kmt_owners_new(&bench->owners, NULL), 0);
	CHECK_EQ(kmt_owners_add(bench->owners, "o", owners, strlen(owners), NULL), 0);
	context.stacks = bench->stacks;
	context.symbols = bench->symbols;
	context.owners = bench->owners;
	context.result = bench->result;
	CHECK_EQ(kmt_frames_new(&context, &bench->frames, NULL), 0);
}

static void end(struct bench *bench)
{
	(void)kmt_frames_free(bench->frames);
	(void)kmt_result_free(bench->result);
	(void)kmt_owners_free(bench->owners);
	(void)kmt_symbols_free(bench->symbols);
	(void)kmt_stacks_free(bench->stacks);
}

#define BENCH(owners)                        \
	KMT_CLEANUP(end) struct bench bench; \
	begin(&bench, owners)

/* @...: offsets of return addresses in the kernel, the innermost first */
static const struct kmt_trace *trace(struct bench *bench, bool has_call_site,
				     const uint64_t *offsets, size_t nr)
{
	struct kmt_account account = { .first_ns = SECOND, .first_pid = 1 };
	const struct kmt_trace *trace = NULL;
	uint64_t frames[8];

	for (size_t i = 0; i < nr; i++)
		frames[i] = offsets[i] >= FROM ? offsets[i] : FROM + offsets[i];
	account.key.stack = kmt_stacks_intern(bench->stacks, frames, nr);
	account.key.call_site = has_call_site ? frames[0] : 0;
	CHECK_EQ(kmt_frames_trace(bench->frames, &account, &trace), 0);
	CHECK(trace);
	return trace;
}

#define TRACE(has_call_site, ...)                                       \
	trace(&bench, has_call_site, (const uint64_t[]){ __VA_ARGS__ }, \
	      sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static const char *name(const struct bench *bench, const struct kmt_trace *trace, uint32_t i)
{
	return kmt_trace_frame(bench->frames, trace, i)->frame.function;
}

TEST(the_owner_is_who_called_the_helpers)
{
	BENCH("");
	const struct kmt_trace *t = TRACE(true, SKB, RX, SYSCALL);

	CHECK_EQ(t->nr, 3);
	CHECK_TEXT(name(&bench, t, t->site), "__alloc_skb.part.0");
	CHECK_TEXT(name(&bench, t, t->owner), "foo_rx");
	CHECK(t->is_handed_on);
	CHECK(kmt_trace_frame(bench.frames, t, 0)->frame.is_helper);
	t = TRACE(true, RX, OTHER, SYSCALL);
	CHECK_TEXT(name(&bench, t, t->owner), "foo_rx");
	CHECK(!t->is_handed_on);
}

TEST(a_system_call_owns_nothing)
{
	BENCH("");
	const struct kmt_trace *t = TRACE(true, STRDUP, SKB, SYSCALL, RX);

	CHECK_TEXT(name(&bench, t, t->owner), "__alloc_skb.part.0");
	t = TRACE(true, STRDUP, SYSCALL);
	CHECK_TEXT(name(&bench, t, t->owner), "kstrdup");
	t = TRACE(false, TRACER, ALLOC_PAGES, SYSCALL);
	CHECK_TEXT(name(&bench, t, t->site), "__alloc_pages_noprof");
	CHECK_EQ(t->owner, t->site);
	t = TRACE(true, SYSCALL);
	CHECK_EQ(t->owner, 0);
}

TEST(without_a_call_site_the_caller_of_the_allocator_is_one)
{
	BENCH("");
	const struct kmt_trace *t = TRACE(false, TRACER, ALLOC_PAGES, SKB, RX);

	CHECK_TEXT(name(&bench, t, t->site), "__alloc_skb.part.0");
	CHECK_TEXT(name(&bench, t, t->owner), "foo_rx");
	t = TRACE(true, ALLOC_PAGES, RX);
	CHECK_EQ(t->site, 0);
}

TEST(what_nobody_knows_is_nobody_elses)
{
	BENCH("");
	const struct kmt_trace *t = TRACE(true, STRDUP, MODULE + 0x100010, RX);

	CHECK_EQ(t->owner, 1);
	CHECK(kmt_trace_frame(bench.frames, t, 1)->is_unknown);
	CHECK(!name(&bench, t, 1));
}

TEST(the_users_lines_count)
{
	BENCH("helper foo_rx\nowner kstrdup\n");
	const struct kmt_trace *t = TRACE(true, SKB, RX, OTHER);

	CHECK_TEXT(name(&bench, t, t->owner), "foo_other");
	t = TRACE(true, STRDUP, OTHER);
	CHECK_TEXT(name(&bench, t, t->owner), "kstrdup");
}

static const struct kmt_trace *at(struct bench *bench, const uint64_t *frames, size_t nr,
				  uint32_t generation, uint64_t time_ns)
{
	struct kmt_account account = { .first_ns = time_ns, .first_pid = 1 };
	const struct kmt_trace *trace = NULL;

	account.key.stack = kmt_stacks_intern(bench->stacks, frames, nr);
	account.key.call_site = frames[0];
	account.key.generation = generation;
	CHECK_EQ(kmt_frames_trace(bench->frames, &account, &trace), 0);
	return trace;
}

TEST(frames_have_the_name_of_their_time)
{
	BENCH("");
	const uint64_t frames[] = { FROM + STRDUP, MODULE + 0x10, FROM + SYSCALL };
	const struct kmt_trace *after, *again, *other;

	after = at(&bench, frames, 3, 1, 3 * SECOND);
	again = at(&bench, frames, 3, 2, 4 * SECOND); /* someone else had come meanwhile */
	other = at(&bench, frames, 3, 3, 7 * SECOND);
	CHECK_TEXT(name(&bench, after, after->owner), "kstrdup"); /* a module's is no helper */
	CHECK_EQ(after->owner, 1);
	CHECK_TEXT(name(&bench, other, other->owner), "other_open");
	CHECK_TEXT(kmt_trace_frame(bench.frames, other, 1)->frame.taint, "OE");
	CHECK_EQ(kmt_trace_compare(bench.frames, after, again), 0);
	CHECK(kmt_trace_compare(bench.frames, after, other) != 0);
	CHECK(at(&bench, frames, 3, 2, 4 * SECOND) == again);
}

TEST(nothing_depends_on_who_interned_first)
{
	const uint64_t frames[][3] = { { FROM + SKB, FROM + RX, FROM + SYSCALL },
				       { FROM + SKB, FROM + OTHER, FROM + SYSCALL } };
	int order[2];

	for (size_t first = 0; first < 2; first++) {
		BENCH("");
		const struct kmt_trace *traces[2];

		(void)kmt_stacks_intern(bench.stacks, frames[first], 3);
		for (size_t i = 0; i < 2; i++)
			traces[i] = at(&bench, frames[i], 3, 0, SECOND);
		order[first] = kmt_trace_compare(bench.frames, traces[0], traces[1]);
		CHECK(kmt_trace_compare(bench.frames, traces[1], traces[0]) == -order[first]);
		CHECK_EQ(kmt_trace_compare(bench.frames, traces[1], NULL), -1);
	}
	CHECK(order[0] < 0);
	CHECK_EQ(order[0], order[1]);
}

TEST(the_result_keeps_what_rows_need)
{
	BENCH("");
	const struct kmt_trace *t = TRACE(false, TRACER, ALLOC_PAGES, SKB, RX);
	const struct kmt_frame *frames;
	size_t nr;

	CHECK_EQ(kmt_frames_keep(bench.frames, t, &frames, &nr), 0);
	bench.frames = kmt_frames_free(bench.frames);
	CHECK_EQ(nr, 2);
	CHECK_EQ(frames[0].address, FROM + SKB);
	CHECK_TEXT(frames[1].function, "foo_rx");
	CHECK_EQ(frames[1].offset, 0x10);
	CHECK(frames[0].is_helper && !frames[1].is_helper);
}

/* More of them than any table begins with. */
TEST(many_stacks_keep_their_names)
{
	BENCH("");
	const struct kmt_trace *first = NULL;
	uint64_t frames[3];

	for (unsigned int round = 0; round < 2; round++)
		for (uint64_t i = 0; i < 30000; i++) {
			const struct kmt_trace *t;

			frames[0] = FROM + SKB;
			frames[1] = FROM + 0x900 + i;
			frames[2] = FROM + SYSCALL;
			t = at(&bench, frames, 3, 0, SECOND);
			CHECK_EQ(kmt_trace_frame(bench.frames, t, 1)->frame.address,
				 FROM + 0x900 + i);
			if (i == 0 && round == 0)
				first = t;
			else if (i == 0)
				CHECK(t == first);
		}
}

static enum kmt_use use(const struct bench *bench, const struct kmt_trace *trace)
{
	return kmt_use_of_stack(bench->frames, trace);
}

TEST(pages_are_of_whom_the_innermost_function_that_tells_says)
{
	BENCH("");

	CHECK_EQ(use(&bench, TRACE(false, ALLOC_PAGES, SLAB, RX, SYSCALL)), KMT_USE_SLAB);
	CHECK_EQ(use(&bench, TRACE(false, ALLOC_PAGES, AREA, RX)), KMT_USE_VMALLOC);
	CHECK_EQ(use(&bench, TRACE(false, ALLOC_PAGES, ANON, FAULT)), KMT_USE_USER);
	CHECK_EQ(use(&bench, TRACE(false, ALLOC_PAGES, FAULT)), KMT_USE_USER);
	CHECK_EQ(use(&bench, TRACE(false, ALLOC_PAGES, PTE, FAULT)), KMT_USE_PAGE_TABLE);
	CHECK_EQ(use(&bench, TRACE(false, TRACER, ALLOC_PAGES, RX, SYSCALL)), KMT_USE_KERNEL);
	/* A slab that was made for a page fault is a slab. */
	CHECK_EQ(use(&bench, TRACE(false, ALLOC_PAGES, SLAB, RX, FAULT)), KMT_USE_SLAB);
	/* Nobody knows a name of it. */
	CHECK_EQ(use(&bench, TRACE(false, UINT64_C(0xffffffffa0000010))), KMT_USE_UNKNOWN);
}

/* What a module asks for in a fault handler of its own is no memory of users. */
TEST(pages_that_a_module_asks_for_are_its_own)
{
	BENCH("");
	struct kmt_account account = { .first_ns = 3 * SECOND, .first_pid = 1 };
	const uint64_t frames[] = { FROM + ALLOC_PAGES, MODULE + 16, FROM + FAULT };
	const struct kmt_trace *trace = NULL;

	account.key.stack = kmt_stacks_intern(bench.stacks, frames, 3);
	CHECK_EQ(kmt_frames_trace(bench.frames, &account, &trace), 0);
	CHECK_EQ(use(&bench, trace), KMT_USE_KERNEL);
}

TEST(pages_that_go_with_something_else_cannot_leak_by_themselves)
{
	CHECK(kmt_use_owner(KMT_USE_SLAB) && kmt_use_owner(KMT_USE_VMALLOC));
	CHECK(kmt_use_owner(KMT_USE_PERCPU) && kmt_use_owner(KMT_USE_USER));
	CHECK(kmt_use_owner(KMT_USE_PAGE_TABLE) && kmt_use_owner(KMT_USE_STACK));
	CHECK(!kmt_use_owner(KMT_USE_KERNEL) && !kmt_use_owner(KMT_USE_UNKNOWN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(the_owner_is_who_called_the_helpers),
		ROW(a_system_call_owns_nothing),
		ROW(without_a_call_site_the_caller_of_the_allocator_is_one),
		ROW(what_nobody_knows_is_nobody_elses),
		ROW(the_users_lines_count),
		ROW(frames_have_the_name_of_their_time),
		ROW(nothing_depends_on_who_interned_first),
		ROW(the_result_keeps_what_rows_need),
		ROW(many_stacks_keep_their_names),
		ROW(pages_are_of_whom_the_innermost_function_that_tells_says),
		ROW(pages_that_a_module_asks_for_are_its_own),
		ROW(pages_that_go_with_something_else_cannot_leak_by_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
