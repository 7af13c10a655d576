// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "build-id.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/tape.h"

#define NOTES_BYTES 8192 /* the kernel's own are about 500 */

static size_t padded(size_t bytes)
{
	return (bytes + 3) & ~(size_t)3;
}

static int to_hex(const uint8_t *id, size_t bytes, char ret_hex[KMT_BUILD_ID_HEX_BYTES])
{
	if (!bytes || bytes * 2 >= KMT_BUILD_ID_HEX_BYTES)
		return -ENOENT;
	for (size_t i = 0; i < bytes; i++)
		(void)snprintf(ret_hex + 2 * i, 3, "%02x", id[i]);
	return 0;
}

int kmt_build_id_find(const void *notes, size_t bytes, char ret_hex[KMT_BUILD_ID_HEX_BYTES])
{
	const uint8_t *p = notes, *end = p + bytes;
	Elf64_Nhdr note; /* the same layout in 32-bit ELF */

	while ((size_t)(end - p) >= sizeof(note)) {
		memcpy(&note, p, sizeof(note));
		p += sizeof(note);
		if (note.n_namesz > NOTES_BYTES || note.n_descsz > NOTES_BYTES ||
		    padded(note.n_namesz) + note.n_descsz > (size_t)(end - p))
			return -ENOENT;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    memcmp(p, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0)
			return to_hex(p + padded(note.n_namesz), note.n_descsz, ret_hex);
		p += padded(note.n_namesz);
		if (padded(note.n_descsz) > (size_t)(end - p))
			return -ENOENT;
		p += padded(note.n_descsz);
	}
	return -ENOENT;
}

static int find_in_file(const char *path, char ret_hex[KMT_BUILD_ID_HEX_BYTES])
{
	KMT_CLEANUP(kmt_close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t notes[NOTES_BYTES];
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, notes, sizeof(notes));
	if (n < 0)
		return -errno;
	return kmt_build_id_find(notes, (size_t)n, ret_hex);
}

int kmt_build_id_of_module(const char *module, char ret_hex[KMT_BUILD_ID_HEX_BYTES])
{
	char path[512];

	(void)snprintf(path, sizeof(path), "/sys/module/%s/notes/.note.gnu.build-id", module);
	return find_in_file(path, ret_hex);
}

static void print_modules(FILE *out)
{
	KMT_CLEANUP(kmt_closedirp) DIR *dir = opendir("/sys/module");
	char hex[KMT_BUILD_ID_HEX_BYTES];
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && kmt_build_id_of_module(entry->d_name, hex) == 0)
			fprintf(out, "%s %s\n", entry->d_name, hex);
}

int kmt_build_id_capture(int tape_fd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char hex[KMT_BUILD_ID_HEX_BYTES];
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return kmt_fail(err, -ENOMEM, "build-ids: out of memory");
	if (find_in_file("/sys/kernel/notes", hex) == 0)
		fprintf(out, "kernel %s\n", hex);
	print_modules(out);
	if (fclose(out) != 0)
		return kmt_fail(err, -ENOMEM, "build-ids: out of memory");
	return kmt_tape_write_text(tape_fd, "symbols/build-ids", text, bytes, err);
}
