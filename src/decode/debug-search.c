// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "debug-list.h"
#include "debug-search.h"

#define ID_BYTES_MIN 6u /* hexadecimal: of less, .build-id/xx/yyy cannot be made */

struct kmt_debug_search {
	const char *debuginfo, *root, *release; /* "": none */
	bool is_dir;				/* @debuginfo is one */
	struct kmt_debug_list named, usual;	/* in @debuginfo, and modules in the usual places */
	bool has_named, has_usual;		/* they were read */
};

/* One visit. */
struct walk {
	const char *module, *build_id;
	int (*visit)(void *context, const char *path, bool is_by_name);
	void *context;
};

/* What becomes a part of a path must not lead elsewhere: it is from the tape. */
static bool is_one_part(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

static bool is_build_id(const char *id)
{
	size_t length = strlen(id);

	return length >= ID_BYTES_MIN && length <= NAME_MAX / 2 &&
	       strspn(id, "0123456789abcdef") == length;
}

int kmt_debug_search_new(const struct kmt_lines_options *options,
			 struct kmt_debug_search **ret_search, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_debug_search_freep) struct kmt_debug_search *search = NULL;
	struct stat st;

	search = calloc(1, sizeof(*search));
	if (!search)
		return kmt_fail(err, -ENOMEM, "out of memory");
	search->debuginfo = options->debuginfo ? options->debuginfo : "";
	search->root = options->root ? options->root : "";
	search->release = options->kernel && is_one_part(options->kernel) ? options->kernel : "";
	if (*search->debuginfo) {
		if (stat(search->debuginfo, &st) < 0)
			return kmt_fail(err, -errno, "%s: %s", search->debuginfo, strerror(errno));
		search->is_dir = S_ISDIR(st.st_mode);
	}
	*ret_search = KMT_STEAL(search);
	return 0;
}

struct kmt_debug_search *kmt_debug_search_free(struct kmt_debug_search *search)
{
	if (!search)
		return NULL;
	kmt_debug_list_deinit(&search->named);
	kmt_debug_list_deinit(&search->usual);
	free(search);
	return NULL;
}

/* DIR/xx/yyy.debug of a build-id xxyyy */
static int visit_id(const struct walk *walk, const char *dir)
{
	char path[PATH_MAX];
	int n;

	if (!is_build_id(walk->build_id))
		return 0;
	n = snprintf(path, sizeof(path), "%s/%.2s/%s.debug", dir, walk->build_id,
		     walk->build_id + 2);
	return n < (int)sizeof(path) ? walk->visit(walk->context, path, true) : 0;
}

static int visit_list(const struct walk *walk, const struct kmt_debug_list *list)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->nr_id_dirs; i++)
		r = visit_id(walk, list->id_dirs[i]);
	for (size_t i = 0; r == 0 && i < list->nr_files; i++)
		if (walk->module ? kmt_debug_list_is_module(list->files[i], walk->module)
				 : kmt_debug_list_is_kernel(list->files[i]))
			r = walk->visit(walk->context, list->files[i], true);
	return r;
}

/* A file that the user named may be called anything; but a module has the name of a module. */
static int visit_file(const struct kmt_debug_search *search, const struct walk *walk)
{
	bool is_module = kmt_debug_list_is_module(search->debuginfo, NULL);

	if (is_module &&
	    (!walk->module || !kmt_debug_list_is_module(search->debuginfo, walk->module)))
		return 0;
	return walk->visit(walk->context, search->debuginfo, is_module || !walk->module);
}

static int visit_named(struct kmt_debug_search *search, const struct walk *walk)
{
	int r = 0;

	if (!*search->debuginfo)
		return 0;
	if (!search->is_dir)
		return visit_file(search, walk);
	if (!search->has_named)
		r = kmt_debug_list_scan(&search->named, search->debuginfo);
	search->has_named = true;
	return r < 0 ? r : visit_list(walk, &search->named);
}

static int visit_usual_kernels(const struct kmt_debug_search *search, const struct walk *walk)
{
	static const char *const places[] = {
		"/usr/lib/debug/boot/vmlinux-%s",
		"/usr/lib/debug/lib/modules/%s/vmlinux",
		"/usr/lib/debug/usr/lib/modules/%s/vmlinux",
		"/lib/modules/%s/build/vmlinux",
		"/lib/modules/%s/vmlinux",
		"/boot/vmlinux-%s",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		const char *gap = strstr(places[i], "%s");
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "%s%.*s%s%s", search->root,
				 (int)(gap - places[i]), places[i], search->release, gap + 2);

		if (n < (int)sizeof(path))
			r = walk->visit(walk->context, path, true);
	}
	return r;
}

static int scan_usual_modules(struct kmt_debug_search *search)
{
	static const char *const places[] = {
		"/usr/lib/debug/lib/modules",
		"/usr/lib/debug/usr/lib/modules",
		"/lib/modules",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "%s%s/%s", search->root, places[i],
				 search->release);

		if (n < (int)sizeof(path))
			r = kmt_debug_list_scan(&search->usual, path);
	}
	return r;
}

static int visit_usual(struct kmt_debug_search *search, const struct walk *walk)
{
	char path[PATH_MAX];
	int r = 0;

	if (snprintf(path, sizeof(path), "%s/usr/lib/debug/.build-id", search->root) <
	    (int)sizeof(path))
		r = visit_id(walk, path);
	if (r != 0 || !*search->release)
		return r;
	if (!walk->module)
		return visit_usual_kernels(search, walk);
	if (!search->has_usual)
		r = scan_usual_modules(search);
	search->has_usual = true;
	return r < 0 ? r : visit_list(walk, &search->usual);
}

int kmt_debug_search_visit(struct kmt_debug_search *search, const char *module,
			   const char *build_id,
			   int (*visit)(void *context, const char *path, bool is_by_name),
			   void *context)
{
	struct walk walk = { module, build_id, visit, context };
	int r = visit_named(search, &walk);

	return r == 0 ? visit_usual(search, &walk) : r;
}
