// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"
#include "privileges.h"
#include "slab-flags.h"
#include "snapshot-log.h"

#define PIECE_BYTES 65536

static const char *const counter_files[] = {
	"/proc/meminfo", "/proc/slabinfo", "/proc/vmallocinfo",
	"/proc/vmstat",	 "/proc/zoneinfo", "/proc/buddyinfo",
};

int kmt_snapshot_log_init(struct kmt_snapshot_log *log, int tape_fd, struct kmt_err *err)
{
	int r;

	*log = (struct kmt_snapshot_log){ .nr = 0 };
	r = kmt_slab_flags_read("/sys/kernel/slab", &log->reclaimable, &log->reclaimable_bytes);
	if (r < 0)
		return kmt_fail(err, r, "/sys/kernel/slab: %s", strerror(-r));
	return kmt_chunk_writer_new(tape_fd, "snapshots.zst", 0, 1, &log->writer, err);
}

static int add_file(struct kmt_snapshot_log *log, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = kmt_privileges_open(AT_FDCWD, path, O_RDONLY);
	char text[PIECE_BYTES];
	int r;

	if (fd < 0)
		return 0; /* this kernel has no such counters */
	(void)snprintf(text, sizeof(text), "==> %s <==\n", path);
	r = kmt_chunk_writer_text(log->writer, text, strlen(text), err);
	while (r == 0) {
		ssize_t n = read(fd, text, sizeof(text));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* as much as there is */
		r = kmt_chunk_writer_text(log->writer, text, (size_t)n, err);
	}
	return r;
}

/*
 * Caches keep their flags for life: once is enough, unless what was first is dropped. They were
 * read before events were on.
 */
static int add_flags(struct kmt_snapshot_log *log, struct kmt_err *err)
{
	static const char head[] = "==> /sys/kernel/slab reclaim_account <==\n";
	int r;

	if (!log->reclaimable)
		return 0;
	r = kmt_chunk_writer_text(log->writer, head, sizeof(head) - 1, err);
	if (r < 0)
		return r;
	return kmt_chunk_writer_text(log->writer, log->reclaimable, log->reclaimable_bytes, err);
}

void kmt_snapshot_log_set_ring(struct kmt_snapshot_log *log, int tape_fd, uint64_t max_bytes,
			       struct kmt_syncer *syncer)
{
	log->tape_fd = tape_fd;
	log->segment_bytes = max_bytes / 2;
	log->syncer = syncer;
}

static int switch_file(struct kmt_snapshot_log *log, uint64_t now_ns, struct kmt_err *err)
{
	uint64_t used = kmt_chunk_writer_segment_bytes(log->writer);
	char path[KMT_SEGMENT_PATH_BYTES];
	int fd, r;

	/* The next one is about as large as the largest. Of one that never fits, a file has one. */
	if (!log->segment_bytes || !log->largest_bytes ||
	    used + log->largest_bytes + log->largest_bytes / 8 <= log->segment_bytes)
		return 0;
	kmt_segment_path(path, "snapshots", 1);
	if (log->has_two && renameat(log->tape_fd, path, log->tape_fd, "snapshots.zst") < 0)
		return kmt_fail(err, -errno, "snapshots.zst: %s", strerror(errno));
	log->has_two = true;
	r = kmt_chunk_writer_switch(log->writer, log->tape_fd, path, now_ns, &fd, err);
	if (r < 0)
		return r;
	kmt_syncer_exchange(log->syncer, fd, kmt_chunk_writer_fd(log->writer), path);
	return 0;
}

int kmt_snapshot_log_add(struct kmt_snapshot_log *log, uint64_t now_ns, const char *why,
			 struct kmt_err *err)
{
	uint64_t before, bytes;
	char head[96];
	int r;

	r = switch_file(log, now_ns, err);
	if (r < 0)
		return r;
	before = kmt_chunk_writer_segment_bytes(log->writer);
	(void)snprintf(head, sizeof(head), "==> snapshot %u at %" PRIu64 " %s <==\n", log->nr,
		       now_ns, why);
	r = kmt_chunk_writer_text(log->writer, head, strlen(head), err);
	if (r == 0 && (log->nr++ == 0 || log->segment_bytes))
		r = add_flags(log, err);
	for (size_t i = 0; r == 0 && i < sizeof(counter_files) / sizeof(counter_files[0]); i++)
		r = add_file(log, counter_files[i], err);
	if (r == 0)
		r = kmt_chunk_writer_flush(log->writer, 0, err);
	if (r < 0)
		return r;
	bytes = kmt_chunk_writer_segment_bytes(log->writer) - before;
	if (bytes > log->largest_bytes)
		log->largest_bytes = bytes;
	return 0;
}

void kmt_snapshot_log_deinit(struct kmt_snapshot_log *log)
{
	log->writer = kmt_chunk_writer_free(log->writer);
	free(log->reclaimable);
	log->reclaimable = NULL;
}
