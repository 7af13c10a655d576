// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kmemtape/members.h"
#include "kmemtape/tape.h"

#include "fuzz.h"

/*
 * Input: a digit, then a tar file. If the digit is odd, the checksums of its headers are made right
 * first.
 */
#define BLOCK_BYTES 512u
#define SUM_AT	    148u
#define SUM_BYTES   8u

/* Of each block: that of a file's content does no harm. */
static void repair(uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at + BLOCK_BYTES <= size; at += BLOCK_BYTES) {
		unsigned int sum = 0;
		char digits[SUM_BYTES];

		if (memcmp(bytes + at + 257, "ustar", 5) != 0)
			continue;
		memset(bytes + at + SUM_AT, ' ', SUM_BYTES);
		for (size_t i = 0; i < BLOCK_BYTES; i++)
			sum += bytes[at + i];
		(void)snprintf(digits, sizeof(digits), "%06o", sum);
		memcpy(bytes + at + SUM_AT, digits, sizeof(digits));
	}
}

static int open_input(const uint8_t *data, size_t size, char path[32])
{
	uint8_t *copy = malloc(size ? size : 1);
	int fd = memfd_create("fuzz-packed", MFD_CLOEXEC);

	MUST(copy && fd >= 0);
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 1)
		repair(copy, size - 1);
	MUST(write(fd, copy, size - 1) == (ssize_t)(size - 1));
	free(copy);
	(void)snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static void check_member(const struct kmt_members *members, const char *path, size_t file_bytes)
{
	struct kmt_member member;
	char *text;
	size_t bytes;

	MUST(strlen(path) < KMT_MEMBER_PATH_BYTES && path[0] != '/' && path[0] != '\0');
	MUST(strncmp(path, "../", 3) != 0 && !strstr(path, "/../"));
	MUST(kmt_members_get(members, path, &member) == 0);
	MUST(member.offset <= file_bytes && member.bytes <= file_bytes - member.offset);
	kmt_member_close(&member);
	MUST(kmt_members_read(members, path, file_bytes, &text, &bytes) == 0);
	MUST(bytes <= file_bytes && text[bytes] == '\0');
	free(text);
}

/* What was packed is what there was. */
static void check_round_trip(const char *path)
{
	struct kmt_err err = { "" };
	struct kmt_tape *tape, *again;
	char again_path[32];
	uint64_t bytes;
	int fd;

	if (kmt_tape_open(path, &tape, &err) < 0)
		return;
	fd = memfd_create("fuzz-packed-again", MFD_CLOEXEC);
	MUST(fd >= 0);
	if (kmt_tape_pack(tape, "fuzz.tape", fd, &bytes, &err) == 0) {
		(void)snprintf(again_path, sizeof(again_path), "/proc/self/fd/%d", fd);
		MUST((uint64_t)lseek(fd, 0, SEEK_END) == bytes);
		MUST(kmt_tape_open(again_path, &again, &err) == 0);
		MUST(again->nr_cpus == tape->nr_cpus);
		MUST(!kmt_members_damage(again->members));
		(void)kmt_tape_free(again);
	}
	(void)close(fd);
	(void)kmt_tape_free(tape);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kmt_members *members;
	struct kmt_err err = { "" };
	char path[32], **paths;
	int fd, r;

	if (size < 1)
		return 0;
	fd = open_input(data, size, path);
	r = kmt_members_open(path, &members, &err);
	MUST(r <= 0 && (r < 0) == (err.text[0] != '\0'));
	if (r == 0) {
		MUST(kmt_members_is_packed(members));
		MUST(kmt_members_list(members, "", &paths, &err) == 0);
		for (size_t i = 0; paths[i]; i++) {
			MUST(i == 0 || strcmp(paths[i - 1], paths[i]) < 0);
			check_member(members, paths[i], size);
		}
		kmt_members_free_list(&paths);
		(void)kmt_members_free(members);
		check_round_trip(path);
	}
	(void)close(fd);
	return 0;
}
