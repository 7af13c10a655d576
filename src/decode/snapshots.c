// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/snapshots.h"

struct kmt_snapshots {
	struct kmt_snapshot_sink sink;
	struct kmt_snapshot_head head;
	struct kmt_counters counters;
	bool is_open;	/* behind a head */
	bool is_wanted; /* so are the numbers below it */
	bool has_later; /* a file began that is of no interest; those that are come before it */
	enum kmt_counter_file file;
	char line[KMT_COUNTERS_LINE_MAX + 1]; /* begun in an earlier piece */
	size_t line_bytes;		      /* may be more than there is room for */
};

int kmt_snapshots_new(const struct kmt_snapshot_sink *sink, struct kmt_snapshots **ret_snapshots,
		      struct kmt_err *err)
{
	struct kmt_snapshots *snapshots = calloc(1, sizeof(*snapshots));

	if (!snapshots)
		return kmt_fail(err, -ENOMEM, "out of memory");
	snapshots->sink = *sink;
	kmt_counters_init(&snapshots->counters);
	*ret_snapshots = snapshots;
	return 0;
}

struct kmt_snapshots *kmt_snapshots_free(struct kmt_snapshots *snapshots)
{
	if (!snapshots)
		return NULL;
	kmt_counters_deinit(&snapshots->counters);
	free(snapshots);
	return NULL;
}

static int close_snapshot(struct kmt_snapshots *snapshots)
{
	int r = 0;

	if (snapshots->is_open) {
		snapshots->counters.time_ns = snapshots->head.time_ns;
		r = kmt_counters_finish(&snapshots->counters);
		if (r == 0)
			r = snapshots->sink.take(snapshots->sink.context, &snapshots->head,
						 &snapshots->counters);
	}
	kmt_snapshots_skip(snapshots);
	return r;
}

void kmt_snapshots_skip(struct kmt_snapshots *snapshots)
{
	kmt_counters_deinit(&snapshots->counters);
	snapshots->is_open = snapshots->is_wanted = snapshots->has_later = false;
	snapshots->file = KMT_COUNTERS_NO_FILE;
	snapshots->line_bytes = 0;
}

/* "==> snapshot 3 at 123456789 interval <==" */
static bool read_head(const char *line, struct kmt_snapshot_head *ret_head)
{
	struct kmt_snapshot_head head;
	unsigned int number;
	int end = 0;

	if (sscanf(line, "==> snapshot %9u at %19" SCNu64 " %15s <==%n", &number, &head.time_ns,
		   head.why, &end) != 3 ||
	    !end || line[end])
		return false;
	*ret_head = head;
	return true;
}

static int take_mark(struct kmt_snapshots *snapshots, const char *line, size_t bytes)
{
	static const char tail[] = " <==";
	struct kmt_snapshot_head head;
	int r;

	if (read_head(line, &head)) {
		r = close_snapshot(snapshots);
		snapshots->head = head;
		snapshots->is_open = r == 0;
		snapshots->is_wanted =
			r == 0 && snapshots->sink.want(snapshots->sink.context, &head);
		return r;
	}
	if (bytes < 4 + sizeof(tail) || strcmp(line + bytes - (sizeof(tail) - 1), tail) != 0)
		return 0;
	snapshots->file = kmt_counter_file_of(line + 4, bytes - 4 - (sizeof(tail) - 1));
	snapshots->has_later |= snapshots->file == KMT_COUNTERS_NO_FILE;
	return 0;
}

static int take_line(struct kmt_snapshots *snapshots, const char *line, size_t bytes)
{
	char mark[KMT_COUNTERS_LINE_MAX + 1];

	if (bytes >= 4 && bytes < sizeof(mark) && memcmp(line, "==> ", 4) == 0) {
		memcpy(mark, line, bytes);
		mark[bytes] = '\0';
		return take_mark(snapshots, mark, bytes);
	}
	if (!snapshots->is_wanted)
		return 0;
	return kmt_counters_add_line(&snapshots->counters, snapshots->file, line, bytes);
}

/* What there is room for; the rest of a long line is of no interest. */
static void keep(struct kmt_snapshots *snapshots, const char *text, size_t bytes)
{
	size_t used = snapshots->line_bytes, room;

	room = used < KMT_COUNTERS_LINE_MAX ? KMT_COUNTERS_LINE_MAX - used : 0;
	if (room)
		memcpy(snapshots->line + used, text, bytes < room ? bytes : room);
	snapshots->line_bytes = bytes < room ? used + bytes : KMT_COUNTERS_LINE_MAX;
}

int kmt_snapshots_add(struct kmt_snapshots *snapshots, const char *text, size_t bytes)
{
	const char *end = text + bytes;
	int r = 0;

	while (r == 0 && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ? newline : end) - text);

		if (!newline) {
			keep(snapshots, text, length);
			return 0;
		}
		if (snapshots->line_bytes) {
			keep(snapshots, text, length);
			length = snapshots->line_bytes;
			snapshots->line_bytes = 0;
			r = take_line(snapshots, snapshots->line, length);
		} else {
			r = take_line(snapshots, text, length);
		}
		text = newline + 1;
	}
	return r;
}

int kmt_snapshots_finish(struct kmt_snapshots *snapshots, bool is_whole)
{
	int r = 0;

	if (is_whole && snapshots->line_bytes)
		r = take_line(snapshots, snapshots->line, snapshots->line_bytes);
	if (r < 0)
		return r;
	if (!is_whole && !snapshots->has_later)
		kmt_snapshots_skip(snapshots);
	return close_snapshot(snapshots);
}
