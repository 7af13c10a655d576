// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cursor.h"

int kmt_dat_bad(const struct kmt_dat_cursor *cursor, const char *what, struct kmt_err *err)
{
	return kmt_fail(err, -EBADMSG, "%s: %s %" PRIu64 ": the trace.dat makes no sense: %s",
			cursor->path, cursor->memory ? "within a section, at" : "offset",
			cursor->at, what);
}

static int check_room(const struct kmt_dat_cursor *cursor, uint64_t bytes, struct kmt_err *err)
{
	if (cursor->at > cursor->end || bytes > cursor->end - cursor->at)
		return kmt_dat_bad(cursor, "it ends too early", err);
	return 0;
}

int kmt_dat_get(struct kmt_dat_cursor *cursor, void *dst, size_t bytes, struct kmt_err *err)
{
	uint8_t *p = dst;
	int r = check_room(cursor, bytes, err);

	if (r < 0)
		return r;
	if (cursor->memory) {
		if (bytes)
			memcpy(dst, cursor->memory + cursor->at, bytes);
		cursor->at += bytes;
		return 0;
	}
	for (size_t done = 0; done < bytes;) {
		ssize_t n = pread(cursor->fd, p + done, bytes - done, (off_t)(cursor->at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kmt_fail(err, -errno, "%s: %s", cursor->path, strerror(errno));
		if (n == 0)
			return kmt_dat_bad(cursor, "it became shorter", err);
		done += (size_t)n;
	}
	cursor->at += bytes;
	return 0;
}

int kmt_dat_skip(struct kmt_dat_cursor *cursor, uint64_t bytes, struct kmt_err *err)
{
	int r = check_room(cursor, bytes, err);

	if (r == 0)
		cursor->at += bytes;
	return r;
}

int kmt_dat_get_number(struct kmt_dat_cursor *cursor, unsigned int bytes, uint64_t *ret_n,
		       struct kmt_err *err)
{
	uint8_t raw[8];
	uint64_t n = 0;
	int r = kmt_dat_get(cursor, raw, bytes, err);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < bytes; i++)
		n = n << 8 | raw[cursor->is_big_endian ? i : bytes - 1 - i];
	*ret_n = n;
	return 0;
}

int kmt_dat_get_word(struct kmt_dat_cursor *cursor, char *dst, size_t room, struct kmt_err *err)
{
	for (size_t i = 0; i < room; i++) {
		int r = kmt_dat_get(cursor, &dst[i], 1, err);

		if (r < 0)
			return r;
		if (dst[i] == '\0')
			return 0;
	}
	return kmt_dat_bad(cursor, "a name is too long", err);
}

int kmt_dat_get_text(struct kmt_dat_cursor *cursor, uint64_t bytes, size_t limit, char **ret_text,
		     struct kmt_err *err)
{
	char *text;
	int r = check_room(cursor, bytes, err);

	if (r < 0)
		return r;
	if (bytes > limit)
		return kmt_dat_bad(cursor, "a text is too long", err);
	text = malloc(bytes + 1);
	if (!text)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", cursor->path);
	r = kmt_dat_get(cursor, text, bytes, err);
	if (r < 0) {
		free(text);
		return r;
	}
	text[bytes] = '\0';
	*ret_text = text;
	return 0;
}
