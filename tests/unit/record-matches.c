// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <stdbool.h>

#include <zstd.h>

#include "../../src/tape/frame.h"
#include "../../src/tape/record-matches.h"
#include "../../src/tape/records.h"

#include "check.h"

#define CHUNK_BYTES (256u << 10)
#define SEEDS	    300

/* What zstd makes of a frame is what it was made of. Return: its bytes, 0 if it was left to zstd.
 */
static size_t check_chunk(uint8_t *chunk, size_t bytes, size_t unit_bytes)
{
	size_t room = ZSTD_compressBound(CHUNK_BYTES) + KMT_FRAME_SLACK_BYTES, n = 0;
	uint8_t *out = malloc(room), *before = malloc(bytes), *back = malloc(bytes);
	KMT_CLEANUP(kmt_record_matches_freep)
	struct kmt_record_matches *matches =
		kmt_record_matches_new(unit_bytes, CHUNK_BYTES, out, room);

	CHECK(matches && out && before && back);
	memcpy(before, chunk, bytes);
	for (int again = 0; again < 2; again++) { /* nothing is left of the chunk before */
		for (size_t at = 0; at < bytes; at += unit_bytes)
			kmt_record_matches_add(matches, chunk, at, NULL);
		n = kmt_record_matches_end(matches);
		CHECK_BYTES(chunk, before, bytes);
		if (!n)
			continue;
		CHECK(n <= room);
		CHECK_EQ(ZSTD_getFrameContentSize(out, n), bytes);
		CHECK_EQ(ZSTD_findFrameCompressedSize(out, n), n);
		CHECK_EQ(ZSTD_decompress(back, bytes, out, n), bytes);
		CHECK_BYTES(back, chunk, bytes);
	}
	free(out);
	free(before);
	free(back);
	return n;
}

static uint32_t head(uint32_t type, uint32_t delta)
{
	return __BYTE_ORDER == __BIG_ENDIAN ? type << 27 | delta : type | delta << 5;
}

/* Records as a kernel makes them. Return: how many. */
static size_t make_subbuf(uint8_t *subbuf, size_t unit_bytes, uint64_t *seed)
{
	static const uint32_t words[] = { 6, 14, 21, 8 }; /* of four events */
	size_t at = KMT_RECORDS_HEAD_BYTES, nr = 0;
	unsigned long commit;

	memset(subbuf, 0, unit_bytes);
	while (at + 4 + 28 * 4 <= unit_bytes && check_random(seed) % 4000) {
		uint32_t event = check_random(seed) % 4, bytes = words[event] * 4;
		uint32_t word = head(words[event], check_random(seed) % 4096);
		uint32_t pid = 100 + check_random(seed) % 4;
		uint64_t site = 0xffffffff81000000 + event * 64 + check_random(seed) % 2;
		uint64_t ptr = 0xffff888100000000 + check_random(seed) % 65536 * 256;

		if (check_random(seed) % 50 == 0) { /* a time */
			word = head(30, 5);
			bytes = 4;
		}
		memcpy(subbuf + at, &word, 4);
		for (uint32_t i = 0; i < bytes; i++)
			subbuf[at + 4 + i] = (uint8_t)(event + i);
		if (bytes > 4) {
			memcpy(subbuf + at + 4, &event, 4);
			memcpy(subbuf + at + 8, &pid, 4);
			memcpy(subbuf + at + 12, &site, 8);
			memcpy(subbuf + at + 20, &ptr, 8);
		}
		at += 4 + bytes;
		nr++;
	}
	commit = at - KMT_RECORDS_HEAD_BYTES;
	memcpy(subbuf + sizeof(uint64_t), &commit, sizeof(commit));
	return nr;
}

static const size_t units[] = { 64, 1024, 4096, 65536, 131072, 96 << 10 };

#define NR_UNITS (sizeof(units) / sizeof(units[0]))

TEST(records_like_others_take_few_bytes)
{
	uint8_t *chunk = malloc(CHUNK_BYTES);
	uint64_t seed = 1;

	CHECK(chunk);
	for (size_t i = 1; i < NR_UNITS; i++) {
		size_t bytes = CHUNK_BYTES / units[i] * units[i], nr = 0, n;

		for (size_t at = 0; at < bytes; at += units[i])
			nr += make_subbuf(chunk + at, units[i], &seed);
		n = check_chunk(chunk, bytes, units[i]);
		CHECK(n > 0);
		CHECK(n < 12 * nr + bytes / units[i] * 32); /* of about 55 each */
	}
	free(chunk);
}

TEST(what_is_hardly_a_sub_buffer_or_none_at_all_comes_back)
{
	uint8_t *chunk = malloc(CHUNK_BYTES);
	size_t nr_with_matches = 0;
	uint64_t seed = 2;

	CHECK(chunk);
	for (size_t i = 0; i < SEEDS; i++) {
		size_t unit = units[i % NR_UNITS], bytes = (1 + check_random(&seed) % 3) * unit;
		size_t nr_broken = check_random(&seed) % 8;

		if (bytes > CHUNK_BYTES)
			bytes = unit;
		for (size_t at = 0; at < bytes; at += unit)
			(void)make_subbuf(chunk + at, unit, &seed);
		while (nr_broken--) {
			size_t at = check_random(&seed) % bytes, n = check_random(&seed) % 40;

			if (check_random(&seed) % 4 == 0)
				at = at / unit * unit + check_random(&seed) % 32; /* of its head */
			for (; n-- && at < bytes; at++)
				chunk[at] = (uint8_t)check_random(&seed);
		}
		if (i % 16 == 15)
			for (size_t at = 0; at < bytes; at++)
				chunk[at] = (uint8_t)check_random(&seed);
		nr_with_matches += check_chunk(chunk, bytes, unit) > 0;
	}
	CHECK(nr_with_matches > SEEDS / 4 && nr_with_matches < SEEDS);
	free(chunk);
}

/* Twelve bytes with a match in each, of records that are compared with those two before. */
TEST(as_many_matches_as_there_may_be_come_back)
{
	const size_t unit = CHUNK_BYTES / 2, nr = (unit - KMT_RECORDS_HEAD_BYTES - 48) / 12;
	unsigned long commit = 48 + nr * 12;
	uint8_t *chunk = calloc(1, CHUNK_BYTES);
	const uint32_t first = head(5, 1);

	CHECK(chunk);
	for (size_t at = 0; at < CHUNK_BYTES; at += unit) {
		uint8_t *record = chunk + at + KMT_RECORDS_HEAD_BYTES;

		memcpy(chunk + at + sizeof(uint64_t), &commit, sizeof(commit));
		memcpy(record, &first, 4);
		memcpy(record + 24, &first, 4);
		for (uint32_t i = 0; i < nr; i++) {
			const uint32_t words[] = { head(2, 1), 7, i * 0x9e3779b1u };

			memcpy(record + 48 + i * 12, words, 12);
		}
	}
	CHECK(check_chunk(chunk, CHUNK_BYTES, unit) > 0);
	free(chunk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(records_like_others_take_few_bytes),
		ROW(what_is_hardly_a_sub_buffer_or_none_at_all_comes_back),
		ROW(as_many_matches_as_there_may_be_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
