/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_TAPE_FORMAT_H
#define KMEMTAPE_TAPE_FORMAT_H

#include <assert.h>

#include "kmemtape/bytes.h"

/*
 * TAPE on disk, format 1. A tape is a directory, or a tar file of it (members.h):
 *
 *   manifest.json         see manifest.h
 *   events/SYSTEM/EVENT/format, events/header_page, events/header_event      as tracefs gave them
 *   cpu/0000.zst ...      a chunk file for each CPU: the raw sub-buffers
 *   books.zst             a chunk file of text, instead of cpu/: of a distilled tape
 *   snapshots.zst         a chunk file of text: the kernel's own counters
 *   symbols/kallsyms.zst  a chunk file of text: /proc/kallsyms when the recording began
 *   symbols/modules       "load TIME NAME SIZE ADDRESS TAINT BUILD-ID", "unload TIME NAME" lines
 *   symbols/NNNN.zst      a chunk file of text: kallsyms lines of the module that the NNNNth line
 *                         of symbols/modules loads (of those that came after kallsyms.zst)
 *   symbols/build-ids     "kernel HEX" and "MODULE HEX" lines
 *   comms                 "PID<tab>NAME" lines; NAME as kmt_escape() writes it
 *
 * A chunk file is a legal .zst file: data lies in zstd frames (with content size and checksum), our
 * headers are skippable frames in front of them. `zstd -dc` yields the data, nothing else.
 *
 *   skippable frame: struct kmt_zstd_skippable, struct kmt_chunk_header     kind FILE
 *   skippable frame: kind DATA, then one zstd frame of zstd_bytes           any number of times
 *   skippable frame: kind MARK, no zstd frame                               between the data
 *   skippable frame: kind FOOTER                                            when closed properly
 *
 * A file may go on in others, cpu/0000-000001.zst and so on; each is a chunk file of its own, whose
 * footer has KMT_CHUNK_GOES_ON if there is a next one. FILE says in drained_ns that what the CPU
 * recorded before is in earlier files. Of a ring the oldest are removed as it goes on.
 *
 * Changes: format 1, first. Later, with nothing that a reader must know: events of the system
 * "kmemtape", which are the recorder's own probes (formats.h), and `free_probes` and `probes` in
 * the manifest; events of pages, per-CPU memory, vmalloc areas and stacks, and `sets`, `stacks`,
 * `vmalloc`, `possible_cpus` and `pairs` in the manifest. `disturbances` in the manifest, in which events may be missing. Later, with a name in the manifest's
 * `incompat` when it is used: `sample` above 1 with `sample_mask` and `sample_page_mask`
 * ("sampling"), `filters` ("filters"), `sets` without slab memory ("no-slab"), `ended` with a
 * time before some of the data ("ended-early"), and `ring`, files that go on in others
 * ("segments"). Later, with nothing that a
 * reader must know: `recovered`, `range` and `redacted` in the manifest, and what became of `clock` at the end; tapes as tar files;
 * bytes of a record that belong to no field of its event are zero (padding.h). Later,
 * with a name in `incompat`: books.zst instead of cpu/ ("distilled": replay/distilled.h; its first
 * line has a version of its own). Chunks of columns instead of sub-buffers ("small": tape/columns.h).
 */
#define KMT_FORMAT_VERSION 1

#define KMT_ZSTD_SKIPPABLE                                                                    \
	0x184d2a57u		    /* zstd reserves 0x184d2a50..5f for frames it passes over \
				     */
#define KMT_CHUNK_MAGIC 0x43544d4bu /* "KMTC" */

#define KMT_CHUNK_RAW_BYTES_MAX	   (1u << 20)
#define KMT_CHUNK_ZSTD_BYTES_MAX   ((1u << 20) + (1u << 14)) /* above ZSTD_compressBound(1 MiB) */
#define KMT_CHUNK_HEADER_BYTES_MAX 4096u
#define KMT_CPUS_MAX		   8192u /* NR_CPUS of the largest distribution kernels */

struct kmt_zstd_skippable {
	kmt_le32 magic; /* KMT_ZSTD_SKIPPABLE */
	kmt_le32 bytes; /* of what follows: header_bytes */
};

static_assert(sizeof(struct kmt_zstd_skippable) == 8, "RFC 8878, 3.1.2");

enum kmt_chunk_kind {
	KMT_CHUNK_FILE = 1,
	KMT_CHUNK_DATA = 2,
	KMT_CHUNK_MARK = 3,
	KMT_CHUNK_FOOTER = 4,
};

#define KMT_CHUNK_GOES_ON 1u /* FOOTER: the next file has more */

/* DATA: the frame has no sub-buffers, but columns to make raw_bytes of them (tape/columns.h) */
#define KMT_CHUNK_COLUMNS 1u

struct kmt_chunk_header {
	kmt_le32 magic;	       /* KMT_CHUNK_MAGIC */
	kmt_le32 header_bytes; /* of this struct; a reader skips what it does not know */
	kmt_le32 crc32c;       /* of header_bytes bytes, with this field zero */
	kmt_le32 kind;	       /* enum kmt_chunk_kind */
	kmt_le32 compat;       /* bits that a reader may ignore: KMT_CHUNK_GOES_ON */
	kmt_le32 incompat;     /* bits that a reader must know: KMT_CHUNK_COLUMNS */
	kmt_le32 cpu;	       /* 0 in text files */
	kmt_le32 unit_bytes;   /* sub-buffer size; 1 in text files */
	kmt_le64 sequence;     /* 0 for FILE, then one more each */
	kmt_le64 drained_ns;   /* trace clock up to which this CPU was drained; 0 unknown */
	kmt_le64 raw_total;    /* raw bytes of all chunks up to and with this one */
	kmt_le32 raw_bytes; /* DATA: 1..KMT_CHUNK_RAW_BYTES_MAX, a multiple of unit_bytes; else 0 */
	kmt_le32 zstd_bytes; /* DATA: length of the zstd frame that follows; else 0 */
};

static_assert(sizeof(struct kmt_chunk_header) == 64, "frozen since format 1");

#endif
