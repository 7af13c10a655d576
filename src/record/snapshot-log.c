// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/cleanup.h"
#include "snapshot-log.h"

#define PIECE_BYTES 65536

static const char *const counter_files[] = {
	"/proc/meminfo", "/proc/slabinfo", "/proc/vmallocinfo",
	"/proc/vmstat",	 "/proc/zoneinfo", "/proc/buddyinfo",
};

int kmt_snapshot_log_init(struct kmt_snapshot_log *log, int tape_fd, struct kmt_err *err)
{
	*log = (struct kmt_snapshot_log){ .nr = 0 };
	return kmt_chunk_writer_new(tape_fd, "snapshots.zst", 0, 1, &log->writer, err);
}

static int add_file(struct kmt_snapshot_log *log, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
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

int kmt_snapshot_log_add(struct kmt_snapshot_log *log, uint64_t now_ns, const char *why,
			 struct kmt_err *err)
{
	char head[96];
	int r;

	(void)snprintf(head, sizeof(head), "==> snapshot %u at %" PRIu64 " %s <==\n", log->nr++,
		       now_ns, why);
	r = kmt_chunk_writer_text(log->writer, head, strlen(head), err);
	for (size_t i = 0; r == 0 && i < sizeof(counter_files) / sizeof(counter_files[0]); i++)
		r = add_file(log, counter_files[i], err);
	if (r < 0)
		return r;
	return kmt_chunk_writer_flush(log->writer, 0, err);
}

void kmt_snapshot_log_deinit(struct kmt_snapshot_log *log)
{
	log->writer = kmt_chunk_writer_free(log->writer);
}
