// SPDX-License-Identifier: GPL-2.0-only
#include <zstd.h>

#include "../../src/tape/frame.h"

#include "check.h"

#define CHUNK_BYTES (512u << 10)
#define FRAMES	    200

/* What is put into a frame, and what it is made of. */
struct made {
	uint8_t *chunk, *out, *back;
	size_t room;
	struct kmt_frame *frame;
	struct kmt_frame_block block;
	size_t at, nr_literals; /* literals: that are in no match's yet */
};

static struct made make(void)
{
	size_t room = ZSTD_compressBound(CHUNK_BYTES) + KMT_FRAME_SLACK_BYTES;
	struct made made = {
		.chunk = malloc(CHUNK_BYTES),
		.out = malloc(room),
		.back = malloc(CHUNK_BYTES),
		.room = room,
	};

	CHECK(made.chunk && made.out && made.back);
	made.frame = kmt_frame_new(made.out, room);
	CHECK(made.frame);
	kmt_frame_begin(made.frame, &made.block);
	return made;
}

static void free_made(struct made *made)
{
	kmt_frame_free(made->frame);
	free(made->chunk);
	free(made->out);
	free(made->back);
}

static void add_literals(struct made *made, size_t nr, uint64_t *seed)
{
	for (size_t i = 0; i < nr; i++)
		made->chunk[made->at++] = (uint8_t)check_random(seed);
	made->nr_literals += nr;
}

static void add_match(struct made *made, size_t offset, size_t bytes)
{
	size_t literals = made->at - made->nr_literals;

	for (size_t i = 0; i < bytes; i++, made->at++)
		made->chunk[made->at] = made->chunk[made->at - offset];
	kmt_frame_match(&made->block, made->chunk + literals, (uint32_t)made->nr_literals,
			(uint32_t)offset, (uint32_t)bytes, CHUNK_BYTES - literals);
	made->nr_literals = 0;
}

static void end_block(struct made *made, size_t begin)
{
	kmt_frame_sum(made->frame, made->chunk + begin, made->at - begin);
	kmt_frame_end_block(made->frame, &made->block, made->chunk + begin, made->at - begin,
			    made->nr_literals);
	made->nr_literals = 0;
}

/* zstd unpacks it, and finds its checksum right. Return: bytes of the frame */
static size_t check_made(struct made *made)
{
	size_t n = kmt_frame_end(made->frame), back;

	CHECK(n <= made->room);
	CHECK_EQ(ZSTD_getFrameContentSize(made->out, n), made->at);
	CHECK_EQ(ZSTD_findFrameCompressedSize(made->out, n), n);
	back = ZSTD_decompress(made->back, CHUNK_BYTES, made->out, n);
	if (ZSTD_isError(back))
		fail_msg("%s", ZSTD_getErrorName(back));
	CHECK_EQ(back, made->at);
	CHECK_BYTES(made->back, made->chunk, made->at);
	return n;
}

/* Small numbers mostly, and all others. */
static size_t any_number(size_t most, uint64_t *seed)
{
	size_t n = check_random(seed) >> 8 & ((UINT64_C(2) << check_random(seed) % 18) - 1);

	return n < most ? n : most;
}

static size_t any_offset(const struct made *made, const size_t *recent, uint64_t *seed)
{
	size_t offset = recent[check_random(seed) % 4];

	if (check_random(seed) % 4 == 0)
		offset = 1 + any_number(made->at - 1, seed);
	return offset && offset <= made->at ? offset : 1;
}

static void add_block(struct made *made, size_t bytes, uint64_t *seed)
{
	size_t begin = made->at, end = begin + bytes, recent[4] = { 1, 1, 1, 1 };

	while (made->at < end) {
		size_t left = end - made->at, offset;

		if (check_random(seed) % 8 || !made->at)
			add_literals(made, any_number(left - 1, seed) + 1, seed);
		left = end - made->at;
		if (left < KMT_FRAME_MATCH_BYTES_MIN) {
			add_literals(made, left, seed);
			break;
		}
		offset = any_offset(made, recent, seed);
		recent[check_random(seed) % 4] = offset;
		left -= KMT_FRAME_MATCH_BYTES_MIN;
		add_match(made, offset, KMT_FRAME_MATCH_BYTES_MIN + any_number(left, seed));
	}
	end_block(made, begin);
}

/* After which the tables have few bits for small numbers, and many for all others. */
static void add_dull_block(struct made *made, size_t bytes, uint64_t *seed)
{
	add_literals(made, 16, seed);
	while (made->at + 16 <= bytes) {
		add_match(made, 16, 15);
		add_literals(made, 1, seed);
	}
	end_block(made, 0);
}

TEST(any_matches_make_a_frame_that_zstd_unpacks)
{
	uint64_t seed = 1;

	for (int i = 0; i < FRAMES; i++) {
		struct made made = make();
		size_t nr_blocks = 1 + check_random(&seed) % 3;

		if (i % 2)
			add_dull_block(&made, KMT_FRAME_BLOCK_BYTES_MAX, &seed);
		while (nr_blocks--)
			add_block(&made, 32 + check_random(&seed) % (128u << 10) / 32 * 32, &seed);
		(void)check_made(&made);
		free_made(&made);
	}
}

/* The second has no match, the third one all that there can be; offsets go on behind them. */
TEST(blocks_that_do_not_shrink_are_stored)
{
	const size_t block = KMT_FRAME_BLOCK_BYTES_MAX;
	struct made made = make();
	uint64_t seed = 2;

	add_literals(&made, block / 2, &seed);
	add_match(&made, block / 2, block / 2);
	end_block(&made, 0);
	add_literals(&made, block, &seed);
	end_block(&made, block);
	while (made.at + KMT_FRAME_MATCH_BYTES_MIN <= 3 * block)
		add_match(&made, block / 2 + check_random(&seed) % 5000, KMT_FRAME_MATCH_BYTES_MIN);
	add_literals(&made, 3 * block - made.at, &seed);
	end_block(&made, 2 * block);
	add_literals(&made, 1, &seed);
	add_match(&made, block / 2, block - 1);
	end_block(&made, 3 * block);
	CHECK(check_made(&made) > block);
	free_made(&made);
}

/* More, and the reader would take their number for a longer one. */
TEST(a_block_of_too_many_matches_is_stored)
{
	const size_t block = KMT_FRAME_BLOCK_BYTES_MAX, most = 0x7eff;
	uint64_t seed = 4;

	for (size_t nr = most; nr <= most + 1; nr++) {
		struct made made = make();
		size_t n;

		add_literals(&made, 4, &seed);
		for (size_t i = 0; i < nr; i++)
			add_match(&made, 4, KMT_FRAME_MATCH_BYTES_MIN);
		add_literals(&made, 32 - made.at % 32, &seed);
		end_block(&made, 0);
		n = check_made(&made);
		CHECK(nr > most ? n > made.at && n < block : n < made.at / 2);
		free_made(&made);
	}
}

TEST(a_damaged_frame_has_a_wrong_checksum)
{
	struct made made = make();
	uint64_t seed = 3;
	size_t n;

	add_literals(&made, 1024, &seed);
	end_block(&made, 0);
	n = check_made(&made);
	made.out[n / 2] ^= 1;
	CHECK(ZSTD_isError(ZSTD_decompress(made.back, CHUNK_BYTES, made.out, n)));
	free_made(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(any_matches_make_a_frame_that_zstd_unpacks),
		ROW(blocks_that_do_not_shrink_are_stored),
		ROW(a_block_of_too_many_matches_is_stored),
		ROW(a_damaged_frame_has_a_wrong_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
