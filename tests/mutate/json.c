// SPDX-License-Identifier: GPL-2.0-only
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "../fuzz/change.h"
#include "../fuzz/fuzz.h"
#include "json.h"

#define LONG_BYTES   2000
#define MANY_MEMBERS 70000u

static size_t nr_children(struct json_object *object)
{
	if (json_object_is_type(object, json_type_object))
		return (size_t)json_object_object_length(object);
	return json_object_is_type(object, json_type_array) ? json_object_array_length(object) : 0;
}

static const char *key_of(struct json_object *object, size_t n)
{
	struct json_object_iterator at = json_object_iter_begin(object);

	while (n-- > 0)
		json_object_iter_next(&at);
	return json_object_iter_peek_name(&at);
}

static struct json_object *text_of(uint64_t *state)
{
	static const char *const texts[] = { "",	   "\033[31mred", "../../etc:passwd",
					     "a:b",	   "%n%s",	  ":",
					     "kmem:kfree", "slab",	  "page,percpu,vmalloc",
					     "\n",	   "local",	  "0",
					     "likely",	   "distilled",	  "sampling",
					     "\xc2\x9b" };
	size_t nr = sizeof(texts) / sizeof(texts[0]), i = change_below(state, nr + 1);
	char longer[LONG_BYTES];

	if (i < nr)
		return json_object_new_string(texts[i]);
	memset(longer, 'x', sizeof(longer));
	return json_object_new_string_len(longer, sizeof(longer));
}

static struct json_object *another(struct json_object *old, uint64_t *state)
{
	struct json_object *list;

	switch (change_below(state, 9)) {
	case 0:
		return NULL; /* is null */
	case 1:
		return json_object_new_boolean(!json_object_get_boolean(old));
	case 2:
		return json_object_new_array();
	case 3:
		return json_object_new_object();
	case 4:
		return json_object_new_double(-1.5e300);
	case 5:
		list = json_object_new_array();
		for (size_t i = 0; i < (change_below(state, 8) ? 3 : MANY_MEMBERS); i++)
			(void)json_object_array_add(list, json_object_get(old));
		return list;
	case 6:
		return text_of(state);
	case 7:
		return json_object_new_int64((int64_t)change_number(state));
	default:
		return json_object_new_uint64(change_number(state) + change_below(state, 3) - 1);
	}
}

static void change_child(struct json_object *parent, size_t n, uint64_t *state,
			 char what[WHAT_BYTES])
{
	bool is_object = json_object_is_type(parent, json_type_object);
	const char *key = is_object ? key_of(parent, n) : "";
	struct json_object *child = is_object ? json_object_object_get(parent, key)
					      : json_object_array_get_idx(parent, n);
	bool is_removal = change_below(state, 6) == 0;
	size_t used = strlen(what);
	struct json_object *made = is_removal ? NULL : another(child, state);

	(void)snprintf(what + used, WHAT_BYTES - used, " %.40s[%zu]: %.60s", key, n,
		       is_removal ? "missing" : json_object_to_json_string(made));
	if (is_removal && is_object)
		json_object_object_del(parent, key);
	else if (is_removal)
		(void)json_object_array_del_idx(parent, n, 1);
	else if (is_object)
		(void)json_object_object_add(parent, key, made);
	else if (change_below(state, 3) == 0)
		(void)json_object_array_add(parent, made);
	else
		(void)json_object_array_put_idx(parent, n, made);
}

bool json_change(struct file *file, uint64_t *state, char what[WHAT_BYTES])
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root, *at;
	const char *text;
	size_t n;

	MUST(tokener);
	root = file->kind == FILE_PLAIN && file->size < INT32_MAX
		       ? json_tokener_parse_ex(tokener, (char *)file->bytes, (int)file->size)
		       : NULL;
	json_tokener_free(tokener);
	if (!root || nr_children(root) == 0) {
		json_object_put(root);
		return false;
	}
	at = root;
	(void)snprintf(what, WHAT_BYTES, "manifest:");
	for (n = change_below(state, nr_children(at)); change_below(state, 5);
	     n = change_below(state, nr_children(at))) {
		struct json_object *child = json_object_is_type(at, json_type_object)
						    ? json_object_object_get(at, key_of(at, n))
						    : json_object_array_get_idx(at, n);

		if (nr_children(child) == 0)
			break;
		at = child;
	}
	change_child(at, n, state, what);
	text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY);
	file_replace(file, (uint8_t *)strdup(text), strlen(text));
	json_object_put(root);
	return true;
}
