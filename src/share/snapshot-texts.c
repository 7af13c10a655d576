// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/chunk.h"

#include "snapshot-texts.h"

static const char path[] = "snapshots.zst";
static const char head[] = "==> snapshot ";

/* Text that wasn't given away yet; no more than a snapshot and a chunk. */
struct text {
	char *bytes;
	size_t used, looked; /* up to which there is no head but the one in front */
	bool is_begun;	     /* it begins with a head */
};

static int append(struct text *text, const struct kmt_chunk *chunk, struct kmt_err *err)
{
	char *grown;

	if (text->used > KMT_TAPE_TEXT_BYTES_MAX)
		return kmt_fail(err, -EFBIG, "%s: a snapshot of more than %u bytes", path,
				KMT_TAPE_TEXT_BYTES_MAX);
	grown = realloc(text->bytes, text->used + chunk->raw_bytes + 1);
	if (!grown)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", path);
	text->bytes = grown;
	memcpy(grown + text->used, chunk->raw, chunk->raw_bytes);
	text->used += chunk->raw_bytes;
	return 0;
}

/* At the beginning of a line, from @from on. Return: where, or SIZE_MAX. */
static size_t find_head(const struct text *text, size_t from)
{
	const size_t bytes = sizeof(head) - 1;

	while (from + bytes <= text->used) {
		const char *found = memmem(text->bytes + from, text->used - from, head, bytes);
		size_t at;

		if (!found)
			return SIZE_MAX;
		at = (size_t)(found - text->bytes);
		if (at == 0 || found[-1] == '\n')
			return at;
		from = at + 1;
	}
	return SIZE_MAX;
}

static void drop_front(struct text *text, size_t bytes)
{
	memmove(text->bytes, text->bytes + bytes, text->used - bytes);
	text->used -= bytes;
}

static int give(struct text *text, size_t bytes, const struct kmt_snapshot_taker *taker,
		struct kmt_err *err)
{
	char behind = text->bytes[bytes];
	int r;

	text->bytes[bytes] = '\0';
	r = taker->take(taker->context, text->bytes, bytes, err);
	text->bytes[bytes] = behind;
	return r;
}

/* All but the last one, which may go on. */
static int give_whole_ones(struct text *text, const struct kmt_snapshot_taker *taker,
			   struct kmt_err *err)
{
	size_t overlap = sizeof(head) - 1, from, at;
	int r = 0;

	for (;;) {
		from = text->looked;
		at = find_head(text, text->is_begun && from == 0 ? 1 : from);
		if (at == SIZE_MAX)
			break;
		if (text->is_begun)
			r = give(text, at, taker, err);
		drop_front(text, at);
		text->looked = 0;
		text->is_begun = true;
		if (r < 0)
			return r;
	}
	text->looked = text->used > overlap ? text->used - overlap : 0;
	return 0;
}

static int finish(struct text *text, bool is_whole, const struct kmt_snapshot_taker *taker,
		  struct kmt_err *err)
{
	int r = 0;

	if (is_whole && text->is_begun && text->used)
		r = give(text, text->used, taker, err);
	text->used = text->looked = 0;
	text->is_begun = false;
	return r;
}

static int read_chunks(struct kmt_chunk_reader *reader, struct kmt_chunk_scratch *scratch,
		       struct text *text, const struct kmt_snapshot_taker *taker,
		       struct kmt_err *err)
{
	struct kmt_chunk chunk;

	for (;;) {
		struct kmt_err damage = { "" };
		int s = 0, r = kmt_chunk_reader_next(reader, scratch, &chunk, &damage);

		if (r == KMT_CHUNK_GOT) {
			s = append(text, &chunk, err);
			if (s == 0)
				s = give_whole_ones(text, taker, err);
		} else if (r != KMT_CHUNK_IDLE) {
			s = finish(text, r == KMT_CHUNK_END, taker, err);
		}
		if (s < 0 || r == KMT_CHUNK_END)
			return s;
		if (r == KMT_CHUNK_GOT || r == KMT_CHUNK_IDLE)
			continue;
		if (r < 0 && r != -EBADMSG && r != -EPROTONOSUPPORT)
			return kmt_fail(err, r, "%s", damage.text);
		if (taker->note_hole)
			taker->note_hole(taker->context, &damage);
		if (r == KMT_CHUNK_CUT && kmt_chunk_reader_search(reader, NULL) != 1)
			return 0;
	}
}

bool kmt_snapshot_texts_are_there(const struct kmt_tape *tape, const char **ret_why)
{
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };
	int r = kmt_chunk_open_text(tape->members, path, &reader, NULL);

	if (r < 0)
		r = kmt_members_get(tape->members, path, &member);
	if (r < 0)
		*ret_why = kmt_members_strerror(r);
	return r == 0;
}

int kmt_snapshot_texts_read(const struct kmt_tape *tape, const struct kmt_snapshot_taker *taker,
			    struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
	KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };
	struct text text = { 0 };
	int r = kmt_chunk_open_text(tape->members, path, &reader, NULL);

	if (r < 0)
		r = kmt_members_get(tape->members, path, &member);
	if (r < 0)
		return kmt_fail(err, r, "%s/%s: %s", tape->path, path, kmt_members_strerror(r));
	if (!reader)
		r = kmt_chunk_reader_new_damaged(&member, path, 0, 1, &reader, err);
	if (r < 0)
		return r;
	member.fd = -1; /* taken */
	r = kmt_chunk_scratch_new(&scratch, err);
	if (r == 0)
		r = read_chunks(reader, scratch, &text, taker, err);
	free(text.bytes);
	return r;
}
