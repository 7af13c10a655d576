// SPDX-License-Identifier: GPL-2.0-only
/* A file that goes on in others, as one; and tapes of which the oldest files are gone. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/chunk.h"
#include "kmemtape/members.h"
#include "kmemtape/tape.h"

#include "check.h"
#include "dir.h"

#define SUBBUF_BYTES 4096
#define HEAD_BYTES   (sizeof(struct kmt_zstd_skippable) + sizeof(struct kmt_chunk_header))

/* base.zst, base-000001.zst and so on, @nr of them, each with one unit and a mark. */
static void write_row(int dirfd, const char *base, uint32_t cpu, uint32_t unit, uint32_t nr)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	char path[KMT_SEGMENT_PATH_BYTES];
	size_t room;

	kmt_segment_path(path, base, 0);
	CHECK_EQ(kmt_chunk_writer_new(dirfd, path, cpu, unit, &writer, NULL), 0);
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t ns = 1000 * (i + 1);
		int fd;

		if (i) {
			kmt_segment_path(path, base, i);
			CHECK_EQ(kmt_chunk_writer_switch(writer, dirfd, path, ns, &fd, NULL), 0);
			CHECK_EQ(close(fd), 0);
			CHECK_EQ(kmt_chunk_writer_segment_bytes(writer), HEAD_BYTES);
		}
		memset(kmt_chunk_writer_space(writer, &room), 'a' + (int)i, unit);
		CHECK_EQ(kmt_chunk_writer_add(writer, unit, ns + 1, NULL), 0);
		CHECK_EQ(kmt_chunk_writer_flush(writer, ns + 2, NULL), 0);
		CHECK_EQ(kmt_chunk_writer_flush(writer, ns + 3, NULL), 0);
	}
	CHECK_EQ(kmt_chunk_writer_finish(writer, 1000 * nr + 4, NULL), 0);
}

static void cut_off(int dirfd, const char *path, off_t bytes)
{
	KMT_CLEANUP(kmt_close_fd) int fd = openat(dirfd, path, O_RDWR | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);

	CHECK(size > bytes);
	CHECK_EQ(ftruncate(fd, size - bytes), 0);
}

static void spoil(int dirfd, const char *path, off_t at)
{
	KMT_CLEANUP(kmt_close_fd) int fd = openat(dirfd, path, O_RDWR | O_CLOEXEC);

	CHECK_EQ(pwrite(fd, "!", 1, at), 1);
}

/* Opens the texts that write_row() made. */
struct row {
	struct kmt_members *members;
	struct kmt_chunk_reader *reader;
	struct kmt_chunk_scratch *scratch;
};

static void close_row(struct row *row)
{
	(void)kmt_chunk_reader_free(row->reader);
	(void)kmt_chunk_scratch_free(row->scratch);
	(void)kmt_members_free(row->members);
}

static struct row open_row(const struct dir *dir)
{
	struct row row = { NULL, NULL, NULL };

	CHECK_EQ(kmt_members_open(dir->path, &row.members, NULL), 0);
	CHECK_EQ(kmt_chunk_open_text(row.members, "snapshots.zst", &row.reader, NULL), 0);
	CHECK_EQ(kmt_chunk_scratch_new(&row.scratch, NULL), 0);
	return row;
}

/* What the reader says, a character each: the data; "." a mark, "!" damage, "|" cut, "$" the end.
 */
static void expect(struct row *row, const char *wanted, const char *damage)
{
	struct kmt_err err = { "" };
	struct kmt_chunk chunk;
	char said[64];
	size_t n = 0;
	int r;

	do {
		CHECK(n + 1 < sizeof(said));
		r = kmt_chunk_reader_next(row->reader, row->scratch, &chunk, &err);
		said[n++] = r == KMT_CHUNK_GOT	  ? *(const char *)chunk.raw
			    : r == KMT_CHUNK_IDLE ? '.'
			    : r == -EBADMSG	  ? '!'
			    : r == KMT_CHUNK_CUT  ? '|'
						  : '$';
		if (r == -EBADMSG || r == KMT_CHUNK_CUT)
			CHECK_HAS(err.text, damage);
	} while (r == KMT_CHUNK_GOT || r == KMT_CHUNK_IDLE || r == -EBADMSG);
	said[n] = '\0';
	CHECK_TEXT(said, wanted);
}

TEST(a_row_of_files_reads_as_one)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();

	write_row(dir.fd, "snapshots", 0, 1, 3);
	KMT_CLEANUP(close_row) struct row row = open_row(&dir);
	expect(&row, "a.b.c.$", "");
	CHECK_HAS(kmt_chunk_reader_name(row.reader), "snapshots-000002.zst");
	kmt_chunk_reader_rewind(row.reader);
	CHECK_HAS(kmt_chunk_reader_name(row.reader), "snapshots.zst");
	expect(&row, "a.b.c.$", "");
	CHECK_EQ(kmt_chunk_reader_dropped_ns(row.reader), 0);
}

TEST(text_of_a_row_is_joined)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;

	write_row(dir.fd, "snapshots", 0, 1, 4);
	CHECK_EQ(kmt_members_open(dir.path, &members, NULL), 0);
	CHECK_EQ(kmt_chunk_read_text(members, "snapshots.zst", 4, &text, &bytes, NULL),
		 KMT_CHUNK_END);
	CHECK_TEXT(text, "abcd");
}

TEST(one_that_is_missing_is_damage_and_the_rest_is_read)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();

	write_row(dir.fd, "snapshots", 0, 1, 4);
	CHECK_EQ(unlinkat(dir.fd, "snapshots-000002.zst", 0), 0);
	KMT_CLEANUP(close_row) struct row row = open_row(&dir);
	expect(&row, "a.b.!d.$", "snapshots-000002.zst: missing");
}

TEST(one_that_is_cut_is_damage_and_the_rest_is_read)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();

	write_row(dir.fd, "snapshots", 0, 1, 3);
	cut_off(dir.fd, "snapshots-000001.zst", HEAD_BYTES);
	KMT_CLEANUP(close_row) struct row row = open_row(&dir);
	expect(&row, "a.b.!c.$", "snapshots-000001.zst: offset");
}

TEST(one_whose_head_is_damaged_is_passed_over)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();

	write_row(dir.fd, "snapshots", 0, 1, 3);
	spoil(dir.fd, "snapshots-000001.zst", 20);
	KMT_CLEANUP(close_row) struct row row = open_row(&dir);
	expect(&row, "a.!c.$", "snapshots-000001.zst: offset 0");
}

TEST(behind_a_damaged_header_the_next_file_is_read)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();

	write_row(dir.fd, "snapshots", 0, 1, 3);
	spoil(dir.fd, "snapshots-000001.zst", HEAD_BYTES + 20);
	KMT_CLEANUP(close_row) struct row row = open_row(&dir);
	expect(&row, "a.!c.$", "snapshots-000001.zst: offset");
}

TEST(without_its_last_file_a_row_is_cut)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();

	write_row(dir.fd, "snapshots", 0, 1, 3);
	CHECK_EQ(unlinkat(dir.fd, "snapshots-000002.zst", 0), 0);
	KMT_CLEANUP(close_row) struct row row = open_row(&dir);
	expect(&row, "a.b.|", "snapshots-000001.zst: goes on in a file that is missing");
}

TEST(without_its_first_files_a_row_says_from_when_it_is)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();

	write_row(dir.fd, "snapshots", 0, 1, 4);
	CHECK_EQ(unlinkat(dir.fd, "snapshots.zst", 0), 0);
	CHECK_EQ(unlinkat(dir.fd, "snapshots-000001.zst", 0), 0);
	KMT_CLEANUP(close_row) struct row row = open_row(&dir);
	CHECK_EQ(kmt_chunk_reader_dropped_ns(row.reader), 3000);
	expect(&row, "c.d.$", "");
}

TEST(other_names_are_not_of_a_row)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();

	write_row(dir.fd, "snapshots", 0, 1, 1);
	write_row(dir.fd, "snapshots-1", 0, 1, 1);
	write_row(dir.fd, "snapshots-0000001", 0, 1, 1);
	write_row(dir.fd, "snapshots-000001x", 0, 1, 1);
	KMT_CLEANUP(close_row) struct row row = open_row(&dir);
	expect(&row, "a.$", "");
}

static void write_manifest(int dirfd)
{
	struct kmt_manifest manifest;

	kmt_manifest_init(&manifest);
	manifest.long_bytes = 8;
	manifest.page_bytes = manifest.subbuf_bytes = SUBBUF_BYTES;
	manifest.start_ns = 500;
	manifest.allocs_on_ns = 600;
	manifest.ring_bytes = 1 << 20;
	(void)snprintf(manifest.clock, sizeof(manifest.clock), "mono");
	CHECK_EQ(kmt_manifest_add_cpu(&manifest, 0), 0);
	CHECK_EQ(kmt_manifest_add_cpu(&manifest, 1), 0);
	CHECK_EQ(kmt_manifest_write(&manifest, dirfd, NULL), 0);
	kmt_manifest_deinit(&manifest);
}

/* The manifest was written when it began: the files tell what was dropped since. */
TEST(a_ring_begins_where_all_its_cpus_are)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;

	CHECK_EQ(mkdirat(dir.fd, "cpu", 0700), 0);
	write_manifest(dir.fd);
	write_row(dir.fd, "cpu/0000", 0, SUBBUF_BYTES, 4);
	write_row(dir.fd, "cpu/0001", 1, SUBBUF_BYTES, 3);
	CHECK_EQ(unlinkat(dir.fd, "cpu/0000.zst", 0), 0);
	CHECK_EQ(unlinkat(dir.fd, "cpu/0001.zst", 0), 0);
	CHECK_EQ(unlinkat(dir.fd, "cpu/0001-000001.zst", 0), 0);
	CHECK_EQ(kmt_tape_open(dir.path, &tape, NULL), 0);
	CHECK_EQ(tape->nr_cpus, 2);
	CHECK_EQ(tape->manifest.dropped_ns, 3000);
	CHECK_EQ(tape->manifest.start_ns, 3000);
	CHECK_EQ(tape->manifest.allocs_on_ns, 3000);
	CHECK_EQ(tape->manifest.began_ns, 500);
}

TEST(a_cpu_that_has_no_file_of_its_row_is_missing)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_tape *tape = NULL;
	struct kmt_err err;

	CHECK_EQ(mkdirat(dir.fd, "cpu", 0700), 0);
	write_manifest(dir.fd);
	write_row(dir.fd, "cpu/0000", 0, SUBBUF_BYTES, 2);
	CHECK_EQ(kmt_tape_open(dir.path, &tape, &err), -ENODATA);
	CHECK_HAS(err.text, "cpu/0001.zst: missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_row_of_files_reads_as_one),
		ROW(text_of_a_row_is_joined),
		ROW(one_that_is_missing_is_damage_and_the_rest_is_read),
		ROW(one_that_is_cut_is_damage_and_the_rest_is_read),
		ROW(one_whose_head_is_damaged_is_passed_over),
		ROW(behind_a_damaged_header_the_next_file_is_read),
		ROW(without_its_last_file_a_row_is_cut),
		ROW(without_its_first_files_a_row_says_from_when_it_is),
		ROW(other_names_are_not_of_a_row),
		ROW(a_ring_begins_where_all_its_cpus_are),
		ROW(a_cpu_that_has_no_file_of_its_row_is_missing),
	};

	return cmocka_run_group_tests_name("segments", tests, NULL, NULL);
}
