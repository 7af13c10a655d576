// SPDX-License-Identifier: LGPL-2.1-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/fs.h"

#include "segments.h"
#include "tape-parts.h"

#define SPARE_DESCRIPTORS 64 /* beside one for each CPU */

void kmt_tape_cpu_base(char base[KMT_TAPE_CPU_PATH_BYTES], uint32_t cpu)
{
	(void)snprintf(base, KMT_TAPE_CPU_PATH_BYTES, "cpu/%04u", cpu);
}

void kmt_tape_cpu_path(char path[KMT_TAPE_CPU_PATH_BYTES], uint32_t cpu)
{
	(void)snprintf(path, KMT_TAPE_CPU_PATH_BYTES, "cpu/%04u.zst", cpu);
}

static int check_empty(int dirfd, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int fd = dup(dirfd);

	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		kmt_close_fd(&fd);
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return kmt_fail(
				err, -EEXIST,
				"%s: exists and is not empty: remove it or name another tape",
				path);
	return 0;
}

/* Whose directory it is can put links into it, which lead our files elsewhere. */
static int check_owner(int dirfd, const char *path, struct kmt_err *err)
{
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (st.st_uid != geteuid())
		return kmt_fail(err, -EPERM, "%s: belongs to somebody else: name another tape",
				path);
	return 0;
}

int kmt_tape_create(const char *path, int *ret_dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_close_fd) int fd = -1;
	bool is_ours = mkdir(path, 0700) == 0;
	int r;

	if (!is_ours && errno != EEXIST)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	r = check_owner(fd, path, err); /* also of one that we made: it may have been replaced */
	if (r == 0 && !is_ours)
		r = check_empty(fd, path, err);
	if (r < 0)
		return r;
	if (mkdirat(fd, "cpu", 0700) < 0 || mkdirat(fd, "events", 0700) < 0 ||
	    mkdirat(fd, "symbols", 0700) < 0)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	*ret_dirfd = KMT_STEAL_FD(fd);
	return 0;
}

int kmt_tape_make_parents(int dirfd, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *parent = strdup(path);

	if (!parent)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", path);
	for (char *slash = strchr(parent, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(dirfd, parent, 0700) < 0 && errno != EEXIST)
			return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
		*slash = '/';
	}
	return 0;
}

int kmt_tape_write_text(int dirfd, const char *path, const char *text, size_t bytes,
			struct kmt_err *err)
{
	int r = kmt_tape_make_parents(dirfd, path, err);

	return r < 0 ? r : kmt_write_file(dirfd, path, text, bytes, err);
}

static int read_manifest(struct kmt_tape *tape, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char name[KMT_ERR_BYTES / 2];
	size_t bytes;
	int r;

	(void)snprintf(name, sizeof(name), "%s/manifest.json", tape->path);
	r = kmt_members_read(tape->members, "manifest.json", KMT_MANIFEST_BYTES_MAX, &text, &bytes);
	if (r == -ENOENT && kmt_members_damage(tape->members))
		return kmt_fail(err, -EBADMSG, "%s", kmt_members_damage(tape->members));
	if (r == -ENOENT)
		return kmt_fail(err, -EBADMSG, "%s: not a tape: it has no manifest.json",
				tape->path);
	if (r < 0)
		return kmt_fail(err, r, "%s: %s", name, kmt_members_strerror(r));
	return kmt_manifest_parse(&tape->manifest, text, bytes, name, err);
}

int kmt_tape_find_more_cpus(struct kmt_tape *tape, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	struct kmt_err inner = { "" };

	if (kmt_members_list(tape->members, "cpu", &paths, &inner) < 0)
		return kmt_fail(err, -ENODATA, "%s/%.200s", tape->path, inner.text);
	for (char **file = paths; *file; file++) {
		char base[KMT_TAPE_CPU_PATH_BYTES];
		uint32_t number;
		const char *digits = *file + strlen("cpu/");
		unsigned long cpu = strtoul(digits, NULL, 10);

		if (!isdigit((unsigned char)*digits) || cpu >= KMT_CPUS_MAX)
			continue;
		kmt_tape_cpu_base(base, (uint32_t)cpu);
		if (!kmt_segments_parse(*file, base, &number))
			continue;
		if (kmt_manifest_add_cpu(&tape->manifest, (uint32_t)cpu) < 0)
			return kmt_fail(err, -ENOMEM, "%s: out of memory", tape->path);
	}
	return 0;
}

static void raise_descriptor_limit(size_t nr_cpus)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= nr_cpus + SPARE_DESCRIPTORS)
		return;
	limit.rlim_cur = nr_cpus + SPARE_DESCRIPTORS;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* if it doesn't help, open() says so */
}

/* @paths: what there is below cpu/, see kmt_segments_find() */
static int open_cpu(struct kmt_tape *tape, uint32_t cpu, char *const **paths, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_segments_deinit) struct kmt_segments segments = { NULL, 0 };
	char base[KMT_TAPE_CPU_PATH_BYTES], prefix[KMT_ERR_BYTES / 2];
	struct kmt_chunk_reader **slot = &tape->cpus[tape->nr_cpus];
	const char *name;
	int r;

	kmt_tape_cpu_base(base, cpu);
	(void)snprintf(prefix, sizeof(prefix), "%s/", tape->path);
	r = kmt_segments_find(paths, base, &segments);
	if (r == 0)
		r = kmt_segments_open(tape->members, prefix, base, &segments, slot, err);
	if (r == -ENOENT)
		return kmt_fail(err, -ENODATA,
				"%s%s.zst: missing: without its frees, every object would look "
				"leaked",
				prefix, base);
	if (r < 0)
		return r;
	tape->nr_cpus++;
	name = kmt_chunk_reader_name(*slot);
	if (kmt_chunk_reader_cpu(*slot) != cpu)
		return kmt_fail(err, -EBADMSG, "%s: offset 0: damaged: it is the file of CPU %u",
				name, kmt_chunk_reader_cpu(*slot));
	if (kmt_chunk_reader_unit_bytes(*slot) != tape->manifest.subbuf_bytes)
		return kmt_fail(
			err, -EBADMSG,
			"%s: offset 0: damaged: sub-buffers of %u bytes, the manifest says %u",
			name, kmt_chunk_reader_unit_bytes(*slot), tape->manifest.subbuf_bytes);
	return 0;
}

void kmt_tape_note_dropped(struct kmt_tape *tape)
{
	struct kmt_manifest *manifest = &tape->manifest;

	for (size_t i = 0; i < tape->nr_cpus; i++) {
		uint64_t ns = kmt_chunk_reader_dropped_ns(tape->cpus[i]);

		if (ns > manifest->dropped_ns && ns <= INT64_MAX)
			manifest->dropped_ns = ns;
	}
	if (manifest->start_ns < manifest->dropped_ns) {
		manifest->began_ns = manifest->start_ns;
		manifest->start_ns = manifest->dropped_ns;
	}
	if (manifest->allocs_on_ns < manifest->dropped_ns)
		manifest->allocs_on_ns = manifest->dropped_ns;
}

int kmt_tape_prepare_cpus(struct kmt_tape *tape, struct kmt_err *err)
{
	const struct kmt_manifest *manifest = &tape->manifest;

	raise_descriptor_limit(2 * manifest->nr_cpus); /* the first file, and the one being read */
	tape->cpus = calloc(manifest->nr_cpus ? manifest->nr_cpus : 1,
			    sizeof(struct kmt_chunk_reader *));
	if (!tape->cpus)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", tape->path);
	return 0;
}

int kmt_tape_new(const char *path, struct kmt_tape **ret_tape, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = calloc(1, sizeof(*tape));
	int r;

	if (!tape)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", path);
	kmt_manifest_init(&tape->manifest);
	tape->path = strdup(path);
	if (!tape->path)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", path);
	r = kmt_members_open(path, &tape->members, err);
	if (r < 0)
		return r;
	*ret_tape = KMT_STEAL(tape);
	return 0;
}

static int open_cpus(struct kmt_tape *tape, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	char *const *at;
	int r;

	(void)((r = kmt_tape_find_more_cpus(tape, err)) < 0 ||
	       (r = kmt_tape_prepare_cpus(tape, err)) < 0 ||
	       (r = kmt_members_list(tape->members, "cpu", &paths, err)) < 0);
	at = paths;
	for (size_t i = 0; r == 0 && i < tape->manifest.nr_cpus; i++)
		r = open_cpu(tape, tape->manifest.cpus[i], &at, err);
	return r;
}

static int rename_tape(struct kmt_tape *tape, const char *name, struct kmt_err *err)
{
	char *copy = strdup(name);

	if (!copy)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", name);
	free(tape->path);
	tape->path = copy;
	return 0;
}

int kmt_tape_open(const char *path, struct kmt_tape **ret_tape, struct kmt_err *err)
{
	return kmt_tape_open_as(path, path, ret_tape, err);
}

int kmt_tape_open_as(const char *path, const char *name, struct kmt_tape **ret_tape,
		     struct kmt_err *err)
{
	KMT_CLEANUP(kmt_tape_freep) struct kmt_tape *tape = NULL;
	int r;

	(void)((r = kmt_tape_new(path, &tape, err)) < 0 || (r = rename_tape(tape, name, err)) < 0 ||
	       (r = read_manifest(tape, err)) < 0);
	if (r == 0 && !tape->manifest.is_distilled)
		r = open_cpus(tape, err);
	if (r < 0)
		return r;
	kmt_tape_note_dropped(tape);
	*ret_tape = KMT_STEAL(tape);
	return 0;
}

void kmt_tape_set_progress(struct kmt_tape *tape, struct kmt_progress *progress)
{
	tape->progress = progress;
	for (size_t i = 0; i < tape->nr_cpus; i++)
		kmt_chunk_reader_set_progress(tape->cpus[i], progress);
}

uint64_t kmt_tape_cpu_bytes(const struct kmt_tape *tape)
{
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	uint64_t bytes = 0;

	if (kmt_members_list(tape->members, "cpu", &paths, NULL) < 0)
		return 0;
	for (char **path = paths; *path; path++) {
		KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };

		if (kmt_members_get(tape->members, *path, &member) == 0)
			bytes += member.bytes;
	}
	return bytes;
}

int kmt_tape_read_text(const struct kmt_tape *tape, const char *path, char **ret_text,
		       size_t *ret_bytes, struct kmt_err *err)
{
	int r = kmt_members_read(tape->members, path, KMT_TAPE_TEXT_BYTES_MAX, ret_text, ret_bytes);

	if (r < 0)
		return kmt_fail(err, r, "%s/%s: %s", tape->path, path, kmt_members_strerror(r));
	return 0;
}

struct kmt_tape *kmt_tape_free(struct kmt_tape *tape)
{
	if (!tape)
		return NULL;
	for (size_t i = 0; i < tape->nr_cpus; i++)
		(void)kmt_chunk_reader_free(tape->cpus[i]);
	free(tape->cpus);
	kmt_manifest_deinit(&tape->manifest);
	(void)kmt_members_free(tape->members);
	free(tape->path);
	free(tape);
	return NULL;
}
