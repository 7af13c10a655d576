// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/fs.h"
#include "kmemtape/padding.h"
#include "kmemtape/replay.h"
#include "kmemtape/share.h"

#include "copy.h"
#include "small-items.h"

struct small {
	struct kmt_tape *tape;
	struct kmt_formats *formats;
	struct kmt_padding *padding;
	struct kmt_small_items items;
	struct kmt_columns_writer *columns;
	struct kmt_columns_reader *reader; /* what was written is read again, and compared */
	struct kmt_chunk_scratch *scratch;
	int dirfd; /* of the new tape */
	size_t subbuf_bytes;
	uint8_t *raw; /* of the next chunk: of one or several of the old ones */
	size_t raw_bytes;
	uint8_t *again;
	uint64_t drained_ns, written_ns; /* up to what is in raw, and in the file */
};

static bool is_as_it_was(struct small *small, const void *frame, size_t bytes)
{
	return !kmt_columns_read(small->reader, frame, bytes, (uint32_t)small->subbuf_bytes,
				 small->again, small->raw_bytes) &&
	       memcmp(small->again, small->raw, small->raw_bytes) == 0;
}

/* What makes no columns stays as it is, in as many chunks as the writer makes of it. Only the last
 * one's time is known. */
static int write_raw(struct small *small, struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	size_t at = 0, bytes;
	int r = 0;

	for (; r == 0 && at < small->raw_bytes; at += bytes) {
		size_t left = small->raw_bytes - at, room;
		void *space = kmt_chunk_writer_space(writer, &room);

		bytes = left < room ? left : room;
		memcpy(space, small->raw + at, bytes);
		r = kmt_chunk_writer_add(writer, bytes, bytes == left ? small->drained_ns : 0, err);
	}
	return r == 0 && kmt_chunk_writer_is_waiting(writer)
		       ? kmt_chunk_writer_flush(writer, small->drained_ns, err)
		       : r;
}

static int write_chunk(struct small *small, struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	const void *frame = NULL;
	size_t bytes = 0;
	int r;

	if (small->raw_bytes == 0)
		return 0;
	kmt_columns_begin(small->columns);
	for (size_t at = 0; at < small->raw_bytes; at += small->subbuf_bytes)
		kmt_small_items_add(&small->items, small->raw + at, small->columns);
	r = kmt_columns_finish(small->columns, &frame, &bytes, err);
	if (r == 0 && !is_as_it_was(small, frame, bytes))
		r = -E2BIG;
	if (r == 0)
		r = kmt_chunk_writer_columns(writer, frame, bytes, small->raw_bytes,
					     small->drained_ns, err);
	if (r == -E2BIG)
		r = write_raw(small, writer, err);
	small->raw_bytes = 0;
	small->written_ns = small->drained_ns;
	return r;
}

/* Small chunks are joined, for larger columns are smaller; none is split. */
static int take_chunk(struct small *small, const struct kmt_chunk *chunk,
		      struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	int r = 0;

	if (small->raw_bytes + chunk->raw_bytes > KMT_CHUNK_RAW_BYTES_MAX)
		r = write_chunk(small, writer, err);
	if (r < 0)
		return r;
	memcpy(small->raw + small->raw_bytes, chunk->raw, chunk->raw_bytes);
	small->raw_bytes += chunk->raw_bytes;
	return 0;
}

static int take_chunks(struct small *small, struct kmt_chunk_reader *reader,
		       struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	struct kmt_chunk chunk;
	int r, s;

	do {
		r = kmt_chunk_reader_next(reader, small->scratch, &chunk, err);
		if (r < 0)
			return r;
		s = r == KMT_CHUNK_GOT ? take_chunk(small, &chunk, writer, err) : 0;
		if (s < 0)
			return s;
		if (r != KMT_CHUNK_CUT && chunk.drained_ns > small->drained_ns)
			small->drained_ns = chunk.drained_ns;
	} while (r != KMT_CHUNK_END && r != KMT_CHUNK_CUT);
	s = write_chunk(small, writer, err);
	if (s < 0 || r == KMT_CHUNK_END)
		return s < 0 ? s : kmt_chunk_writer_finish(writer, small->drained_ns, err);
	/* A file that was cut stays so; up to when it is complete is known. */
	return small->drained_ns > small->written_ns
		       ? kmt_chunk_writer_flush(writer, small->drained_ns, err)
		       : 0;
}

static int write_cpu(struct small *small, struct kmt_chunk_reader *reader, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	uint32_t cpu = kmt_chunk_reader_cpu(reader);
	char path[KMT_TAPE_CPU_PATH_BYTES];
	struct kmt_err damage;
	int r;

	kmt_tape_cpu_path(path, cpu);
	if (kmt_chunk_reader_unit_bytes(reader) != small->subbuf_bytes)
		return kmt_fail(err, -EBADMSG, "%s: not of this tape's sub-buffers",
				kmt_chunk_reader_name(reader));
	r = kmt_chunk_writer_new(small->dirfd, path, cpu, (uint32_t)small->subbuf_bytes, &writer,
				 err);
	if (r < 0)
		return r;
	small->raw_bytes = 0;
	small->drained_ns = small->written_ns = 0;
	kmt_chunk_reader_rewind(reader);
	r = take_chunks(small, reader, writer, &damage);
	if (r == -EBADMSG)
		return kmt_fail(err, r, "%.380s: make a good tape of it first (kmemtape recover)",
				damage.text);
	if (r < 0)
		*err = damage;
	return r;
}

/* --- all else --- */

static bool is_copied(const char *path)
{
	static const char *const begins[] = { "events/", "symbols/", "snapshots", "comms" };
	size_t bytes = strlen(path);

	if (bytes > 5 && strcmp(path + bytes - 5, ".part") == 0)
		return false;
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (strncmp(path, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static int copy_files(const struct small *small, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	int r = kmt_members_list(small->tape->members, "", &paths, err);

	for (size_t i = 0; r == 0 && paths[i]; i++)
		if (is_copied(paths[i]))
			r = kmt_share_copy_file(small->tape, paths[i], small->dirfd, err);
	return r;
}

static int learn_event(struct small *small, const char *name, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char path[2 * KMT_MANIFEST_TEXT_BYTES];
	const char *colon = strchr(name, ':');
	size_t bytes;
	int r;

	assert(colon); /* of all events of a manifest */
	(void)snprintf(path, sizeof(path), "events/%.*s/%s/format", (int)(colon - name), name,
		       colon + 1);
	r = kmt_tape_read_text(small->tape, path, &text, &bytes, err);
	if (r == 0) /* there are more frames than the format says */
		(void)kmt_padding_add(small->padding, text,
				      strcmp(name, "ftrace:kernel_stack") != 0);
	return r;
}

/* What the recorder of today leaves out; those before it, and others, did not. */
static int learn_padding(struct small *small, struct kmt_err *err)
{
	const struct kmt_manifest *manifest = &small->tape->manifest;
	int r = 0;

	small->padding = kmt_padding_new();
	if (!small->padding)
		return kmt_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < manifest->nr_events; i++)
		r = learn_event(small, manifest->events[i], err);
	return r;
}

static int prepare(struct small *small, struct kmt_err *err)
{
	const struct kmt_page_layout *page;
	int r;

	(void)((r = kmt_replay_formats(small->tape, &small->formats, err)) < 0 ||
	       (r = kmt_chunk_scratch_new(&small->scratch, err)) < 0 ||
	       (r = learn_padding(small, err)) < 0);
	if (r < 0)
		return r;
	kmt_small_items_init(&small->items, small->formats, small->padding);
	page = kmt_formats_page(small->formats);
	small->subbuf_bytes = page->subbuf_bytes;
	small->raw = malloc(KMT_CHUNK_RAW_BYTES_MAX);
	small->again = malloc(KMT_CHUNK_RAW_BYTES_MAX);
	if (!small->raw || !small->again || kmt_columns_reader_new(&small->reader) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	return kmt_columns_writer_new(
		&(struct kmt_column_page){ page->subbuf_bytes, page->time_offset, page->data_offset,
					   page->is_big_endian },
		&small->columns, err);
}

static void deinit(struct small *small)
{
	(void)kmt_columns_writer_free(small->columns);
	(void)kmt_columns_reader_free(small->reader);
	(void)kmt_chunk_scratch_free(small->scratch);
	(void)kmt_padding_free(small->padding);
	(void)kmt_formats_free(small->formats);
	free(small->raw);
	free(small->again);
	kmt_close_fd(&small->dirfd);
}

static int fill(struct small *small, struct kmt_err *err)
{
	struct kmt_manifest manifest = small->tape->manifest;
	int r = copy_files(small, err);

	for (size_t i = 0; r == 0 && i < small->tape->nr_cpus; i++)
		r = write_cpu(small, small->tape->cpus[i], err);
	manifest.is_small = true;
	return r < 0 ? r : kmt_manifest_write(&manifest, small->dirfd, err);
}

int kmt_share_small(struct kmt_tape *tape, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(deinit) struct small small = { .tape = tape, .dirfd = -1 };
	int r = prepare(&small, err);

	if (r == 0)
		r = kmt_tape_create(path, &small.dirfd, err);
	if (r < 0)
		return r;
	r = fill(&small, err);
	if (r < 0)
		kmt_remove_tree(path, false);
	return r;
}
