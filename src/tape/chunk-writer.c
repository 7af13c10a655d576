// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "kmemtape/chunk.h"
#include "kmemtape/fs.h"

#include "compressor.h"

/*
 * Of sub-buffers. With all that is made of it, it leaves some of a second-level cache to the
 * workload. A half or a quarter of it would take 1 or 2 % less on the tape, but more time, as zstd
 * makes its tables anew for each chunk.
 */
#define SUBBUF_CHUNK_BYTES (512u << 10)

/*
 * A reader has a chunk of each CPU in memory at a time: of many CPUs all together stay below this,
 * as far as the minimum lets them. The events decoded of a chunk take as much as that, so that less
 * would win little.
 */
#define ALL_CHUNKS_BYTES       (32u << 20)
#define SUBBUF_CHUNK_BYTES_MIN (128u << 10)

/* Our header goes in front of the frame, so that both leave in one write. */
#define HEAD_BYTES (sizeof(struct kmt_zstd_skippable) + sizeof(struct kmt_chunk_header))

struct kmt_chunk_writer {
	int fd;
	uint32_t cpu;
	uint32_t unit_bytes;
	char path[KMT_SEGMENT_PATH_BYTES]; /* for messages */

	uint8_t *raw;
	size_t raw_used, raw_room; /* room: whole units only */
	uint64_t drained_ns;

	uint8_t *out; /* HEAD_BYTES, then the zstd frame */
	size_t out_room;
	struct kmt_compressor *compressor;

	uint64_t sequence;
	bool is_broken;		/* a write failed: the file ends with its last whole chunk */
	size_t unwritten_bytes; /* of the chunk in out, which is the one that failed */
	uint32_t unwritten_raw; /* that are in it */
	uint64_t written_ns;	/* drained_ns of what is in the file */
	uint64_t segment_bytes; /* of this file */
	uint32_t compat;	/* of the next header */
	uint32_t incompat;	/* likewise */
	_Atomic uint64_t raw_total;
	_Atomic uint64_t file_total;
};

static void put_head(struct kmt_chunk_writer *writer, enum kmt_chunk_kind kind, size_t raw_bytes,
		     size_t zstd_bytes)
{
	struct kmt_zstd_skippable skip = {
		.magic = kmt_put_le32(KMT_ZSTD_SKIPPABLE),
		.bytes = kmt_put_le32(sizeof(struct kmt_chunk_header)),
	};
	struct kmt_chunk_header header = {
		.magic = kmt_put_le32(KMT_CHUNK_MAGIC),
		.header_bytes = kmt_put_le32(sizeof(header)),
		.kind = kmt_put_le32(kind),
		.compat = kmt_put_le32(writer->compat),
		.incompat = kmt_put_le32(writer->incompat),
		.cpu = kmt_put_le32(writer->cpu),
		.unit_bytes = kmt_put_le32(writer->unit_bytes),
		.sequence = kmt_put_le64(writer->sequence),
		.drained_ns = kmt_put_le64(writer->drained_ns),
		.raw_total = kmt_put_le64(writer->raw_total),
		.raw_bytes = kmt_put_le32((uint32_t)raw_bytes),
		.zstd_bytes = kmt_put_le32((uint32_t)zstd_bytes),
	};

	header.crc32c = kmt_put_le32(kmt_crc32c(&header, sizeof(header)));
	memcpy(writer->out, &skip, sizeof(skip));
	memcpy(writer->out + sizeof(skip), &header, sizeof(header));
}

/* Head and frame in one write. On a full disk the half that got there is taken back. */
static int write_out(struct kmt_chunk_writer *writer, size_t zstd_bytes, struct kmt_err *err)
{
	size_t size = HEAD_BYTES + zstd_bytes;
	int r;

	r = kmt_write_all(writer->fd, writer->out, size);
	if (r < 0) {
		writer->is_broken = true;
		writer->unwritten_bytes = size;
		(void)!ftruncate(writer->fd, (off_t)writer->segment_bytes);
		(void)lseek(writer->fd, (off_t)writer->segment_bytes, SEEK_SET);
		return kmt_fail(err, r, "%s: %s", writer->path, strerror(-r));
	}
	writer->sequence++;
	writer->segment_bytes += size;
	writer->file_total += size;
	writer->written_ns = writer->drained_ns;
	return 0;
}

static int write_mark(struct kmt_chunk_writer *writer, enum kmt_chunk_kind kind,
		      struct kmt_err *err)
{
	put_head(writer, kind, 0, 0);
	return write_out(writer, 0, err);
}

static int write_chunk(struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	size_t n;

	n = kmt_compressor_make(writer->compressor, writer->raw, writer->raw_used);
	if (ZSTD_isError(n))
		return kmt_fail(err, -EIO, "%s: zstd: %s", writer->path, ZSTD_getErrorName(n));
	put_head(writer, KMT_CHUNK_DATA, writer->raw_used, n);
	writer->unwritten_raw = (uint32_t)writer->raw_used;
	writer->raw_used = 0;
	return write_out(writer, n, err);
}

/*
 * What made a write fail may have passed: there may be room again. The chunk comes now, or never:
 * the file is whole without it, up to an earlier time.
 */
static void mend(struct kmt_chunk_writer *writer)
{
	size_t zstd_bytes = writer->unwritten_bytes - HEAD_BYTES;

	if (lseek(writer->fd, 0, SEEK_END) != (off_t)writer->segment_bytes)
		return; /* what was written in part couldn't be taken back */
	writer->is_broken = false;
	if (write_out(writer, zstd_bytes, NULL) == 0)
		return;
	writer->is_broken = false;
	if (zstd_bytes)
		writer->raw_total -= writer->unwritten_raw;
	writer->drained_ns = writer->written_ns;
}

static int check_usable(const struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	if (writer->is_broken)
		return kmt_fail(err, -EIO, "%s: an earlier write failed", writer->path);
	return 0;
}

static int set_up_compressor(struct kmt_chunk_writer *writer, struct kmt_err *err)
{
	struct kmt_compressor_scratch scratch = {
		.chunk = writer->raw,
		.chunk_bytes = writer->raw_room,
		.out = writer->out + HEAD_BYTES,
		.room = writer->out_room - HEAD_BYTES,
	};

	if (writer->raw && writer->out)
		writer->compressor = kmt_compressor_new(writer->unit_bytes, &scratch);
	return writer->compressor ? 0 : kmt_fail(err, -ENOMEM, "%s: out of memory", writer->path);
}

/* A new file, with its head. */
static int open_file(struct kmt_chunk_writer *writer, int dirfd, struct kmt_err *err)
{
	int r;

	writer->fd = openat(dirfd, writer->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (writer->fd < 0)
		return kmt_fail(err, -errno, "%s: %s", writer->path, strerror(errno));
	r = write_mark(writer, KMT_CHUNK_FILE, err);
	if (r < 0)
		(void)unlinkat(dirfd, writer->path, 0);
	return r;
}

/* For whole units, one at least. */
static size_t room_for(uint32_t unit_bytes, size_t nr_cpus)
{
	size_t room = ALL_CHUNKS_BYTES / nr_cpus;

	if (unit_bytes == 1 || unit_bytes > SUBBUF_CHUNK_BYTES)
		room = KMT_CHUNK_RAW_BYTES_MAX;
	else if (room > SUBBUF_CHUNK_BYTES)
		room = SUBBUF_CHUNK_BYTES;
	else if (room < SUBBUF_CHUNK_BYTES_MIN)
		room = SUBBUF_CHUNK_BYTES_MIN;
	if (room < unit_bytes)
		room = unit_bytes;
	return room / unit_bytes * unit_bytes;
}

int kmt_chunk_writer_new(int dirfd, const char *path, uint32_t cpu, uint32_t unit_bytes,
			 struct kmt_chunk_writer **ret_writer, struct kmt_err *err)
{
	return kmt_chunk_writer_new_among(dirfd, path, cpu, 1, unit_bytes, ret_writer, err);
}

int kmt_chunk_writer_new_among(int dirfd, const char *path, uint32_t cpu, size_t nr_cpus,
			       uint32_t unit_bytes, struct kmt_chunk_writer **ret_writer,
			       struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *w = NULL;
	int r;

	assert(unit_bytes >= 1 && unit_bytes <= KMT_CHUNK_RAW_BYTES_MAX);
	w = calloc(1, sizeof(*w));
	if (!w)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", path);
	w->fd = -1;
	w->cpu = cpu;
	w->unit_bytes = unit_bytes;
	w->raw_room = room_for(unit_bytes, nr_cpus);
	w->out_room = HEAD_BYTES + ZSTD_compressBound(w->raw_room) + KMT_FRAME_SLACK_BYTES;
	(void)snprintf(w->path, sizeof(w->path), "%s", path);
	w->raw = malloc(w->raw_room);
	w->out = malloc(w->out_room);
	r = set_up_compressor(w, err);
	if (r == 0)
		r = open_file(w, dirfd, err);
	if (r == 0)
		*ret_writer = KMT_STEAL(w);
	return r;
}

int kmt_chunk_writer_reopen(struct kmt_chunk_writer *writer, int dirfd, const char *path,
			    uint32_t cpu, struct kmt_err *err)
{
	(void)snprintf(writer->path, sizeof(writer->path), "%s", path);
	kmt_close_fd(&writer->fd);
	writer->cpu = cpu;
	writer->raw_used = 0;
	writer->drained_ns = writer->written_ns = 0;
	writer->sequence = 0;
	writer->is_broken = false;
	writer->segment_bytes = 0;
	writer->compat = 0;
	writer->raw_total = writer->file_total = 0;
	return open_file(writer, dirfd, err);
}

void kmt_chunk_writer_set_level(struct kmt_chunk_writer *writer, int level)
{
	assert(writer->unit_bytes == 1);
	kmt_compressor_set_level(writer->compressor, level);
}

void kmt_chunk_writer_set_padding(struct kmt_chunk_writer *writer,
				  const struct kmt_padding *padding)
{
	kmt_compressor_set_padding(writer->compressor, padding);
}

void *kmt_chunk_writer_space(struct kmt_chunk_writer *writer, size_t *ret_bytes)
{
	*ret_bytes = writer->raw_room - writer->raw_used;
	return writer->raw + writer->raw_used;
}

int kmt_chunk_writer_add(struct kmt_chunk_writer *writer, size_t bytes, uint64_t drained_ns,
			 struct kmt_err *err)
{
	int r;

	assert(bytes % writer->unit_bytes == 0 && bytes <= writer->raw_room - writer->raw_used);
	r = check_usable(writer, err);
	if (r < 0)
		return r;
	for (size_t end = writer->raw_used + bytes, at = writer->raw_used;
	     writer->unit_bytes > 1 && at < end; at += writer->unit_bytes)
		kmt_compressor_add(writer->compressor, writer->raw, at);
	writer->raw_used += bytes;
	writer->raw_total += bytes;
	if (drained_ns)
		writer->drained_ns = drained_ns;
	if (writer->raw_used + writer->unit_bytes > writer->raw_room)
		return write_chunk(writer, err);
	return 0;
}

int kmt_chunk_writer_text(struct kmt_chunk_writer *writer, const char *text, size_t bytes,
			  struct kmt_err *err)
{
	while (bytes) {
		size_t room, n;
		void *space = kmt_chunk_writer_space(writer, &room);
		int r;

		n = bytes < room ? bytes : room;
		memcpy(space, text, n);
		r = kmt_chunk_writer_add(writer, n, 0, err);
		if (r < 0)
			return r;
		text += n;
		bytes -= n;
	}
	return 0;
}

int kmt_chunk_writer_columns(struct kmt_chunk_writer *writer, const void *frame, size_t bytes,
			     size_t raw_bytes, uint64_t drained_ns, struct kmt_err *err)
{
	int r = check_usable(writer, err);

	assert(writer->raw_used == 0 && bytes <= KMT_CHUNK_ZSTD_BYTES_MAX);
	if (r == 0 && HEAD_BYTES + bytes > writer->out_room)
		r = kmt_fail(err, -E2BIG, "%s: a chunk that is too long", writer->path);
	if (r < 0)
		return r;
	memcpy(writer->out + HEAD_BYTES, frame, bytes);
	writer->raw_total += raw_bytes;
	writer->drained_ns = drained_ns;
	writer->unwritten_raw = (uint32_t)raw_bytes;
	writer->incompat = KMT_CHUNK_COLUMNS;
	put_head(writer, KMT_CHUNK_DATA, raw_bytes, bytes);
	writer->incompat = 0;
	return write_out(writer, bytes, err);
}

int kmt_chunk_writer_flush(struct kmt_chunk_writer *writer, uint64_t drained_ns,
			   struct kmt_err *err)
{
	int r = check_usable(writer, err);

	if (r < 0)
		return r;
	if (drained_ns)
		writer->drained_ns = drained_ns;
	if (writer->raw_used)
		return write_chunk(writer, err);
	return write_mark(writer, KMT_CHUNK_MARK, err);
}

int kmt_chunk_writer_finish(struct kmt_chunk_writer *writer, uint64_t drained_ns,
			    struct kmt_err *err)
{
	int r;

	if (writer->is_broken)
		mend(writer);
	else if (drained_ns)
		writer->drained_ns = drained_ns;
	r = check_usable(writer, err);
	if (r < 0)
		return r;
	if (writer->raw_used) {
		r = write_chunk(writer, err);
		if (r < 0)
			return r;
	}
	return write_mark(writer, KMT_CHUNK_FOOTER, err);
}

int kmt_chunk_writer_switch(struct kmt_chunk_writer *writer, int dirfd, const char *path,
			    uint64_t begin_ns, int *ret_fd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = -1;
	uint64_t drained_ns = writer->drained_ns;
	int r = check_usable(writer, err);

	if (r < 0)
		return r;
	fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	writer->compat = KMT_CHUNK_GOES_ON;
	r = write_mark(writer, KMT_CHUNK_FOOTER, err);
	writer->compat = 0;
	if (r < 0) {
		(void)unlinkat(dirfd, path, 0);
		return r;
	}
	*ret_fd = writer->fd;
	writer->fd = KMT_STEAL_FD(fd);
	(void)snprintf(writer->path, sizeof(writer->path), "%s", path);
	writer->segment_bytes = writer->sequence = 0;
	writer->drained_ns = begin_ns;
	r = write_mark(writer, KMT_CHUNK_FILE, err);
	if (r < 0)
		kmt_close_fd(ret_fd);
	else
		writer->drained_ns = writer->written_ns = drained_ns;
	return r;
}

uint64_t kmt_chunk_writer_segment_bytes(const struct kmt_chunk_writer *writer)
{
	return writer->segment_bytes;
}

bool kmt_chunk_writer_is_waiting(const struct kmt_chunk_writer *writer)
{
	return writer->raw_used > 0;
}

uint64_t kmt_chunk_writer_raw_bytes(const struct kmt_chunk_writer *writer)
{
	return writer->raw_total;
}

uint64_t kmt_chunk_writer_file_bytes(const struct kmt_chunk_writer *writer)
{
	return writer->file_total;
}

uint64_t kmt_chunk_writer_written_ns(const struct kmt_chunk_writer *writer)
{
	return writer->written_ns;
}

const char *kmt_chunk_writer_path(const struct kmt_chunk_writer *writer)
{
	return writer->path;
}

int kmt_chunk_writer_fd(const struct kmt_chunk_writer *writer)
{
	return writer->fd;
}

struct kmt_chunk_writer *kmt_chunk_writer_free(struct kmt_chunk_writer *writer)
{
	if (!writer)
		return NULL;
	kmt_close_fd(&writer->fd);
	kmt_compressor_free(writer->compressor);
	free(writer->out);
	free(writer->raw);
	free(writer);
	return NULL;
}
