// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/fs.h"
#include "kmemtape/replay.h"
#include "kmemtape/share.h"
#include "kmemtape/units.h"

#include "rebuild.h"
#include "recover-texts.h"
#include "rewrite.h"

/* One recovery. */
struct recovery {
	struct kmt_tape *tape;
	const char *path; /* of the new tape */
	int dirfd;
	FILE *lost;
	bool is_damaged;
	struct kmt_rewrite rewrite;
	size_t gaps;	     /* over all CPUs */
	uint64_t lost_bytes; /* likewise, as far as it is known */
	size_t nr_missing;   /* CPUs */
};

/* Since the recording's start, which an old or lost manifest may not know. */
static const char *when(const struct recovery *recovery, uint64_t time_ns,
			char buf[KMT_UNITS_BYTES])
{
	uint64_t start_ns = recovery->tape->manifest.start_ns;

	return kmt_format_time(buf, time_ns > start_ns ? time_ns - start_ns : 0);
}

static void tell_cpu(struct recovery *recovery, size_t index)
{
	const struct kmt_rewrite_cpu *cpu = &recovery->rewrite.cpus[index];
	char path[KMT_TAPE_CPU_PATH_BYTES], size[KMT_UNITS_BYTES], time[KMT_UNITS_BYTES];

	kmt_tape_cpu_path(path, kmt_chunk_reader_cpu(recovery->tape->cpus[index]));
	recovery->gaps += cpu->gaps;
	recovery->lost_bytes += cpu->lost_bytes;
	recovery->nr_missing += cpu->is_missing;
	recovery->is_damaged |= cpu->is_missing || cpu->is_cut || cpu->gaps;
	if (cpu->is_missing) {
		fprintf(recovery->lost,
			"%s: nothing is left of it: all events of this CPU are lost\n", path);
		return;
	}
	if (cpu->gaps) {
		fprintf(recovery->lost,
			"%s: %" PRIu64 " damaged place%s, the last one at %s: ", path, cpu->gaps,
			cpu->gaps == 1 ? "" : "s", when(recovery, cpu->last_gap_ns, time));
		if (cpu->lost_bytes)
			fprintf(recovery->lost, "%s of ", kmt_format_size(size, cpu->lost_bytes));
		fprintf(recovery->lost, "events are lost, which is marked there\n");
	}
	if (cpu->is_cut)
		fprintf(recovery->lost, "%s: is cut: its last event is at %s\n", path,
			when(recovery, cpu->limit_ns, time));
}

static void tell_end(struct recovery *recovery)
{
	const struct kmt_rewrite *rewrite = &recovery->rewrite;
	char path[KMT_TAPE_CPU_PATH_BYTES], end[KMT_UNITS_BYTES], behind[KMT_UNITS_BYTES];
	uint64_t last_ns = recovery->tape->manifest.end_ns;

	if (rewrite->cut_cpu == SIZE_MAX)
		return;
	for (size_t i = 0; i < recovery->tape->nr_cpus; i++)
		if (rewrite->cpus[i].limit_ns > last_ns)
			last_ns = rewrite->cpus[i].limit_ns;
	kmt_tape_cpu_path(path, kmt_chunk_reader_cpu(recovery->tape->cpus[rewrite->cut_cpu]));
	fprintf(recovery->lost,
		"time: ends at %s for all CPUs, as %s does: what it freed later isn't known; %s of "
		"the others are left out\n",
		when(recovery, rewrite->end_ns, end), path,
		kmt_format_time(behind, last_ns > rewrite->end_ns ? last_ns - rewrite->end_ns : 0));
}

/* What the report can still say. */
static void tell_claims(const struct recovery *recovery)
{
	if (recovery->nr_missing)
		fprintf(recovery->lost,
			"report: whatever is live may have been freed on a CPU that "
			"is missing: nobody is accused for sure\n");
	else if (recovery->gaps)
		fprintf(recovery->lost,
			"report: what was live before the last damaged place may "
			"have been freed there; what came later is as sure as ever\n");
	else if (recovery->rewrite.cut_cpu != SIZE_MAX)
		fprintf(recovery->lost, "report: up to its end, the new tape is whole\n");
}

/* Formats are read from the new tape, where those that are missing are not listed any more. */
static int rewrite_cpus(struct recovery *recovery, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = NULL;
	KMT_CLEANUP(kmt_members_freep) struct kmt_members *members = NULL;
	struct kmt_tape texts = *recovery->tape;
	int r = kmt_members_open(recovery->path, &members, err);

	if (r < 0)
		return r;
	texts.members = members;
	r = kmt_replay_formats(&texts, &formats, err);
	if (r < 0)
		return r;
	recovery->rewrite.formats = formats;
	r = kmt_rewrite_look(&recovery->rewrite, err);
	if (r == 0)
		r = kmt_rewrite_write(&recovery->rewrite, recovery->dirfd, err);
	for (size_t i = 0; r == 0 && i < recovery->tape->nr_cpus; i++)
		tell_cpu(recovery, i);
	return r;
}

static void describe(struct recovery *recovery)
{
	struct kmt_manifest *manifest = &recovery->tape->manifest;
	char size[KMT_UNITS_BYTES];

	manifest->is_small = false;
	(void)snprintf(manifest->recovered, sizeof(manifest->recovered),
		       "%zu damaged place%s, %s or more lost, %zu CPUs missing%s", recovery->gaps,
		       recovery->gaps == 1 ? "" : "s", kmt_format_size(size, recovery->lost_bytes),
		       recovery->nr_missing, recovery->rewrite.cut_cpu != SIZE_MAX ? ", cut" : "");
}

static int recover(struct recovery *recovery, struct kmt_err *err)
{
	struct kmt_manifest *manifest = &recovery->tape->manifest;
	bool has_damaged_texts = false;
	int r = kmt_recover_texts(recovery->tape, recovery->dirfd, recovery->lost,
				  &has_damaged_texts, err);

	recovery->is_damaged |= has_damaged_texts || !manifest->is_closed;
	if (r == 0)
		r = rewrite_cpus(recovery, err);
	if (r < 0)
		return r;
	tell_end(recovery);
	tell_claims(recovery);
	if (!manifest->is_closed)
		fprintf(recovery->lost,
			"manifest.json: the recording was not closed: what the kernel "
			"counts as lost isn't known\n");
	if (recovery->is_damaged)
		describe(recovery);
	/* What a damaged tape says of its time may be any number; a manifest has no larger one. */
	manifest->end_ns =
		recovery->rewrite.end_ns < INT64_MAX ? recovery->rewrite.end_ns : INT64_MAX;
	if (manifest->allocs_off_ns > manifest->end_ns)
		manifest->allocs_off_ns = manifest->end_ns;
	manifest->is_closed = true;
	return kmt_manifest_write(manifest, recovery->dirfd, err);
}

int kmt_share_recover(struct kmt_tape *tape, const struct kmt_err *damage, const char *path,
		      char **ret_lost, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int dirfd = -1;
	KMT_CLEANUP(kmt_freep) char *lost = NULL;
	struct recovery recovery = {
		.tape = tape,
		.path = path,
		.rewrite = { .tape = tape, .to_ns = UINT64_MAX },
	};
	size_t bytes;
	int r = 0;

	if (tape->manifest.is_distilled)
		return kmt_fail(err, -ENOTSUP,
				"%s is distilled, and has no events: recover the whole tape",
				tape->path);
	if (tape->manifest.long_bytes == 0)
		r = kmt_rebuild_manifest(tape, err);
	if (r == 0)
		r = kmt_tape_create(path, &dirfd, err);
	if (r < 0)
		return r;
	recovery.dirfd = dirfd;
	recovery.lost = open_memstream(&lost, &bytes);
	if (!recovery.lost) {
		r = kmt_fail(err, -ENOMEM, "out of memory");
	} else {
		recovery.is_damaged = damage->text[0] || kmt_members_damage(tape->members);
		if (damage->text[0])
			fprintf(recovery.lost, "%s: made anew, of what the files tell\n",
				damage->text);
		if (kmt_members_damage(tape->members))
			fprintf(recovery.lost, "%s\n", kmt_members_damage(tape->members));
		r = recover(&recovery, err);
		if (fclose(recovery.lost) != 0 && r == 0)
			r = kmt_fail(err, -ENOMEM, "out of memory");
	}
	kmt_rewrite_deinit(&recovery.rewrite);
	if (r < 0) {
		kmt_remove_tree(path, false);
		return r;
	}
	*ret_lost = KMT_STEAL(lost);
	return 0;
}
