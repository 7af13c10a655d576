// SPDX-License-Identifier: GPL-2.0-only
/* What the recorder does about disks: rings, the reserve, and bringing files onto the disk. */
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/record.h"

#include "../../src/record/ring.h"
#include "../../src/record/room.h"
#include "../../src/record/snapshot-log.h"
#include "../../src/record/syncer.h"

#include "check.h"
#include "dir.h"

#define MIB (UINT64_C(1) << 20)

static bool exists(const struct dir *dir, const char *path)
{
	return faccessat(dir->fd, path, F_OK, 0) == 0;
}

static void touch(const struct dir *dir, const char *path)
{
	int fd = openat(dir->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(close(fd), 0);
}

TEST(a_ring_removes_the_oldest_of_all_cpus)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_ring_freep) struct kmt_ring *ring = NULL;

	CHECK_EQ(mkdirat(dir.fd, "cpu", 0700), 0);
	touch(&dir, "cpu/0000.zst");
	touch(&dir, "cpu/0001.zst");
	touch(&dir, "cpu/0000-000001.zst");
	CHECK_EQ(kmt_ring_new(dir.fd, 64 * MIB, 2, &ring, NULL), 0);
	CHECK_EQ(kmt_ring_segment_bytes(ring), 4 * MIB);
	CHECK_EQ(kmt_ring_grow(ring, 20 * MIB), 0);
	kmt_ring_close(ring, 1, 0, 20 * MIB, 100);
	CHECK_EQ(kmt_ring_grow(ring, 20 * MIB), 0);
	kmt_ring_close(ring, 0, 0, 20 * MIB, 200);
	CHECK_EQ(kmt_ring_dropped_ns(ring), 0);

	/* An eighth is for snapshots, and each CPU may have a chunk on its way. */
	CHECK_EQ(kmt_ring_grow(ring, 14 * MIB), 20 * MIB);
	CHECK(!exists(&dir, "cpu/0001.zst"));
	CHECK(exists(&dir, "cpu/0000.zst"));
	CHECK_EQ(kmt_ring_dropped_ns(ring), 100);
	kmt_ring_close(ring, 0, 1, 14 * MIB, 300);
	CHECK_EQ(kmt_ring_grow(ring, 20 * MIB), 20 * MIB);
	CHECK(!exists(&dir, "cpu/0000.zst"));
	CHECK(exists(&dir, "cpu/0000-000001.zst"));
	CHECK_EQ(kmt_ring_dropped_ns(ring), 200);
}

TEST(a_ring_that_is_too_small_says_how_large_it_has_to_be)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_ring *ring = NULL;
	struct kmt_err err;

	CHECK_EQ(kmt_ring_new(dir.fd, 16 * MIB - 1, 2, &ring, &err), -EINVAL);
	CHECK_HAS(err.text, "a --max-size of at least 16.0 MiB");
}

TEST(the_reserve_must_be_free)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_room room;
	struct kmt_err err;

	CHECK_EQ(kmt_room_init(&room, dir.fd, UINT64_MAX / 2, 2, &err), -ENOSPC);
	CHECK_HAS(err.text, "--reserve keeps");
	CHECK_EQ(kmt_room_init(&room, dir.fd, 0, 2, NULL), 0);
	CHECK(kmt_room_left(&room) == UINT64_MAX);
}

TEST(recording_ends_before_the_reserve_and_stops_there)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_room room;
	uint64_t end, stop;

	CHECK_EQ(kmt_room_init(&room, dir.fd, KMT_RECORD_RESERVE, 2, NULL), 0);
	CHECK(room.reserve_bytes > 0 && room.reserve_bytes <= 1024 * MIB);
	kmt_room_limits(&room, 1000, &end, &stop);
	CHECK(end > 1000 && stop > end && stop < UINT64_MAX);
	CHECK(stop - end >= room.margin_bytes / 4);
}

/* fsync(2) and fdatasync(2) of this program: they count instead. */
static int nr_synced, nr_failing;
static ino_t synced[16];

static int note_sync(int fd)
{
	struct stat st;

	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(nr_synced < 16);
	synced[nr_synced++] = st.st_ino;
	if (nr_failing && nr_failing--) {
		errno = EIO;
		return -1;
	}
	return 0;
}

int fsync(int fd)
{
	return note_sync(fd);
}

int fdatasync(int fd)
{
	return note_sync(fd);
}

static bool was_synced(const struct dir *dir, const char *path)
{
	struct stat st;

	CHECK_EQ(fstatat(dir->fd, path, &st, 0), 0);
	for (int i = 0; i < nr_synced; i++)
		if (synced[i] == st.st_ino)
			return true;
	return false;
}

static int open_new(const struct dir *dir, const char *path)
{
	int fd = openat(dir->fd, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "text", 4), 4);
	return fd;
}

TEST(what_has_grown_is_synced_and_what_has_not_is_not)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_syncer_freep) struct kmt_syncer *syncer = NULL;
	KMT_CLEANUP(kmt_close_fd) int a = open_new(&dir, "a"), b = open_new(&dir, "b");
	KMT_CLEANUP(kmt_close_fd) int wake = eventfd(0, EFD_CLOEXEC);

	nr_synced = nr_failing = 0;
	CHECK_EQ(kmt_syncer_new(4, wake, &syncer, NULL), 0);
	kmt_syncer_add(syncer, a, "a");
	kmt_syncer_add(syncer, dir.fd, "."); /* with the name of the symbols of a new module */
	kmt_syncer_add_whole(syncer, dup(b), "b");
	CHECK_EQ(kmt_syncer_stop(syncer, NULL), 0);
	CHECK_EQ(nr_synced, 3);
	CHECK(was_synced(&dir, "a"));
	CHECK(was_synced(&dir, "b"));
	CHECK(was_synced(&dir, "."));
	CHECK_EQ(kmt_syncer_stop(syncer, NULL), 0);
	CHECK_EQ(nr_synced, 3);
	CHECK_EQ(write(a, "text", 4), 4);
	CHECK_EQ(kmt_syncer_stop(syncer, NULL), 0);
	CHECK_EQ(nr_synced, 4);
}

TEST(a_file_that_goes_on_in_another_is_synced_once_more)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_syncer_freep) struct kmt_syncer *syncer = NULL;
	KMT_CLEANUP(kmt_close_fd) int b = open_new(&dir, "b"), wake = eventfd(0, EFD_CLOEXEC);
	int a = open_new(&dir, "a");

	nr_synced = nr_failing = 0;
	CHECK_EQ(kmt_syncer_new(2, wake, &syncer, NULL), 0);
	kmt_syncer_add(syncer, a, "a");
	CHECK_EQ(kmt_syncer_stop(syncer, NULL), 0);
	CHECK_EQ(write(a, "more", 4), 4);
	kmt_syncer_exchange(syncer, a, b, "b");
	nr_synced = 0;
	CHECK_EQ(kmt_syncer_stop(syncer, NULL), 0);
	CHECK(was_synced(&dir, "a"));
	CHECK(was_synced(&dir, "b"));
	CHECK_EQ(fcntl(a, F_GETFD), -1); /* it was handed over */
	CHECK(fcntl(b, F_GETFD) >= 0);
}

TEST(a_failure_is_never_taken_back)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_syncer_freep) struct kmt_syncer *syncer = NULL;
	KMT_CLEANUP(kmt_close_fd) int a = open_new(&dir, "a"), wake = eventfd(0, EFD_CLOEXEC);
	struct kmt_err err;

	nr_synced = 0;
	nr_failing = 1;
	CHECK_EQ(kmt_syncer_new(2, wake, &syncer, NULL), 0);
	kmt_syncer_add(syncer, a, "a");
	CHECK_EQ(kmt_syncer_stop(syncer, &err), -EIO);
	CHECK_TEXT(err.text, "a: writing to the disk: Input/output error");
	CHECK(kmt_syncer_has_failed(syncer));
	CHECK_EQ(kmt_syncer_stop(syncer, NULL), -EIO);
}

TEST(a_file_that_was_removed_is_noticed)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_syncer_freep) struct kmt_syncer *syncer = NULL;
	KMT_CLEANUP(kmt_close_fd) int a = open_new(&dir, "a"), wake = eventfd(0, EFD_CLOEXEC);
	struct kmt_err err;

	CHECK_EQ(kmt_syncer_new(2, wake, &syncer, NULL), 0);
	kmt_syncer_add(syncer, a, "a");
	CHECK_EQ(unlinkat(dir.fd, "a", 0), 0);
	CHECK_EQ(kmt_syncer_stop(syncer, &err), -ENOENT);
	CHECK_HAS(err.text, "a: was removed");
}

static uint64_t bytes_of(const struct dir *dir, const char *path)
{
	struct stat st;

	return fstatat(dir->fd, path, &st, 0) < 0 ? 0 : (uint64_t)st.st_size;
}

/* Two files, of which each has room for two snapshots and a half. */
TEST(snapshots_of_a_ring_stay_within_its_size)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_syncer_freep) struct kmt_syncer *syncer = NULL;
	KMT_CLEANUP(kmt_close_fd) int wake = eventfd(0, EFD_CLOEXEC);
	struct kmt_snapshot_log log;
	uint64_t max_bytes;

	CHECK_EQ(kmt_syncer_new(8, wake, &syncer, NULL), 0);
	CHECK_EQ(kmt_snapshot_log_init(&log, dir.fd, NULL), 0);
	CHECK_EQ(kmt_snapshot_log_add(&log, 1, "start", NULL), 0);
	max_bytes = 5 * kmt_chunk_writer_segment_bytes(log.writer);
	kmt_snapshot_log_set_ring(&log, dir.fd, max_bytes, syncer);
	for (uint64_t i = 2; i < 12; i++) {
		CHECK_EQ(kmt_snapshot_log_add(&log, i, "interval", NULL), 0);
		CHECK(bytes_of(&dir, "snapshots.zst") + bytes_of(&dir, "snapshots-000001.zst") <=
		      max_bytes);
	}
	CHECK(bytes_of(&dir, "snapshots.zst") > max_bytes / 4);
	kmt_snapshot_log_deinit(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_ring_removes_the_oldest_of_all_cpus),
		ROW(a_ring_that_is_too_small_says_how_large_it_has_to_be),
		ROW(snapshots_of_a_ring_stay_within_its_size),
		ROW(the_reserve_must_be_free),
		ROW(recording_ends_before_the_reserve_and_stops_there),
		ROW(what_has_grown_is_synced_and_what_has_not_is_not),
		ROW(a_file_that_goes_on_in_another_is_synced_once_more),
		ROW(a_failure_is_never_taken_back),
		ROW(a_file_that_was_removed_is_noticed),
	};

	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
