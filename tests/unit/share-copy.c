// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sys/stat.h>

#include "../../src/share/copy.h"

#include "kmemtape/fs.h"

#include "check.h"
#include "dir.h"

#define SUBBUF_BYTES 4096

/* A tape with one CPU, and the directory of a new one. */
struct bench {
	struct dir dir;
	struct kmt_tape *tape;
	int from, to; /* directories of the tapes */
};

static void set_up(struct bench *bench)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	struct kmt_manifest manifest;
	char path[96];

	bench->dir = enter_dir();
	(void)snprintf(path, sizeof(path), "%s/new", bench->dir.path);
	CHECK_EQ(kmt_tape_create(path, &bench->to, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/old", bench->dir.path);
	CHECK_EQ(kmt_tape_create(path, &bench->from, NULL), 0);
	kmt_manifest_init(&manifest);
	manifest.long_bytes = 8;
	manifest.page_bytes = manifest.subbuf_bytes = SUBBUF_BYTES;
	(void)snprintf(manifest.clock, sizeof(manifest.clock), "mono");
	CHECK_EQ(kmt_manifest_add_cpu(&manifest, 0), 0);
	CHECK_EQ(kmt_manifest_write(&manifest, bench->from, NULL), 0);
	kmt_manifest_deinit(&manifest);
	CHECK_EQ(kmt_chunk_writer_new(bench->from, "cpu/0000.zst", 0, SUBBUF_BYTES, &writer, NULL),
		 0);
	CHECK_EQ(kmt_chunk_writer_finish(writer, 1, NULL), 0);
	CHECK_EQ(kmt_tape_write_text(bench->from, "events/kmem/kfree/format", "one\0two", 7, NULL),
		 0);
	bench->tape = NULL;
	CHECK_EQ(kmt_tape_open(path, &bench->tape, NULL), 0);
}

static void tear_down(struct bench *bench)
{
	bench->tape = kmt_tape_free(bench->tape);
	kmt_close_fd(&bench->from);
	kmt_close_fd(&bench->to);
	leave_dir(&bench->dir);
}

static void check_same(const struct bench *bench, const char *path)
{
	KMT_CLEANUP(kmt_freep) char *old = NULL;
	KMT_CLEANUP(kmt_freep) char *new = NULL;
	size_t old_bytes, new_bytes;

	CHECK_EQ(kmt_read_file(bench->from, path, 1 << 20, &old, &old_bytes, NULL), 0);
	CHECK_EQ(kmt_read_file(bench->to, path, 1 << 20, &new, &new_bytes, NULL), 0);
	CHECK_EQ(old_bytes, new_bytes);
	CHECK_BYTES(old, new, old_bytes);
}

TEST(a_copied_file_is_the_same_byte_for_byte)
{
	KMT_CLEANUP(tear_down) struct bench bench;

	set_up(&bench);
	CHECK_EQ(kmt_share_copy_file(bench.tape, "events/kmem/kfree/format", bench.to, NULL), 0);
	check_same(&bench, "events/kmem/kfree/format");
	CHECK_EQ(kmt_share_copy_file(bench.tape, "cpu/0000.zst", bench.to, NULL), 0);
	check_same(&bench, "cpu/0000.zst");
}

TEST(a_file_longer_than_one_step_is_copied_whole)
{
	KMT_CLEANUP(tear_down) struct bench bench;
	KMT_CLEANUP(kmt_freep) char *text = malloc(1 << 20);

	set_up(&bench);
	for (size_t i = 0; i < 1 << 20; i++)
		text[i] = (char)(i * 7 >> 3);
	CHECK_EQ(kmt_tape_write_text(bench.from, "comms", text, (1 << 20) - 5, NULL), 0);
	CHECK_EQ(kmt_share_copy_file(bench.tape, "comms", bench.to, NULL), 0);
	check_same(&bench, "comms");
}

TEST(a_copy_is_private)
{
	KMT_CLEANUP(tear_down) struct bench bench;
	struct stat st;

	set_up(&bench);
	CHECK_EQ(kmt_share_copy_file(bench.tape, "manifest.json", bench.to, NULL), 0);
	CHECK_EQ(fstatat(bench.to, "manifest.json", &st, 0), 0);
	CHECK_EQ(st.st_mode & 0777, 0600);
}

TEST(a_file_that_is_not_there_is_an_answer)
{
	KMT_CLEANUP(tear_down) struct bench bench;
	struct kmt_err err = { "" };

	set_up(&bench);
	CHECK_EQ(kmt_share_copy_file(bench.tape, "symbols/modules", bench.to, &err), -ENOENT);
	CHECK_HAS(err.text, "old/symbols/modules");
	CHECK_EQ(faccessat(bench.to, "symbols/modules", F_OK, 0), -1);
}

TEST(a_copy_overwrites_nothing)
{
	KMT_CLEANUP(tear_down) struct bench bench;
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	set_up(&bench);
	CHECK_EQ(kmt_tape_write_text(bench.to, "manifest.json", "new", 3, NULL), 0);
	CHECK_EQ(kmt_share_copy_file(bench.tape, "manifest.json", bench.to, NULL), -EEXIST);
	CHECK_EQ(kmt_read_file(bench.to, "manifest.json", 9, &text, NULL, NULL), 0);
	CHECK_TEXT(text, "new");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(a_copied_file_is_the_same_byte_for_byte),
		ROW(a_file_longer_than_one_step_is_copied_whole),
		ROW(a_copy_is_private),
		ROW(a_file_that_is_not_there_is_an_answer),
		ROW(a_copy_overwrites_nothing),
	};

	return cmocka_run_group_tests_name("share-copy", tests, NULL, NULL);
}
