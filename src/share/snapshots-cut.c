// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/chunk.h"
#include "kmemtape/counters.h"

#include "snapshots-cut.h"

#define SNAPSHOTS_PATH "snapshots.zst"
#define ZSTD_LEVEL     19 /* written once */
#define LINE_MAX_BYTES 4096u

struct cut {
	uint64_t first_ns, last_ns;
	struct kmt_chunk_writer *writer;
	struct kmt_err *err;
	bool is_first_written, is_last_written;
	bool is_wanted; /* the snapshot that the lines are of */
	enum kmt_counter_file file;
	bool has_areas; /* a line of vmallocinfo: that it could be read. What was in it is in the
			   books */
	char line[LINE_MAX_BYTES]; /* begun in an earlier chunk */
	size_t bytes;
};

static bool starts_with(const char *line, size_t bytes, const char *start)
{
	return bytes >= strlen(start) && memcmp(line, start, strlen(start)) == 0;
}

/* Of several with the same time, the first is the one that counts. */
static bool want(struct cut *cut, uint64_t time_ns)
{
	if (time_ns == cut->first_ns && !cut->is_first_written)
		return cut->is_first_written = true;
	if (time_ns == cut->last_ns && cut->first_ns != cut->last_ns && !cut->is_last_written)
		return cut->is_last_written = true;
	return false;
}

/* "==> snapshot 3 at 123456789 interval <==" or "==> /proc/meminfo <==" */
static bool take_mark(struct cut *cut, const char *line, size_t bytes)
{
	static const char tail[] = " <==";
	char text[256];
	uint64_t time_ns;

	(void)snprintf(text, sizeof(text), "%.*s", (int)bytes, line);
	if (sscanf(text, "==> snapshot %*u at %19" SCNu64, &time_ns) == 1) {
		cut->is_wanted = want(cut, time_ns);
		cut->file = KMT_COUNTERS_NO_FILE;
		cut->has_areas = false;
		return cut->is_wanted;
	}
	if (bytes > 4 + strlen(tail))
		cut->file = kmt_counter_file_of(line + 4, bytes - 4 - strlen(tail));
	return cut->is_wanted && cut->file != KMT_COUNTERS_NO_FILE;
}

/* The first area that makes sense says that there were any. */
static bool is_needed_area(struct cut *cut, const char *line, size_t bytes)
{
	struct kmt_counters counters;

	if (cut->has_areas)
		return false;
	kmt_counters_init(&counters);
	(void)kmt_counters_add_line(&counters, KMT_COUNTERS_VMALLOCINFO, line, bytes);
	cut->has_areas = counters.has_callers;
	(void)kmt_counters_finish(&counters);
	kmt_counters_deinit(&counters);
	return cut->has_areas;
}

static bool is_kept(struct cut *cut, const char *line, size_t bytes)
{
	if (starts_with(line, bytes, "==> "))
		return take_mark(cut, line, bytes);
	if (!cut->is_wanted || cut->file == KMT_COUNTERS_NO_FILE)
		return false;
	return cut->file != KMT_COUNTERS_VMALLOCINFO || is_needed_area(cut, line, bytes);
}

static int take_line(struct cut *cut, const char *line, size_t bytes)
{
	int r;

	if (!is_kept(cut, line, bytes))
		return 0;
	r = kmt_chunk_writer_text(cut->writer, line, bytes, cut->err);
	return r < 0 ? r : kmt_chunk_writer_text(cut->writer, "\n", 1, cut->err);
}

/* What is longer than any line of use is cut. */
static int take(struct cut *cut, const char *text, size_t bytes)
{
	int r = 0;

	for (const char *end = text + bytes; r == 0 && text < end;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ? newline : end) - text);
		size_t room = LINE_MAX_BYTES - cut->bytes, more = length < room ? length : room;

		memcpy(cut->line + cut->bytes, text, more);
		cut->bytes += more;
		text += length;
		if (!newline)
			break;
		text++;
		r = take_line(cut, cut->line, cut->bytes);
		cut->bytes = 0;
	}
	return r;
}

/* There's a hole in the text: the replay left out the snapshot that it is in, and so do we. */
static void skip(struct cut *cut)
{
	cut->is_wanted = false;
	cut->bytes = 0;
}

static int copy(struct cut *cut, struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch)
{
	struct kmt_chunk chunk;
	int r = 0, s;

	for (;;) {
		s = kmt_chunk_reader_next(reader, scratch, &chunk, NULL);
		if (s == -EBADMSG) {
			skip(cut);
			continue;
		}
		if (s < 0 || s == KMT_CHUNK_END || s == KMT_CHUNK_CUT)
			break;
		if (s == KMT_CHUNK_GOT)
			r = take(cut, chunk.raw, chunk.raw_bytes);
		if (r < 0)
			return r;
	}
	return s == KMT_CHUNK_END && cut->bytes ? take_line(cut, cut->line, cut->bytes) : 0;
}

int kmt_snapshots_cut(const struct kmt_tape *tape, uint64_t first_ns, uint64_t last_ns, int dirfd,
		      struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	KMT_CLEANUP(kmt_freep) struct cut *cut = calloc(1, sizeof(*cut));
	int r;

	if (!cut)
		return kmt_fail(err, -ENOMEM, "out of memory");
	if (!last_ns)
		return 0;
	r = kmt_chunk_scratch_new(&scratch, err);
	if (r == 0)
		r = kmt_chunk_open_text(tape->members, SNAPSHOTS_PATH, &reader, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = kmt_chunk_writer_new(dirfd, SNAPSHOTS_PATH, 0, 1, &writer, err);
	if (r < 0)
		return r;
	kmt_chunk_writer_set_level(writer, ZSTD_LEVEL);
	cut->writer = writer;
	cut->err = err;
	cut->first_ns = first_ns;
	cut->last_ns = last_ns;
	r = copy(cut, reader, scratch);
	return r < 0 ? r : kmt_chunk_writer_finish(writer, last_ns, err);
}
