/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_TAPE_H
#define KMEMTAPE_TAPE_H

#include "kmemtape/chunk.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/manifest.h"
#include "kmemtape/members.h"

/* A tape as a whole: the directory of tape-format.h, or a tar of it. */

#define KMT_TAPE_TEXT_BYTES_MAX	   (16u << 20)	/* a format file, comms, symbols/modules */
#define KMT_TAPE_SYMBOLS_BYTES_MAX (256u << 20) /* kallsyms; 5 to 12 MB are usual */
#define KMT_TAPE_CPU_PATH_BYTES	   24

/* "cpu/0012": its files are named after that, see kmt_segment_path() */
void kmt_tape_cpu_base(char base[KMT_TAPE_CPU_PATH_BYTES], uint32_t cpu);

/* "cpu/0012.zst" */
void kmt_tape_cpu_path(char path[KMT_TAPE_CPU_PATH_BYTES], uint32_t cpu);

/**
 * kmt_tape_create() - make the directory of a new tape, and the ones in it
 * @path: must not exist, or be an empty directory
 * @ret_dirfd: the caller closes it
 *
 * Return: 0; -EEXIST; negative errno of what failed.
 */
int kmt_tape_create(const char *path, int *ret_dirfd, struct kmt_err *err);

/* kmt_tape_make_parents() - the directories on the way to @path below @dirfd */
int kmt_tape_make_parents(int dirfd, const char *path, struct kmt_err *err);

/* kmt_tape_write_text() - write a small file of the tape, with the directories on its way */
int kmt_tape_write_text(int dirfd, const char *path, const char *text, size_t bytes,
			struct kmt_err *err);

/* An existing tape, open for reading. */
struct kmt_tape {
	char *path; /* as given */
	struct kmt_members *members;
	struct kmt_manifest manifest;
	struct kmt_chunk_reader **cpus; /* one for each CPU file, ascending by CPU; a distilled tape
					   has none */
	size_t nr_cpus;
	struct kmt_progress *progress; /* see kmt_tape_set_progress() */
};

/**
 * kmt_tape_open() - open a tape, read its manifest, open its CPU files
 *
 * CPU files that the manifest doesn't list (a CPU came later, the recorder was killed) are opened
 * too. Descriptors: one for each CPU; the limit is raised if need be.
 *
 * Return: 0; -EBADMSG if it is no tape or is damaged; -ENODATA if a CPU file that the manifest
 * lists is missing or shorter than its head; -EPROTONOSUPPORT; other negative errno.
 */
int kmt_tape_open(const char *path, struct kmt_tape **ret_tape, struct kmt_err *err);

/* The same; @name is how messages and reports call it. */
int kmt_tape_open_as(const char *path, const char *name, struct kmt_tape **ret_tape,
		     struct kmt_err *err);

/**
 * kmt_tape_open_damaged() - open what is left of a tape
 * @ret_damage: what is wrong with its manifest; "" if nothing is
 *
 * Without a manifest, the tape's is empty (long_bytes 0) but for the CPUs and subbuf_bytes. There
 * is a reader for each CPU of it; one whose file is missing or no good has no chunks. Their first
 * answer may be KMT_CHUNK_CUT: see kmt_chunk_reader_search().
 *
 * Return: 0; -EBADMSG if nothing is left; -EPROTONOSUPPORT; other negative errno.
 */
int kmt_tape_open_damaged(const char *path, struct kmt_tape **ret_tape, struct kmt_err *ret_damage,
			  struct kmt_err *err);
struct kmt_tape *kmt_tape_free(struct kmt_tape *tape);

/* What is read of the CPU files from now on is added to it; @progress: borrowed, NULL for none. */
void kmt_tape_set_progress(struct kmt_tape *tape, struct kmt_progress *progress);

/* Bytes of the CPU files, as they are: what one who reads all of them once adds to it. */
uint64_t kmt_tape_cpu_bytes(const struct kmt_tape *tape);

/* kmt_tape_read_text() - a small file; as kmt_members_read(), and -EFBIG beyond our limit */
int kmt_tape_read_text(const struct kmt_tape *tape, const char *path, char **ret_text,
		       size_t *ret_bytes, struct kmt_err *err);

/**
 * kmt_tape_pack() - write a tape as one tar file
 * @directory: what the names in it begin with: "leak.tape"
 * @fd: written in one go, so that it may be a pipe
 *
 * Its files as they are, and nothing else that lies beside them; the same bytes for the same tape.
 *
 * Return: 0; -ENAMETOOLONG; negative errno of what could not be read or written.
 */
int kmt_tape_pack(const struct kmt_tape *tape, const char *directory, int fd, uint64_t *ret_bytes,
		  struct kmt_err *err);

KMT_DEFINE_FREEP(struct kmt_tape *, kmt_tape_free)

#endif
