// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/chunk.h"

#include "copy.h"
#include "recover-texts.h"
#include "snapshot-texts.h"

/* One recovery of texts. */
struct texts {
	struct kmt_tape *tape;
	int dirfd;
	FILE *lost;
	bool is_damaged; /* and not just without something */
};

/* --- formats --- */

/* Whose events can be left out: what nobody sees allocated, nobody is accused of. */
static bool is_dispensable(const char *event)
{
	return !strstr(event, "free") && strncmp(event, "kmemtape:", strlen("kmemtape:")) != 0;
}

static void drop_event(struct kmt_manifest *manifest, size_t index)
{
	free(manifest->events[index]);
	memmove(manifest->events + index, manifest->events + index + 1,
		(--manifest->nr_events - index) * sizeof(*manifest->events));
}

static int copy_formats(struct texts *texts, struct kmt_err *err)
{
	struct kmt_manifest *manifest = &texts->tape->manifest;

	for (size_t i = 0; i < manifest->nr_events;) {
		char path[2 * KMT_MANIFEST_TEXT_BYTES];
		const char *name = manifest->events[i], *colon = strchr(name, ':');
		int r;

		(void)snprintf(path, sizeof(path), "events/%.*s/%s/format", (int)(colon - name),
			       name, colon + 1);
		r = kmt_share_copy_file(texts->tape, path, texts->dirfd, err);
		if (r == 0 || r == -EEXIST) {
			i++;
			continue;
		}
		if (r != -ENOENT)
			return r;
		if (!is_dispensable(name))
			return kmt_fail(err, -ENODATA,
					"%s/%s: missing: without its frees, every object would "
					"look leaked",
					texts->tape->path, path);
		fprintf(texts->lost, "%s: missing: its events are left out\n", path);
		texts->is_damaged = true;
		drop_event(manifest, i);
	}
	return 0;
}

/* What kernels have written there since 2.6.30, but for the sizes: kernel/trace/ring_buffer.c */
static int make_header_page(struct texts *texts, struct kmt_err *err)
{
	const struct kmt_manifest *manifest = &texts->tape->manifest;
	uint32_t data = 8 + manifest->long_bytes;
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
		       "\tfield: local_t commit;\toffset:8;\tsize:%u;\tsigned:1;\n"
		       "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
		       "\tfield: char data;\toffset:%u;\tsize:%u;\tsigned:1;\n",
		       manifest->long_bytes, data, manifest->subbuf_bytes - data);
	fprintf(texts->lost, "events/header_page: missing: made anew, of what is usual\n");
	texts->is_damaged = true;
	return kmt_tape_write_text(texts->dirfd, "events/header_page", text, strlen(text), err);
}

/* Return: 0, also if it isn't there; negative errno */
static int copy_if_there(struct texts *texts, const char *path, bool *ret_is_there,
			 struct kmt_err *err)
{
	int r = kmt_share_copy_file(texts->tape, path, texts->dirfd, err);

	*ret_is_there = r == 0;
	return r == -ENOENT || r == -ELOOP || r == -EISDIR || r == -EBADMSG ? 0 : r;
}

/* --- chunk files --- */

static int write_chunks(struct texts *texts, const char *path, const char *text, size_t bytes,
			struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	int r = kmt_tape_make_parents(texts->dirfd, path, err);

	if (r == 0)
		r = kmt_chunk_writer_new(texts->dirfd, path, 0, 1, &writer, err);
	if (r == 0)
		r = kmt_chunk_writer_text(writer, text, bytes, err);
	return r < 0 ? r : kmt_chunk_writer_finish(writer, 0, err);
}

/* A list of functions: as it is, or up to its last whole line, or not at all. */
static int recover_symbols(struct texts *texts, const char *path, bool *ret_is_there,
			   struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	struct kmt_err damage = { "" };
	const char *end;
	size_t bytes;
	int r = kmt_chunk_read_text(texts->tape->members, path, KMT_TAPE_SYMBOLS_BYTES_MAX, &text,
				    &bytes, &damage);

	*ret_is_there = false;
	if (r == -ENOENT)
		return 0;
	if (r == KMT_CHUNK_END)
		return copy_if_there(texts, path, ret_is_there, err);
	if (r == -ENOMEM)
		return kmt_fail(err, r, "%s: out of memory", path);
	texts->is_damaged = true;
	end = r == KMT_CHUNK_CUT ? strrchr(text, '\n') : NULL;
	if (!end) {
		fprintf(texts->lost, "%s: left out\n", damage.text);
		return 0;
	}
	fprintf(texts->lost, "%s: what is behind has no names\n", damage.text);
	*ret_is_there = true;
	return write_chunks(texts, path, text, (size_t)(end + 1 - text), err);
}

static int recover_modules(struct texts *texts, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	bool is_there;
	int r = 0;

	if (kmt_members_list(texts->tape->members, "symbols", &paths, NULL) < 0)
		return 0;
	for (size_t i = 0; r == 0 && paths[i]; i++) {
		unsigned int line;
		int used = 0;

		if (sscanf(paths[i], "symbols/%u.zst%n", &line, &used) == 1 &&
		    (size_t)used == strlen(paths[i]))
			r = recover_symbols(texts, paths[i], &is_there, err);
	}
	return r;
}

static int recover_all_symbols(struct texts *texts, struct kmt_err *err)
{
	struct kmt_manifest *manifest = &texts->tape->manifest;
	bool is_there;
	int r;

	r = recover_symbols(texts, "symbols/kallsyms.zst", &is_there, err);
	if (r == 0 && !is_there && manifest->symbols == KMT_SYMBOLS_GOOD) {
		fprintf(texts->lost, "symbols: addresses stand in place of function names\n");
		texts->is_damaged = true;
		manifest->symbols = KMT_SYMBOLS_NONE;
	}
	(void)(r < 0 || (r = recover_modules(texts, err)) < 0 ||
	       (r = copy_if_there(texts, "symbols/modules", &is_there, err)) < 0 ||
	       (r = copy_if_there(texts, "symbols/build-ids", &is_there, err)) < 0);
	return r;
}

/* --- snapshots --- */

struct snapshots {
	struct texts *texts;
	struct kmt_chunk_writer *writer;
};

static int put_snapshot(void *context, const char *text, size_t bytes, struct kmt_err *err)
{
	struct snapshots *snapshots = context;

	return kmt_chunk_writer_text(snapshots->writer, text, bytes, err);
}

static void note_hole(void *context, const struct kmt_err *damage)
{
	struct snapshots *snapshots = context;

	snapshots->texts->is_damaged = true;
	fprintf(snapshots->texts->lost, "%s: the snapshot there is left out\n", damage->text);
}

static int recover_snapshots(struct texts *texts, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	struct snapshots snapshots = { .texts = texts };
	struct kmt_snapshot_taker taker = { &snapshots, put_snapshot, note_hole };
	const char *why;
	int r;

	if (!kmt_snapshot_texts_are_there(texts->tape, &why)) {
		fprintf(texts->lost, "snapshots.zst: %s: nothing to compare the sums with\n", why);
		return 0;
	}
	r = kmt_chunk_writer_new(texts->dirfd, "snapshots.zst", 0, 1, &writer, err);
	if (r < 0)
		return r;
	snapshots.writer = writer;
	r = kmt_snapshot_texts_read(texts->tape, &taker, err);
	return r < 0 ? r : kmt_chunk_writer_finish(writer, 0, err);
}

int kmt_recover_texts(struct kmt_tape *tape, int dirfd, FILE *lost, bool *ret_is_damaged,
		      struct kmt_err *err)
{
	struct texts texts = { tape, dirfd, lost, false };
	bool is_there;
	int r = copy_if_there(&texts, "events/header_page", &is_there, err);

	if (r == 0 && !is_there)
		r = make_header_page(&texts, err);
	(void)(r < 0 || (r = copy_if_there(&texts, "events/header_event", &is_there, err)) < 0 ||
	       (r = copy_formats(&texts, err)) < 0 || (r = recover_all_symbols(&texts, err)) < 0 ||
	       (r = recover_snapshots(&texts, err)) < 0 ||
	       (r = copy_if_there(&texts, "comms", &is_there, err)) < 0);
	if (r == 0 && !is_there)
		fprintf(lost, "comms: missing: tasks that were there before have no names\n");
	*ret_is_damaged = texts.is_damaged;
	return r;
}
