// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/fs.h"

#include "../fuzz/fuzz.h"
#include "../fuzz/tar-file.h"
#include "files.h"

#define FILE_BYTES_MAX (16u << 20)

static void load_file(struct files *files, const char *name, const char *path)
{
	struct file *file = files_add(files, path);
	struct kmt_err err = { "" };
	size_t bytes;
	char *text;

	MUST(file);
	if (kmt_read_file(AT_FDCWD, name, FILE_BYTES_MAX, &text, &bytes, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(2);
	}
	file_replace(file, (uint8_t *)text, bytes);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

void files_load(struct files *files, const char *path)
{
	char *roots[] = { (char *)path, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *entry;

	*files = (struct files){ 0 };
	MUST(tree);
	while ((entry = fts_read(tree))) {
		if (entry->fts_info != FTS_F)
			continue;
		files->is_single = entry->fts_level == 0;
		load_file(files, entry->fts_path,
			  files->is_single ? "" : entry->fts_path + strlen(path) + 1);
	}
	(void)fts_close(tree);
	if (files->nr == 0) {
		fprintf(stderr, "%s: no tape\n", path);
		exit(2);
	}
}

void files_copy(const struct files *from, struct files *to)
{
	*to = *from;
	for (size_t i = 0; i < to->nr; i++) {
		to->file[i].bytes = malloc(from->file[i].size + 1);
		MUST(to->file[i].bytes);
		memcpy(to->file[i].bytes, from->file[i].bytes, from->file[i].size);
	}
}

void files_deinit(struct files *files)
{
	for (size_t i = 0; i < files->nr; i++)
		free(files->file[i].bytes);
	files->nr = 0;
}

struct file *files_find(struct files *files, const char *path)
{
	for (size_t i = 0; i < files->nr; i++)
		if (strcmp(files->file[i].path, path) == 0)
			return &files->file[i];
	return NULL;
}

struct file *files_add(struct files *files, const char *path)
{
	struct file *file = &files->file[files->nr];

	if (files->nr == FILES_MAX || strlen(path) >= PATH_BYTES)
		return NULL;
	files->nr++;
	*file = (struct file){ .bytes = malloc(1) };
	MUST(file->bytes);
	memcpy(file->path, path, strlen(path) + 1);
	return file;
}

void file_replace(struct file *file, uint8_t *bytes, size_t size)
{
	free(file->bytes);
	file->bytes = bytes;
	file->size = size;
}

/* --- writing --- */

static void write_plain(const char *path, const struct file *file)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	MUST(fd >= 0 && kmt_write_all(fd, file->bytes, file->size) == 0);
	(void)close(fd);
}

static void make_parents(char *path, size_t from)
{
	for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		MUST(mkdir(path, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

static void write_file(const struct file *file, char *path)
{
	char target[PATH_BYTES];

	(void)snprintf(target, sizeof(target), "%.*s", (int)file->size, (const char *)file->bytes);
	switch (file->kind) {
	case FILE_PLAIN:
		write_plain(path, file);
		break;
	case FILE_LINK:
		(void)!symlink(*target ? target : "x", path);
		break;
	case FILE_PIPE:
		MUST(mkfifo(path, 0600) == 0);
		break;
	case FILE_DIRECTORY:
		MUST(mkdir(path, 0700) == 0);
		break;
	case FILE_MISSING:
		break;
	}
}

void files_write(const struct files *files, const char *path)
{
	char name[4096];

	if (files->is_single) {
		write_plain(path, &files->file[0]);
		return;
	}
	MUST(mkdir(path, 0700) == 0);
	for (size_t i = 0; i < files->nr; i++) {
		(void)snprintf(name, sizeof(name), "%s/%s", path, files->file[i].path);
		make_parents(name, strlen(path) + 1);
		write_file(&files->file[i], name);
	}
}

void files_pack(struct files *files)
{
	struct tar_file tar = { 0 };
	char name[PATH_BYTES + 8];

	for (size_t i = 0; i < files->nr; i++) {
		(void)snprintf(name, sizeof(name), "x.tape/%s", files->file[i].path);
		if (files->file[i].kind == FILE_PLAIN)
			tar_file_add(&tar, name, files->file[i].bytes, files->file[i].size);
	}
	tar_file_close(&tar);
	files_deinit(files);
	file_replace(files_add(files, ""), tar.bytes, tar.size);
	files->is_single = true;
}
