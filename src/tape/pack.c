// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/fs.h"
#include "kmemtape/tape.h"

#include "segments.h"
#include "tar.h"

#define STEP_BYTES   65536
#define RECORD_BYTES 10240 /* a tar is as long as some of these; 20 blocks, by tradition */
#define NS_PER_S     UINT64_C(1000000000)

/* One tar, as it is written. */
struct packer {
	const struct kmt_tape *tape;
	const char *directory;
	int fd;
	uint64_t mtime;
	uint64_t bytes;
};

static int put(struct packer *packer, const void *bytes, size_t size, struct kmt_err *err)
{
	int r = kmt_write_all(packer->fd, bytes, size);

	if (r < 0)
		return kmt_fail(err, r, "writing the tar: %s", strerror(-r));
	packer->bytes += size;
	return 0;
}

static int put_zeros(struct packer *packer, uint64_t unit, struct kmt_err *err)
{
	static const char zeros[RECORD_BYTES];

	return put(packer, zeros, (size_t)((unit - packer->bytes % unit) % unit), err);
}

/* --- headers --- */

/* Octal, or the bytes themselves behind 0x80 from 8 GiB on: what GNU tar, BSD's and ours read. */
static void put_size(char *field, uint64_t size)
{
	if (size >> 33 == 0) {
		(void)snprintf(field, 12, "%011llo", (unsigned long long)size);
		return;
	}
	memset(field, 0, 12);
	field[0] = (char)0x80;
	for (int i = 0; i < 8; i++)
		field[11 - i] = (char)(size >> (8 * i));
}

/* A field needs no zero byte behind it if it is full. Return: false if @path fits in no way. */
static bool put_path(struct kmt_tar_header *header, const char *path)
{
	size_t bytes = strlen(path);
	const char *slash;

	if (bytes <= sizeof(header->name)) {
		memcpy(header->name, path, bytes);
		return true;
	}
	slash = strchr(path + bytes - sizeof(header->name) - 1, '/');
	if (!slash || (size_t)(slash - path) > sizeof(header->prefix) || slash[1] == '\0')
		return false;
	memcpy(header->prefix, path, (size_t)(slash - path));
	memcpy(header->name, slash + 1, strlen(slash + 1));
	return true;
}

static int put_header(struct packer *packer, char type, const char *path, uint64_t size,
		      struct kmt_err *err)
{
	struct kmt_tar_header header = { .type = type };
	char whole[2 * KMT_MEMBER_PATH_BYTES];

	(void)snprintf(whole, sizeof(whole), "%s/%s", packer->directory, path);
	if (!put_path(&header, whole))
		return kmt_fail(err, -ENAMETOOLONG, "%s: name too long for a tar", whole);
	(void)snprintf(header.mode, sizeof(header.mode), "%07o", type == '5' ? 0700 : 0600);
	(void)snprintf(header.uid, sizeof(header.uid), "%07o", 0);
	(void)snprintf(header.gid, sizeof(header.gid), "%07o", 0);
	put_size(header.size, size);
	(void)snprintf(header.mtime, sizeof(header.mtime), "%011llo",
		       (unsigned long long)packer->mtime);
	memcpy(header.magic, "ustar", sizeof(header.magic));
	memcpy(header.version, "00", sizeof(header.version));
	(void)snprintf(header.checksum, sizeof(header.checksum), "%06o", kmt_tar_sum(&header));
	header.checksum[7] = ' ';
	return put(packer, &header, sizeof(header), err);
}

/* --- members --- */

/* Whatever else somebody put beside them isn't given away. */
static bool is_of_tapes(const char *path)
{
	static const char *const files[] = { "manifest.json", "comms", "books.zst" };
	static const char *const directories[] = { "events/", "symbols/", "cpu/" };
	size_t bytes = strlen(path);
	uint32_t number;

	if (bytes > 5 && strcmp(path + bytes - 5, ".part") == 0)
		return false;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(path, files[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (strncmp(path, directories[i], strlen(directories[i])) == 0)
			return true;
	return kmt_segments_parse(path, "snapshots", &number);
}

static int put_bytes(struct packer *packer, const struct kmt_member *member, const char *path,
		     struct kmt_err *err)
{
	char bytes[STEP_BYTES];
	uint64_t offset = 0;

	while (offset < member->bytes) {
		ssize_t n = kmt_member_read_at(member, bytes, sizeof(bytes), offset);
		int r;

		if (n <= 0)
			return kmt_fail(err, n < 0 ? (int)n : -EIO, "%s/%s: %s", packer->tape->path,
					path,
					n < 0 ? strerror((int)-n) : "became shorter meanwhile");
		r = put(packer, bytes, (size_t)n, err);
		if (r < 0)
			return r;
		kmt_progress_add(packer->tape->progress, (uint64_t)n, 0);
		offset += (uint64_t)n;
	}
	return 0;
}

static int put_member(struct packer *packer, const char *path, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_member_close) struct kmt_member member = { .fd = -1 };
	int r = kmt_members_get(packer->tape->members, path, &member);

	if (r < 0)
		return kmt_fail(err, r, "%s/%s: %s", packer->tape->path, path,
				kmt_members_strerror(r));
	r = put_header(packer, '0', path, member.bytes, err);
	if (r == 0)
		r = put_bytes(packer, &member, path, err);
	return r < 0 ? r : put_zeros(packer, KMT_TAR_BLOCK_BYTES, err);
}

/*
 * The manifest first and the CPUs last: of a tar that is cut, more can be read then. Return: which
 * round a file is of.
 */
static int round_of(const char *path)
{
	if (strcmp(path, "manifest.json") == 0)
		return 0;
	return strncmp(path, "cpu/", strlen("cpu/")) == 0 ? 2 : 1;
}

static void set_time(struct packer *packer, const struct kmt_manifest *manifest)
{
	int64_t wall_ns;

	if (!manifest->wall_offset_ns ||
	    __builtin_add_overflow(manifest->wall_offset_ns, manifest->start_ns, &wall_ns) ||
	    wall_ns < 0)
		return;
	packer->mtime = (uint64_t)wall_ns / NS_PER_S;
}

int kmt_tape_pack(const struct kmt_tape *tape, const char *directory, int fd, uint64_t *ret_bytes,
		  struct kmt_err *err)
{
	struct packer packer = { .tape = tape, .directory = directory, .fd = fd };
	KMT_CLEANUP(kmt_members_free_list) char **paths = NULL;
	int r = kmt_members_list(tape->members, "", &paths, err);

	if (r < 0)
		return r;
	set_time(&packer, &tape->manifest);
	r = put_header(&packer, '5', "", 0, err);
	for (int round = 0; round < 3; round++)
		for (char **path = paths; r == 0 && *path; path++)
			if (is_of_tapes(*path) && round_of(*path) == round)
				r = put_member(&packer, *path, err);
	for (int i = 0; r == 0 && i < 2; i++) {
		static const char zeros[KMT_TAR_BLOCK_BYTES];

		r = put(&packer, zeros, sizeof(zeros), err);
	}
	if (r == 0)
		r = put_zeros(&packer, RECORD_BYTES, err);
	if (r < 0)
		return r;
	*ret_bytes = packer.bytes;
	return 0;
}
