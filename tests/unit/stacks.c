// SPDX-License-Identifier: GPL-2.0-only
/* kmt_stacks: equal stacks have equal numbers, whoever interns them, and nothing is lost. */
#include <pthread.h>
#include <string.h>

#include "kmemtape/stacks.h"

#include "check.h"

#define KERNEL_FROM UINT64_C(0xffffffff81000000)
#define KERNEL_TO   UINT64_C(0xffffffff82000000)
#define NR	    20000u
#define THREADS	    4u

static struct kmt_stacks *new_stacks(void)
{
	struct kmt_stacks *stacks = NULL;

	CHECK_EQ(kmt_stacks_new(KERNEL_FROM, KERNEL_TO, &stacks, NULL), 0);
	return stacks;
}

/* Stack number @n of the test: 1 to 9 frames, no two the same. */
static size_t make(uint64_t frames[9], unsigned int n)
{
	size_t nr = 1 + n % 9;

	for (size_t i = 0; i < nr; i++)
		frames[i] = KERNEL_FROM + 16 * (i + 1) + (i + 1 == nr ? 256 * (uint64_t)n : 0);
	return nr;
}

TEST(equal_stacks_have_equal_numbers)
{
	KMT_CLEANUP(kmt_stacks_freep) struct kmt_stacks *stacks = new_stacks();
	uint64_t a[] = { KERNEL_FROM + 1, KERNEL_FROM + 2 }, b[] = { KERNEL_FROM + 1 };
	uint32_t first = kmt_stacks_intern(stacks, a, 2), second = kmt_stacks_intern(stacks, b, 1);
	const uint64_t *frames;
	size_t nr;

	CHECK(first != KMT_STACK_NONE && second != KMT_STACK_NONE && first != second);
	CHECK_EQ(kmt_stacks_intern(stacks, a, 2), first);
	frames = kmt_stacks_frames(stacks, first, &nr);
	CHECK_EQ(nr, 2);
	CHECK(memcmp(frames, a, sizeof(a)) == 0);
	CHECK(kmt_stacks_compare(stacks, first, second) > 0);
	CHECK(kmt_stacks_compare(stacks, second, first) < 0);
	CHECK_EQ(kmt_stacks_compare(stacks, first, first), 0);
	CHECK_EQ(kmt_stacks_intern(stacks, a, 0), KMT_STACK_NONE);
	CHECK(kmt_stacks_frames(stacks, KMT_STACK_NONE, &nr) == NULL);
	CHECK(kmt_stacks_frames(stacks, 0xfffffe, &nr) == NULL);
}

TEST(a_frame_outside_the_kernel_is_told)
{
	KMT_CLEANUP(kmt_stacks_freep) struct kmt_stacks *stacks = new_stacks();
	uint64_t inside[] = { KERNEL_FROM, KERNEL_TO - 1 }, outside[] = { KERNEL_FROM, KERNEL_TO };

	CHECK_EQ(kmt_stacks_intern(stacks, inside, 2) & KMT_STACK_HAS_MODULE, 0);
	CHECK_EQ(kmt_stacks_intern(stacks, outside, 2) & KMT_STACK_HAS_MODULE,
		 KMT_STACK_HAS_MODULE);
}

TEST(deep_stacks_are_cut_at_their_outer_end)
{
	KMT_CLEANUP(kmt_stacks_freep) struct kmt_stacks *stacks = new_stacks();
	uint64_t frames[KMT_STACK_FRAMES_MAX + 5];
	uint32_t number;
	size_t nr;

	for (size_t i = 0; i < KMT_STACK_FRAMES_MAX + 5; i++)
		frames[i] = KERNEL_FROM + i;
	number = kmt_stacks_intern(stacks, frames, KMT_STACK_FRAMES_MAX + 5);
	CHECK_EQ(kmt_stacks_frames(stacks, number, &nr)[0], KERNEL_FROM);
	CHECK_EQ(nr, KMT_STACK_FRAMES_MAX);
	CHECK_EQ(kmt_stacks_intern(stacks, frames, KMT_STACK_FRAMES_MAX), number);
}

struct worker {
	struct kmt_stacks *stacks;
	uint32_t numbers[NR];
	unsigned int step;
};

static void *intern_all(void *context)
{
	struct worker *worker = context;
	uint64_t frames[9];

	for (unsigned int i = 0; i < NR; i++) {
		unsigned int n = i * worker->step % NR; /* steps are prime: each in another order */

		worker->numbers[n] = kmt_stacks_intern(worker->stacks, frames, make(frames, n));
	}
	return NULL;
}

TEST(threads_agree)
{
	static const unsigned int steps[THREADS] = { 1, 7, 13, 19997 };
	KMT_CLEANUP(kmt_stacks_freep) struct kmt_stacks *stacks = new_stacks();
	static struct worker workers[THREADS];
	pthread_t threads[THREADS];
	uint64_t frames[9];

	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .stacks = stacks, .step = steps[i] };
		CHECK_EQ(pthread_create(&threads[i], NULL, intern_all, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	for (unsigned int n = 0; n < NR; n++) {
		size_t nr, wanted = make(frames, n);
		const uint64_t *found = kmt_stacks_frames(stacks, workers[0].numbers[n], &nr);

		for (unsigned int i = 1; i < THREADS; i++)
			CHECK_EQ(workers[i].numbers[n], workers[0].numbers[n]);
		CHECK_EQ(nr, wanted);
		CHECK(memcmp(found, frames, nr * sizeof(*frames)) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(equal_stacks_have_equal_numbers),
		ROW(a_frame_outside_the_kernel_is_told),
		ROW(deep_stacks_are_cut_at_their_outer_end),
		ROW(threads_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
