/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_CHUNK_H
#define KMEMTAPE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/members.h"
#include "kmemtape/padding.h"
#include "kmemtape/progress.h"
#include "kmemtape/tape-format.h"

/*
 * Chunk files (see tape-format.h): a writer that allocates only when it is made, and a reader that
 * trusts nothing. Neither may be shared between threads without a lock.
 */
struct kmt_chunk_writer;
struct kmt_chunk_reader;
struct kmt_chunk_scratch;

/**
 * kmt_chunk_writer_new() - create a chunk file and write its head
 * @dirfd: the tape; only used during the call
 * @path: "cpu/0001.zst", shorter than KMT_SEGMENT_PATH_BYTES; created, mode 0600; -EEXIST if it is
 * there
 * @unit_bytes: sub-buffer size, 1 for text; at most KMT_CHUNK_RAW_BYTES_MAX
 *
 * All memory that the writer will ever need is allocated and touched here: about 2 MiB, of text 3.
 */
int kmt_chunk_writer_new(int dirfd, const char *path, uint32_t cpu, uint32_t unit_bytes,
			 struct kmt_chunk_writer **ret_writer, struct kmt_err *err);

/* The same for one of @nr_cpus CPUs, at least 1: of more than 64, chunks are smaller. */
int kmt_chunk_writer_new_among(int dirfd, const char *path, uint32_t cpu, size_t nr_cpus,
			       uint32_t unit_bytes, struct kmt_chunk_writer **ret_writer,
			       struct kmt_err *err);

/* Of text only: zstd's level, from the next chunk on. Beyond 1 it takes more memory than was
 * allocated. */
void kmt_chunk_writer_set_level(struct kmt_chunk_writer *writer, int level);

/* What to clear in sub-buffers that are added from now on; @padding: borrowed. */
void kmt_chunk_writer_set_padding(struct kmt_chunk_writer *writer,
				  const struct kmt_padding *padding);

/**
 * kmt_chunk_writer_reopen() - the same memory for another file, when the one before is finished
 *
 * Takes a hundredth of the time of a new one. After a failure it can only be freed, or tried again.
 */
int kmt_chunk_writer_reopen(struct kmt_chunk_writer *writer, int dirfd, const char *path,
			    uint32_t cpu, struct kmt_err *err);

/**
 * kmt_chunk_writer_space() - where the next data goes
 * @ret_bytes: room there, at least @unit_bytes; all of it may be filled
 *
 * So that sub-buffers can be read from the kernel without a copy. Valid until the next call on
 * @writer; never fails.
 */
void *kmt_chunk_writer_space(struct kmt_chunk_writer *writer, size_t *ret_bytes);

/**
 * kmt_chunk_writer_add() - @bytes were put where kmt_chunk_writer_space() said
 * @bytes: a multiple of unit_bytes, no more than there was room
 * @drained_ns: trace clock up to which the CPU is drained by this data; 0 if unknown
 *
 * Writes a chunk when there is no room left for one more unit.
 *
 * Return: 0, or negative errno of the write. After a failure the file ends with its last whole
 * chunk, and nothing more can be written to it.
 */
int kmt_chunk_writer_add(struct kmt_chunk_writer *writer, size_t bytes, uint64_t drained_ns,
			 struct kmt_err *err);

/* kmt_chunk_writer_text() - copy text in; the same rules as kmt_chunk_writer_add() */
int kmt_chunk_writer_text(struct kmt_chunk_writer *writer, const char *text, size_t bytes,
			  struct kmt_err *err);

/**
 * kmt_chunk_writer_columns() - write a chunk of columns; nothing may wait to be written
 * @frame: of kmt_columns_finish(), @bytes long, of @raw_bytes of sub-buffers
 *
 * Return: as kmt_chunk_writer_add(); -E2BIG, with nothing written, if it is longer than the
 * writer's own chunks can get.
 */
int kmt_chunk_writer_columns(struct kmt_chunk_writer *writer, const void *frame, size_t bytes,
			     size_t raw_bytes, uint64_t drained_ns, struct kmt_err *err);

/**
 * kmt_chunk_writer_flush() - write what is waiting as a chunk now, or a mark if nothing is waiting
 * @drained_ns: as above
 */
int kmt_chunk_writer_flush(struct kmt_chunk_writer *writer, uint64_t drained_ns,
			   struct kmt_err *err);

/**
 * kmt_chunk_writer_switch() - go on in another file; nothing may wait to be written
 * @begin_ns: all that its CPU recorded before is in the files up to now
 * @ret_fd: of the file up to now, which has its footer: the caller closes it
 *
 * Allocates nothing. Return: 0 or negative errno; rules of kmt_chunk_writer_add().
 */
int kmt_chunk_writer_switch(struct kmt_chunk_writer *writer, int dirfd, const char *path,
			    uint64_t begin_ns, int *ret_fd, struct kmt_err *err);

/* Bytes in the file it is at. Not from another thread. */
uint64_t kmt_chunk_writer_segment_bytes(const struct kmt_chunk_writer *writer);

/* True if data waits to be written. */
bool kmt_chunk_writer_is_waiting(const struct kmt_chunk_writer *writer);

/* Bytes taken in and bytes in the files so far. Both may be read from another thread. */
uint64_t kmt_chunk_writer_raw_bytes(const struct kmt_chunk_writer *writer);
uint64_t kmt_chunk_writer_file_bytes(const struct kmt_chunk_writer *writer);

/* drained_ns of what is in the file. Not from another thread. */
uint64_t kmt_chunk_writer_written_ns(const struct kmt_chunk_writer *writer);

/* The path it was made with. */
const char *kmt_chunk_writer_path(const struct kmt_chunk_writer *writer);

/* Descriptor of the file, borrowed: for fdatasync() from another thread. */
int kmt_chunk_writer_fd(const struct kmt_chunk_writer *writer);

/**
 * kmt_chunk_writer_finish() - flush, and write the footer. Nothing may follow but _free().
 *
 * After a failed write, the same chunk is tried once more: there may be room by now. If it fails
 * again, the file ends without it; kmt_chunk_writer_written_ns() tells what it is complete up to.
 */
int kmt_chunk_writer_finish(struct kmt_chunk_writer *writer, uint64_t drained_ns,
			    struct kmt_err *err);

/* Releases; never writes. NULL is fine. Return: NULL. */
struct kmt_chunk_writer *kmt_chunk_writer_free(struct kmt_chunk_writer *writer);

/*
 * What decompression needs, 2 MiB; 7 MiB, of which less is used, once it has seen a small chunk.
 * Apart from the reader, so that a few of them (one a thread) serve hundreds of files.
 */
int kmt_chunk_scratch_new(struct kmt_chunk_scratch **ret_scratch, struct kmt_err *err);
struct kmt_chunk_scratch *kmt_chunk_scratch_free(struct kmt_chunk_scratch *scratch);

/*
 * Whoever wants to keep the raw data of the last chunk for longer takes its place,
 * KMT_CHUNK_RAW_BYTES_MAX by malloc(), and gives another one for the next chunk.
 */
void kmt_chunk_scratch_swap_raw(struct kmt_chunk_scratch *scratch, void **raw);

struct kmt_chunk {
	const void *raw; /* borrowed from the scratch, until its next use */
	uint32_t raw_bytes;
	uint32_t zstd_bytes;
	uint64_t drained_ns; /* 0 unknown */
	uint64_t sequence;
	uint64_t offset;     /* of its header in the file */
	uint64_t raw_before; /* raw bytes of the chunks before it, as its header says */
};

/* Answers of kmt_chunk_reader_next() */
enum {
	KMT_CHUNK_END = 0,  /* the footer was reached: the file is whole */
	KMT_CHUNK_GOT = 1,  /* data */
	KMT_CHUNK_IDLE = 2, /* a mark: nothing happened up to drained_ns */
	KMT_CHUNK_CUT =
		3, /* the file ends without a footer, maybe within a chunk; err says where */
};

/**
 * kmt_chunk_reader_new() - open a chunk file
 * @fd: taken on success only
 * @name: how messages call the file; copied
 *
 * Return: 0; -EBADMSG if it is no chunk file; -ENODATA if it is shorter than its head;
 * -EPROTONOSUPPORT if it needs a newer reader.
 */
int kmt_chunk_reader_new(int fd, const char *name, struct kmt_chunk_reader **ret_reader,
			 struct kmt_err *err);

/* The same for a member, offsets being those within it; its descriptor is taken on success only. */
int kmt_chunk_reader_new_member(const struct kmt_member *member, const char *name,
				struct kmt_chunk_reader **ret_reader, struct kmt_err *err);

/* Raw bytes of all chunks in @file, as its head and its footer say: whoever made it may lie.
 * UINT64_MAX: not known, it has no footer. */
uint64_t kmt_chunk_file_raw_bytes(const struct kmt_member *file);

/**
 * kmt_chunk_reader_next() - the next chunk or mark
 * @scratch: NULL to pass over the data, for a look at the structure: ret_chunk->raw is NULL then
 *
 * Return: one of the answers above; -EBADMSG for a damaged chunk, with file and offset in @err.
 * Calling again after -EBADMSG goes on behind the chunk where its header was good; where not,
 * the rest cannot be found, and the next answer is KMT_CHUNK_CUT.
 */
int kmt_chunk_reader_next(struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch,
			  struct kmt_chunk *ret_chunk, struct kmt_err *err);

/**
 * kmt_chunk_reader_search() - after KMT_CHUNK_CUT: go on at the next good header, if there is one
 *
 * What lies between may have been anything. Chunks are never read twice.
 *
 * Return: 1 if kmt_chunk_reader_next() goes on; 0 if the file has no more; negative errno.
 */
int kmt_chunk_reader_search(struct kmt_chunk_reader *reader, struct kmt_err *err);

/**
 * kmt_chunk_reader_new_damaged() - a reader for a file whose beginning may be damaged
 * @cpu, @unit_bytes: what the file should be of; chunks of others are passed over
 *
 * Where the file does not begin as it should, the first answer is KMT_CHUNK_CUT.
 */
int kmt_chunk_reader_new_damaged(const struct kmt_member *member, const char *name, uint32_t cpu,
				 uint32_t unit_bytes, struct kmt_chunk_reader **ret_reader,
				 struct kmt_err *err);

#define KMT_SEGMENT_PATH_BYTES 64
#define KMT_SEGMENT_NUMBER_MAX 999999u

/* "cpu/0001-000003.zst" for @base "cpu/0001"; of number 0, "cpu/0001.zst" */
void kmt_segment_path(char path[KMT_SEGMENT_PATH_BYTES], const char *base, uint32_t number);

/**
 * kmt_chunk_reader_set_segments() - the file goes on in others
 * @members: borrowed as long as the reader is there
 * @prefix: of names in messages
 * @numbers: ascending, the first is of the file that is open; taken on success
 *
 * kmt_chunk_reader_next() goes on from one to the next. One that is missing, damaged or cut is
 * -EBADMSG, and the next is read; only the last one can make it KMT_CHUNK_CUT.
 *
 * Return: 0 or -ENOMEM
 */
int kmt_chunk_reader_set_segments(struct kmt_chunk_reader *reader,
				  const struct kmt_members *members, const char *prefix,
				  const char *base, uint32_t *numbers, size_t nr);

/* From now on each chunk that is decompressed is added to it; @progress: borrowed, NULL for none */
void kmt_chunk_reader_set_progress(struct kmt_chunk_reader *reader, struct kmt_progress *progress);

/* For who decodes what it reads. Borrowed; NULL: nobody looks. */
struct kmt_progress *kmt_chunk_reader_progress(const struct kmt_chunk_reader *reader);

/* What its CPU recorded before is in files that are gone; 0: nothing. */
uint64_t kmt_chunk_reader_dropped_ns(const struct kmt_chunk_reader *reader);

/* Back to the first chunk. */
void kmt_chunk_reader_rewind(struct kmt_chunk_reader *reader);

uint32_t kmt_chunk_reader_cpu(const struct kmt_chunk_reader *reader);
uint32_t kmt_chunk_reader_unit_bytes(const struct kmt_chunk_reader *reader);
/* Of the file it is in. Borrowed until the next call on @reader. */
const char *kmt_chunk_reader_name(const struct kmt_chunk_reader *reader);

struct kmt_chunk_reader *kmt_chunk_reader_free(struct kmt_chunk_reader *reader);

/**
 * kmt_chunk_open_text() - a reader of a text chunk file, "snapshots.zst", and of what it goes on in
 * @members: borrowed as long as the reader is there
 *
 * Return: as kmt_members_get() and kmt_chunk_reader_new_member().
 */
int kmt_chunk_open_text(const struct kmt_members *members, const char *path,
			struct kmt_chunk_reader **ret_reader, struct kmt_err *err);

/**
 * kmt_chunk_read_text() - all of a text chunk file, as far as it can be read
 * @members: NULL has none
 * @limit: more raw bytes than this is -EFBIG
 * @ret_text: on the heap, zero-terminated; the caller frees it
 *
 * Return: KMT_CHUNK_END or KMT_CHUNK_CUT (then @ret_text is what there was), or negative errno.
 */
int kmt_chunk_read_text(const struct kmt_members *members, const char *path, size_t limit,
			char **ret_text, size_t *ret_bytes, struct kmt_err *err);

/**
 * kmt_chunk_scan_text() - the same in pieces, of a file of any length
 * @take: told of each, which is borrowed for the time of the call; lines may go on in the next one
 *
 * Return: as kmt_chunk_read_text(); what came before an error was told.
 */
int kmt_chunk_scan_text(const struct kmt_members *members, const char *path,
			void (*take)(void *context, const char *text, size_t bytes), void *context,
			struct kmt_err *err);

KMT_DEFINE_FREEP(struct kmt_chunk_writer *, kmt_chunk_writer_free)
KMT_DEFINE_FREEP(struct kmt_chunk_reader *, kmt_chunk_reader_free)
KMT_DEFINE_FREEP(struct kmt_chunk_scratch *, kmt_chunk_scratch_free)

#endif
