// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/chunk.h"

#include "segments.h"

struct text {
	char *bytes;
	size_t used, room;
};

static int append(struct text *text, const void *raw, size_t bytes)
{
	if (text->room - text->used < bytes + 1) {
		size_t room = (text->used + bytes) * 2 + 1;
		char *grown = realloc(text->bytes, room);

		if (!grown)
			return -ENOMEM;
		text->bytes = grown;
		text->room = room;
	}
	if (bytes)
		memcpy(text->bytes + text->used, raw, bytes);
	text->used += bytes;
	text->bytes[text->used] = '\0';
	return 0;
}

/* Return: KMT_CHUNK_END or _CUT, or negative errno. */
static int read_all(struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch,
		    size_t limit, struct text *text, struct kmt_err *err)
{
	struct kmt_chunk chunk;
	int r, s;

	while ((r = kmt_chunk_reader_next(reader, scratch, &chunk, err)) > 0) {
		if (r == KMT_CHUNK_CUT)
			break;
		if (r == KMT_CHUNK_IDLE)
			continue;
		if (chunk.raw_bytes > limit - text->used)
			return kmt_fail(err, -EFBIG, "%s: longer than the limit of %zu bytes",
					kmt_chunk_reader_name(reader), limit);
		s = append(text, chunk.raw, chunk.raw_bytes);
		if (s < 0)
			return kmt_fail(err, s, "%s: out of memory", kmt_chunk_reader_name(reader));
	}
	return r;
}

int kmt_chunk_open_text(const struct kmt_members *members, const char *path,
			struct kmt_chunk_reader **ret_reader, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_segments_deinit) struct kmt_segments segments = { NULL, 0 };
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	char *none = NULL;
	char *const *at = &none;
	char base[KMT_MEMBER_PATH_BYTES], *suffix;
	int r = 0;

	if ((size_t)snprintf(base, sizeof(base), "%s", path) >= sizeof(base))
		return kmt_fail(err, -ENAMETOOLONG, "%s: name too long", path);
	suffix = strstr(base, ".zst");
	if (suffix)
		*suffix = '\0';
	/* Of the texts only a ring's snapshots go on in other files. */
	if (members && !strchr(path, '/'))
		r = kmt_members_list(members, "", &paths, err);
	if (paths)
		at = paths;
	if (r == 0)
		r = kmt_segments_find(&at, base, &segments);
	if (r < 0)
		return r;
	return kmt_segments_open(members, "", base, &segments, ret_reader, err);
}

int kmt_chunk_read_text(const struct kmt_members *members, const char *path, size_t limit,
			char **ret_text, size_t *ret_bytes, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	struct text text = { NULL, 0, 0 };
	int r;

	r = kmt_chunk_open_text(members, path, &reader, err);
	if (r < 0)
		return r;
	r = kmt_chunk_scratch_new(&scratch, err);
	if (r < 0)
		return r;
	r = append(&text, NULL, 0);
	if (r < 0)
		return kmt_fail(err, r, "%s: out of memory", path);
	r = read_all(reader, scratch, limit, &text, err);
	if (r < 0) {
		free(text.bytes);
		return r;
	}
	*ret_text = text.bytes;
	*ret_bytes = text.used;
	return r;
}

int kmt_chunk_scan_text(const struct kmt_members *members, const char *path,
			void (*take)(void *context, const char *text, size_t bytes), void *context,
			struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	struct kmt_chunk chunk;
	int r;

	r = kmt_chunk_open_text(members, path, &reader, err);
	if (r == 0)
		r = kmt_chunk_scratch_new(&scratch, err);
	if (r < 0)
		return r;
	while ((r = kmt_chunk_reader_next(reader, scratch, &chunk, err)) > 0 && r != KMT_CHUNK_CUT)
		if (r != KMT_CHUNK_IDLE)
			take(context, (const char *)chunk.raw, chunk.raw_bytes);
	return r;
}
