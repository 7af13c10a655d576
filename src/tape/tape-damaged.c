// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "segments.h"
#include "tape-parts.h"

static int parse_manifest(struct kmt_tape *tape, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;
	int r = kmt_members_read(tape->members, path, KMT_MANIFEST_BYTES_MAX, &text, &bytes);

	if (r < 0)
		return kmt_fail(err, r == -ENOMEM ? r : -EBADMSG, "%s: %s", path,
				kmt_members_strerror(r));
	return kmt_manifest_parse(&tape->manifest, text, bytes, path, err);
}

/*
 * The manifest, or the one that was to replace it. Without either, what the files themselves tell:
 * long_bytes stays 0. Return: 0; -EPROTONOSUPPORT, which is no damage; -ENOMEM.
 */
static int read_manifest(struct kmt_tape *tape, struct kmt_err *ret_damage, struct kmt_err *err)
{
	int r = parse_manifest(tape, "manifest.json", ret_damage);

	if (r == 0)
		return 0;
	if (r != -EBADMSG)
		return kmt_fail(err, r, "%s/%s", tape->path, ret_damage->text);
	r = parse_manifest(tape, "manifest.json.part", NULL);
	return r == -ENOMEM ? kmt_fail(err, r, "%s: out of memory", tape->path) : 0;
}

/* Without a manifest, the first file whose head is good tells how long sub-buffers are. */
static void guess_subbuf_bytes(struct kmt_tape *tape)
{
	for (size_t i = 0; tape->manifest.subbuf_bytes == 0 && i < tape->manifest.nr_cpus; i++) {
		KMT_CLEANUP(kmt_chunk_reader_freep) struct kmt_chunk_reader *reader = NULL;
		KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };
		char path[KMT_TAPE_CPU_PATH_BYTES];

		kmt_tape_cpu_path(path, tape->manifest.cpus[i]);
		if (kmt_members_get(tape->members, path, &member) < 0 ||
		    kmt_chunk_reader_new_member(&member, path, &reader, NULL) < 0)
			continue;
		member.fd = -1; /* taken */
		if (kmt_chunk_reader_unit_bytes(reader) > 1)
			tape->manifest.subbuf_bytes = kmt_chunk_reader_unit_bytes(reader);
	}
}

/* A row of files tells by itself which of them can't be read. Return: 0; 1 if it is none. */
static int open_segments(struct kmt_tape *tape, const char *base, char *const **paths,
			 struct kmt_err *err)
{
	KMT_CLEANUP(kmt_segments_deinit) struct kmt_segments segments = { NULL, 0 };
	char prefix[KMT_ERR_BYTES / 2];
	int r = kmt_segments_find(paths, base, &segments);

	if (r < 0)
		return kmt_fail(err, r, "%s: out of memory", tape->path);
	if (segments.nr == 0 || (segments.nr == 1 && segments.numbers[0] == 0))
		return 1;
	(void)snprintf(prefix, sizeof(prefix), "%s/", tape->path);
	r = kmt_segments_open(tape->members, prefix, base, &segments, &tape->cpus[tape->nr_cpus],
			      err);
	if (r < 0)
		return r == -ENOMEM ? r : 1;
	tape->nr_cpus++;
	return 0;
}

/* A file that isn't there is one without chunks. */
static int open_cpu(struct kmt_tape *tape, uint32_t cpu, char *const **paths, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };
	char path[KMT_TAPE_CPU_PATH_BYTES], name[KMT_ERR_BYTES / 2];
	int r;

	kmt_tape_cpu_base(path, cpu);
	r = open_segments(tape, path, paths, err);
	if (r <= 0)
		return r;
	kmt_tape_cpu_path(path, cpu);
	(void)snprintf(name, sizeof(name), "%s/%s", tape->path, path);
	r = kmt_members_get(tape->members, path, &member);
	if (r == -EMFILE || r == -ENFILE || r == -EACCES || r == -EPERM || r == -EIO)
		return kmt_fail(err, r, "%s: %s", name, strerror(-r));
	r = kmt_chunk_reader_new_damaged(&member, name, cpu, tape->manifest.subbuf_bytes,
					 &tape->cpus[tape->nr_cpus], err);
	if (r < 0)
		return r;
	member.fd = -1; /* taken */
	tape->nr_cpus++;
	return 0;
}

int kmt_tape_open_damaged(const char *path, struct kmt_tape **ret_tape, struct kmt_err *ret_damage,
			  struct kmt_err *err)
{
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	char *none = NULL;
	char *const *at = &none;
	int r;

	ret_damage->text[0] = '\0';
	r = kmt_tape_new(path, &tape, err);
	if (r == 0)
		r = read_manifest(tape, ret_damage, err);
	if (r == 0) {
		r = kmt_tape_find_more_cpus(tape, err);
		r = r == -ENOMEM ? r : 0; /* there may be no directory of them */
	}
	if (r == 0)
		r = kmt_tape_prepare_cpus(tape, err);
	if (r < 0)
		return r;
	guess_subbuf_bytes(tape);
	if (tape->manifest.subbuf_bytes == 0)
		return kmt_fail(err, -EBADMSG, "%s: neither a manifest nor a CPU's file", path);
	if (kmt_members_list(tape->members, "cpu", &paths, NULL) == 0)
		at = paths;
	for (size_t i = 0; r == 0 && i < tape->manifest.nr_cpus; i++)
		r = open_cpu(tape, tape->manifest.cpus[i], &at, err);
	if (r < 0)
		return r;
	kmt_tape_note_dropped(tape);
	*ret_tape = KMT_STEAL(tape);
	return 0;
}
