// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lines-reader.h"
#include "sandbox.h"

/* What dlopen() and a resolver of host names want is there, too. */
static const char *const system_places[] = { "/usr", "/lib", "/lib64", "/boot" };
static const char *const network_places[] = { "/etc", "/run/systemd/resolve", "/run/nscd",
					      "/var/lib/ca-certificates" };
#define NR_SYSTEM_PLACES  (sizeof(system_places) / sizeof(system_places[0]))
#define NR_NETWORK_PLACES (sizeof(network_places) / sizeof(network_places[0]))

static void make_directories(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		(void)mkdir(part, 0700);
	}
	(void)mkdir(path, 0700);
}

/* As debuginfod_find_debuginfo(3) looks for it. The sandbox only lets it use one that is there. */
static const char *cache_of_debuginfod(char path[PATH_MAX])
{
	const char *named = getenv("DEBUGINFOD_CACHE_PATH"), *home = getenv("HOME");
	const char *cache = getenv("XDG_CACHE_HOME");
	struct stat st;

	if (!home || !*home)
		home = "/";
	(void)snprintf(path, PATH_MAX, "%s/.debuginfod_client_cache", home);
	if (named && *named)
		(void)snprintf(path, PATH_MAX, "%s", named);
	else if (stat(path, &st) == 0)
		return path;
	else if (cache && *cache)
		(void)snprintf(path, PATH_MAX, "%s/debuginfod_client", cache);
	else
		(void)snprintf(path, PATH_MAX, "%s/.cache/debuginfod_client", home);
	make_directories(path);
	return path;
}

static int enter_sandbox(const struct kmt_lines_reader *reader, const char *kernel,
			 struct kmt_err *err)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	struct kmt_sandbox sandbox = { .has_network = urls && *urls };
	char build[PATH_MAX], cache[PATH_MAX];

	for (size_t i = 0; i < NR_SYSTEM_PLACES; i++)
		kmt_sandbox_read(&sandbox, system_places[i]);
	kmt_sandbox_read(&sandbox, reader->debuginfo);
	/* A link to where the kernel was built. The name is the tape's, and becomes no path. */
	(void)snprintf(build, sizeof(build), "/lib/modules/%.*s/build", NAME_MAX, kernel);
	if (*kernel && *kernel != '.' && !strchr(kernel, '/'))
		kmt_sandbox_read(&sandbox, build);
	for (size_t i = 0; sandbox.has_network && i < NR_NETWORK_PLACES; i++)
		kmt_sandbox_read(&sandbox, network_places[i]);
	if (sandbox.has_network)
		kmt_sandbox_write(&sandbox, cache_of_debuginfod(cache));
	return kmt_sandbox_enter(&sandbox, err);
}

static int open_lines(struct kmt_lines_source *source, const char *kernel, const char *build_id,
		      struct kmt_err *err)
{
	struct kmt_lines_reader *reader = (struct kmt_lines_reader *)source;
	struct kmt_lines_options options = { .kernel = kernel,
					     .build_id = build_id,
					     .debuginfo = reader->debuginfo };
	int r;

	if (reader->lines) /* a screen reads its tape again and again */
		return 0;
	r = enter_sandbox(reader, kernel, err);
	return r < 0 ? r : kmt_lines_new(&options, &reader->lines, err);
}

static int find(struct kmt_lines_source *source, const struct kmt_lines_place *place,
		const char **ret_text)
{
	return kmt_lines_find(((struct kmt_lines_reader *)source)->lines, place, ret_text);
}

static const char *note(struct kmt_lines_source *source, size_t nr)
{
	return kmt_lines_note(((struct kmt_lines_reader *)source)->lines, nr);
}

void kmt_lines_reader_init(struct kmt_lines_reader *reader, const char *debuginfo)
{
	*reader = (struct kmt_lines_reader){
		.source = { open_lines, find, note },
		.debuginfo = debuginfo,
	};
}
