/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_SYNCER_H
#define KMT_RECORD_SYNCER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * A thread that brings onto the disk what was written, twice a second: so a slow disk keeps nobody
 * else waiting, and a power cut costs what came after that. It also sees when a file was removed.
 */
struct kmt_syncer;

/**
 * kmt_syncer_new() - allocate all
 * @max_files: as many as there will ever be
 * @wake_fd: an eventfd, borrowed: written to when it fails
 */
int kmt_syncer_new(size_t max_files, int wake_fd, struct kmt_syncer **ret_syncer,
		   struct kmt_err *err);

/**
 * kmt_syncer_add() - one more file or directory; nothing if there is no room for it
 * @fd: borrowed until the syncer is freed
 * @name: for messages; copied
 */
void kmt_syncer_add(struct kmt_syncer *syncer, int fd, const char *name);

/* kmt_syncer_add_whole() - a file that was written and won't grow. @fd: taken */
void kmt_syncer_add_whole(struct kmt_syncer *syncer, int fd, const char *name);

/**
 * kmt_syncer_exchange() - a file goes on in another one
 * @fd: taken: synced once more, and closed
 * @next_fd: borrowed in its place
 */
void kmt_syncer_exchange(struct kmt_syncer *syncer, int fd, int next_fd, const char *name);

/* Of the tape, or a file in it; who notices first says it. */
#define KMT_SYNCER_REMOVED "was removed while it was recorded to"

/* kmt_syncer_start() - start the thread; @ret_tid: its id */
int kmt_syncer_start(struct kmt_syncer *syncer, pid_t *ret_tid, struct kmt_err *err);

/* True once something failed: what kmt_syncer_stop() will say. */
bool kmt_syncer_has_failed(const struct kmt_syncer *syncer);

/**
 * kmt_syncer_stop() - end the thread, and bring the rest onto the disk
 *
 * Return: 0; -ENOENT if a file was removed; negative errno if the disk failed at any time: what was
 * written may be gone then, whatever a later attempt says.
 */
int kmt_syncer_stop(struct kmt_syncer *syncer, struct kmt_err *err);

/* Ends the thread if need be. NULL is fine. Return: NULL. */
struct kmt_syncer *kmt_syncer_free(struct kmt_syncer *syncer);

KMT_DEFINE_FREEP(struct kmt_syncer *, kmt_syncer_free)

#endif
