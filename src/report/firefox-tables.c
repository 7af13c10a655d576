// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <stdlib.h>

#include "firefox-tables.h"

#define NO_NUMBER UINT32_MAX

/* Resources are libraries. */
#define RESOURCE_LIBRARY 1

void kmt_firefox_tables_deinit(struct kmt_firefox_tables *tables)
{
	kmt_intern_deinit(&tables->texts);
	kmt_intern_deinit(&tables->libs);
	kmt_intern_deinit(&tables->functions);
	kmt_intern_deinit(&tables->stacks);
	free(tables->function_names.numbers);
	free(tables->function_libs.numbers);
	free(tables->stack_frames.numbers);
	free(tables->stack_prefixes.numbers);
}

static void append(struct kmt_firefox_tables *tables, struct kmt_firefox_column *column,
		   uint64_t number)
{
	size_t nr = column->nr;

	if ((nr & (nr - 1)) == 0) { /* full at every power of two */
		uint64_t *grown =
			reallocarray(column->numbers, nr ? nr * 2 : 1, sizeof(*column->numbers));

		if (!grown) {
			tables->builder->has_failed = true;
			return;
		}
		column->numbers = grown;
	}
	column->numbers[column->nr++] = number;
}

/* Of a name that is escaped. */
static uint32_t function_of(struct kmt_firefox_tables *tables, const char *name, uint32_t lib)
{
	uint32_t number;
	bool is_new;

	number = kmt_intern_addf(&tables->functions, &is_new, "%" PRIu32 "\n%s", lib, name);
	if (is_new) {
		append(tables, &tables->function_names, kmt_intern_add(&tables->texts, name, NULL));
		append(tables, &tables->function_libs, lib);
	}
	return number;
}

static uint32_t stack_of(struct kmt_firefox_tables *tables, uint32_t prefix, uint32_t frame)
{
	uint32_t number;
	bool is_new;

	number = kmt_intern_addf(&tables->stacks, &is_new, "%" PRIu32 " %" PRIu32, prefix, frame);
	if (is_new) {
		append(tables, &tables->stack_frames, frame);
		append(tables, &tables->stack_prefixes, prefix);
	}
	return number;
}

/* There is one frame for each function: addresses are others on each machine. */
uint32_t kmt_firefox_tables_add(struct kmt_firefox_tables *tables,
				const struct kmt_walk_sample *sample)
{
	uint32_t stack = NO_NUMBER;
	char name[KMT_NAME_BYTES];

	if (kmt_walk_root_name(name, sample))
		stack = stack_of(tables, stack, function_of(tables, name, NO_NUMBER));
	for (size_t i = sample->nr_frames; i > 0; i--) {
		struct kmt_frame frame = sample->frames[i - 1];
		uint32_t lib = NO_NUMBER;

		if (frame.address)
			lib = kmt_intern_add(&tables->libs, frame.module ? frame.module : "vmlinux",
					     NULL);
		frame.module = NULL; /* the library is shown in front of it */
		kmt_walk_frame_name(name, &frame);
		stack = stack_of(tables, stack, function_of(tables, name, lib));
	}
	return stack;
}

static void add_null(struct builder *b, struct json_object *list)
{
	if (!list || json_object_array_add(list, NULL) != 0)
		b->has_failed = true;
}

/* As many of the same; @number NULL: null */
static void put_repeated(struct kmt_firefox_tables *tables, struct json_object *table,
			 const char *key, size_t nr, const int *number)
{
	struct builder *b = tables->builder;
	struct json_object *list = put(b, table, key, json_object_new_array());

	for (size_t i = 0; i < nr; i++) {
		if (number)
			(void)put_element(b, list, json_object_new_int(*number));
		else
			add_null(b, list);
	}
}

static void put_falses(struct kmt_firefox_tables *tables, struct json_object *table,
		       const char *key, size_t nr)
{
	struct builder *b = tables->builder;
	struct json_object *list = put(b, table, key, json_object_new_array());

	for (size_t i = 0; i < nr; i++)
		(void)put_element(b, list, json_object_new_boolean(false));
}

/* @otherwise: what stands for none; NULL: null */
static void put_column(struct kmt_firefox_tables *tables, struct json_object *table,
		       const char *key, const struct kmt_firefox_column *column,
		       const int *otherwise)
{
	struct builder *b = tables->builder;
	struct json_object *list = put(b, table, key, json_object_new_array());

	for (size_t i = 0; i < column->nr; i++) {
		if (column->numbers[i] != NO_NUMBER)
			(void)put_element(b, list, json_object_new_uint64(column->numbers[i]));
		else if (otherwise)
			(void)put_element(b, list, json_object_new_int(*otherwise));
		else
			add_null(b, list);
	}
}

static const int minus_one = -1, zero;

static void put_stack_table(struct kmt_firefox_tables *tables, struct json_object *shared)
{
	struct json_object *table =
		put(tables->builder, shared, "stackTable", json_object_new_object());

	put_column(tables, table, "frame", &tables->stack_frames, NULL);
	put_column(tables, table, "prefix", &tables->stack_prefixes, NULL);
	put_uint(tables->builder, table, "length", tables->stack_frames.nr);
}

static void put_frame_table(struct kmt_firefox_tables *tables, struct json_object *shared)
{
	static const char *const empty[] = { "nativeSymbol", "innerWindowID", "line", "column" };
	struct json_object *table =
		put(tables->builder, shared, "frameTable", json_object_new_object());
	size_t nr = tables->function_names.nr;
	struct json_object *functions;

	put_repeated(tables, table, "address", nr, &minus_one);
	put_repeated(tables, table, "inlineDepth", nr, &zero);
	put_repeated(tables, table, "category", nr, &zero);
	put_repeated(tables, table, "subcategory", nr, &zero);
	functions = put(tables->builder, table, "func", json_object_new_array());
	for (size_t i = 0; i < nr; i++)
		(void)put_element(tables->builder, functions, json_object_new_uint64(i));
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		put_repeated(tables, table, empty[i], nr, NULL);
	put_uint(tables->builder, table, "length", nr);
}

static void put_function_table(struct kmt_firefox_tables *tables, struct json_object *shared)
{
	struct json_object *table =
		put(tables->builder, shared, "funcTable", json_object_new_object());
	size_t nr = tables->function_names.nr;

	put_falses(tables, table, "isJS", nr);
	put_falses(tables, table, "relevantForJS", nr);
	put_column(tables, table, "name", &tables->function_names, NULL);
	put_column(tables, table, "resource", &tables->function_libs, &minus_one);
	put_repeated(tables, table, "source", nr, NULL);
	put_repeated(tables, table, "lineNumber", nr, NULL);
	put_repeated(tables, table, "columnNumber", nr, NULL);
	put_uint(tables->builder, table, "length", nr);
}

/* A resource for each library, in the same order. */
static void put_resource_table(struct kmt_firefox_tables *tables, struct json_object *shared)
{
	struct json_object *table =
		put(tables->builder, shared, "resourceTable", json_object_new_object());
	const int type = RESOURCE_LIBRARY;
	struct builder *b = tables->builder;
	struct json_object *libs, *names;
	size_t nr = tables->libs.nr;

	libs = put(b, table, "lib", json_object_new_array());
	names = put(b, table, "name", json_object_new_array());
	for (size_t i = 0; i < nr; i++) {
		char name[KMT_NAME_BYTES];

		(void)kmt_escape(name, sizeof(name), tables->libs.texts[i]);
		(void)put_element(b, libs, json_object_new_uint64(i));
		(void)put_element(
			b, names,
			json_object_new_uint64(kmt_intern_add(&tables->texts, name, NULL)));
	}
	put_repeated(tables, table, "host", nr, NULL);
	put_repeated(tables, table, "type", nr, &type);
	put_uint(b, table, "length", nr);
}

void kmt_firefox_put_empty_table(struct builder *b, struct json_object *parent, const char *name,
				 const char *const *columns)
{
	struct json_object *table = put(b, parent, name, json_object_new_object());

	for (; *columns; columns++)
		(void)put(b, table, *columns, json_object_new_array());
	put_uint(b, table, "length", 0);
}

/* The kernel and its modules, by which their symbols could be found. */
static void put_libs(struct kmt_firefox_tables *tables, struct json_object *root)
{
	struct builder *b = tables->builder;
	struct json_object *list = put(b, root, "libs", json_object_new_array());

	for (size_t i = 0; i < tables->libs.nr; i++) {
		struct json_object *lib = put_element(b, list, json_object_new_object());
		const char *name = tables->libs.texts[i];
		const char *id = kmt_result_build_id(tables->result,
						     strcmp(name, "vmlinux") == 0 ? NULL : name);

		(void)put(b, lib, "name", safe_text(name));
		(void)put(b, lib, "path", safe_text(name));
		(void)put(b, lib, "debugName", safe_text(name));
		(void)put(b, lib, "debugPath", safe_text(name));
		(void)put(b, lib, "breakpadId", json_object_new_string(""));
		if (id)
			(void)put(b, lib, "codeId", safe_text(id));
		else if (!lib || json_object_object_add(lib, "codeId", NULL) != 0)
			b->has_failed = true;
		(void)put(b, lib, "arch", safe_text(tables->result->arch));
	}
}

void kmt_firefox_tables_put(struct kmt_firefox_tables *tables, struct json_object *root)
{
	static const char *const symbol_columns[] = { "libIndex", "address", "name", "functionSize",
						      NULL };
	static const char *const source_columns[] = { "uuid", "filename", NULL };
	struct builder *b = tables->builder;
	struct json_object *shared = put(b, root, "shared", json_object_new_object());
	struct json_object *texts;

	put_libs(tables, root);
	put_stack_table(tables, shared);
	put_frame_table(tables, shared);
	put_function_table(tables, shared);
	put_resource_table(tables, shared);
	kmt_firefox_put_empty_table(b, shared, "nativeSymbols", symbol_columns);
	kmt_firefox_put_empty_table(b, shared, "sources", source_columns);
	texts = put(b, shared, "stringArray", json_object_new_array());
	for (size_t i = 0; i < tables->texts.nr; i++)
		(void)put_element(b, texts, json_object_new_string(tables->texts.texts[i]));
}

bool kmt_firefox_tables_are_whole(const struct kmt_firefox_tables *tables)
{
	return !tables->texts.has_failed && !tables->libs.has_failed &&
	       !tables->functions.has_failed && !tables->stacks.has_failed;
}
