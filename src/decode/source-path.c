// SPDX-License-Identifier: LGPL-2.1-only
#include <stdio.h>
#include <string.h>

#include "source-path.h"

/* ".." takes the last part away. Return: false if there is none that it could take. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');
	char *last = slash ? slash + 1 : path;

	if (!*last)
		return slash != NULL; /* above the root is the root */
	if (strcmp(last, "..") == 0)
		return false;
	path[slash && slash != path ? (size_t)(slash - path) : slash ? 1u : 0u] = '\0';
	return true;
}

/* Absurdly long names lose parts: nobody needs them, and nothing else depends on them. */
static void append(char *path, const char *part, size_t length)
{
	size_t used = strlen(path);

	if (length == 0 || (length == 1 && *part == '.') ||
	    (length == 2 && memcmp(part, "..", 2) == 0 && go_up(path)) ||
	    used + 1 + length >= KMT_SOURCE_PATH_BYTES)
		return;
	if (used && path[used - 1] != '/')
		path[used++] = '/';
	memcpy(path + used, part, length);
	path[used + length] = '\0';
}

static void append_all(char *path, const char *name)
{
	while (*name) {
		size_t length = strcspn(name, "/");

		append(path, name, length);
		name += length;
		name += strspn(name, "/");
	}
}

void kmt_source_path_join(char path[KMT_SOURCE_PATH_BYTES], const char *dir, const char *name)
{
	if (*name == '/')
		dir = NULL;
	(void)strcpy(path, *name == '/' || (dir && *dir == '/') ? "/" : "");
	if (dir)
		append_all(path, dir);
	append_all(path, name);
}

const char *kmt_source_path_below(const char *path, const char *dir)
{
	size_t length = strlen(dir);

	if (length == 0 || strncmp(path, dir, length) != 0 || path[length] != '/' ||
	    !path[length + 1])
		return NULL;
	return path + length + 1;
}

void kmt_source_path_common(char dir[KMT_SOURCE_PATH_BYTES], const char *path)
{
	size_t same = 0, end = 0;

	while (dir[same] && dir[same] == path[same]) {
		same++;
		if ((path[same] == '/' || !path[same]) && (dir[same] == '/' || !dir[same]))
			end = same;
	}
	dir[end] = '\0';
}

bool kmt_source_path_root(const char *path, char ret_root[KMT_SOURCE_PATH_BYTES])
{
	static const char *const headers[] = {
		"/include/linux/types.h",
		"/include/linux/compiler_types.h",
		"/include/linux/kconfig.h",
	};
	size_t length = strlen(path);

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		size_t tail = strlen(headers[i]);

		if (length <= tail || strcmp(path + length - tail, headers[i]) != 0)
			continue;
		(void)snprintf(ret_root, KMT_SOURCE_PATH_BYTES, "%.*s", (int)(length - tail), path);
		return true;
	}
	return false;
}
