// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json-text.h"
#include "kmemtape/fs.h"

static void flush(struct kmt_json_text *json)
{
	if (json->result == 0)
		json->result = kmt_write_all(json->fd, json->text, json->used);
	json->used = 0;
}

static void put_char(struct kmt_json_text *json, char c)
{
	if (json->used == sizeof(json->text))
		flush(json);
	json->text[json->used++] = c;
}

static void put(struct kmt_json_text *json, const char *text)
{
	for (; *text; text++)
		put_char(json, *text);
}

static void put_line(struct kmt_json_text *json)
{
	put_char(json, '\n');
	for (unsigned int i = 0; i < json->depth; i++)
		put(json, "  ");
}

static void put_quoted(struct kmt_json_text *json, const char *value)
{
	static const char named[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\";

	put_char(json, '"');
	for (; *value; value++) {
		const char *found = strchr(named, *value);
		char code[8];

		if (found) {
			put_char(json, '\\');
			put_char(json, names[found - named]);
		} else if ((unsigned char)*value < ' ') {
			(void)snprintf(code, sizeof(code), "\\u%04x", (unsigned int)*value);
			put(json, code);
		} else {
			put_char(json, *value);
		}
	}
	put_char(json, '"');
}

/* Up to its value. */
static void put_member(struct kmt_json_text *json, const char *name)
{
	if (json->has_any)
		put_char(json, ',');
	json->has_any = true;
	put_line(json);
	if (!name)
		return;
	put_quoted(json, name);
	put_char(json, ':');
}

static void open_up(struct kmt_json_text *json, char bracket)
{
	put_char(json, bracket);
	json->depth++;
	json->has_any = false;
}

static void close_up(struct kmt_json_text *json, char bracket)
{
	json->depth--;
	json->has_any = true; /* it is a member of what is around it */
	put_line(json);
	put_char(json, bracket);
}

void kmt_json_text_init(struct kmt_json_text *json, int fd)
{
	json->fd = fd;
	json->result = 0;
	json->depth = 0;
	json->used = 0;
	open_up(json, '{');
}

void kmt_json_text_object(struct kmt_json_text *json, const char *name)
{
	put_member(json, name);
	open_up(json, '{');
}

void kmt_json_text_array(struct kmt_json_text *json, const char *name)
{
	put_member(json, name);
	open_up(json, '[');
}

void kmt_json_text_string(struct kmt_json_text *json, const char *name, const char *value)
{
	put_member(json, name);
	put_quoted(json, value);
}

void kmt_json_text_uint(struct kmt_json_text *json, const char *name, uint64_t value)
{
	char text[24];

	put_member(json, name);
	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	put(json, text);
}

void kmt_json_text_int(struct kmt_json_text *json, const char *name, int64_t value)
{
	char text[24];

	put_member(json, name);
	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	put(json, text);
}

void kmt_json_text_bool(struct kmt_json_text *json, const char *name, bool value)
{
	put_member(json, name);
	put(json, value ? "true" : "false");
}

void kmt_json_text_end_object(struct kmt_json_text *json)
{
	close_up(json, '}');
}

void kmt_json_text_end_array(struct kmt_json_text *json)
{
	close_up(json, ']');
}

int kmt_json_text_finish(struct kmt_json_text *json)
{
	close_up(json, '}');
	flush(json);
	return json->result;
}
