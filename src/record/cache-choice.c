// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cache-choice.h"
#include "kmemtape/cleanup.h"
#include "kmemtape/fs.h"
#include "tracefs-dir.h"

#define SLABINFO_BYTES_MAX (16u << 20)
#define ENTRIES_MAX	   65536 /* see slab-flags.c */

/* What is asked, and where. */
struct chooser {
	struct kmt_cache_choice *choice;
	DIR *slab;	/* NULL: there is none */
	char *slabinfo; /* NULL: it can't be read */
};

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

/* "NAME active total bytes ..." */
static bool read_line(const char *line, char name[KMT_CACHE_NAME_BYTES], uint64_t *ret_bytes)
{
	return sscanf(line, "%63s %*u %*u %" SCNu64, name, ret_bytes) == 2 && name[0] != '#';
}

static bool is_in_slabinfo(const struct chooser *chooser, const char *name)
{
	char here[KMT_CACHE_NAME_BYTES];
	uint64_t bytes;

	for (const char *line = chooser->slabinfo; line && *line; line = next_line(line))
		if (read_line(line, here, &bytes) && strcmp(here, name) == 0)
			return true;
	return false;
}

static uint64_t read_number(const struct chooser *chooser, const char *cache, const char *file)
{
	char path[NAME_MAX + 32], text[32];
	uint64_t n = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", cache, file);
	if (kmt_tracefs_read(dirfd(chooser->slab), path, text, sizeof(text)) < 0 ||
	    sscanf(text, "%" SCNu64, &n) != 1)
		return 0;
	return n;
}

static bool is_kmalloc(const char *name)
{
	return strstr(name, "kmalloc-"); /* "kmalloc-64", "kmalloc-cg-64", "dma-kmalloc-64" */
}

static void add(struct kmt_cache_choice *choice, const struct kmt_cache *cache)
{
	for (size_t i = 0; i < choice->nr; i++)
		if (strcmp(choice->caches[i].name, cache->name) == 0)
			return;
	if (choice->nr == KMT_CACHES_MAX)
		choice->has_more = true;
	else
		choice->caches[choice->nr++] = *cache;
}

static bool is_cache(const char *name)
{
	return name[0] != '.' && name[0] != ':' && !strchr(name, '(') &&
	       strlen(name) < KMT_CACHE_NAME_BYTES;
}

/* The name of the merged cache that @cache is a link to. */
static bool read_target(const struct chooser *chooser, const char *cache, char target[NAME_MAX + 1])
{
	ssize_t n = readlinkat(dirfd(chooser->slab), cache, target, NAME_MAX);

	if (n <= 0)
		return false;
	target[n] = '\0';
	return true;
}

/* Which of the names that mean @target do the events use? */
static void find_name(const struct chooser *chooser, const char *target, struct kmt_cache *cache)
{
	char asked[KMT_CACHE_NAME_BYTES], its_target[NAME_MAX + 1];
	const struct dirent *entry;

	memcpy(asked, cache->name, sizeof(asked));
	rewinddir(chooser->slab);
	for (size_t i = 0; i < ENTRIES_MAX && (entry = readdir(chooser->slab)); i++) {
		if (!is_cache(entry->d_name) || strcmp(entry->d_name, asked) == 0 ||
		    !read_target(chooser, entry->d_name, its_target) ||
		    strcmp(its_target, target) != 0)
			continue;
		if (is_in_slabinfo(chooser, entry->d_name)) {
			memcpy(cache->name, entry->d_name, strlen(entry->d_name) + 1);
			memcpy(cache->merged, asked, sizeof(asked));
			return;
		}
		memcpy(cache->merged, entry->d_name, strlen(entry->d_name) + 1);
	}
}

/* Names of @pattern first, as looking for what they are merged with goes through the list, too. */
static size_t list_names(const struct chooser *chooser, char (*names)[KMT_CACHE_NAME_BYTES])
{
	const struct dirent *entry;
	size_t nr = 0;

	for (size_t i = 0; i < ENTRIES_MAX && (entry = readdir(chooser->slab)); i++) {
		if (!is_cache(entry->d_name) ||
		    fnmatch(chooser->choice->pattern, entry->d_name, 0) != 0)
			continue;
		if (nr == KMT_CACHES_MAX) {
			chooser->choice->has_more = true;
			break;
		}
		memcpy(names[nr++], entry->d_name, strlen(entry->d_name) + 1);
	}
	return nr;
}

static void choose_by_sysfs(const struct chooser *chooser)
{
	char names[KMT_CACHES_MAX][KMT_CACHE_NAME_BYTES], target[NAME_MAX + 1];
	size_t nr = list_names(chooser, names);

	for (size_t i = 0; i < nr; i++) {
		struct kmt_cache cache = {
			.bytes = read_number(chooser, names[i], "slab_size"),
			.object_bytes = read_number(chooser, names[i], "object_size"),
			.is_kmalloc = is_kmalloc(names[i]),
		};

		memcpy(cache.name, names[i], sizeof(cache.name));
		if (read_target(chooser, names[i], target))
			find_name(chooser, target, &cache);
		add(chooser->choice, &cache);
	}
}

static void choose_by_slabinfo(const struct chooser *chooser)
{
	struct kmt_cache cache = { .bytes = 0 };

	for (const char *line = chooser->slabinfo; *line; line = next_line(line)) {
		if (!read_line(line, cache.name, &cache.bytes) ||
		    fnmatch(chooser->choice->pattern, cache.name, 0) != 0)
			continue;
		cache.is_kmalloc = is_kmalloc(cache.name);
		add(chooser->choice, &cache);
	}
}

int kmt_cache_choose(const char *pattern, const char *slab_path, const char *slabinfo_path,
		     struct kmt_cache_choice *ret_choice, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_closedirp) DIR *slab = opendir(slab_path);
	KMT_CLEANUP(kmt_freep) char *slabinfo = NULL;
	struct kmt_cache_choice choice = { .nr = 0 };
	struct chooser chooser = { .choice = &choice, .slab = slab };
	int r;

	(void)snprintf(choice.pattern, sizeof(choice.pattern), "%s", pattern);
	choice.has_wildcard = strpbrk(pattern, "*?[");
	r = kmt_read_file(AT_FDCWD, slabinfo_path, SLABINFO_BYTES_MAX, &slabinfo, NULL, NULL);
	if (r == -ENOMEM)
		return kmt_fail(err, r, "%s: out of memory", slabinfo_path);
	chooser.slabinfo = slabinfo;
	if (!slab && !slabinfo)
		return kmt_fail(err, -ENOTSUP,
				"--cache: neither %s nor %s can be read: which caches there are "
				"isn't known",
				slab_path, slabinfo_path);
	if (slab)
		choose_by_sysfs(&chooser);
	else
		choose_by_slabinfo(&chooser);
	*ret_choice = choice;
	return 0;
}
