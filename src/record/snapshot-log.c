// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Caches keep their flags for life: once is enough, and it was done before events were on. */
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

int kmt_snapshot_log_add(struct kmt_snapshot_log *log, uint64_t now_ns, const char *why,
			 struct kmt_err *err)
{
	char head[96];
	int r;

	(void)snprintf(head, sizeof(head), "==> snapshot %u at %" PRIu64 " %s <==\n", log->nr,
		       now_ns, why);
	r = kmt_chunk_writer_text(log->writer, head, strlen(head), err);
	if (r == 0 && log->nr++ == 0)
		r = add_flags(log, err);
	for (size_t i = 0; r == 0 && i < sizeof(counter_files) / sizeof(counter_files[0]); i++)
		r = add_file(log, counter_files[i], err);
	if (r < 0)
		return r;
	return kmt_chunk_writer_flush(log->writer, 0, err);
}

void kmt_snapshot_log_deinit(struct kmt_snapshot_log *log)
{
	log->writer = kmt_chunk_writer_free(log->writer);
	free(log->reclaimable);
	log->reclaimable = NULL;
}
