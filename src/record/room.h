/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_ROOM_H
#define KMT_RECORD_ROOM_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/err.h"

/*
 * How much the recording may still write until only the reserve is free on its file system, which
 * is for others. It has to end before, because what is in the ring buffers then is still to come.
 */
struct kmt_room {
	int fd; /* the tape's directory, borrowed */
	uint64_t reserve_bytes; /* 0: none, it may take all */
	uint64_t margin_bytes;	/* for what comes after the end was decided */
};

/**
 * kmt_room_init() - look at the file system
 * @reserve_bytes: KMT_RECORD_RESERVE: 1 % of it, at least 64 MiB and at most 1 GiB, of a small one
 * a quarter at most
 *
 * Return: 0; -ENOSPC if not even the reserve is free.
 */
int kmt_room_init(struct kmt_room *room, int fd, uint64_t reserve_bytes, size_t nr_cpus,
		  struct kmt_err *err);

/* Bytes above the reserve; UINT64_MAX if there is none, or nobody can tell. */
uint64_t kmt_room_left(const struct kmt_room *room);

/**
 * kmt_room_limits() - how long the tape may get
 * @file_bytes: how long it is
 * @ret_end: when it gets longer than that, the recording has to end
 * @ret_stop: nothing is written beyond, whatever is lost
 */
void kmt_room_limits(const struct kmt_room *room, uint64_t file_bytes, uint64_t *ret_end,
		     uint64_t *ret_stop);

#endif
