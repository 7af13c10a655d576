// SPDX-License-Identifier: LGPL-2.1-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "debug-list.h"
#include "debug-search.h"
#include "kmemtape/cleanup.h"

#define DEPTH_MAX 32u

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The kernel takes - for _ in the names of modules; files have either. */
static bool is_same_module(const char *file, const char *module, size_t length)
{
	if (strlen(module) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((file[i] == '-' ? '_' : file[i]) != (module[i] == '-' ? '_' : module[i]))
			return false;
	return true;
}

bool kmt_debug_list_is_module(const char *path, const char *module)
{
	const char *base = base_of(path), *end = strstr(base, ".ko");

	if (!end || end == base || (end[3] && end[3] != '.'))
		return false;
	return !module || is_same_module(base, module, (size_t)(end - base));
}

bool kmt_debug_list_is_kernel(const char *path)
{
	const char *base = base_of(path);

	return strncmp(base, "vmlinux", 7) == 0 && (!base[7] || base[7] == '-' || base[7] == '.');
}

static int add(char ***paths, size_t *nr, const char *path)
{
	char **grown, *copy;

	if ((*nr & (*nr - 1)) == 0) { /* doubling */
		grown = reallocarray(*paths, *nr ? *nr * 2 : 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		*paths = grown;
	}
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	(*paths)[(*nr)++] = copy;
	return 0;
}

static int scan(struct kmt_debug_list *list, int parent, const char *name, const char *path,
		unsigned int depth);

static int add_entry(struct kmt_debug_list *list, DIR *dir, const char *name, const char *path,
		     unsigned int depth)
{
	struct stat st;

	if (kmt_debug_list_is_module(name, NULL) || kmt_debug_list_is_kernel(name))
		if (fstatat(dirfd(dir), name, &st, 0) == 0 && S_ISREG(st.st_mode))
			return add(&list->files, &list->nr_files, path);
	if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	if (strcmp(name, ".build-id") == 0)
		return add(&list->id_dirs, &list->nr_id_dirs, path);
	return scan(list, dirfd(dir), name, path, depth + 1);
}

static int scan(struct kmt_debug_list *list, int parent, const char *name, const char *path,
		unsigned int depth)
{
	KMT_CLEANUP(kmt_close_fd)
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	KMT_CLEANUP(kmt_closedirp) DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return 0; /* what cannot be read has nothing for us */
	fd = -1;	  /* taken */
	while (r == 0 && depth < DEPTH_MAX && list->nr_seen < KMT_DEBUG_FILES_MAX &&
	       (entry = readdir(dir))) {
		KMT_CLEANUP(kmt_freep) char *below = NULL;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		list->nr_seen++;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0) {
			below = NULL;
			return -ENOMEM;
		}
		r = add_entry(list, dir, entry->d_name, below, depth);
	}
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int kmt_debug_list_scan(struct kmt_debug_list *list, const char *dir)
{
	size_t nr_files = list->nr_files, nr_id_dirs = list->nr_id_dirs;
	int r;

	list->nr_seen = 0;
	r = scan(list, AT_FDCWD, dir, dir, 0);
	if (list->nr_files > nr_files)
		qsort(list->files + nr_files, list->nr_files - nr_files, sizeof(char *), by_name);
	if (list->nr_id_dirs > nr_id_dirs)
		qsort(list->id_dirs + nr_id_dirs, list->nr_id_dirs - nr_id_dirs, sizeof(char *),
		      by_name);
	return r;
}

void kmt_debug_list_deinit(struct kmt_debug_list *list)
{
	for (size_t i = 0; i < list->nr_files; i++)
		free(list->files[i]);
	for (size_t i = 0; i < list->nr_id_dirs; i++)
		free(list->id_dirs[i]);
	free(list->files);
	free(list->id_dirs);
	*list = (struct kmt_debug_list){ 0 };
}
