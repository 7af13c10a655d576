// SPDX-License-Identifier: GPL-2.0-only
/* Which allocation a kernel_stack of tests/formats/6.18 belongs to: a wrong one accuses somebody.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kmemtape/decoder.h"

#include "check.h"
#include "fixture.h"

#define SUBBUF	      4096
#define HEAD	      16
#define MISSED_EVENTS (UINT64_C(1) << 31)
#define SITE	      UINT64_C(0xffffffff81234567)
#define OUTER	      UINT64_C(0xffffffff81300000)
#define MODULE	      UINT64_C(0xffffffffc0001000)

enum { TASK = 0x00, SOFTIRQ = 0x10, HARDIRQ = 0x08, NMI = 0x48 };

/* Sub-buffers that are filled record by record, 10 ns apart. */
struct bench {
	struct kmt_formats *formats;
	struct kmt_names *names;
	struct kmt_stacks *stacks;
	struct kmt_decoder *decoder;
	struct kmt_batch batch;
	uint8_t page[SUBBUF];
	uint32_t used;
	uint64_t time_ns, flags;
};

static void begin_page(struct bench *b, uint64_t flags)
{
	memset(b->page, 0, sizeof(b->page));
	memcpy(b->page, &b->time_ns, 8);
	b->used = 0;
	b->flags = flags;
}

static void leave_bench(struct bench *b)
{
	kmt_batch_deinit(&b->batch);
	b->decoder = kmt_decoder_free(b->decoder);
	b->stacks = kmt_stacks_free(b->stacks);
	b->names = kmt_names_free(b->names);
	b->formats = kmt_formats_free(b->formats);
}

static struct bench enter_bench(void)
{
	struct bench b = { .formats = load_formats("6.18", false, 8), .time_ns = 1000 };

	add_fixtures(b.formats, "6.18", other_fixture_events, NR_OTHER_FIXTURE_EVENTS);
	CHECK_EQ(kmt_names_new(&b.names, NULL), 0);
	CHECK_EQ(kmt_stacks_new(0xffffffff81000000, 0xffffffff82000000, &b.stacks, NULL), 0);
	CHECK_EQ(kmt_decoder_new(b.formats, b.names, b.stacks, 3, &b.decoder, NULL), 0);
	begin_page(&b, 0);
	return b;
}

#define BENCH KMT_CLEANUP(leave_bench) struct bench b = enter_bench()

/* As one run, and begin the next one. */
static void run(struct bench *b)
{
	uint64_t commit = b->used | b->flags;
	void *exact = malloc(SUBBUF);

	CHECK(exact);
	memcpy(b->page + 8, &commit, 8);
	memcpy(exact, b->page, SUBBUF);
	CHECK_EQ(kmt_decoder_run(b->decoder, exact, SUBBUF, "cpu/0003.zst", 0, &b->batch), 0);
	free(exact);
	begin_page(b, 0);
}

static void finish(struct bench *b)
{
	run(b);
	CHECK_EQ(kmt_decoder_finish(b->decoder, &b->batch), 0);
}

/* The head of a record of @bytes, multiple of 4; the rest is zero. Return: where it is. */
static uint8_t *put(struct bench *b, uint16_t id, uint8_t flags, int32_t pid, uint32_t bytes)
{
	uint32_t head = 10u << 5 | (bytes / 4 <= 28 ? bytes / 4 : 0);
	uint8_t *at = b->page + HEAD + b->used;

	b->time_ns += 10;
	memcpy(at, &head, 4);
	at += 4;
	if (bytes / 4 > 28) {
		head = bytes + 4;
		memcpy(at, &head, 4);
		at += 4;
	}
	memcpy(at, &id, 2);
	at[2] = flags;
	memcpy(at + 4, &pid, 4);
	b->used = (uint32_t)(at - b->page) - HEAD + bytes;
	return at;
}

static void put_event(struct bench *b, const char *event, uint8_t flags, int32_t pid, uint64_t ptr)
{
	uint64_t site = SITE;
	uint8_t *record;
	uint16_t id = 0;

	CHECK(kmt_formats_find(b->formats, event, &id));
	record = put(b, id, flags, pid, 56);
	memcpy(record + 8, &site, 8);
	memcpy(record + 16, &ptr, 8);
}

static void put_alloc(struct bench *b, uint8_t flags, int32_t pid, uint64_t ptr)
{
	put_event(b, "kmem:kmalloc", flags, pid, ptr);
}

static void put_frames(struct bench *b, uint8_t flags, int32_t pid, uint32_t size,
		       const uint64_t *frames, uint32_t nr)
{
	uint8_t *record = put(b, 4, flags, pid, 16 + 8 * nr);

	memcpy(record + 8, &size, 4);
	memcpy(record + 16, frames, (size_t)8 * nr);
}

/* SITE < @outer */
static void put_stack(struct bench *b, uint8_t flags, int32_t pid, uint64_t outer)
{
	const uint64_t frames[] = { SITE, outer };

	put_frames(b, flags, pid, 2, frames, 2);
}

/* The outermost frame of the stack of an event; 0 if it has none. */
static uint64_t outer_of(const struct bench *b, uint64_t ptr)
{
	for (size_t i = 0; i < b->batch.nr; i++) {
		const struct kmt_event *event = &b->batch.events[i];
		const uint64_t *frames;
		size_t nr;

		if (event->ptr != ptr || !kmt_event_is_alloc(event))
			continue;
		frames = kmt_stacks_frames(b->stacks, event->stack, &nr);
		return nr ? frames[nr - 1] : 0;
	}
	fail_msg("no allocation of %#llx", (unsigned long long)ptr);
	return 0;
}

TEST(a_stack_is_that_of_the_allocation_before_it)
{
	BENCH;

	put_alloc(&b, TASK, 7, 0x1000);
	put_stack(&b, TASK, 7, OUTER);
	put_alloc(&b, TASK, 7, 0x2000);
	put_alloc(&b, TASK, 7, 0x3000);
	put_stack(&b, TASK, 7, MODULE);
	put_alloc(&b, TASK, 7, 0x4000);
	finish(&b);
	CHECK_EQ(b.batch.nr, 4);
	CHECK_EQ(outer_of(&b, 0x1000), OUTER);
	CHECK_EQ(outer_of(&b, 0x2000), 0);
	CHECK_EQ(outer_of(&b, 0x3000), MODULE);
	CHECK_EQ(outer_of(&b, 0x4000), 0);
	CHECK_EQ(b.batch.events[0].stack & KMT_STACK_HAS_MODULE, 0);
	CHECK_EQ(b.batch.events[2].stack & KMT_STACK_HAS_MODULE, KMT_STACK_HAS_MODULE);
}

TEST(interrupts_come_between_an_allocation_and_its_stack)
{
	BENCH;

	put_alloc(&b, TASK, 7, 0x1000);
	put_alloc(&b, SOFTIRQ, 7, 0x2000);
	put_alloc(&b, SOFTIRQ | HARDIRQ, 7, 0x3000);
	put_alloc(&b, NMI, 7, 0x4000);
	put_stack(&b, NMI, 7, OUTER + 4);
	put_stack(&b, SOFTIRQ | HARDIRQ, 7, OUTER + 3);
	put_event(&b, "kmem:kfree", SOFTIRQ | HARDIRQ, 7, 0x5000);
	put_stack(&b, SOFTIRQ, 7, OUTER + 2);
	put_alloc(&b, SOFTIRQ, 7, 0x6000);
	put_stack(&b, TASK, 7, OUTER + 1);
	put_stack(&b, SOFTIRQ, 7, OUTER + 6);
	finish(&b);
	CHECK_EQ(outer_of(&b, 0x1000), OUTER + 1);
	CHECK_EQ(outer_of(&b, 0x2000), OUTER + 2);
	CHECK_EQ(outer_of(&b, 0x3000), OUTER + 3);
	CHECK_EQ(outer_of(&b, 0x4000), OUTER + 4);
	CHECK_EQ(outer_of(&b, 0x6000), 0); /* its interrupt had ended when the task went on */
}

TEST(the_stack_of_something_else_is_not_that_of_an_allocation)
{
	BENCH;

	put_alloc(&b, TASK, 7, 0x1000);
	put_event(&b, "kmem:kfree", TASK, 7, 0x9000);
	put_stack(&b, TASK, 7, OUTER); /* of the free */
	put_alloc(&b, TASK, 7, 0x2000);
	(void)put(&b, 999, TASK, 7, 16); /* of no event of ours */
	put_stack(&b, TASK, 7, OUTER);
	put_alloc(&b, TASK, 7, 0x3000);
	put_stack(&b, TASK, 8, OUTER); /* of another task */
	put_stack(&b, TASK, 7, OUTER);
	put_alloc(&b, TASK, 7, 0x4000);
	(void)put(&b, 999, HARDIRQ, 7, 16); /* in an interrupt, which has ended */
	put_stack(&b, TASK, 7, OUTER);
	finish(&b);
	CHECK_EQ(outer_of(&b, 0x1000), 0);
	CHECK_EQ(outer_of(&b, 0x2000), 0);
	CHECK_EQ(outer_of(&b, 0x3000), 0);
	CHECK_EQ(outer_of(&b, 0x4000), OUTER);
	CHECK_EQ(kmt_decoder_stats(b.decoder)->other_events, 2);
}

TEST(bulk_frees_have_stacks_of_their_own)
{
	KMT_CLEANUP(leave_bench)
	struct bench b = { .formats = load_formats("6.12", false, 8), .time_ns = 1000 };

	add_fixtures(b.formats, "6.12", other_fixture_events, NR_OTHER_FIXTURE_EVENTS);
	CHECK_EQ(kmt_names_new(&b.names, NULL), 0);
	CHECK_EQ(kmt_stacks_new(0, 0, &b.stacks, NULL), 0);
	CHECK_EQ(kmt_decoder_new(b.formats, b.names, b.stacks, 3, &b.decoder, NULL), 0);
	begin_page(&b, 0);

	uint16_t id = 0;
	const struct kmt_layout *bulk = kmt_formats_find(b.formats, "kmemtape:bulk_free", &id);

	put_alloc(&b, TASK, 7, 0x1000);
	(void)put(&b, id, TASK, 7, bulk->min_bytes);
	put_stack(&b, TASK, 7, OUTER);
	finish(&b);
	CHECK_EQ(outer_of(&b, 0x1000), 0);
}

TEST(a_stack_may_come_with_the_next_sub_buffer)
{
	BENCH;

	put_alloc(&b, TASK, 7, 0x1000);
	put_event(&b, "kmem:kfree", HARDIRQ, 7, 0x9000);
	run(&b);
	CHECK_EQ(b.batch.nr, 0); /* both wait */
	put_stack(&b, TASK, 7, OUTER);
	put_alloc(&b, TASK, 7, 0x2000);
	run(&b);
	CHECK_EQ(b.batch.nr, 2);
	CHECK_EQ(outer_of(&b, 0x1000), OUTER);
	run(&b);
	CHECK_EQ(b.batch.nr, 2);
	CHECK_EQ(kmt_decoder_finish(b.decoder, &b.batch), 0);
	CHECK_EQ(b.batch.nr, 3);
	CHECK_EQ(outer_of(&b, 0x2000), 0);
}

TEST(behind_lost_events_nobody_knows_whose_stack_it_is)
{
	BENCH;

	put_alloc(&b, TASK, 7, 0x1000);
	run(&b);
	begin_page(&b, MISSED_EVENTS);
	put_stack(&b, TASK, 7, OUTER);
	finish(&b);
	CHECK_EQ(b.batch.nr, 2);
	CHECK_EQ(b.batch.events[1].kind, KMT_EVENT_LOSS);
	CHECK_EQ(outer_of(&b, 0x1000), 0);

	put_alloc(&b, TASK, 7, 0x2000);
	run(&b);
	kmt_decoder_note_gap(b.decoder);
	put_stack(&b, TASK, 7, OUTER);
	finish(&b);
	CHECK_EQ(outer_of(&b, 0x2000), 0);
}

TEST(frames_of_the_tracer_and_behind_the_end_are_no_frames)
{
	const uint64_t inner[] = { 0xffffffff81100000, 0xffffffff81100010, SITE, OUTER };
	const uint64_t ended[] = { SITE, OUTER, UINT64_MAX, 0 };
	const uint64_t nothing[] = { UINT64_MAX };
	size_t nr;
	BENCH;

	put_alloc(&b, TASK, 7, 0x1000);
	put_frames(&b, TASK, 7, 4, inner, 4);
	put_alloc(&b, TASK, 7, 0x2000);
	put_frames(&b, TASK, 7, 4, ended, 4);
	put_alloc(&b, TASK, 7, 0x3000);
	put_frames(&b, TASK, 7, 1, nothing, 1);
	put_alloc(&b, TASK, 7, 0x4000);
	put_frames(&b, TASK, 7, 0, nothing, 0);
	finish(&b);
	CHECK_EQ(b.batch.events[1].stack, b.batch.events[0].stack);
	CHECK_EQ(kmt_stacks_frames(b.stacks, b.batch.events[0].stack, &nr)[0], SITE);
	CHECK_EQ(nr, 2);
	CHECK_EQ(outer_of(&b, 0x3000), 0);
	CHECK_EQ(outer_of(&b, 0x4000), 0);
}

/* The number is believed as far as the record goes. */
TEST(a_stack_that_says_it_is_longer_than_its_record_ends_with_it)
{
	const uint64_t frames[] = { SITE, OUTER };
	size_t nr;
	BENCH;

	put_alloc(&b, TASK, 7, 0x1000);
	put_frames(&b, TASK, 7, UINT32_MAX, frames, 2);
	put_alloc(&b, TASK, 7, 0x2000);
	put_frames(&b, TASK, 7, 1, frames, 2);
	finish(&b);
	(void)kmt_stacks_frames(b.stacks, b.batch.events[0].stack, &nr);
	CHECK_EQ(nr, 2);
	(void)kmt_stacks_frames(b.stacks, b.batch.events[1].stack, &nr);
	CHECK_EQ(nr, 1);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(a_stack_is_that_of_the_allocation_before_it),
		ROW(interrupts_come_between_an_allocation_and_its_stack),
		ROW(the_stack_of_something_else_is_not_that_of_an_allocation),
		ROW(bulk_frees_have_stacks_of_their_own),
		ROW(a_stack_may_come_with_the_next_sub_buffer),
		ROW(behind_lost_events_nobody_knows_whose_stack_it_is),
		ROW(frames_of_the_tracer_and_behind_the_end_are_no_frames),
		ROW(a_stack_that_says_it_is_longer_than_its_record_ends_with_it),
	};

	return cmocka_run_group_tests(rows, NULL, NULL);
}
