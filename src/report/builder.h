/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_BUILDER_H
#define KMT_REPORT_BUILDER_H

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <json-c/printbuf.h>

#include "kmemtape/units.h"

#define BUILDER_TEXT_BYTES 1024 /* longer ones are cut */
#define BUILDER_LINE_BYTES 64	/* a number, up to 20 levels deep */
#define BUILDER_REAL_MAX   1e15 /* 3 decimals mean something below */

/*
 * json-c fails only for want of memory. Instead of a check at each of a hundred calls, a builder
 * remembers that one of them failed.
 */
struct builder {
	bool has_failed;
};

/* Takes @value, also on failure. Return: borrowed from @object; NULL if it failed. */
static inline struct json_object *put(struct builder *builder, struct json_object *object,
				      const char *name, struct json_object *value)
{
	if (value && object && json_object_object_add(object, name, value) == 0)
		return value;
	json_object_put(value);
	builder->has_failed = true;
	return NULL;
}

static inline struct json_object *put_element(struct builder *builder, struct json_object *array,
					      struct json_object *value)
{
	if (value && array && json_object_array_add(array, value) == 0)
		return value;
	json_object_put(value);
	builder->has_failed = true;
	return NULL;
}

static inline void put_uint(struct builder *builder, struct json_object *object, const char *name,
			    uint64_t n)
{
	(void)put(builder, object, name, json_object_new_uint64(n));
}

static inline void put_int(struct builder *builder, struct json_object *object, const char *name,
			   int64_t n)
{
	(void)put(builder, object, name, json_object_new_int64(n));
}

/* A list of them. As an object for each, they took most of the time of a report. */
struct numbers {
	size_t nr;
	bool are_thousandths;
	uint64_t numbers[];
};

/* As json-c prints a list in JSON_STYLE, or all in one line. Most are as the one before. */
static inline int print_numbers(struct json_object *list, struct printbuf *to, int level, int flags)
{
	const struct numbers *row = json_object_get_userdata(list);
	bool is_pretty = flags & JSON_C_TO_STRING_PRETTY;
	int length = 0, indent = is_pretty ? 2 * (level + 1) : 0;
	const char *end = is_pretty ? "\n" : "";
	char line[BUILDER_LINE_BYTES];

	printbuf_memappend(to, "[", 1);
	for (size_t i = 0; i < row->nr; i++) {
		uint64_t n = row->numbers[i];

		if (i == 0 || n != row->numbers[i - 1])
			length = row->are_thousandths
					 ? snprintf(line, sizeof(line),
						    ",%s%*s%" PRIu64 ".%03" PRIu64, end, indent, "",
						    n / 1000, n % 1000)
					 : snprintf(line, sizeof(line), ",%s%*s%" PRIu64, end,
						    indent, "", n);
		printbuf_memappend(to, line + (i == 0), length - (i == 0));
	}
	if (is_pretty) {
		printbuf_memappend(to, "\n", 1);
		printbuf_memset(to, -1, ' ', 2 * level);
	}
	return printbuf_memappend(to, "]", 1);
}

static inline void free_numbers(struct json_object *list, void *numbers)
{
	(void)list;
	free(numbers);
}

static inline void put_number_list(struct builder *builder, struct json_object *object,
				   const char *name, const uint64_t *numbers, size_t nr,
				   bool are_thousandths)
{
	struct numbers *row = malloc(sizeof(*row) + nr * sizeof(*numbers));
	struct json_object *list = put(builder, object, name, json_object_new_int(0));

	if (!row || !list) {
		builder->has_failed = true;
		free(row);
		return;
	}
	row->nr = nr;
	row->are_thousandths = are_thousandths;
	if (nr)
		memcpy(row->numbers, numbers, nr * sizeof(*numbers));
	json_object_set_serializer(list, print_numbers, row, free_numbers);
}

static inline void put_uints(struct builder *builder, struct json_object *object, const char *name,
			     const uint64_t *numbers, size_t nr)
{
	put_number_list(builder, object, name, numbers, nr, false);
}

/* 1500 is written as 1.500. */
static inline void put_thousandths(struct builder *builder, struct json_object *object,
				   const char *name, const uint64_t *numbers, size_t nr)
{
	put_number_list(builder, object, name, numbers, nr, true);
}

/* 3 decimals do; what is infinite or no number is 0, for JSON has neither. */
static inline struct json_object *real(double x)
{
	char text[32];

	if (!isfinite(x))
		x = 0;
	(void)snprintf(text, sizeof(text), fabs(x) < BUILDER_REAL_MAX ? "%.3f" : "%.6e", x);
	return json_object_new_double_s(x, text);
}

static inline void put_real(struct builder *builder, struct json_object *object, const char *name,
			    double x)
{
	(void)put(builder, object, name, real(x));
}

static inline void put_bool(struct builder *builder, struct json_object *object, const char *name,
			    bool b)
{
	(void)put(builder, object, name, json_object_new_boolean(b));
}

/* What comes from a tape need not be UTF-8; JSON must be. */
static inline struct json_object *safe_text(const char *text)
{
	char escaped[BUILDER_TEXT_BYTES];

	return json_object_new_string(kmt_escape(escaped, sizeof(escaped), text));
}

/* A text that is escaped already, or ours. */
static inline void put_safe(struct builder *builder, struct json_object *object, const char *name,
			    const char *text)
{
	(void)put(builder, object, name, json_object_new_string(text));
}

/* Absent means unknown. */
static inline void put_text(struct builder *builder, struct json_object *object, const char *name,
			    const char *text)
{
	if (text && *text)
		(void)put(builder, object, name, safe_text(text));
}

static inline void put_address(struct builder *builder, struct json_object *object,
			       const char *name, uint64_t address)
{
	char text[2 + 16 + 1];

	(void)snprintf(text, sizeof(text), "0x%" PRIx64, address);
	put_text(builder, object, name, text);
}

#endif
