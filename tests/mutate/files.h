/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_TESTS_MUTATE_FILES_H
#define KMT_TESTS_MUTATE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The files of a tape in memory, to be changed and written again. */
#define FILES_MAX  256u
#define PATH_BYTES 128u

enum file_kind {
	FILE_PLAIN,
	FILE_LINK, /* its bytes are where it leads */
	FILE_PIPE,
	FILE_DIRECTORY,
	FILE_MISSING,
};

struct file {
	char path[PATH_BYTES]; /* "cpu/0000.zst"; "" for the only file of a tape that is one */
	enum file_kind kind;
	uint8_t *bytes; /* on the heap */
	size_t size;
};

struct files {
	struct file file[FILES_MAX];
	size_t nr;
	bool is_single; /* a tar, or a trace.dat */
};

/* files_load() - a directory, or a single file; ends the program if it can't be read */
void files_load(struct files *files, const char *path);
void files_copy(const struct files *from, struct files *to);
void files_deinit(struct files *files);

struct file *files_find(struct files *files, const char *path);
struct file *files_add(struct files *files, const char *path);

/* Takes @bytes. */
void file_replace(struct file *file, uint8_t *bytes, size_t size);

/* files_write() - as a directory, or a file if it is one; also what no tape has */
void files_write(const struct files *files, const char *path);

/* files_pack() - its plain files as a tar in memory, which then is the only file */
void files_pack(struct files *files);

#endif
