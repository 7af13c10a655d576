// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "kmemtape/chunk.h"
#include "kmemtape/fs.h"

#include "check.h"
#include "dir.h"
#include "heap.h"

#define HEAD_BYTES (sizeof(struct kmt_zstd_skippable) + sizeof(struct kmt_chunk_header))

/* A whole file in memory, to be damaged. */
struct file {
	uint8_t *bytes;
	size_t size;
};

static void free_file(struct file *file)
{
	free(file->bytes);
	file->bytes = NULL;
}

static struct file load(int dirfd, const char *path)
{
	struct file file = { NULL, 0 };
	char *text;

	CHECK_EQ(kmt_read_file(dirfd, path, 64 << 20, &text, &file.size, NULL), 0);
	file.bytes = (uint8_t *)text;
	return file;
}

static int open_bytes(const uint8_t *bytes, size_t size, struct kmt_chunk_reader **ret_reader,
		      struct kmt_err *err)
{
	int fd = memfd_create("chunks", MFD_CLOEXEC), r;

	CHECK(fd >= 0);
	CHECK_EQ(kmt_write_all(fd, bytes, size), 0);
	r = kmt_chunk_reader_new(fd, "file", ret_reader, err);
	if (r < 0) {
		CHECK(fcntl(fd, F_GETFD) >= 0); /* still open, still ours */
		(void)close(fd);
	}
	return r;
}

static void fill(uint8_t *bytes, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size; i++) /* half noise, half zeros: compresses a little */
		bytes[i] = i & 8 ? 0 : (uint8_t)check_random(&seed);
}

static void add(struct kmt_chunk_writer *writer, const uint8_t *bytes, size_t size, uint32_t unit)
{
	while (size) {
		size_t room, n;
		void *space = kmt_chunk_writer_space(writer, &room);

		CHECK(room >= unit);
		n = size < room ? size : room / unit * unit;
		memcpy(space, bytes, n);
		CHECK_EQ(kmt_chunk_writer_add(writer, n, 0, NULL), 0);
		bytes += n;
		size -= n;
	}
}

/* Return: how the command ended; -1 if the shell does not know it. */
static int run(const char *format, const char *directory)
{
	char command[256];
	int status;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(command, sizeof(command), format, directory, directory, directory);
#pragma GCC diagnostic pop
	status = system(command);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status) == 127 ? -1 : WEXITSTATUS(status);
}

static void need_zstd(void)
{
	if (run("command -v zstd >/dev/null || exit 127; : %s", "") < 0)
		skip();
}

/* Everything in the file, joined; the answer that ended it goes to @ret_answer. */
static struct file read_all(struct kmt_chunk_reader *reader, int *ret_answer)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	struct file all = { malloc(64 << 20), 0 };
	struct kmt_chunk chunk;
	int r;

	CHECK(all.bytes);
	CHECK_EQ(kmt_chunk_scratch_new(&scratch, NULL), 0);
	while ((r = kmt_chunk_reader_next(reader, scratch, &chunk, NULL)) == KMT_CHUNK_GOT ||
	       r == KMT_CHUNK_IDLE) {
		if (r == KMT_CHUNK_IDLE)
			continue;
		memcpy(all.bytes + all.size, chunk.raw, chunk.raw_bytes);
		all.size += chunk.raw_bytes;
	}
	*ret_answer = r;
	return all;
}

/* What a writer was given comes out of our reader, and out of `zstd -dc`, byte for byte. */
static void round_trip(uint32_t unit, size_t size)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	KMT_CLEANUP(kmt_freep) uint8_t *raw = malloc(size);
	KMT_CLEANUP(free_file) struct file file = { NULL, 0 }, back = { NULL, 0 };
	int answer;

	need_zstd();
	CHECK(raw);
	fill(raw, size, unit);
	CHECK_EQ(kmt_write_file(dir.fd, "raw", (const char *)raw, size, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_new(dir.fd, "f.zst", 3, unit, &writer, NULL), 0);
	add(writer, raw, size / 2 / unit * unit, unit);
	CHECK_EQ(kmt_chunk_writer_flush(writer, 5, NULL), 0);
	add(writer, raw + size / 2 / unit * unit, size - size / 2 / unit * unit, unit);
	CHECK_EQ(kmt_chunk_writer_finish(writer, 9, NULL), 0);

	file = load(dir.fd, "f.zst");
	CHECK_EQ(open_bytes(file.bytes, file.size, &reader, NULL), 0);
	CHECK_EQ(kmt_chunk_reader_cpu(reader), 3);
	CHECK_EQ(kmt_chunk_reader_unit_bytes(reader), unit);
	back = read_all(reader, &answer);
	CHECK_EQ(answer, KMT_CHUNK_END);
	CHECK_EQ(back.size, size);
	CHECK_BYTES(back.bytes, raw, size);
	CHECK_EQ(run("zstd -qt %s/f.zst", dir.path), 0);
	CHECK_EQ(run("zstd -dc %s/f.zst | cmp -s - %s/raw", dir.path), 0);
}

TEST(a_writer_makes_one_file_after_another_as_new_ones_would)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL, *fresh = NULL;
	KMT_CLEANUP(free_file) struct file file = { NULL, 0 }, other = { NULL, 0 };
	uint8_t raw[8192];

	fill(raw, sizeof(raw), 7);
	CHECK_EQ(kmt_chunk_writer_new(dir.fd, "first", 1, 4096, &writer, NULL), 0);
	add(writer, raw, sizeof(raw), 4096);
	CHECK_EQ(kmt_chunk_writer_finish(writer, 9, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_reopen(writer, dir.fd, "first", 2, NULL), -EEXIST);
	CHECK_EQ(kmt_chunk_writer_reopen(writer, dir.fd, "second", 2, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_raw_bytes(writer), 0);
	add(writer, raw, 4096, 4096);
	CHECK_EQ(kmt_chunk_writer_finish(writer, 0, NULL), 0);

	CHECK_EQ(kmt_chunk_writer_new(dir.fd, "fresh", 2, 4096, &fresh, NULL), 0);
	add(fresh, raw, 4096, 4096);
	CHECK_EQ(kmt_chunk_writer_finish(fresh, 0, NULL), 0);
	file = load(dir.fd, "second");
	other = load(dir.fd, "fresh");
	CHECK_EQ(file.size, other.size);
	CHECK_BYTES(file.bytes, other.bytes, other.size);
}

TEST(pages_of_4k_come_back_and_zstd_agrees)
{
	round_trip(4096, 700 * 4096);
}

TEST(pages_of_64k_come_back_and_zstd_agrees)
{
	round_trip(65536, 40 * 65536);
}

TEST(pages_that_do_not_divide_a_chunk_come_back_and_zstd_agrees)
{
	round_trip(12288, 200 * 12288);
}

TEST(text_comes_back_and_zstd_agrees)
{
	round_trip(1, 2500001);
}

TEST(a_chunk_is_written_when_no_unit_fits_any_more)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	size_t room;

	CHECK_EQ(kmt_chunk_writer_new(dir.fd, "f.zst", 0, 65536, &writer, NULL), 0);
	(void)memset(kmt_chunk_writer_space(writer, &room), 0, 65536);
	CHECK(room <= KMT_CHUNK_RAW_BYTES_MAX && room % 65536 == 0);
	CHECK_EQ(kmt_chunk_writer_add(writer, room - 65536, 0, NULL), 0);
	CHECK(kmt_chunk_writer_is_waiting(writer));
	CHECK_EQ(kmt_chunk_writer_add(writer, 65536, 0, NULL), 0);
	CHECK(!kmt_chunk_writer_is_waiting(writer));
}

/* As a reader of many CPUs has a chunk of each in memory. */
TEST(of_many_cpus_chunks_are_smaller)
{
	static const struct {
		size_t nr_cpus, unit_bytes, room;
	} rows[] = {
		{ 1, 65536, 512 << 10 },    { 64, 65536, 512 << 10 },	{ 100, 65536, 320 << 10 },
		{ 256, 65536, 128 << 10 },  { 8192, 65536, 128 << 10 }, { 8192, 4096, 128 << 10 },
		{ 256, 262144, 256 << 10 }, { 256, 1 << 20, 1 << 20 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
		KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
		size_t room;

		CHECK_EQ(kmt_chunk_writer_new_among(dir.fd, "f.zst", 0, rows[i].nr_cpus,
						    (uint32_t)rows[i].unit_bytes, &writer, NULL),
			 0);
		(void)kmt_chunk_writer_space(writer, &room);
		CHECK_EQ(room, rows[i].room);
	}
}

TEST(a_writer_counts_what_it_took_and_wrote)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	struct stat st;

	CHECK_EQ(kmt_chunk_writer_new(dir.fd, "f.zst", 0, 1, &writer, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_text(writer, "hello", 5, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_raw_bytes(writer), 5);
	CHECK_EQ(kmt_chunk_writer_file_bytes(writer), HEAD_BYTES); /* nothing flushed yet */
	CHECK_EQ(kmt_chunk_writer_finish(writer, 0, NULL), 0);
	CHECK_EQ(fstat(kmt_chunk_writer_fd(writer), &st), 0);
	CHECK_EQ(kmt_chunk_writer_file_bytes(writer), st.st_size);
	CHECK_EQ(st.st_mode & 0777, 0600);
}

TEST(an_existing_file_is_never_overwritten)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(free_file) struct file file = { NULL, 0 };
	struct kmt_chunk_writer *writer = NULL;
	struct kmt_err err = { "" };

	CHECK_EQ(kmt_write_file(dir.fd, "f.zst", "precious", 8, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_new(dir.fd, "f.zst", 0, 1, &writer, &err), -EEXIST);
	CHECK(!writer);
	CHECK_HAS(err.text, "f.zst: ");
	file = load(dir.fd, "f.zst");
	CHECK_TEXT((char *)file.bytes, "precious");
}

TEST(a_writer_never_allocates_once_it_is_made)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	KMT_CLEANUP(kmt_freep) uint8_t *raw = malloc(5 << 20);
	void *volatile probe; /* volatile: or the compiler does without it */
	size_t room;

	CHECK(raw);
	fill(raw, 5 << 20, 1);
	heap_watch();
	probe = malloc(1);
	free(probe);
	CHECK_EQ(heap.calls, 1); /* it does count */
	CHECK_EQ(kmt_chunk_writer_new(dir.fd, "f.zst", 0, 4096, &writer, NULL), 0);
	CHECK(heap.bytes > 3 << 19 && heap.bytes < 5 << 19); /* a recorder may have 3 MiB a CPU */

	heap_watch();
	for (size_t at = 0; at < 5 << 20; at += 4096) {
		memcpy(kmt_chunk_writer_space(writer, &room), raw + at, 4096);
		if (kmt_chunk_writer_add(writer, 4096, at, NULL) < 0 ||
		    (at % 400000 < 4096 && kmt_chunk_writer_flush(writer, at, NULL) < 0) ||
		    (at % 300000 < 4096 && kmt_chunk_writer_flush(writer, at, NULL) < 0))
			fail();
	}
#ifdef KMT_ZSTD_TAKES_MEMORY /* or zstd gives memory back after 128 of these */
	for (size_t at = 0; at < 300 * 4096; at += 4096) {
		memcpy(kmt_chunk_writer_space(writer, &room), raw + at, 4096);
		if (kmt_chunk_writer_add(writer, 4096, at, NULL) < 0 ||
		    kmt_chunk_writer_flush(writer, at, NULL) < 0)
			fail();
	}
#endif
	if (kmt_chunk_writer_finish(writer, 1, NULL) < 0)
		fail();
	CHECK_EQ(heap.calls, 0);
}

/* The small file that is cut and damaged below: pages of 64 bytes. */
#define UNIT 64u

struct piece {
	int answer;
	size_t from, to; /* in the file */
	uint8_t raw[4 * UNIT];
	size_t raw_bytes;
	uint64_t drained_ns;
};

#define NR_PIECES 6

struct sample {
	struct file file;
	struct piece pieces[NR_PIECES]; /* what is behind the head; the last is the footer */
};

static void free_sample(struct sample *sample)
{
	free_file(&sample->file);
}

static struct sample make_sample(void)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	static const size_t raw_bytes[NR_PIECES] = { UNIT, 0, 3 * UNIT, 2 * UNIT, 0, 0 };
	struct sample sample;
	size_t at = HEAD_BYTES;

	memset(&sample, 0, sizeof(sample));
	CHECK_EQ(kmt_chunk_writer_new(dir.fd, "f.zst", 7, UNIT, &writer, NULL), 0);
	for (size_t i = 0; i < NR_PIECES; i++) {
		struct piece *piece = &sample.pieces[i];

		piece->from = at;
		piece->raw_bytes = raw_bytes[i];
		piece->drained_ns = 1000 * (i + 1);
		piece->answer = raw_bytes[i] ? KMT_CHUNK_GOT : KMT_CHUNK_IDLE;
		fill(piece->raw, raw_bytes[i], i);
		add(writer, piece->raw, raw_bytes[i], UNIT);
		if (i < NR_PIECES - 1)
			CHECK_EQ(kmt_chunk_writer_flush(writer, piece->drained_ns, NULL), 0);
		else
			CHECK_EQ(kmt_chunk_writer_finish(writer, piece->drained_ns, NULL), 0);
		at = piece->to = kmt_chunk_writer_file_bytes(writer);
	}
	sample.pieces[NR_PIECES - 1].answer = KMT_CHUNK_END;
	sample.file = load(dir.fd, "f.zst");
	CHECK_EQ(sample.file.size, at);
	return sample;
}

static void check_piece(const struct piece *piece, const struct kmt_chunk *chunk)
{
	CHECK_EQ(chunk->offset, piece->from);
	CHECK_EQ(chunk->raw_bytes, piece->raw_bytes);
	CHECK(chunk->drained_ns == piece->drained_ns);
	if (chunk->raw)
		CHECK_BYTES(chunk->raw, piece->raw, piece->raw_bytes);
}

TEST(marks_and_chunks_come_in_order_with_their_times)
{
	KMT_CLEANUP(free_sample) struct sample sample = make_sample();
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	struct kmt_chunk chunk;

	CHECK_EQ(kmt_chunk_scratch_new(&scratch, NULL), 0);
	CHECK_EQ(open_bytes(sample.file.bytes, sample.file.size, &reader, NULL), 0);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < NR_PIECES; i++) {
			CHECK_EQ(kmt_chunk_reader_next(reader, scratch, &chunk, NULL),
				 sample.pieces[i].answer);
			check_piece(&sample.pieces[i], &chunk);
			CHECK_EQ(chunk.sequence, i + 1);
		}
		kmt_chunk_reader_rewind(reader);
	}
}

TEST(the_end_stays_the_end)
{
	KMT_CLEANUP(free_sample) struct sample sample = make_sample();
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	KMT_CLEANUP(free_file) struct file all = { NULL, 0 };
	struct kmt_chunk chunk;
	int answer;

	CHECK_EQ(open_bytes(sample.file.bytes, sample.file.size, &reader, NULL), 0);
	all = read_all(reader, &answer);
	CHECK_EQ(answer, KMT_CHUNK_END);
	CHECK_EQ(kmt_chunk_reader_next(reader, NULL, &chunk, NULL), KMT_CHUNK_END);
}

TEST(a_cut_file_gives_all_whole_chunks_wherever_it_is_cut)
{
	KMT_CLEANUP(free_sample) struct sample sample = make_sample();
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;

	CHECK_EQ(kmt_chunk_scratch_new(&scratch, NULL), 0);
	for (size_t size = HEAD_BYTES; size < sample.file.size; size++)
		for (int with_data = 0; with_data < 2; with_data++) {
			KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
			struct kmt_err err = { "" };
			struct kmt_chunk chunk;

			CHECK_EQ(open_bytes(sample.file.bytes, size, &reader, NULL), 0);
			for (size_t i = 0; sample.pieces[i].to <= size; i++) {
				CHECK_EQ(kmt_chunk_reader_next(reader, with_data ? scratch : NULL,
							       &chunk, NULL),
					 sample.pieces[i].answer);
				check_piece(&sample.pieces[i], &chunk);
			}
			for (int again = 0; again < 2; again++) {
				CHECK_EQ(kmt_chunk_reader_next(reader, with_data ? scratch : NULL,
							       &chunk, &err),
					 KMT_CHUNK_CUT);
				CHECK_HAS(err.text, "file: offset ");
			}
		}
}

static uint64_t raw_bytes_of(const struct file *file, size_t size)
{
	struct kmt_member member = { .fd = memfd_create("chunks", MFD_CLOEXEC), .bytes = size };
	uint64_t bytes;

	CHECK(member.fd >= 0);
	CHECK_EQ(kmt_write_all(member.fd, file->bytes, size), 0);
	bytes = kmt_chunk_file_raw_bytes(&member);
	kmt_member_close(&member);
	return bytes;
}

TEST(a_file_that_is_whole_says_how_many_raw_bytes_it_has)
{
	KMT_CLEANUP(free_sample) struct sample sample = make_sample();
	size_t size = sample.file.size;

	CHECK(raw_bytes_of(&sample.file, size) == 6 * UNIT);
	for (size_t cut = 0; cut < size; cut++)
		CHECK(raw_bytes_of(&sample.file, cut) == UINT64_MAX);
	sample.file.bytes[size - 20] ^= 1;
	CHECK(raw_bytes_of(&sample.file, size) == UINT64_MAX);
}

TEST(each_file_of_a_row_says_how_many_raw_bytes_it_has)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	KMT_CLEANUP(free_file) struct file first = { NULL, 0 }, second = { NULL, 0 };
	uint8_t bytes[3 * UNIT] = { 0 };
	int fd;

	CHECK_EQ(kmt_chunk_writer_new(dir.fd, "f.zst", 7, UNIT, &writer, NULL), 0);
	add(writer, bytes, UNIT, UNIT);
	CHECK_EQ(kmt_chunk_writer_flush(writer, 1000, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_switch(writer, dir.fd, "g.zst", 1000, &fd, NULL), 0);
	CHECK_EQ(close(fd), 0);
	add(writer, bytes, 3 * UNIT, UNIT);
	CHECK_EQ(kmt_chunk_writer_finish(writer, 2000, NULL), 0);
	first = load(dir.fd, "f.zst");
	second = load(dir.fd, "g.zst");
	CHECK(raw_bytes_of(&first, first.size) == UNIT);
	CHECK(raw_bytes_of(&second, second.size) == 3 * UNIT);
}

TEST(a_file_shorter_than_its_head_is_cut_short)
{
	KMT_CLEANUP(free_sample) struct sample sample = make_sample();
	struct kmt_chunk_reader *reader = NULL;

	for (size_t size = 0; size < HEAD_BYTES; size++) {
		struct kmt_err err = { "" };

		CHECK_EQ(open_bytes(sample.file.bytes, size, &reader, &err), -ENODATA);
		CHECK_HAS(err.text, "file: ");
	}
	CHECK(!reader);
}

/* Return: true if the damage was noticed; fails if other data than was written came out. */
static bool read_damaged(const struct sample *sample, const uint8_t *bytes,
			 struct kmt_chunk_scratch *scratch)
{
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	struct kmt_err err = { "" };
	bool is_noticed = false;

	if (open_bytes(bytes, sample->file.size, &reader, &err) < 0)
		return true;
	for (;;) {
		struct kmt_chunk chunk;
		int r = kmt_chunk_reader_next(reader, scratch, &chunk, &err);

		if (r == KMT_CHUNK_END)
			return is_noticed;
		if (r == KMT_CHUNK_CUT)
			return true;
		if (r < 0) {
			CHECK_EQ(r, -EBADMSG);
			CHECK_HAS(err.text, "file: offset ");
			is_noticed = true;
			continue;
		}
		CHECK(chunk.sequence >= 1 && chunk.sequence < NR_PIECES);
		CHECK_EQ(r, sample->pieces[chunk.sequence - 1].answer);
		check_piece(&sample->pieces[chunk.sequence - 1], &chunk);
	}
}

static bool is_in_a_frame(const struct sample *sample, size_t at)
{
	for (size_t i = 0; i < NR_PIECES; i++)
		if (at >= sample->pieces[i].from + HEAD_BYTES && at < sample->pieces[i].to)
			return true;
	return false;
}

TEST(a_flipped_bit_never_lets_wrong_data_through)
{
	KMT_CLEANUP(free_sample) struct sample sample = make_sample();
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;

	CHECK_EQ(kmt_chunk_scratch_new(&scratch, NULL), 0);
	CHECK(!read_damaged(&sample, sample.file.bytes, scratch));
	for (size_t bit = 0; bit < 8 * sample.file.size; bit++) {
		uint8_t *byte = &sample.file.bytes[bit / 8];

		*byte ^= (uint8_t)(1u << bit % 8);
		/* One bit of a frame header means nothing, and some data can be said in two ways.
		 */
		if (!read_damaged(&sample, sample.file.bytes, scratch))
			CHECK(is_in_a_frame(&sample, bit / 8));
		*byte ^= (uint8_t)(1u << bit % 8);
	}
}

TEST(a_flipped_bit_in_a_header_is_noticed_without_the_data)
{
	KMT_CLEANUP(free_sample) struct sample sample = make_sample();

	for (size_t bit = 0; bit < 8 * sample.file.size; bit++) {
		if (is_in_a_frame(&sample, bit / 8))
			continue;
		sample.file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (!read_damaged(&sample, sample.file.bytes, NULL))
			fail_msg("bit %zu of byte %zu was flipped unnoticed", bit % 8, bit / 8);
		sample.file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

TEST(reading_goes_on_behind_a_damaged_chunk)
{
	KMT_CLEANUP(free_sample) struct sample sample = make_sample();
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	struct kmt_err err = { "" };
	struct kmt_chunk chunk;
	char offset[32];

	CHECK_EQ(kmt_chunk_scratch_new(&scratch, NULL), 0);
	sample.file.bytes[sample.pieces[2].to - 1] ^= 1; /* of the frame's checksum */
	CHECK_EQ(open_bytes(sample.file.bytes, sample.file.size, &reader, NULL), 0);
	for (size_t i = 0; i < NR_PIECES; i++) {
		int r = kmt_chunk_reader_next(reader, scratch, &chunk, &err);

		CHECK_EQ(r, i == 2 ? -EBADMSG : sample.pieces[i].answer);
		if (i == 2)
			continue;
		check_piece(&sample.pieces[i], &chunk);
	}
	(void)snprintf(offset, sizeof(offset), "offset %zu:", sample.pieces[2].from + HEAD_BYTES);
	CHECK_HAS(err.text, offset);
}

TEST(behind_a_damaged_header_nothing_can_be_found)
{
	KMT_CLEANUP(free_sample) struct sample sample = make_sample();
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	struct kmt_chunk chunk;

	sample.file.bytes[sample.pieces[1].from + 20] ^= 1;
	CHECK_EQ(open_bytes(sample.file.bytes, sample.file.size, &reader, NULL), 0);
	CHECK_EQ(kmt_chunk_reader_next(reader, NULL, &chunk, NULL), KMT_CHUNK_GOT);
	CHECK_EQ(kmt_chunk_reader_next(reader, NULL, &chunk, NULL), -EBADMSG);
	CHECK_EQ(kmt_chunk_reader_next(reader, NULL, &chunk, NULL), KMT_CHUNK_CUT);
	CHECK_EQ(kmt_chunk_reader_next(reader, NULL, &chunk, NULL), KMT_CHUNK_CUT);
}

/* Files made by hand, with headers that our writer does not write. */
struct head {
	uint32_t kind, compat, incompat, cpu, unit_bytes, raw_bytes, zstd_bytes;
	uint64_t sequence;
	size_t more; /* bytes behind what we know */
};

static void put_head(struct file *file, struct head head)
{
	uint8_t body[sizeof(struct kmt_chunk_header) + KMT_CHUNK_HEADER_BYTES_MAX];
	uint32_t bytes = (uint32_t)(sizeof(struct kmt_chunk_header) + head.more);
	struct kmt_zstd_skippable skip = { kmt_put_le32(KMT_ZSTD_SKIPPABLE), kmt_put_le32(bytes) };
	struct kmt_chunk_header header = {
		.magic = kmt_put_le32(KMT_CHUNK_MAGIC),
		.header_bytes = kmt_put_le32(bytes),
		.kind = kmt_put_le32(head.kind),
		.compat = kmt_put_le32(head.compat),
		.incompat = kmt_put_le32(head.incompat),
		.cpu = kmt_put_le32(head.cpu),
		.unit_bytes = kmt_put_le32(head.unit_bytes ? head.unit_bytes : UNIT),
		.sequence = kmt_put_le64(head.sequence),
		.raw_bytes = kmt_put_le32(head.raw_bytes),
		.zstd_bytes = kmt_put_le32(head.zstd_bytes),
	};

	memset(body, 0xa5, sizeof(body));
	memcpy(body, &header, sizeof(header));
	header.crc32c = kmt_put_le32(kmt_crc32c(body, bytes));
	memcpy(body, &header, sizeof(header));
	file->bytes = realloc(file->bytes, file->size + sizeof(skip) + bytes);
	CHECK(file->bytes);
	memcpy(file->bytes + file->size, &skip, sizeof(skip));
	memcpy(file->bytes + file->size + sizeof(skip), body, bytes);
	file->size += sizeof(skip) + bytes;
}

static void put_bytes(struct file *file, const void *bytes, size_t size)
{
	file->bytes = realloc(file->bytes, file->size + size);
	CHECK(file->bytes);
	memcpy(file->bytes + file->size, bytes, size);
	file->size += size;
}

/* One frame of @size zeros. Return: its length. */
static size_t compress_zeros(void *frame, size_t room, size_t size, bool has_content_size)
{
	static const uint8_t zeros[8 * UNIT];
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	size_t n;

	(void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	(void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, has_content_size);
	n = ZSTD_compress2(zstd, frame, room, zeros, size);
	CHECK(!ZSTD_isError(n));
	(void)ZSTD_freeCCtx(zstd);
	return n;
}

/* Head, then @second with @frame: what a reader that decompresses (or doesn't) answers to the
 * second. */
static int ask(struct head second, const void *frame, size_t frame_bytes, bool with_data,
	       struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	KMT_CLEANUP(free_file) struct file file = { NULL, 0 };
	struct kmt_chunk chunk;

	CHECK_EQ(kmt_chunk_scratch_new(&scratch, NULL), 0);
	put_head(&file, (struct head){ .kind = KMT_CHUNK_FILE });
	put_head(&file, second);
	put_bytes(&file, frame, frame_bytes);
	CHECK_EQ(open_bytes(file.bytes, file.size, &reader, NULL), 0);
	return kmt_chunk_reader_next(reader, with_data ? scratch : NULL, &chunk, err);
}

static int answer_to(struct head second, const void *frame, size_t frame_bytes, struct kmt_err *err)
{
	return ask(second, frame, frame_bytes, true, err);
}

TEST(a_longer_header_from_the_future_is_passed_over)
{
	struct head mark = { .kind = KMT_CHUNK_MARK, .sequence = 1 };

	for (mark.more = 0;
	     mark.more <= KMT_CHUNK_HEADER_BYTES_MAX - sizeof(struct kmt_chunk_header);
	     mark.more += 4032 / 8)
		CHECK_EQ(answer_to(mark, "", 0, NULL), KMT_CHUNK_IDLE);
	mark.more = KMT_CHUNK_HEADER_BYTES_MAX - sizeof(struct kmt_chunk_header) + 1;
	CHECK_EQ(answer_to(mark, "", 0, NULL), -EBADMSG);
}

TEST(compat_bits_may_be_ignored)
{
	struct head mark = { .kind = KMT_CHUNK_MARK, .sequence = 1, .compat = UINT32_MAX };

	CHECK_EQ(answer_to(mark, "", 0, NULL), KMT_CHUNK_IDLE);
}

TEST(unknown_incompat_bits_are_refused_by_name)
{
	struct head mark = { .kind = KMT_CHUNK_MARK, .sequence = 1, .incompat = 0x40 };
	KMT_CLEANUP(free_file) struct file file = { NULL, 0 };
	struct kmt_chunk_reader *reader = NULL;
	struct kmt_err err = { "" };

	CHECK_EQ(answer_to(mark, "", 0, &err), -EPROTONOSUPPORT);
	CHECK_HAS(err.text, "0x40");
	CHECK_HAS(err.text, "newer");
	mark.incompat = KMT_CHUNK_COLUMNS; /* of what is no data */
	CHECK_EQ(answer_to(mark, "", 0, NULL), -EBADMSG);
	put_head(&file, (struct head){ .kind = KMT_CHUNK_FILE, .incompat = 2 });
	CHECK_EQ(open_bytes(file.bytes, file.size, &reader, &err), -EPROTONOSUPPORT);
}

TEST(a_chunk_that_belongs_elsewhere_is_refused)
{
	const struct head mark = { .kind = KMT_CHUNK_MARK, .sequence = 1 };
	struct head wrong = mark;

	CHECK_EQ(answer_to(mark, "", 0, NULL), KMT_CHUNK_IDLE);
	wrong.cpu = 1;
	CHECK_EQ(answer_to(wrong, "", 0, NULL), -EBADMSG);
	wrong = mark;
	wrong.sequence = 2; /* one is missing */
	CHECK_EQ(answer_to(wrong, "", 0, NULL), -EBADMSG);
	wrong.sequence = 0; /* one comes twice */
	CHECK_EQ(answer_to(wrong, "", 0, NULL), -EBADMSG);
	wrong = mark;
	wrong.unit_bytes = 2 * UNIT;
	CHECK_EQ(answer_to(wrong, "", 0, NULL), -EBADMSG);
	wrong = mark;
	wrong.kind = KMT_CHUNK_FILE;
	CHECK_EQ(answer_to(wrong, "", 0, NULL), -EBADMSG);
}

TEST(lengths_and_kinds_out_of_range_are_refused)
{
	static const struct head bad[] = {
		{ .kind = 0 },
		{ .kind = 5 },
		{ .kind = KMT_CHUNK_MARK, .cpu = KMT_CPUS_MAX },
		{ .kind = KMT_CHUNK_MARK, .unit_bytes = KMT_CHUNK_RAW_BYTES_MAX + 1 },
		{ .kind = KMT_CHUNK_MARK, .raw_bytes = UNIT },
		{ .kind = KMT_CHUNK_FOOTER, .zstd_bytes = 9 },
		{ .kind = KMT_CHUNK_DATA, .raw_bytes = UNIT },
		{ .kind = KMT_CHUNK_DATA, .zstd_bytes = 9 },
		{ .kind = KMT_CHUNK_DATA, .raw_bytes = UNIT + 1, .zstd_bytes = 9 },
		{ .kind = KMT_CHUNK_DATA,
		  .raw_bytes = KMT_CHUNK_RAW_BYTES_MAX + UNIT,
		  .zstd_bytes = 9 },
		{ .kind = KMT_CHUNK_DATA,
		  .raw_bytes = UNIT,
		  .zstd_bytes = KMT_CHUNK_ZSTD_BYTES_MAX + 1 },
		{ .kind = KMT_CHUNK_DATA,
		  .raw_bytes = UINT32_MAX & ~(UNIT - 1),
		  .zstd_bytes = UINT32_MAX },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct head head = bad[i];
		struct kmt_err err = { "" };

		head.sequence = 1;
		if (ask(head, "123456789", 9, false, &err) != -EBADMSG)
			fail_msg("bad header %zu was taken", i);
	}
}

TEST(a_file_that_does_not_begin_with_its_head_is_refused)
{
	KMT_CLEANUP(free_file) struct file file = { NULL, 0 };
	struct kmt_chunk_reader *reader = NULL;

	put_head(&file, (struct head){ .kind = KMT_CHUNK_MARK });
	CHECK_EQ(open_bytes(file.bytes, file.size, &reader, NULL), -EBADMSG);
}

TEST(a_frame_must_be_what_its_header_says)
{
	uint8_t frames[512];
	size_t n = compress_zeros(frames, sizeof(frames), 2 * UNIT, true);
	struct head data = { .kind = KMT_CHUNK_DATA,
			     .sequence = 1,
			     .raw_bytes = 2 * UNIT,
			     .zstd_bytes = (uint32_t)n };
	struct head wrong = data;

	CHECK_EQ(answer_to(data, frames, n, NULL), KMT_CHUNK_GOT);
	wrong.raw_bytes = UNIT;
	CHECK_EQ(answer_to(wrong, frames, n, NULL), -EBADMSG);
	wrong.raw_bytes = 4 * UNIT;
	CHECK_EQ(answer_to(wrong, frames, n, NULL), -EBADMSG);
	/* Two frames: `zstd -dc` would yield both, so the header must not hide one. */
	memcpy(frames + n, frames, n);
	wrong = data;
	wrong.zstd_bytes = (uint32_t)(2 * n);
	CHECK_EQ(answer_to(wrong, frames, 2 * n, NULL), -EBADMSG);
	wrong.raw_bytes = 4 * UNIT;
	CHECK_EQ(answer_to(wrong, frames, 2 * n, NULL), -EBADMSG);
}

TEST(nothing_may_hide_behind_a_frame)
{
	uint8_t frame[256];
	size_t n = compress_zeros(frame, sizeof(frame), 2 * UNIT, true);
	struct head data = { .kind = KMT_CHUNK_DATA,
			     .sequence = 1,
			     .raw_bytes = 2 * UNIT,
			     .zstd_bytes = (uint32_t)n + 9 };

	memcpy(frame + n, "\x50\x2a\x4d\x18\x01\0\0\0x", 9); /* a skippable frame */
	CHECK_EQ(answer_to(data, frame, n + 9, NULL), -EBADMSG);
}

TEST(a_time_that_comes_with_the_data_is_kept)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	KMT_CLEANUP(free_file) struct file file = { NULL, 0 };
	struct kmt_chunk chunk;
	size_t room;

	CHECK_EQ(kmt_chunk_writer_new(dir.fd, "f.zst", 0, UNIT, &writer, NULL), 0);
	memset(kmt_chunk_writer_space(writer, &room), 0, UNIT);
	CHECK_EQ(kmt_chunk_writer_add(writer, UNIT, 777, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_flush(writer, 0, NULL), 0); /* unknown: the last known holds */
	file = load(dir.fd, "f.zst");
	CHECK_EQ(open_bytes(file.bytes, file.size, &reader, NULL), 0);
	CHECK_EQ(kmt_chunk_reader_next(reader, NULL, &chunk, NULL), KMT_CHUNK_GOT);
	CHECK_EQ(chunk.drained_ns, 777);
}

TEST(a_frame_without_its_content_size_is_refused)
{
	uint8_t frame[256];
	size_t n = compress_zeros(frame, sizeof(frame), 2 * UNIT, false);
	struct head data = { .kind = KMT_CHUNK_DATA,
			     .sequence = 1,
			     .raw_bytes = 2 * UNIT,
			     .zstd_bytes = (uint32_t)n };

	CHECK_EQ(answer_to(data, frame, n, NULL), -EBADMSG);
}

/* Some room, and no more: the kernel writes what fits, then refuses. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void make_room(void)
{
	limit_files(RLIM_INFINITY);
}

/* Write until it fails, then look at what there is. */
enum after { THEN_AS_BEFORE, THEN_ROOM };

static void fill_up(int dirfd, int expected, enum after then)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	KMT_CLEANUP(free_file) struct file file = { NULL, 0 }, back = { NULL, 0 };
	static uint8_t noise[100 * 4096];
	struct kmt_err err = { "" };
	uint64_t state = 3, good = 0;
	int answer, r = 0;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)check_random(&state);
	CHECK_EQ(kmt_chunk_writer_new(dirfd, "f.zst", 0, 4096, &writer, NULL), 0);
	for (size_t i = 0; r == 0; i++) {
		size_t room;

		CHECK(i < 1000);
		memcpy(kmt_chunk_writer_space(writer, &room), noise + i % 100 * 4096, 4096);
		r = kmt_chunk_writer_add(writer, 4096, i + 1, &err);
		if (r == 0 && i % 3 == 2)
			r = kmt_chunk_writer_flush(writer, i + 1, &err);
		if (r == 0 && i % 3 == 2)
			good = i + 1; /* pages that were written */
	}
	CHECK_EQ(r, expected);
	CHECK_HAS(err.text, "f.zst: ");
	CHECK_EQ(kmt_chunk_writer_flush(writer, 0, NULL), -EIO); /* nothing more can be written */
	CHECK_EQ(kmt_chunk_writer_written_ns(writer), good);

	file = load(dirfd, "f.zst");
	CHECK_EQ(file.size, kmt_chunk_writer_file_bytes(writer));
	CHECK_EQ(open_bytes(file.bytes, file.size, &reader, NULL), 0);
	back = read_all(reader, &answer);
	CHECK_EQ(answer, KMT_CHUNK_CUT);
	CHECK_EQ(back.size, good * 4096);
	CHECK_BYTES(back.bytes, noise, back.size);
	reader = kmt_chunk_reader_free(reader);
	free_file(&file);
	free_file(&back);

	/* A footer has little to write. */
	if (then == THEN_ROOM) {
		make_room();
		good += 3;
	}
	CHECK_EQ(kmt_chunk_writer_finish(writer, good + 100, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_written_ns(writer), good);
	file = load(dirfd, "f.zst");
	CHECK_EQ(file.size, kmt_chunk_writer_file_bytes(writer));
	CHECK_EQ(open_bytes(file.bytes, file.size, &reader, NULL), 0);
	back = read_all(reader, &answer);
	CHECK_EQ(answer, KMT_CHUNK_END);
	CHECK_EQ(back.size, good * 4096);
	CHECK_BYTES(back.bytes, noise, back.size);
	CHECK_EQ(kmt_chunk_writer_raw_bytes(writer), back.size);
}

TEST(a_file_that_may_not_grow_ends_with_its_last_whole_chunk)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();

	limit_files(100001);
	fill_up(dir.fd, -EFBIG, THEN_AS_BEFORE);
	make_room();
}

TEST(a_chunk_that_failed_is_written_once_there_is_room)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();

	limit_files(100001);
	fill_up(dir.fd, -EFBIG, THEN_ROOM);
}

TEST(a_writer_that_cannot_begin_leaves_no_file)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_chunk_writer *writer = NULL;
	struct rlimit before;
	struct stat st;

	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit_files(10);
	CHECK_EQ(kmt_chunk_writer_new(dir.fd, "f.zst", 0, 4096, &writer, NULL), -EFBIG);
	limit_files(before.rlim_cur);
	CHECK(!writer);
	CHECK_EQ(fstatat(dir.fd, "f.zst", &st, 0), -1);
}

TEST(a_full_disk_leaves_the_last_whole_chunk)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_close_fd) int fd = -1;

	/* Needs root; the mount is in a namespace of this process, and goes with it. */
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", dir.path, "tmpfs", 0, "size=128k") < 0) {
		print_message("no mount namespace here: %s\n", strerror(errno));
		skip();
	}
	fd = open(dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0);
	fill_up(fd, -ENOSPC, THEN_AS_BEFORE);
	kmt_close_fd(&fd);
	CHECK_EQ(umount2(dir.path, MNT_DETACH), 0);
}

static void write_text(int dirfd, const char *text, size_t bytes)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;

	CHECK_EQ(kmt_chunk_writer_new(dirfd, "t.zst", 0, 1, &writer, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_text(writer, text, bytes / 2, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_flush(writer, 0, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_text(writer, text + bytes / 2, bytes - bytes / 2, NULL), 0);
	CHECK_EQ(kmt_chunk_writer_finish(writer, 0, NULL), 0);
}

static int read_text(const struct dir *dir, const char *path, size_t limit, char **ret_text,
		     size_t *ret_bytes, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;

	CHECK_EQ(kmt_members_open(dir->path, &members, NULL), 0);
	return kmt_chunk_read_text(members, path, limit, ret_text, ret_bytes, err);
}

TEST(long_text_is_read_whole_and_terminated)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_freep) char *text = malloc(3000000);
	KMT_CLEANUP(kmt_freep) char *back = NULL;
	size_t bytes;

	CHECK(text);
	for (size_t i = 0; i < 3000000; i++)
		text[i] = (char)('a' + i % 23);
	write_text(dir.fd, text, 3000000);
	CHECK_EQ(read_text(&dir, "t.zst", 3000000, &back, &bytes, NULL), KMT_CHUNK_END);
	CHECK_EQ(bytes, 3000000);
	CHECK_BYTES(back, text, bytes);
	CHECK_EQ(back[bytes], '\0');
}

TEST(text_beyond_the_limit_is_refused)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_err err = { "" };
	char *back = NULL;
	size_t bytes;

	write_text(dir.fd, "0123456789", 10);
	CHECK_EQ(read_text(&dir, "t.zst", 9, &back, &bytes, &err), -EFBIG);
	CHECK(!back);
	CHECK_HAS(err.text, "t.zst");
}

TEST(cut_text_is_what_there_was)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_freep) char *back = NULL;
	struct stat st;
	size_t bytes;

	write_text(dir.fd, "hello, world", 12);
	CHECK_EQ(fstatat(dir.fd, "t.zst", &st, 0), 0);
	CHECK_EQ(run("truncate -s -90 %s/t.zst", dir.path), 0); /* the footer, and some */
	CHECK_EQ(read_text(&dir, "t.zst", 99, &back, &bytes, NULL), KMT_CHUNK_CUT);
	CHECK_TEXT(back, "hello,");
	CHECK_EQ(bytes, 6);
}

TEST(text_that_is_missing_or_no_chunk_file_is_refused)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_err err = { "" };
	char *back = NULL;
	size_t bytes;

	CHECK_EQ(read_text(&dir, "t.zst", 9, &back, &bytes, &err), -ENOENT);
	CHECK_HAS(err.text, "t.zst");
	CHECK_EQ(kmt_write_file(dir.fd, "t.zst", "", 0, NULL), 0);
	CHECK_EQ(read_text(&dir, "t.zst", 9, &back, &bytes, NULL), -ENODATA);
	CHECK_EQ(run("head -c 200 /dev/zero >%s/t.zst", dir.path), 0);
	CHECK_EQ(read_text(&dir, "t.zst", 9, &back, &bytes, NULL), -EBADMSG);
	CHECK(!back);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(a_writer_makes_one_file_after_another_as_new_ones_would),
		ROW(pages_of_4k_come_back_and_zstd_agrees),
		ROW(pages_of_64k_come_back_and_zstd_agrees),
		ROW(pages_that_do_not_divide_a_chunk_come_back_and_zstd_agrees),
		ROW(text_comes_back_and_zstd_agrees),
		ROW(a_chunk_is_written_when_no_unit_fits_any_more),
		ROW(of_many_cpus_chunks_are_smaller),
		ROW(a_writer_counts_what_it_took_and_wrote),
		ROW(an_existing_file_is_never_overwritten),
		ROW(a_writer_never_allocates_once_it_is_made),
		ROW(marks_and_chunks_come_in_order_with_their_times),
		ROW(the_end_stays_the_end),
		ROW(a_cut_file_gives_all_whole_chunks_wherever_it_is_cut),
		ROW(a_file_that_is_whole_says_how_many_raw_bytes_it_has),
		ROW(each_file_of_a_row_says_how_many_raw_bytes_it_has),
		ROW(a_file_shorter_than_its_head_is_cut_short),
		ROW(a_flipped_bit_never_lets_wrong_data_through),
		ROW(a_flipped_bit_in_a_header_is_noticed_without_the_data),
		ROW(reading_goes_on_behind_a_damaged_chunk),
		ROW(behind_a_damaged_header_nothing_can_be_found),
		ROW(a_longer_header_from_the_future_is_passed_over),
		ROW(compat_bits_may_be_ignored),
		ROW(unknown_incompat_bits_are_refused_by_name),
		ROW(a_chunk_that_belongs_elsewhere_is_refused),
		ROW(lengths_and_kinds_out_of_range_are_refused),
		ROW(a_file_that_does_not_begin_with_its_head_is_refused),
		ROW(a_frame_must_be_what_its_header_says),
		ROW(nothing_may_hide_behind_a_frame),
		ROW(a_time_that_comes_with_the_data_is_kept),
		ROW(a_frame_without_its_content_size_is_refused),
		ROW(a_file_that_may_not_grow_ends_with_its_last_whole_chunk),
		ROW(a_writer_that_cannot_begin_leaves_no_file),
		ROW(a_full_disk_leaves_the_last_whole_chunk),
		ROW(a_chunk_that_failed_is_written_once_there_is_room),
		ROW(long_text_is_read_whole_and_terminated),
		ROW(text_beyond_the_limit_is_refused),
		ROW(cut_text_is_what_there_was),
		ROW(text_that_is_missing_or_no_chunk_file_is_refused),
	};

	return cmocka_run_group_tests_name("chunks", tests, NULL, NULL);
}
