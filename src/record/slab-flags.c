// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/cleanup.h"
#include "privileges.h"
#include "slab-flags.h"

/*
 * A few hundred are usual, and take some milliseconds. Until Linux 5.8 each memory cgroup had
 * caches of its own here: thousands of them, called "dentry(321:name)" (mm/slab_common.c
 * memcg_create_kmem_cache()), which neither slabinfo nor the events know by that name.
 */
#define ENTRIES_MAX 65536
#define CACHES_MAX  4096

/*
 * Merged caches are one directory with a made up name (":a-0000104") and a symbolic link for each
 * of the names that caches were created with. Slabinfo and events know one of the latter, so each
 * link is looked through, and the made up names are left out.
 */
static bool is_cache(const char *name)
{
	return name[0] != '.' && name[0] != ':' && !strchr(name, '(') && !strchr(name, '\n');
}

static bool is_reclaimable(int slab_fd, const char *name)
{
	char path[NAME_MAX + 32], value = '0';

	(void)snprintf(path, sizeof(path), "%s/reclaim_account", name);

	KMT_CLEANUP(kmt_close_fd) int fd = kmt_privileges_open(slab_fd, path, O_RDONLY);

	return fd >= 0 && read(fd, &value, 1) == 1 && value == '1';
}

static void list(DIR *dir, FILE *out)
{
	const struct dirent *entry;
	size_t nr_caches = 0;

	for (size_t i = 0; i < ENTRIES_MAX && nr_caches < CACHES_MAX; i++) {
		entry = readdir(dir);
		if (!entry)
			return;
		if (!is_cache(entry->d_name))
			continue;
		nr_caches++;
		if (is_reclaimable(dirfd(dir), entry->d_name))
			fprintf(out, "%s\n", entry->d_name);
	}
}

int kmt_slab_flags_read(const char *path, char **ret_text, size_t *ret_bytes)
{
	KMT_CLEANUP(kmt_closedirp) DIR *dir = opendir(path);
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes = 0;
	FILE *out;

	*ret_text = NULL;
	*ret_bytes = 0;
	if (!dir)
		return 0;
	out = open_memstream(&text, &bytes);
	if (!out)
		return -ENOMEM;
	list(dir, out);
	if (fclose(out) != 0)
		return -ENOMEM;
	*ret_text = KMT_STEAL(text);
	*ret_bytes = bytes;
	return 0;
}
