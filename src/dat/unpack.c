// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef KMT_HAVE_ZLIB
#include <zlib.h>
#endif
#include <zstd.h>

#include "unpack.h"

struct kmt_unpacker {
	const char *path;
	ZSTD_DCtx *zstd; /* NULL: zlib */
	bool is_none;
};

int kmt_unpacker_new(const char *path, const char *name, struct kmt_unpacker **ret_unpacker,
		     struct kmt_err *err)
{
	struct kmt_unpacker *unpacker;
	bool is_zstd = strcmp(name, "zstd") == 0, is_none = strcmp(name, "none") == 0;
	bool is_zlib = strcmp(name, "zlib") == 0;

#ifndef KMT_HAVE_ZLIB
	if (is_zlib)
		return kmt_fail(err, -ENOTSUP,
				"%s: compressed with zlib, which this kmemtape was built without",
				path);
#endif
	if (!is_zstd && !is_none && !is_zlib)
		return kmt_fail(err, -ENOTSUP,
				"%s: compressed with something else than zstd or zlib", path);
	unpacker = calloc(1, sizeof(*unpacker));
	if (unpacker && is_zstd)
		unpacker->zstd = ZSTD_createDCtx();
	if (!unpacker || (is_zstd && !unpacker->zstd)) {
		free(unpacker);
		return kmt_fail(err, -ENOMEM, "%s: out of memory", path);
	}
	unpacker->path = path;
	unpacker->is_none = is_none;
	*ret_unpacker = unpacker;
	return 0;
}

struct kmt_unpacker *kmt_unpacker_free(struct kmt_unpacker *unpacker)
{
	if (unpacker)
		(void)ZSTD_freeDCtx(unpacker->zstd);
	free(unpacker);
	return NULL;
}

static bool run_zlib(const void *src, size_t src_bytes, void *dst, size_t dst_bytes)
{
#ifdef KMT_HAVE_ZLIB
	uLongf bytes = dst_bytes;

	return uncompress(dst, &bytes, src, src_bytes) == Z_OK && bytes == dst_bytes;
#else
	(void)src;
	(void)src_bytes;
	(void)dst;
	(void)dst_bytes;
	return false;
#endif
}

int kmt_unpacker_run(struct kmt_unpacker *unpacker, const void *src, size_t src_bytes, void *dst,
		     size_t dst_bytes, struct kmt_err *err)
{
	bool is_good;

	if (unpacker->is_none)
		is_good = false; /* then no section says that it is compressed */
	else if (unpacker->zstd)
		is_good = ZSTD_decompressDCtx(unpacker->zstd, dst, dst_bytes, src, src_bytes) ==
			  dst_bytes;
	else
		is_good = run_zlib(src, src_bytes, dst, dst_bytes);
	if (!is_good)
		return kmt_fail(err, -EBADMSG,
				"%s: the trace.dat makes no sense: what is compressed is damaged",
				unpacker->path);
	return 0;
}
