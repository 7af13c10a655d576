// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/fs.h"
#include "kmemtape/replay.h"
#include "kmemtape/ring.h"
#include "kmemtape/share.h"
#include "kmemtape/units.h"

#include "copy.h"
#include "rewrite.h"
#include "snapshot-texts.h"

#define RECLAIM_HEAD "==> /sys/kernel/slab reclaim_account <==\n"

/* One part of a tape. */
struct range {
	struct kmt_tape *tape;
	int dirfd;
	uint64_t start_ns; /* of the recording, trace clock */
	struct kmt_rewrite rewrite;
};

/* --- when it began, where the manifest doesn't know --- */

static uint64_t first_subbuf_ns(const struct kmt_formats *formats, struct kmt_chunk_reader *reader,
				struct kmt_chunk_scratch *scratch)
{
	const struct kmt_page_layout *page = kmt_formats_page(formats);
	struct kmt_chunk chunk;
	int r;

	kmt_chunk_reader_rewind(reader);
	do {
		r = kmt_chunk_reader_next(reader, scratch, &chunk, NULL);
	} while (r == KMT_CHUNK_IDLE);
	if (r != KMT_CHUNK_GOT)
		return UINT64_MAX;
	return kmt_ring_get64((const uint8_t *)chunk.raw + page->time_offset, page->is_big_endian);
}

static int find_start(struct range *range, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_scratch_freep) struct kmt_chunk_scratch *scratch = NULL;
	uint64_t start_ns = UINT64_MAX;
	int r = 0;

	range->start_ns = range->tape->manifest.start_ns;
	if (range->start_ns)
		return 0;
	r = kmt_chunk_scratch_new(&scratch, err);
	for (size_t i = 0; r == 0 && i < range->tape->nr_cpus; i++) {
		uint64_t first_ns =
			first_subbuf_ns(range->rewrite.formats, range->tape->cpus[i], scratch);

		start_ns = first_ns < start_ns ? first_ns : start_ns;
	}
	range->start_ns = start_ns == UINT64_MAX ? 0 : start_ns;
	return r;
}

/* --- snapshots --- */

/* Those of the time, and from the first one of the tape what is only there. */
struct cut {
	const struct range *range;
	struct kmt_chunk_writer *writer;
	char *reclaim; /* its text; NULL: it has gone out, or there is none */
	bool is_behind_first;
};

static const char *find_line(const char *text, const char *line)
{
	const char *found = text;

	while ((found = strstr(found, line)) && found > text && found[-1] != '\n')
		found++;
	return found;
}

static int keep_reclaim(struct cut *cut, const char *text, struct kmt_err *err)
{
	const char *from = find_line(text, RECLAIM_HEAD);
	const char *to = from ? find_line(from + 1, "==> ") : NULL;

	cut->is_behind_first = true;
	if (!from)
		return 0;
	cut->reclaim = strndup(from, to ? (size_t)(to - from) : strlen(from));
	return cut->reclaim ? 0 : kmt_fail(err, -ENOMEM, "snapshots.zst: out of memory");
}

static int put_reclaim(struct cut *cut, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = KMT_STEAL(cut->reclaim);

	return text ? kmt_chunk_writer_text(cut->writer, text, strlen(text), err) : 0;
}

static int take_snapshot(void *context, const char *text, size_t bytes, struct kmt_err *err)
{
	const char *behind_head = strchr(text, '\n');
	struct cut *cut = context;
	const struct kmt_rewrite *rewrite = &cut->range->rewrite;
	size_t head_bytes = behind_head ? (size_t)(behind_head + 1 - text) : bytes;
	bool is_first = !cut->is_behind_first;
	uint64_t time_ns;
	int r = 0;

	if (is_first)
		r = keep_reclaim(cut, text, err);
	if (r < 0 || sscanf(text, "==> snapshot %*u at %" SCNu64, &time_ns) != 1 ||
	    time_ns < rewrite->from_ns || time_ns >= rewrite->to_ns)
		return r;
	if (is_first) { /* has it already */
		free(cut->reclaim);
		cut->reclaim = NULL;
	}
	r = kmt_chunk_writer_text(cut->writer, text, head_bytes, err);
	if (r == 0)
		r = put_reclaim(cut, err);
	return r < 0 ? r
		     : kmt_chunk_writer_text(cut->writer, text + head_bytes, bytes - head_bytes,
					     err);
}

/* Without a snapshot in the time, an empty one says which caches can shrink. */
static int put_empty_one(struct cut *cut, struct kmt_err *err)
{
	char head[96];
	int bytes = snprintf(head, sizeof(head), "==> snapshot 0 at %" PRIu64 " start <==\n",
			     cut->range->rewrite.from_ns);
	int r;

	if (!cut->reclaim)
		return 0;
	r = kmt_chunk_writer_text(cut->writer, head, (size_t)bytes, err);
	return r < 0 ? r : put_reclaim(cut, err);
}

static int cut_snapshots(struct range *range, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	struct cut cut = { .range = range };
	struct kmt_snapshot_taker taker = { &cut, take_snapshot, NULL };
	const char *why;
	int r;

	if (!kmt_snapshot_texts_are_there(range->tape, &why))
		return 0;
	r = kmt_chunk_writer_new(range->dirfd, "snapshots.zst", 0, 1, &writer, err);
	if (r < 0)
		return r;
	cut.writer = writer;
	r = kmt_snapshot_texts_read(range->tape, &taker, err);
	if (r == 0)
		r = put_empty_one(&cut, err);
	free(cut.reclaim);
	return r < 0 ? r : kmt_chunk_writer_finish(writer, 0, err);
}

/* --- all else --- */

static int copy_texts(struct range *range, struct kmt_err *err)
{
	static const char *const directories[] = { "events", "symbols" };

	for (size_t k = 0; k < sizeof(directories) / sizeof(directories[0]); k++) {
		KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
		int r = kmt_members_list(range->tape->members, directories[k], &paths, err);

		if (r == -ENOENT)
			continue;
		for (size_t i = 0; r == 0 && paths[i]; i++)
			r = kmt_share_copy_file(range->tape, paths[i], range->dirfd, err);
		if (r < 0)
			return r;
	}
	return kmt_task_names_write(range->rewrite.names, range->tape, range->dirfd, err);
}

/* What somebody else did at another time is no reason to doubt. */
static void cut_disturbances(struct kmt_manifest *manifest, const struct kmt_rewrite *rewrite)
{
	size_t to = 0;

	for (size_t i = 0; i < manifest->nr_disturbances; i++)
		if (manifest->disturbances[i].to_ns >= rewrite->from_ns &&
		    manifest->disturbances[i].from_ns < rewrite->to_ns)
			manifest->disturbances[to++] = manifest->disturbances[i];
	manifest->nr_disturbances = to;
}

/*
 * Of what was overwritten, marks mostly tell the time. The rest may have been of this time, as may
 * whatever else was lost. Marks that don't say how much may be of all of it.
 */
static uint64_t overrun_within(uint64_t overrun, const struct kmt_rewrite_cpu *cpu)
{
	if (cpu->unsized)
		return cpu->unsized_within ? overrun : cpu->marked_within;
	return cpu->marked_within + (overrun > cpu->marked ? overrun - cpu->marked : 0);
}

static void cut_stats(struct range *range)
{
	struct kmt_manifest *manifest = &range->tape->manifest;

	for (size_t i = 0; i < manifest->nr_stats; i++) {
		struct kmt_cpu_stats *stats = &manifest->stats[i];

		stats->read = 0; /* not known of this time */
		for (size_t k = 0; k < range->tape->nr_cpus; k++)
			if (kmt_chunk_reader_cpu(range->tape->cpus[k]) == stats->cpu)
				stats->overrun =
					overrun_within(stats->overrun, &range->rewrite.cpus[k]);
	}
}

/* @to_ns: as was asked for, which may be behind the end of a tape that was cut */
static void describe(struct range *range, uint64_t to_ns)
{
	struct kmt_manifest *manifest = &range->tape->manifest;
	const struct kmt_rewrite *rewrite = &range->rewrite;
	uint64_t before_ns = manifest->range_to_ns ? manifest->range_from_ns : 0;

	if (to_ns <= rewrite->to_ns && to_ns <= rewrite->end_ns) { /* else it is as it was */
		manifest->is_closed = true;
		manifest->ended_why[0] = '\0';
		manifest->ended_ns = 0;
	} else if (rewrite->cut_cpu != SIZE_MAX) {
		manifest->is_closed = false;
	}
	manifest->is_small = false;
	manifest->range_from_ns = before_ns;
	if (rewrite->from_ns) {
		manifest->range_from_ns += rewrite->from_ns - range->start_ns;
		manifest->start_ns = rewrite->from_ns;
	}
	manifest->range_to_ns = before_ns + (rewrite->end_ns - range->start_ns);
	if (manifest->allocs_on_ns < rewrite->from_ns)
		manifest->allocs_on_ns = rewrite->from_ns;
	if (manifest->allocs_off_ns > rewrite->end_ns)
		manifest->allocs_off_ns = rewrite->end_ns;
	manifest->end_ns = rewrite->end_ns;
	cut_disturbances(manifest, rewrite);
	cut_stats(range);
}

static int make(struct range *range, uint64_t to_ns, struct kmt_err *err)
{
	struct kmt_rewrite *rewrite = &range->rewrite;
	char from[KMT_UNITS_BYTES], end[KMT_UNITS_BYTES];
	int r = kmt_rewrite_look(rewrite, err);

	if (r < 0)
		return r;
	if (rewrite->from_ns >= rewrite->end_ns)
		return kmt_fail(err, -ENODATA, "%s: %s is behind its end at %s", range->tape->path,
				kmt_format_time(from, rewrite->from_ns - range->start_ns),
				kmt_format_time(end, rewrite->end_ns - range->start_ns));
	(void)((r = copy_texts(range, err)) < 0 || (r = cut_snapshots(range, err)) < 0 ||
	       (r = kmt_rewrite_write(rewrite, range->dirfd, err)) < 0);
	if (r < 0)
		return r;
	describe(range, to_ns);
	return kmt_manifest_write(&range->tape->manifest, range->dirfd, err);
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

int kmt_share_range(struct kmt_tape *tape, const char *path, uint64_t from_ns, uint64_t to_ns,
		    struct kmt_err *err)
{
	KMT_CLEANUP(kmt_task_names_freep) struct kmt_task_names *names = NULL;
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = NULL;
	KMT_CLEANUP(kmt_close_fd) int dirfd = -1;
	struct range range = { .tape = tape, .rewrite = { .tape = tape } };
	int r;

	(void)((r = kmt_replay_formats(tape, &formats, err)) < 0 ||
	       (r = kmt_task_names_new(&names, err)) < 0);
	if (r < 0)
		return r;
	range.rewrite.formats = formats;
	range.rewrite.names = names;
	r = find_start(&range, err);
	if (r == 0)
		r = kmt_tape_create(path, &dirfd, err);
	if (r < 0)
		return r;
	range.dirfd = dirfd;
	/* Frees are recorded a little earlier, too. */
	range.rewrite.from_ns = from_ns ? add(range.start_ns, from_ns) : 0;
	range.rewrite.to_ns = add(range.start_ns, to_ns);
	r = make(&range, range.rewrite.to_ns, err);
	kmt_rewrite_deinit(&range.rewrite);
	if (r < 0)
		kmt_remove_tree(path, false);
	return r;
}
