// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/fs.h"
#include "kmemtape/replay.h"
#include "kmemtape/share.h"

#include "copy.h"
#include "snapshots-cut.h"
#include "symbols-cut.h"

#define KALLSYMS_PATH "symbols/kallsyms.zst"
#define ZSTD_LEVEL    19 /* written once */

/* One tape being made of another one. */
struct distilling {
	struct kmt_tape *tape;
	int dirfd; /* of the new one */
	struct kmt_distillate distillate;
	struct kmt_err *err;
};

static void deinit(struct distilling *distilling)
{
	kmt_close_fd(&distilling->dirfd);
	free(distilling->distillate.addresses);
}

static int write_text(const struct distilling *distilling, const char *path, const char *text,
		      size_t bytes)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	int r = kmt_tape_make_parents(distilling->dirfd, path, distilling->err);

	if (r == 0)
		r = kmt_chunk_writer_new(distilling->dirfd, path, 0, 1, &writer, distilling->err);
	if (r < 0)
		return r;
	kmt_chunk_writer_set_level(writer, ZSTD_LEVEL);
	r = kmt_chunk_writer_text(writer, text, bytes, distilling->err);
	return r < 0 ? r : kmt_chunk_writer_finish(writer, 0, distilling->err);
}

/* What can't be read isn't there, and the replay found that, too. */
static int cut_symbols(const struct distilling *distilling, const char *path, bool is_module)
{
	const struct kmt_distillate *distillate = &distilling->distillate;
	KMT_CLEANUP(kmt_freep) char *text = NULL, *left = NULL;
	size_t bytes;
	int r = kmt_chunk_read_text(distilling->tape->members, path, KMT_TAPE_SYMBOLS_BYTES_MAX,
				    &text, &bytes, NULL);

	if (r < 0)
		return r == -ENOMEM ? kmt_fail(distilling->err, r, "out of memory") : 0;
	r = kmt_symbols_cut(text, bytes, distillate->addresses, distillate->nr_addresses, &left,
			    &bytes);
	if (r < 0)
		return kmt_fail(distilling->err, r, "out of memory");
	if (is_module && bytes == 0)
		return 0;
	return write_text(distilling, path, left, bytes);
}

/* Modules that came later have a file each, named by their line in the list. */
static int cut_modules(const struct distilling *distilling)
{
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	int r = kmt_members_list(distilling->tape->members, "symbols", &paths, NULL);

	if (r < 0)
		return r == -ENOENT ? 0 : kmt_fail(distilling->err, r, "symbols: %s", strerror(-r));
	for (char **path = paths; r == 0 && *path; path++) {
		unsigned int line;
		int end = 0;

		if (sscanf(*path, "symbols/%u.zst%n", &line, &end) == 1 && end && !(*path)[end])
			r = cut_symbols(distilling, *path, true);
	}
	return r;
}

/* Only the kernel's build-id is ever looked for there: those of modules are in the list of these.
 */
static int copy_build_id(const struct distilling *distilling)
{
	static const char path[] = "symbols/build-ids";
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;

	if (kmt_tape_read_text(distilling->tape, path, &text, &bytes, NULL) < 0)
		return 0;
	bytes = strcspn(text, "\n");
	return kmt_tape_write_text(distilling->dirfd, path, text, bytes, distilling->err);
}

static int copy_if_there(const struct distilling *distilling, const char *path)
{
	int r = kmt_share_copy_file(distilling->tape, path, distilling->dirfd, distilling->err);

	return r == -ENOENT ? 0 : r;
}

/* Names of allocation flags are taken from one of these. */
static int copy_formats(const struct distilling *distilling)
{
	static const char *const paths[] = {
		"events/kmem/kmalloc/format",
		"events/kmem/kmem_cache_alloc/format",
		"events/kmem/mm_page_alloc/format",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(paths) / sizeof(paths[0]); i++)
		r = copy_if_there(distilling, paths[i]);
	return r;
}

static int copy_symbols(const struct distilling *distilling)
{
	int r;

	if (distilling->tape->manifest.symbols != KMT_SYMBOLS_GOOD)
		return 0;
	(void)((r = cut_symbols(distilling, KALLSYMS_PATH, false)) < 0 ||
	       (r = copy_if_there(distilling, "symbols/modules")) < 0 ||
	       (r = cut_modules(distilling)) < 0 || (r = copy_build_id(distilling)) < 0);
	return r;
}

/* The manifest comes last: without it, it's no tape. */
static int write_manifest(const struct distilling *distilling)
{
	struct kmt_manifest manifest = distilling->tape->manifest;

	manifest.is_distilled = true;
	manifest.is_small = false;
	return kmt_manifest_write(&manifest, distilling->dirfd, distilling->err);
}

static int fill(struct distilling *distilling)
{
	const struct kmt_replay_options options = { .grace_ns = KMT_GRACE_NS };
	struct kmt_distillate *distillate = &distilling->distillate;
	int r;

	(void)((r = kmt_replay_distill(distilling->tape, &options, distilling->dirfd, distillate,
				       distilling->err)) < 0 ||
	       (r = copy_symbols(distilling)) < 0 || (r = copy_formats(distilling)) < 0 ||
	       (r = kmt_snapshots_cut(distilling->tape, distillate->first_snapshot_ns,
				      distillate->last_snapshot_ns, distilling->dirfd,
				      distilling->err)) < 0 ||
	       (r = write_manifest(distilling)) < 0);
	return r;
}

int kmt_share_distill(struct kmt_tape *tape, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(deinit)
	struct distilling distilling = { .tape = tape, .dirfd = -1, .err = err };
	int r;

	if (tape->manifest.is_distilled)
		return kmt_fail(err, -ENOTSUP, "%s: is distilled already", tape->path);
	r = kmt_tape_create(path, &distilling.dirfd, err);
	if (r < 0)
		return r;
	(void)unlinkat(distilling.dirfd, "cpu", AT_REMOVEDIR); /* it stays empty */
	r = fill(&distilling);
	if (r < 0)
		kmt_remove_tree(path, false);
	return r;
}
