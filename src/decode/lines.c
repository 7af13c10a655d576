// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "debug-info.h"
#include "debug-search.h"
#include "debug-server.h"
#include "kmemtape/lines.h"

#define NOTE_BYTES 1024

/* The kernel or a module, and what was found of it. */
struct object {
	char *module;		     /* NULL: the kernel */
	char *build_id;		     /* "" unknown */
	struct kmt_debug_info *info; /* NULL: none */
	bool is_same_build;
	char *note; /* why there is none; NULL */
};

/* A place that was asked for: stacks ask for the same ones again and again. */
struct answer {
	const struct object *object;
	char *function;
	uint64_t offset, size, from_stext;
	char *text; /* NULL: no line */
};

struct kmt_lines {
	char *kernel, *build_id, *debuginfo, *root;
	struct kmt_debug_search *search;
	struct kmt_debug_server *server; /* NULL: none, or none yet */
	bool is_server_tried;
	char server_note[KMT_ERR_BYTES]; /* why there is none */
	struct object **objects;
	size_t nr_objects;
	void *answers; /* of tsearch() */
};

static int copy_options(struct kmt_lines *lines, const struct kmt_lines_options *options)
{
	lines->kernel = strdup(options->kernel ? options->kernel : "");
	lines->build_id = strdup(options->build_id ? options->build_id : "");
	lines->debuginfo = strdup(options->debuginfo ? options->debuginfo : "");
	lines->root = strdup(options->root ? options->root : "");
	return lines->kernel && lines->build_id && lines->debuginfo && lines->root ? 0 : -ENOMEM;
}

int kmt_lines_new(const struct kmt_lines_options *options, struct kmt_lines **ret_lines,
		  struct kmt_err *err)
{
	KMT_CLEANUP(kmt_lines_freep) struct kmt_lines *lines = calloc(1, sizeof(*lines));
	struct kmt_lines_options copy;
	int r;

	if (!lines || copy_options(lines, options) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	copy = (struct kmt_lines_options){ lines->kernel, lines->build_id, lines->debuginfo,
					   lines->root };
	r = kmt_debug_search_new(&copy, &lines->search, err);
	if (r == 0)
		*ret_lines = KMT_STEAL(lines);
	return r;
}

static void free_answer(void *node)
{
	struct answer *answer = node;

	free(answer->function);
	free(answer->text);
	free(answer);
}

static void free_object(struct object *object)
{
	free(object->module);
	free(object->build_id);
	free(object->note);
	(void)kmt_debug_info_free(object->info);
	free(object);
}

struct kmt_lines *kmt_lines_free(struct kmt_lines *lines)
{
	if (!lines)
		return NULL;
	tdestroy(lines->answers, free_answer);
	for (size_t i = 0; i < lines->nr_objects; i++)
		free_object(lines->objects[i]);
	free(lines->objects);
	(void)kmt_debug_search_free(lines->search);
	(void)kmt_debug_server_free(lines->server);
	free(lines->kernel);
	free(lines->build_id);
	free(lines->debuginfo);
	free(lines->root);
	free(lines);
	return NULL;
}

/* Looking for the file of one object. */
struct quest {
	struct object *object;
	char note[NOTE_BYTES]; /* what was wrong with those that had its name */
};

static void complain(struct quest *quest, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct quest *quest, const char *fmt, ...)
{
	size_t used = strlen(quest->note);
	va_list args;

	if (used > sizeof(quest->note) / 2)
		return; /* enough is said */
	if (used)
		used += (size_t)snprintf(quest->note + used, sizeof(quest->note) - used, ", ");
	va_start(args, fmt);
	(void)vsnprintf(quest->note + used, sizeof(quest->note) - used, fmt, args);
	va_end(args);
}

/* Return: 1 taken, 0 not, -ENOMEM. */
static int try_file(void *context, const char *path, bool is_by_name)
{
	KMT_CLEANUP(kmt_debug_info_freep) struct kmt_debug_info *info = NULL;
	struct quest *quest = context;
	struct object *object = quest->object;
	struct kmt_err err = { "" };
	const char *id;
	int r;

	r = kmt_debug_info_open(path, &info, &err);
	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOENT ? 0 : r;
	if (r < 0) {
		if (is_by_name)
			complain(quest, "%s", err.text);
		return 0;
	}
	id = kmt_debug_info_build_id(info);
	if (*object->build_id && *id && strcmp(object->build_id, id) != 0) {
		if (is_by_name)
			complain(quest, "%s is of another build (%s)", path, id);
		return 0;
	}
	object->is_same_build = *object->build_id && *id;
	if (!object->is_same_build && !is_by_name)
		return 0;
	if (!kmt_debug_info_has_lines(info)) {
		complain(quest, "%s was stripped", path);
		return 0;
	}
	object->info = KMT_STEAL(info);
	return 1;
}

/* Return: 1, 0 if there is no server, or it doesn't have it; -ENOMEM. */
static int ask_server(struct kmt_lines *lines, struct quest *quest)
{
	KMT_CLEANUP(kmt_freep) char *path = NULL;
	struct kmt_err err = { "" };
	int r = 0;

	if (!lines->is_server_tried) {
		r = kmt_debug_server_new(&lines->server, &err);
		(void)snprintf(lines->server_note, sizeof(lines->server_note), "%s", err.text);
	}
	lines->is_server_tried = true;
	if (!lines->server || !*quest->object->build_id) {
		complain(quest, "%s",
			 lines->server ? "and the tape has no build-id to ask debuginfod for"
				       : lines->server_note);
		return r == -ENOMEM ? r : 0;
	}
	r = kmt_debug_server_fetch(lines->server, quest->object->build_id, &path, &err);
	if (r < 0) {
		complain(quest, "%s", err.text);
		return 0;
	}
	return try_file(quest, path, true);
}

static int note_missing(const struct kmt_lines *lines, struct quest *quest)
{
	struct object *object = quest->object;
	const char *named = lines->debuginfo;

	if (asprintf(&object->note,
		     "no source lines of %s%s (build-id %s): looked in %s%s/usr/lib/debug and "
		     "/lib/modules; %s",
		     object->module ? "module " : "the kernel",
		     object->module ? object->module : "",
		     *object->build_id ? object->build_id : "unknown", named, *named ? ", " : "",
		     quest->note) >= 0)
		return 0;
	object->note = NULL;
	return -ENOMEM;
}

static int find_file(struct kmt_lines *lines, struct object *object)
{
	struct quest quest = { .object = object };
	int r = kmt_debug_search_visit(lines->search, object->module, object->build_id, try_file,
				       &quest);

	if (r == 0)
		r = ask_server(lines, &quest);
	return r == 0 ? note_missing(lines, &quest) : r < 0 ? r : 0;
}

static struct object *make_object(const char *module, const char *build_id)
{
	struct object *object = calloc(1, sizeof(*object));

	if (!object)
		return NULL;
	object->module = module ? strdup(module) : NULL;
	object->build_id = strdup(build_id);
	if ((module && !object->module) || !object->build_id) {
		free_object(object);
		return NULL;
	}
	return object;
}

/* Return: 0 or -ENOMEM. */
static int add_object(struct kmt_lines *lines, const char *module, const char *build_id,
		      struct object **ret_object)
{
	struct object **grown = reallocarray(lines->objects, lines->nr_objects + 1, sizeof(*grown));
	struct object *object;

	if (!grown)
		return -ENOMEM;
	lines->objects = grown;
	object = make_object(module, build_id);
	if (!object)
		return -ENOMEM;
	lines->objects[lines->nr_objects++] = object;
	*ret_object = object;
	return find_file(lines, object);
}

static int get_object(struct kmt_lines *lines, const struct kmt_lines_place *place,
		      struct object **ret_object)
{
	const char *build_id = place->module ? place->build_id : lines->build_id;

	for (size_t i = 0; i < lines->nr_objects; i++) {
		struct object *object = lines->objects[i];

		if (strcmp(object->build_id, build_id) == 0 && !object->module == !place->module &&
		    (!place->module || strcmp(object->module, place->module) == 0)) {
			*ret_object = object;
			return 0;
		}
	}
	return add_object(lines, place->module, build_id, ret_object);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare(const void *left, const void *right)
{
	const struct answer *a = left, *b = right;
	int r;

	(void)((r = compare_numbers((uintptr_t)a->object, (uintptr_t)b->object)) ||
	       (r = compare_numbers(a->offset, b->offset)) ||
	       (r = compare_numbers(a->size, b->size)) ||
	       (r = compare_numbers(a->from_stext, b->from_stext)) ||
	       (r = strcmp(a->function, b->function)));
	return r;
}

/* Takes @answer on success. */
static int find_answer(struct kmt_lines *lines, const struct object *object,
		       const struct kmt_lines_place *place, struct answer *answer)
{
	int r;

	answer->function = strdup(place->function);
	if (!answer->function)
		return -ENOMEM;
	r = kmt_debug_info_find(object->info, place, object->is_same_build, &answer->text);
	if (r < 0)
		return r;
	return tsearch(answer, &lines->answers, compare) ? 0 : -ENOMEM;
}

int kmt_lines_find(struct kmt_lines *lines, const struct kmt_lines_place *place,
		   const char **ret_text)
{
	struct answer key = { .function = (char *)(uintptr_t)place->function,
			      .offset = place->offset,
			      .size = place->size,
			      .from_stext = place->from_stext };
	struct answer *new, **known;
	struct object *object;
	int r;

	*ret_text = NULL;
	r = get_object(lines, place, &object);
	if (r < 0 || !object->info)
		return r;
	key.object = object;
	known = tfind(&key, &lines->answers, compare);
	if (!known) {
		new = malloc(sizeof(*new));
		if (!new)
			return -ENOMEM;
		*new = key;
		new->function = NULL;
		r = find_answer(lines, object, place, new);
		if (r < 0) {
			free_answer(new);
			return r;
		}
		known = &new;
	}
	*ret_text = (*known)->text;
	return *ret_text != NULL;
}

const char *kmt_lines_note(const struct kmt_lines *lines, size_t nr)
{
	for (size_t i = 0; i < lines->nr_objects; i++)
		if (lines->objects[i]->note && nr-- == 0)
			return lines->objects[i]->note;
	return NULL;
}
