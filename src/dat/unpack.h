/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DAT_UNPACK_H
#define KMT_DAT_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/* What a trace.dat of version 7 is compressed with. */
struct kmt_unpacker;

/**
 * kmt_unpacker_new() - by the name in the file
 * @path: for messages, borrowed
 * @name: "none", "zstd", "zlib"
 *
 * Return: 0; -ENOTSUP
 */
int kmt_unpacker_new(const char *path, const char *name, struct kmt_unpacker **ret_unpacker,
		     struct kmt_err *err);
struct kmt_unpacker *kmt_unpacker_free(struct kmt_unpacker *unpacker);

/**
 * kmt_unpacker_run() - one block
 * @dst: room for @dst_bytes, which have to come out
 *
 * Return: 0; -EBADMSG
 */
int kmt_unpacker_run(struct kmt_unpacker *unpacker, const void *src, size_t src_bytes, void *dst,
		     size_t dst_bytes, struct kmt_err *err);

#endif
