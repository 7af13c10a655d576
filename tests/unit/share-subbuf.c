// SPDX-License-Identifier: GPL-2.0-only
/* Whatever is cut from sub-buffers: what is left decodes to those events of the whole that are of
 * the time. */
#include "../../src/share/subbuf.h"

#include "kmemtape/decoder.h"

#include "check.h"
#include "fixture.h"

#define SUBBUF	4096u
#define HEAD	16u
#define ROUNDS	300
#define SUBBUFS 5u

/* Some sub-buffers of a CPU, and what they decode to. */
struct bench {
	struct kmt_formats *formats;
	struct kmt_names *names;
	uint8_t raw[SUBBUFS * SUBBUF];
	uint64_t time_ns, random;
};

static void set_up(struct bench *b)
{
	*b = (struct bench){ .random = 7 };
	b->formats = load_formats("6.18", false, 8);
	CHECK_EQ(kmt_names_new(&b->names, NULL), 0);
}

static void tear_down(struct bench *b)
{
	b->names = kmt_names_free(b->names);
	b->formats = kmt_formats_free(b->formats);
}

#define BENCH                                  \
	KMT_CLEANUP(tear_down) struct bench b; \
	set_up(&b)

static uint32_t put_record(struct bench *b, uint8_t *data, uint32_t used, uint64_t delta_ns,
			   uint64_t ptr)
{
	uint16_t id = 0;
	uint32_t word;

	CHECK(kmt_formats_find(b->formats, "kmem:kfree", &id));
	if (delta_ns >> KMT_RING_DELTA_BITS) {
		word = (uint32_t)(delta_ns << 5) | KMT_RING_TYPE_TIME_EXTEND;
		memcpy(data + used, &word, 4);
		word = (uint32_t)(delta_ns >> KMT_RING_DELTA_BITS);
		memcpy(data + used + 4, &word, 4);
		used += 8;
		delta_ns = 0;
	}
	word = (uint32_t)delta_ns << 5 | 6; /* words */
	memcpy(data + used, &word, 4);
	memset(data + used + 4, 0, 24);
	memcpy(data + used + 4, &id, 2);
	memcpy(data + used + 4 + 16, &ptr, 8);
	return used + 28;
}

/* Full of random deltas, short and long, with a mark in front or not. */
static void fill_subbuf(struct bench *b, uint8_t *subbuf)
{
	uint32_t used = 0, nr = (uint32_t)(check_random(&b->random) % 60);
	uint64_t commit = 0, missed = check_random(&b->random) % 9;

	memset(subbuf, 0xee, SUBBUF);
	b->time_ns += 1 + check_random(&b->random) % 1000;
	memcpy(subbuf, &b->time_ns, 8);
	for (uint32_t i = 0; i < nr; i++) {
		bool is_long = check_random(&b->random) % 8 == 0;
		uint64_t delta_ns = check_random(&b->random) % (is_long ? UINT64_C(1) << 30 : 1000);

		delta_ns = i ? delta_ns : 0;
		b->time_ns += delta_ns;
		used = put_record(b, subbuf + HEAD, used, delta_ns, check_random(&b->random));
	}
	if (missed < 3)
		commit |= KMT_RING_MISSED;
	if (missed == 1) {
		commit |= KMT_RING_STORED;
		memcpy(subbuf + HEAD + used, &missed, 8);
	}
	commit |= used;
	memcpy(subbuf + 8, &commit, 8);
}

static void decode(struct bench *b, const uint8_t *raw, size_t bytes, struct kmt_batch *batch,
		   uint64_t *ret_damaged)
{
	KMT_CLEANUP(kmt_decoder_freep) struct kmt_decoder *decoder = NULL;

	CHECK_EQ(kmt_decoder_new(b->formats, b->names, NULL, 0, &decoder, NULL), 0);
	CHECK_EQ(kmt_decoder_run(decoder, raw, bytes, "x", 0, batch), 0);
	CHECK_EQ(kmt_decoder_finish(decoder, batch), 0);
	*ret_damaged = kmt_decoder_stats(decoder)->damaged_subbufs;
}

static size_t cut(struct bench *b, struct kmt_subbuf_cutter *cutter, uint8_t *made)
{
	size_t nr = 0;

	for (size_t i = 0; i < SUBBUFS; i++) {
		memcpy(made + nr * SUBBUF, b->raw + i * SUBBUF, SUBBUF);
		nr += kmt_subbuf_cut(cutter, made + nr * SUBBUF);
	}
	return nr * SUBBUF;
}

static bool is_within(const struct kmt_event *event, const struct kmt_subbuf_cutter *cutter)
{
	if (event->kind == KMT_EVENT_LOSS)
		return event->time_ns >= cutter->from_ns && event->since_ns < cutter->to_ns;
	return event->time_ns >= cutter->from_ns && event->time_ns < cutter->to_ns;
}

TEST(what_is_left_is_what_decodes_to_events_of_the_time)
{
	static uint8_t made[SUBBUFS * SUBBUF];
	BENCH;

	for (int round = 0; round < ROUNDS; round++) {
		KMT_CLEANUP(kmt_batch_deinit) struct kmt_batch all = { 0 };
		KMT_CLEANUP(kmt_batch_deinit) struct kmt_batch left = { 0 };
		struct kmt_subbuf_cutter cutter = { .formats = b.formats };
		uint64_t start_ns = b.time_ns, damaged;
		size_t k = 0;

		for (size_t i = 0; i < SUBBUFS; i++)
			fill_subbuf(&b, b.raw + i * SUBBUF);
		decode(&b, b.raw, sizeof(b.raw), &all, &damaged);
		CHECK_EQ(damaged, 0);
		cutter.from_ns = start_ns + check_random(&b.random) % (b.time_ns - start_ns + 9);
		cutter.to_ns =
			cutter.from_ns + 1 + check_random(&b.random) % (b.time_ns - start_ns);
		decode(&b, made, cut(&b, &cutter, made), &left, &damaged);
		CHECK_EQ(damaged, 0);
		CHECK_EQ(cutter.damaged, 0);
		for (size_t i = 0; i < all.nr; i++) {
			if (!is_within(&all.events[i], &cutter))
				continue;
			CHECK(k < left.nr);
			CHECK_EQ(left.events[k].kind, all.events[i].kind);
			CHECK_EQ(left.events[k].ptr, all.events[i].ptr);
			CHECK_EQ(left.events[k].lost, all.events[i].lost);
			CHECK(left.events[k].time_ns == all.events[i].time_ns ||
			      (all.events[i].kind == KMT_EVENT_LOSS &&
			       left.events[k].time_ns == cutter.to_ns - 1));
			k++;
		}
		CHECK_EQ(k, left.nr);
	}
}

TEST(nothing_stays_of_what_was_cut)
{
	static uint8_t made[SUBBUFS * SUBBUF];
	BENCH;
	struct kmt_subbuf_cutter cutter = { .formats = b.formats, .to_ns = UINT64_MAX };

	for (size_t i = 0; i < SUBBUFS; i++)
		fill_subbuf(&b, b.raw + i * SUBBUF);
	for (size_t bytes = cut(&b, &cutter, made), at = 0; at < bytes; at += SUBBUF) {
		uint64_t commit;
		uint32_t used;

		memcpy(&commit, made + at + 8, 8);
		used = (commit & KMT_RING_COMMIT_MASK) + (commit & KMT_RING_STORED ? 8 : 0);
		for (uint32_t i = HEAD + used; i < SUBBUF; i++)
			CHECK_EQ(made[at + i], 0);
	}
}

/* As bits flip: what the cutter leaves, no decoder finds fault with. */
TEST(damage_ends_a_sub_buffer_and_marks_the_next)
{
	static uint8_t made[SUBBUFS * SUBBUF];
	BENCH;
	uint64_t nr_damaged = 0;

	for (int round = 0; round < ROUNDS; round++) {
		KMT_CLEANUP(kmt_batch_deinit) struct kmt_batch all = { 0 };
		KMT_CLEANUP(kmt_batch_deinit) struct kmt_batch left = { 0 };
		struct kmt_subbuf_cutter cutter = { .formats = b.formats, .to_ns = UINT64_MAX };
		uint64_t damaged_before, damaged;
		size_t bytes, k = 0;

		for (size_t i = 0; i < SUBBUFS; i++)
			fill_subbuf(&b, b.raw + i * SUBBUF);
		for (int i = 0; i < 60; i++)
			b.raw[8 + check_random(&b.random) % (sizeof(b.raw) - 8)] ^=
				(uint8_t)(1 << check_random(&b.random) % 8);
		decode(&b, b.raw, sizeof(b.raw), &all, &damaged_before);
		bytes = cut(&b, &cutter, made);
		CHECK_EQ(cutter.damaged, damaged_before);
		nr_damaged += damaged_before;
		decode(&b, made, bytes, &left, &damaged);
		CHECK_EQ(damaged, 0);
		for (size_t i = 0; i < left.nr; i++) { /* the same events, and the same marks */
			while (k < all.nr && (all.events[k].kind != left.events[i].kind ||
					      all.events[k].time_ns != left.events[i].time_ns))
				k++;
			CHECK(k++ < all.nr);
		}
		CHECK(left.nr + 1 >= all.nr || all.nr - left.nr <= SUBBUFS);
	}
	CHECK(nr_damaged > ROUNDS / 4);
}

TEST(what_is_missing_at_the_end_is_marked_there)
{
	uint8_t subbuf[SUBBUF];
	BENCH;
	struct kmt_subbuf_cutter cutter = { .formats = b.formats, .to_ns = 500, .has_gap = true };
	KMT_CLEANUP(kmt_batch_deinit) struct kmt_batch left = { 0 };
	uint64_t damaged;

	CHECK(kmt_subbuf_end_mark(&cutter, 900, subbuf));
	decode(&b, subbuf, SUBBUF, &left, &damaged);
	CHECK_EQ(left.nr, 1);
	CHECK_EQ(left.events[0].kind, KMT_EVENT_LOSS);
	CHECK_EQ(left.events[0].time_ns, 499);
	cutter.has_gap = false;
	CHECK(!kmt_subbuf_end_mark(&cutter, 900, subbuf));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(what_is_left_is_what_decodes_to_events_of_the_time),
		ROW(nothing_stays_of_what_was_cut),
		ROW(damage_ends_a_sub_buffer_and_marks_the_next),
		ROW(what_is_missing_at_the_end_is_marked_there),
	};

	return cmocka_run_group_tests_name("share-subbuf", tests, NULL, NULL);
}
