// SPDX-License-Identifier: GPL-2.0-only
/* Chunks of a CPU as the shards get them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/replay/feeds.h"
#include "check.h"
#include "dir.h"
#include "fixture.h"

#define SUBBUF	      4096u
#define HEAD	      16u
#define RECORD_BYTES  56u
#define SUBBUF_EVENTS 50u
#define NR_SHARDS     2u

struct bench {
	struct kmt_formats *formats;
	struct kmt_names *names;
	struct kmt_chunk_reader *reader;
	struct kmt_feeds *feeds;
};

/* Of one kind, 10 ns apart. */
static void fill_subbuf(const struct bench *b, uint64_t time_ns, unsigned int nr_events,
			uint8_t *subbuf)
{
	uint64_t commit = (uint64_t)nr_events * (4 + RECORD_BYTES);
	const uint32_t head = 10u << 5 | RECORD_BYTES / 4;
	uint16_t id;

	CHECK(kmt_formats_find(b->formats, "kmem:kmalloc", &id));
	memset(subbuf, 0, SUBBUF);
	memcpy(subbuf, &time_ns, 8);
	memcpy(subbuf + 8, &commit, 8);
	for (unsigned int i = 0; i < nr_events; i++) {
		uint8_t *record = subbuf + HEAD + (size_t)i * (4 + RECORD_BYTES);
		uint64_t ptr = 0xffff888000000000 + time_ns * 64 + i * UINT64_C(640);

		memcpy(record, &head, 4);
		memcpy(record + 4, &id, 2);
		memcpy(record + 4 + 16, &ptr, 8);
	}
}

/* Each of @nr_subbufs with @nr_events. Return: bytes of the file but for its footer. */
static size_t write_chunks(const struct bench *b, int dirfd, size_t nr_chunks, size_t nr_subbufs,
			   unsigned int nr_events)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	uint64_t time_ns = 1000;
	size_t bytes;

	CHECK_EQ(kmt_chunk_writer_new(dirfd, "f.zst", 3, SUBBUF, &writer, NULL), 0);
	for (size_t i = 0; i < nr_chunks * nr_subbufs; i++) {
		size_t room;

		fill_subbuf(b, time_ns, nr_events, kmt_chunk_writer_space(writer, &room));
		time_ns += 10 * SUBBUF_EVENTS;
		CHECK_EQ(kmt_chunk_writer_add(writer, SUBBUF, time_ns, NULL), 0);
		if ((i + 1) % nr_subbufs == 0)
			CHECK_EQ(kmt_chunk_writer_flush(writer, time_ns, NULL), 0);
	}
	bytes = kmt_chunk_writer_file_bytes(writer);
	CHECK_EQ(kmt_chunk_writer_finish(writer, time_ns, NULL), 0);
	return bytes;
}

static void leave_bench(struct bench *b)
{
	b->feeds = kmt_feeds_free(b->feeds);
	b->reader = kmt_chunk_reader_free(b->reader);
	b->names = kmt_names_free(b->names);
	b->formats = kmt_formats_free(b->formats);
}

static void open_feeds(struct bench *b)
{
	struct kmt_feeds_options options = {
		.readers = &b->reader,
		.nr_readers = 1,
		.formats = b->formats,
		.names = b->names,
		.nr_threads = 1,
		.nr_shards = NR_SHARDS,
	};

	CHECK_EQ(kmt_feeds_new(&options, &b->feeds, NULL), 0);
}

/* Return: as write_chunks(). */
static size_t write_file(struct bench *b, int dirfd, size_t nr_chunks, size_t nr_subbufs,
			 unsigned int nr_events)
{
	b->formats = load_formats("6.18", false, 8);
	CHECK_EQ(kmt_names_new(&b->names, NULL), 0);
	return write_chunks(b, dirfd, nr_chunks, nr_subbufs, nr_events);
}

static void open_bench(struct bench *b, size_t nr_chunks, size_t nr_subbufs, unsigned int nr_events)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();

	(void)write_file(b, dir.fd, nr_chunks, nr_subbufs, nr_events);
	CHECK_EQ(kmt_chunk_reader_new(openat(dir.fd, "f.zst", O_RDONLY | O_CLOEXEC), "f.zst",
				      &b->reader, NULL),
		 0);
	open_feeds(b);
}

/* Each event is there once, whoever has it. Return: batches. */
static size_t take_all(struct bench *b, size_t nr_events)
{
	uint8_t *is_there = calloc(nr_events, 1);
	size_t nr = 0, nr_ended = 0, nr_found = 0;

	while (nr_ended < NR_SHARDS) {
		nr_ended = 0;
		for (unsigned int shard = 0; shard < NR_SHARDS; shard++) {
			const struct kmt_share *share;
			uint64_t first_ns;

			if (!kmt_feeds_next(b->feeds, shard, 0, &share, &first_ns)) {
				nr_ended++;
				continue;
			}
			nr += shard == 0;
			CHECK(!share->batch.events[share->batch.nr - 1].kind);
			for (size_t i = 0; i + 1 < share->batch.nr; i++) {
				uint64_t number = kmt_share_number(share, &share->batch.events[i]);

				CHECK(number < nr_events && !is_there[number]);
				CHECK_EQ(share->batch.events[i].kind, KMT_EVENT_KMALLOC);
				CHECK(share->batch.events[i].time_ns >= first_ns);
				is_there[number] = 1;
				nr_found++;
			}
		}
	}
	for (unsigned int shard = 0; shard < NR_SHARDS; shard++)
		kmt_feeds_leave(b->feeds, shard);
	CHECK_EQ(nr_found, nr_events);
	free(is_there);
	return nr;
}

static void check_whole(const struct bench *b)
{
	CHECK_EQ(kmt_feeds_error(b->feeds, NULL), 0);
	CHECK_EQ(kmt_feeds_report(b->feeds, 0)->end, KMT_FEED_WHOLE);
}

TEST(small_chunks_are_passed_on_together)
{
	KMT_CLEANUP(leave_bench) struct bench b = { 0 };

	open_bench(&b, 3000, 1, 1);
	CHECK_EQ(take_all(&b, 3000), 3);
	check_whole(&b);
}

/* Memory is bounded by what one of them has. */
TEST(large_chunks_are_passed_on_one_by_one)
{
	KMT_CLEANUP(leave_bench) struct bench b = { 0 };

	open_bench(&b, 4, 30, SUBBUF_EVENTS);
	CHECK_EQ(take_all(&b, (size_t)4 * 30 * SUBBUF_EVENTS), 4);
	check_whole(&b);
}

/* What can be read of the file is in front of a page that there isn't: our memory ends in -EIO. */
TEST(an_error_comes_behind_the_chunks_before_it)
{
	KMT_CLEANUP(leave_bench) struct bench b = { 0 };
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = write_file(&b, dir.fd, 5, 1, 1);
	int from = openat(dir.fd, "f.zst", O_RDONLY | O_CLOEXEC);
	int memory = memfd_create("file", MFD_CLOEXEC);
	struct kmt_member member = { .bytes = INT64_MAX / 2 };
	uint8_t *pages;

	CHECK(bytes <= page);
	CHECK_EQ(ftruncate(memory, (off_t)page), 0);
	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	CHECK(pages != MAP_FAILED);
	CHECK_EQ(read(from, pages + page - bytes, bytes), bytes);
	member.fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	member.offset = (uint64_t)(uintptr_t)(pages + page - bytes);
	CHECK_EQ(kmt_chunk_reader_new_member(&member, "f.zst", &b.reader, NULL), 0);
	open_feeds(&b);
	CHECK_EQ(take_all(&b, 5), 1);
	CHECK_EQ(kmt_feeds_error(b.feeds, NULL), -EIO);
	(void)munmap(pages, 2 * page);
	(void)close(memory);
	(void)close(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(small_chunks_are_passed_on_together),
		ROW(large_chunks_are_passed_on_one_by_one),
		ROW(an_error_comes_behind_the_chunks_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
