// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "kmemtape/chunk.h"
#include "kmemtape/columns.h"

#define SEARCH_BYTES 65536

struct kmt_chunk_scratch {
	uint8_t *zstd_bytes;
	uint8_t *raw;
	ZSTD_DCtx *zstd;
	struct kmt_columns_reader *columns; /* NULL until there are any */
};

struct kmt_chunk_reader {
	struct kmt_member file;
	char *name;
	uint32_t cpu;
	uint32_t unit_bytes;
	uint64_t first_offset; /* behind the head */
	uint64_t head_ns;      /* that it has */

	uint64_t offset; /* of the next header */
	uint64_t sequence;
	uint64_t behind_head; /* a search begins behind the last header that was good */
	bool is_lost;	      /* a header was damaged: nothing behind it can be found */
	struct kmt_progress *progress;

	/* Of a row of files; NULL if it is one. The first stays open, so that going back can't
	 * fail. */
	const struct kmt_members *members;
	struct kmt_member first;
	char *first_name;
	char *prefix, *base;
	uint32_t *numbers; /* of the files */
	size_t nr, at;	   /* the one that is open */
	uint64_t dropped_ns;
};

/* A header as numbers, checked. */
struct head {
	uint32_t kind;
	uint32_t cpu;
	uint32_t unit_bytes;
	uint32_t raw_bytes;
	uint32_t zstd_bytes;
	uint32_t compat, incompat;
	uint64_t sequence;
	uint64_t drained_ns;
	uint64_t raw_total;
	uint64_t end; /* offset behind it, in the file */
};

static int damaged(const struct kmt_chunk_reader *reader, uint64_t offset, const char *what,
		   struct kmt_err *err)
{
	return kmt_fail(err, -EBADMSG, "%s: offset %" PRIu64 ": damaged: %s", reader->name, offset,
			what);
}

static int read_failed(const struct kmt_chunk_reader *reader, uint64_t offset, int code,
		       struct kmt_err *err)
{
	return kmt_fail(err, code, "%s: offset %" PRIu64 ": %s", reader->name, offset,
			strerror(-code));
}

/* The checksum covers bytes that a newer writer may have added behind what we know. */
static int check_crc(const struct kmt_chunk_reader *reader, uint64_t offset, uint8_t *header,
		     size_t bytes, struct kmt_err *err)
{
	struct kmt_chunk_header known;
	uint32_t crc;

	memcpy(&known, header, sizeof(known));
	crc = kmt_get_le32(known.crc32c);
	known.crc32c = kmt_put_le32(0);
	memcpy(header, &known, sizeof(known));
	if (kmt_crc32c(header, bytes) != crc)
		return damaged(reader, offset, "wrong checksum in a chunk header", err);
	return 0;
}

static int check_ranges(const struct kmt_chunk_reader *reader, uint64_t offset,
			const struct head *head, struct kmt_err *err)
{
	bool has_data = head->kind == KMT_CHUNK_DATA;

	if (head->kind < KMT_CHUNK_FILE || head->kind > KMT_CHUNK_FOOTER)
		return damaged(reader, offset, "unknown kind of chunk", err);
	if (head->cpu >= KMT_CPUS_MAX)
		return damaged(reader, offset, "CPU number out of range", err);
	if (head->unit_bytes == 0 || head->unit_bytes > KMT_CHUNK_RAW_BYTES_MAX)
		return damaged(reader, offset, "sub-buffer size out of range", err);
	if (has_data != (head->raw_bytes > 0) || has_data != (head->zstd_bytes > 0) ||
	    head->raw_bytes > KMT_CHUNK_RAW_BYTES_MAX ||
	    head->zstd_bytes > KMT_CHUNK_ZSTD_BYTES_MAX || head->raw_bytes % head->unit_bytes)
		return damaged(reader, offset, "chunk length out of range", err);
	if (head->incompat & KMT_CHUNK_COLUMNS && (!has_data || head->unit_bytes == 1))
		return damaged(reader, offset, "columns of no sub-buffers", err);
	return 0;
}

/* Return: 1 for a good header, 0 at the end of the file, -ENODATA where it ends within a header. */
static int read_head(const struct kmt_chunk_reader *reader, uint64_t offset, struct head *ret_head,
		     struct kmt_err *err)
{
	uint8_t buf[sizeof(struct kmt_zstd_skippable) + KMT_CHUNK_HEADER_BYTES_MAX];
	uint8_t *body = buf + sizeof(struct kmt_zstd_skippable);
	struct kmt_zstd_skippable skip;
	struct kmt_chunk_header header;
	uint32_t bytes, incompat;
	ssize_t n;
	int r;

	n = kmt_member_read_at(&reader->file, buf, sizeof(skip) + sizeof(header), offset);
	if (n < 0)
		return read_failed(reader, offset, (int)n, err);
	if (n == 0)
		return 0;
	memcpy(&skip, buf, sizeof(skip));
	memcpy(&header, body, sizeof(header));
	if ((size_t)n < sizeof(skip) + sizeof(header))
		return kmt_fail(err, -ENODATA, "%s: offset %" PRIu64 ": cut within a chunk header",
				reader->name, offset);
	if (kmt_get_le32(skip.magic) != KMT_ZSTD_SKIPPABLE ||
	    kmt_get_le32(header.magic) != KMT_CHUNK_MAGIC)
		return damaged(reader, offset, "no chunk header here", err);
	bytes = kmt_get_le32(skip.bytes);
	if (bytes < sizeof(header) || bytes > KMT_CHUNK_HEADER_BYTES_MAX ||
	    bytes != kmt_get_le32(header.header_bytes))
		return damaged(reader, offset, "chunk header length out of range", err);
	n = kmt_member_read_at(&reader->file, body, bytes, offset + sizeof(skip));
	if (n < 0)
		return read_failed(reader, offset, (int)n, err);
	if ((size_t)n < bytes)
		return kmt_fail(err, -ENODATA, "%s: offset %" PRIu64 ": cut within a chunk header",
				reader->name, offset);
	r = check_crc(reader, offset, body, bytes, err);
	if (r < 0)
		return r;
	incompat = kmt_get_le32(header.incompat);
	if (incompat & ~KMT_CHUNK_COLUMNS)
		return kmt_fail(err, -EPROTONOSUPPORT,
				"%s: offset %" PRIu64 ": needs a newer kmemtape (feature bits %#x)",
				reader->name, offset, incompat);
	*ret_head = (struct head){
		.kind = kmt_get_le32(header.kind),
		.cpu = kmt_get_le32(header.cpu),
		.unit_bytes = kmt_get_le32(header.unit_bytes),
		.raw_bytes = kmt_get_le32(header.raw_bytes),
		.zstd_bytes = kmt_get_le32(header.zstd_bytes),
		.compat = kmt_get_le32(header.compat),
		.incompat = incompat,
		.sequence = kmt_get_le64(header.sequence),
		.drained_ns = kmt_get_le64(header.drained_ns),
		.raw_total = kmt_get_le64(header.raw_total),
		.end = offset + sizeof(skip) + bytes,
	};
	r = check_ranges(reader, offset, ret_head, err);
	return r < 0 ? r : 1;
}

int kmt_chunk_scratch_new(struct kmt_chunk_scratch **ret_scratch, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *s = NULL;

	s = calloc(1, sizeof(*s));
	if (!s)
		return kmt_fail(err, -ENOMEM, "out of memory");
	s->zstd_bytes = malloc(KMT_CHUNK_ZSTD_BYTES_MAX);
	s->raw = malloc(KMT_CHUNK_RAW_BYTES_MAX);
	s->zstd = ZSTD_createDCtx();
	if (!s->zstd_bytes || !s->raw || !s->zstd)
		return kmt_fail(err, -ENOMEM, "out of memory");
	*ret_scratch = KMT_STEAL(s);
	return 0;
}

struct kmt_chunk_scratch *kmt_chunk_scratch_free(struct kmt_chunk_scratch *scratch)
{
	if (!scratch)
		return NULL;
	(void)kmt_columns_reader_free(scratch->columns);
	(void)ZSTD_freeDCtx(scratch->zstd);
	free(scratch->raw);
	free(scratch->zstd_bytes);
	free(scratch);
	return NULL;
}

void kmt_chunk_scratch_swap_raw(struct kmt_chunk_scratch *scratch, void **raw)
{
	void *mine = scratch->raw;

	scratch->raw = *raw;
	*raw = mine;
}

int kmt_chunk_reader_new(int fd, const char *name, struct kmt_chunk_reader **ret_reader,
			 struct kmt_err *err)
{
	struct kmt_member whole = { .fd = fd, .bytes = INT64_MAX };

	return kmt_chunk_reader_new_member(&whole, name, ret_reader, err);
}

int kmt_chunk_reader_new_member(const struct kmt_member *member, const char *name,
				struct kmt_chunk_reader **ret_reader, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *rd = NULL;
	struct head head;
	int r;

	rd = calloc(1, sizeof(*rd));
	if (!rd)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", name);
	rd->file.fd = -1; /* not ours yet */
	rd->name = strdup(name);
	if (!rd->name)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", name);

	rd->file = *member;
	r = read_head(rd, 0, &head, err);
	rd->file.fd = -1;
	if (r == 0)
		return kmt_fail(err, -ENODATA, "%s: empty file", name);
	if (r < 0)
		return r;
	if (head.kind != KMT_CHUNK_FILE)
		return damaged(rd, 0, "the file does not begin with its head", err);
	rd->cpu = head.cpu;
	rd->unit_bytes = head.unit_bytes;
	rd->first_offset = head.end;
	rd->head_ns = head.drained_ns;
	kmt_chunk_reader_rewind(rd);
	rd->file.fd = member->fd; /* taken: nothing below can fail */
	*ret_reader = KMT_STEAL(rd);
	return 0;
}

uint64_t kmt_chunk_file_raw_bytes(const struct kmt_member *file)
{
	const uint64_t footer_bytes =
		sizeof(struct kmt_zstd_skippable) + sizeof(struct kmt_chunk_header);
	const struct kmt_chunk_reader reader = { .file = *file };
	struct head first, last;

	if (file->bytes < footer_bytes || read_head(&reader, 0, &first, NULL) != 1 ||
	    read_head(&reader, file->bytes - footer_bytes, &last, NULL) != 1 ||
	    last.kind != KMT_CHUNK_FOOTER)
		return UINT64_MAX;
	return last.raw_total > first.raw_total ? last.raw_total - first.raw_total : 0;
}

int kmt_chunk_reader_new_damaged(const struct kmt_member *member, const char *name, uint32_t cpu,
				 uint32_t unit_bytes, struct kmt_chunk_reader **ret_reader,
				 struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *rd = NULL;
	struct head head;

	rd = calloc(1, sizeof(*rd));
	if (rd)
		rd->name = strdup(name);
	if (!rd || !rd->name) {
		if (rd)
			rd->file.fd = -1;
		return kmt_fail(err, -ENOMEM, "%s: out of memory", name);
	}
	rd->file = *member; /* taken: nothing below can fail */
	rd->cpu = cpu;
	rd->unit_bytes = unit_bytes;
	if (read_head(rd, 0, &head, NULL) == 1 && head.kind == KMT_CHUNK_FILE && head.cpu == cpu &&
	    head.unit_bytes == unit_bytes)
		rd->first_offset = head.end;
	kmt_chunk_reader_rewind(rd);
	*ret_reader = KMT_STEAL(rd);
	return 0;
}

/* A header here that may follow the last good one? Return: as read_head() */
static int is_next_head(const struct kmt_chunk_reader *reader, uint64_t offset,
			struct head *ret_head)
{
	int r = read_head(reader, offset, ret_head, NULL);

	return r == 1 && ret_head->kind != KMT_CHUNK_FILE && ret_head->cpu == reader->cpu &&
	       ret_head->unit_bytes == reader->unit_bytes && ret_head->sequence >= reader->sequence;
}

int kmt_chunk_reader_search(struct kmt_chunk_reader *reader, struct kmt_err *err)
{
	static const uint8_t magic[] = { 0x57, 0x2a, 0x4d, 0x18 }; /* KMT_ZSTD_SKIPPABLE */
	uint8_t bytes[SEARCH_BYTES];
	uint64_t offset = reader->behind_head;
	struct head head;
	ssize_t n;

	while ((n = kmt_member_read_at(&reader->file, bytes, sizeof(bytes), offset)) >=
	       (ssize_t)sizeof(magic)) {
		const uint8_t *found = memmem(bytes, (size_t)n, magic, sizeof(magic));

		if (!found) {
			offset += (size_t)n - (sizeof(magic) - 1);
			continue;
		}
		offset += (size_t)(found - bytes);
		if (is_next_head(reader, offset, &head)) {
			reader->offset = offset;
			reader->sequence = head.sequence;
			reader->is_lost = false;
			return 1;
		}
		offset++;
	}
	return n < 0 ? read_failed(reader, offset, (int)n, err) : 0;
}

int kmt_chunk_reader_set_segments(struct kmt_chunk_reader *reader,
				  const struct kmt_members *members, const char *prefix,
				  const char *base, uint32_t *numbers, size_t nr)
{
	reader->prefix = strdup(prefix);
	reader->base = strdup(base);
	reader->first_name = strdup(reader->name);
	if (!reader->prefix || !reader->base || !reader->first_name)
		return -ENOMEM;
	reader->members = members;
	reader->first = reader->file;
	reader->numbers = numbers;
	reader->nr = nr;
	reader->dropped_ns = nr && numbers[0] ? reader->head_ns : 0;
	return 0;
}

/* The one that is open, if it isn't the first. */
static void close_segment(struct kmt_chunk_reader *reader)
{
	if (reader->members && reader->file.fd == reader->first.fd)
		reader->file.fd = -1;
	kmt_member_close(&reader->file);
}

/* Opens the file at @at in the row, in place of the one that is open. */
static int open_segment(struct kmt_chunk_reader *reader, size_t at, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *next = NULL;
	char path[KMT_SEGMENT_PATH_BYTES], name[KMT_ERR_BYTES / 2];
	int r;

	reader->at = at;
	kmt_segment_path(path, reader->base, reader->numbers[at]);
	(void)snprintf(name, sizeof(name), "%s%s", reader->prefix, path);
	r = kmt_members_get(reader->members, path, &member);
	if (r < 0)
		return kmt_fail(err, -EBADMSG, "%s: %s", name, kmt_members_strerror(r));
	r = kmt_chunk_reader_new_member(&member, name, &next, err);
	if (r < 0)
		return r == -ENODATA ? -EBADMSG : r;
	member.fd = -1; /* taken */
	if (next->cpu != reader->cpu || next->unit_bytes != reader->unit_bytes)
		return damaged(next, 0, "this file belongs elsewhere", err);
	close_segment(reader);
	free(reader->name);
	reader->file = next->file;
	reader->name = KMT_STEAL(next->name);
	next->file.fd = -1;
	reader->offset = next->first_offset;
	reader->sequence = 1;
	reader->is_lost = false;
	return 0;
}

static bool is_last(const struct kmt_chunk_reader *reader)
{
	return reader->at + 1 >= reader->nr;
}

/* Return: 0; -EBADMSG if one is missing or damaged, with the one behind that open. */
static int go_on(struct kmt_chunk_reader *reader, struct kmt_err *err)
{
	uint32_t expected = reader->numbers[reader->at] + 1;
	char path[KMT_SEGMENT_PATH_BYTES];
	int r;

	r = open_segment(reader, reader->at + 1, err);
	if (r < 0) {
		reader->is_lost = true; /* so that the next call goes on behind it */
		return r;
	}
	if (reader->numbers[reader->at] == expected)
		return 0;
	kmt_segment_path(path, reader->base, expected);
	return kmt_fail(err, -EBADMSG, "%s%s: missing", reader->prefix, path);
}

uint64_t kmt_chunk_reader_dropped_ns(const struct kmt_chunk_reader *reader)
{
	return reader->dropped_ns;
}

void kmt_chunk_reader_rewind(struct kmt_chunk_reader *reader)
{
	if (reader->at) {
		char *name = strdup(reader->first_name);

		close_segment(reader);
		reader->file = reader->first;
		reader->at = 0;
		if (name) { /* else messages call it by another one's name */
			free(reader->name);
			reader->name = name;
		}
	}
	reader->offset = reader->first_offset;
	reader->behind_head = reader->first_offset;
	reader->sequence = 1;
	reader->is_lost = reader->first_offset == 0;
}

static int read_columns(const struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch,
			const struct head *head, struct kmt_err *err)
{
	const char *wrong;

	if (!scratch->columns && kmt_columns_reader_new(&scratch->columns) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	wrong = kmt_columns_read(scratch->columns, scratch->zstd_bytes, head->zstd_bytes,
				 head->unit_bytes, scratch->raw, head->raw_bytes);
	return wrong ? damaged(reader, head->end, wrong, err) : 0;
}

static int decompress(const struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch,
		      const struct head *head, struct kmt_err *err)
{
	ssize_t got =
		kmt_member_read_at(&reader->file, scratch->zstd_bytes, head->zstd_bytes, head->end);
	unsigned long long content;
	size_t n;

	if (got < 0)
		return read_failed(reader, head->end, (int)got, err);
	if ((size_t)got < head->zstd_bytes)
		return kmt_fail(err, -ENODATA, "%s: offset %" PRIu64 ": cut within a chunk",
				reader->name, head->end);
	if (head->incompat & KMT_CHUNK_COLUMNS)
		return read_columns(reader, scratch, head, err);
	/* One frame, of the length that the header tells: else `zstd -dc` would see other data. */
	content = ZSTD_getFrameContentSize(scratch->zstd_bytes, head->zstd_bytes);
	if (content != head->raw_bytes ||
	    ZSTD_findFrameCompressedSize(scratch->zstd_bytes, head->zstd_bytes) != head->zstd_bytes)
		return damaged(reader, head->end, "zstd frame and chunk header disagree", err);
	n = ZSTD_decompressDCtx(scratch->zstd, scratch->raw, head->raw_bytes, scratch->zstd_bytes,
				head->zstd_bytes);
	if (ZSTD_isError(n) || n != head->raw_bytes)
		return damaged(reader, head->end,
			       ZSTD_isError(n) ? ZSTD_getErrorName(n) : "chunk too short", err);
	return 0;
}

/* Passing over data must not pass over the end of the file. */
static int check_present(const struct kmt_chunk_reader *reader, const struct head *head,
			 struct kmt_err *err)
{
	uint8_t last;
	ssize_t n = kmt_member_read_at(&reader->file, &last, 1, head->end + head->zstd_bytes - 1);

	if (n < 0)
		return read_failed(reader, head->end, (int)n, err);
	if (n == 0)
		return kmt_fail(err, -ENODATA, "%s: offset %" PRIu64 ": cut within a chunk",
				reader->name, head->end);
	return 0;
}

static int take_data(struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch,
		     const struct head *head, struct kmt_chunk *chunk, struct kmt_err *err)
{
	int r;

	r = scratch ? decompress(reader, scratch, head, err) : check_present(reader, head, err);
	if (r == -ENODATA) {
		reader->is_lost = true;
		return KMT_CHUNK_CUT;
	}
	if (scratch)
		kmt_progress_add(reader->progress, head->end + head->zstd_bytes - reader->offset,
				 0);
	reader->offset = head->end + head->zstd_bytes; /* behind a damaged chunk it goes on */
	reader->sequence++;
	if (r < 0)
		return r;
	chunk->raw = scratch ? scratch->raw : NULL;
	return KMT_CHUNK_GOT;
}

static int next(struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch,
		struct kmt_chunk *ret_chunk, struct kmt_err *err)
{
	struct head head;
	int r;

	if (reader->is_lost) {
		(void)kmt_fail(err, 0, "%s: offset %" PRIu64 ": the rest cannot be read",
			       reader->name, reader->offset);
		return KMT_CHUNK_CUT;
	}
	r = read_head(reader, reader->offset, &head, err);
	if (r == 1 && (head.kind == KMT_CHUNK_FILE || head.cpu != reader->cpu ||
		       head.unit_bytes != reader->unit_bytes || head.sequence != reader->sequence))
		r = damaged(reader, reader->offset, "this chunk belongs elsewhere", err);
	if (r <= 0) {
		reader->is_lost = true;
		if (r == 0)
			(void)kmt_fail(err, 0, "%s: offset %" PRIu64 ": ends without a footer",
				       reader->name, reader->offset);
		return r == 0 || r == -ENODATA ? KMT_CHUNK_CUT : r;
	}

	reader->behind_head = head.end;
	*ret_chunk = (struct kmt_chunk){
		.raw_bytes = head.raw_bytes,
		.zstd_bytes = head.zstd_bytes,
		.drained_ns = head.drained_ns,
		.sequence = head.sequence,
		.offset = reader->offset,
		.raw_before = head.raw_total > head.raw_bytes ? head.raw_total - head.raw_bytes : 0,
	};
	if (head.kind == KMT_CHUNK_DATA)
		return take_data(reader, scratch, &head, ret_chunk, err);
	if (head.kind == KMT_CHUNK_FOOTER && is_last(reader) && head.compat & KMT_CHUNK_GOES_ON) {
		(void)kmt_fail(err, 0, "%s: goes on in a file that is missing", reader->name);
		return KMT_CHUNK_CUT;
	}
	if (head.kind == KMT_CHUNK_FOOTER)
		return KMT_CHUNK_END; /* whatever may follow is not ours */
	reader->offset = head.end;
	reader->sequence++;
	return KMT_CHUNK_IDLE;
}

int kmt_chunk_reader_next(struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch,
			  struct kmt_chunk *ret_chunk, struct kmt_err *err)
{
	int r;

	for (;;) {
		bool was_lost = reader->is_lost; /* told already */

		r = next(reader, scratch, ret_chunk, err);
		if ((r != KMT_CHUNK_END && r != KMT_CHUNK_CUT) || is_last(reader))
			return r;
		if (r == KMT_CHUNK_CUT && !was_lost) {
			reader->is_lost = true;
			return -EBADMSG;
		}
		r = go_on(reader, err);
		if (r < 0)
			return r;
	}
}

void kmt_chunk_reader_set_progress(struct kmt_chunk_reader *reader, struct kmt_progress *progress)
{
	reader->progress = progress;
}

struct kmt_progress *kmt_chunk_reader_progress(const struct kmt_chunk_reader *reader)
{
	return reader->progress;
}

uint32_t kmt_chunk_reader_cpu(const struct kmt_chunk_reader *reader)
{
	return reader->cpu;
}

uint32_t kmt_chunk_reader_unit_bytes(const struct kmt_chunk_reader *reader)
{
	return reader->unit_bytes;
}

const char *kmt_chunk_reader_name(const struct kmt_chunk_reader *reader)
{
	return reader->name;
}

struct kmt_chunk_reader *kmt_chunk_reader_free(struct kmt_chunk_reader *reader)
{
	if (!reader)
		return NULL;
	close_segment(reader);
	if (reader->members)
		kmt_member_close(&reader->first);
	free(reader->first_name);
	free(reader->numbers);
	free(reader->prefix);
	free(reader->base);
	free(reader->name);
	free(reader);
	return NULL;
}
