// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include <json-c/json.h>

#include "kmemtape/diagnosis.h"
#include "kmemtape/units.h"

#define SCHEMA	      1
#define ESCAPED_BYTES (4 * KMT_DIAGNOSIS_TEXT_BYTES)

/* As in json.c: json-c fails only for want of memory, and that is remembered. */
struct builder {
	bool has_failed;
};

static struct json_object *put(struct builder *b, struct json_object *object, const char *name,
			       struct json_object *value)
{
	if (value && object && json_object_object_add(object, name, value) == 0)
		return value;
	json_object_put(value);
	b->has_failed = true;
	return NULL;
}

static struct json_object *append(struct builder *b, struct json_object *array,
				  struct json_object *value)
{
	if (value && array && json_object_array_add(array, value) == 0)
		return value;
	json_object_put(value);
	b->has_failed = true;
	return NULL;
}

static void put_uint(struct builder *b, struct json_object *object, const char *name, uint64_t n)
{
	(void)put(b, object, name, json_object_new_uint64(n));
}

static void put_int(struct builder *b, struct json_object *object, const char *name, int64_t n)
{
	(void)put(b, object, name, json_object_new_int64(n));
}

static void put_bool(struct builder *b, struct json_object *object, const char *name, bool is_so)
{
	(void)put(b, object, name, json_object_new_boolean(is_so));
}

static void put_text(struct builder *b, struct json_object *object, const char *name,
		     const char *text)
{
	char escaped[ESCAPED_BYTES];

	(void)put(b, object, name,
		  json_object_new_string(kmt_escape(escaped, sizeof(escaped), text)));
}

static void put_items(struct builder *b, struct json_object *root, const char *name,
		      const struct kmt_diagnosis *diagnosis, const struct kmt_diagnosis_item *items,
		      size_t nr, const char *count_name)
{
	struct json_object *array = put(b, root, name, json_object_new_array());

	for (size_t i = 0; i < nr; i++) {
		struct json_object *item = append(b, array, json_object_new_object());

		put_text(b, item, "name", items[i].name);
		put_uint(b, item, "bytes", items[i].bytes);
		if (count_name)
			put_uint(b, item, count_name, items[i].count);
		put_bool(b, item, "reclaimable", items[i].is_reclaimable);
		if (!diagnosis->watched_ns)
			continue;
		put_int(b, item, "grown_bytes", items[i].grown_bytes);
		put_bool(b, item, "growing", items[i].is_growing);
	}
}

static void put_findings(struct builder *b, struct json_object *root,
			 const struct kmt_diagnosis *diagnosis)
{
	struct json_object *array = put(b, root, "findings", json_object_new_array());

	for (size_t i = 0; i < diagnosis->nr_findings; i++) {
		struct json_object *finding = append(b, array, json_object_new_object());

		put_text(b, finding, "suspicion",
			 kmt_suspicion_name(diagnosis->findings[i].suspicion));
		put_text(b, finding, "text", diagnosis->findings[i].text);
	}
}

static void put_modules(struct builder *b, struct json_object *root,
			const struct kmt_diagnosis *diagnosis)
{
	struct json_object *array = put(b, root, "modules", json_object_new_array());

	for (size_t i = 0; i < diagnosis->nr_modules; i++) {
		struct json_object *module = append(b, array, json_object_new_object());

		put_text(b, module, "name", diagnosis->modules[i].name);
		put_uint(b, module, "bytes", diagnosis->modules[i].bytes);
		put_text(b, module, "taint", diagnosis->modules[i].taint);
	}
}

static void put_abilities(struct builder *b, struct json_object *root,
			  const struct kmt_diagnosis *diagnosis)
{
	static const char *const words[] = {
		[KMT_ANSWER_NO] = "no",
		[KMT_ANSWER_YES] = "yes",
		[KMT_ANSWER_UNKNOWN] = "unknown",
	};
	struct json_object *array = put(b, root, "host", json_object_new_array());

	for (size_t i = 0; i < diagnosis->nr_abilities; i++) {
		const struct kmt_diagnosis_ability *from = &diagnosis->abilities[i];
		struct json_object *ability = append(b, array, json_object_new_object());

		put_text(b, ability, "name", from->name);
		put_text(b, ability, "answer", words[from->answer]);
		put_text(b, ability, "text", from->text);
	}
}

static void put_all(struct builder *b, struct json_object *root,
		    const struct kmt_diagnosis *diagnosis)
{
	put_uint(b, root, "schema", SCHEMA);
	put_text(b, root, "kernel", diagnosis->kernel);
	put_text(b, root, "arch", diagnosis->arch);
	put_uint(b, root, "cpus", diagnosis->nr_cpus);
	put_text(b, root, "suspicion", kmt_suspicion_name(diagnosis->suspicion));
	put_text(b, root, "headline", diagnosis->headline);
	put_uint(b, root, "memory_bytes", diagnosis->total_bytes);
	if (diagnosis->watched_ns) {
		put_uint(b, root, "watched_ns", diagnosis->watched_ns);
		put_uint(b, root, "readings", diagnosis->nr_readings);
	}
	put_findings(b, root, diagnosis);
	put_items(b, root, "memory", diagnosis, diagnosis->memory, diagnosis->nr_memory, NULL);
	if (diagnosis->has_caches)
		put_items(b, root, "caches", diagnosis, diagnosis->caches, diagnosis->nr_caches,
			  "objects");
	if (diagnosis->has_callers)
		put_items(b, root, "vmalloc_callers", diagnosis, diagnosis->callers,
			  diagnosis->nr_callers, "areas");
	if (diagnosis->has_modules)
		put_modules(b, root, diagnosis);
	put_abilities(b, root, diagnosis);
	put_text(b, root, "next", diagnosis->command);
}

int kmt_diagnosis_json(const struct kmt_diagnosis *diagnosis, FILE *file, struct kmt_err *err)
{
	struct json_object *root = json_object_new_object();
	struct builder b = { .has_failed = !root };

	put_all(&b, root, diagnosis);
	if (!b.has_failed)
		fprintf(file, "%s\n",
			json_object_to_json_string_ext(
				root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
					      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
	return b.has_failed ? kmt_fail(err, -ENOMEM, "out of memory") : 0;
}
