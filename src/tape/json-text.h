/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_JSON_TEXT_H
#define KMT_TAPE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * JSON that goes to a file as it is made, without any memory but this: a recorder writes its
 * manifest while there may be none to be had. Laid out as json-c does it with
 * JSON_C_TO_STRING_PRETTY and JSON_C_TO_STRING_NOSLASHESCAPE.
 */
#define KMT_JSON_TEXT_BYTES 4096

struct kmt_json_text {
	int fd;
	int result; /* of the first write that failed */
	unsigned int depth;
	bool has_any; /* in the object or array that is open */
	size_t used;
	char text[KMT_JSON_TEXT_BYTES]; /* waits to be written */
};

/* kmt_json_text_init() - begin with the top object; @fd is borrowed until kmt_json_text_finish() */
void kmt_json_text_init(struct kmt_json_text *json, int fd);

/*
 * One more member of the object that is open, or of the array: then @name is NULL. Names and
 * strings are what is in them, and get escaped; bytes of 0x80 and above stay as they are.
 */
void kmt_json_text_object(struct kmt_json_text *json, const char *name);
void kmt_json_text_array(struct kmt_json_text *json, const char *name);
void kmt_json_text_string(struct kmt_json_text *json, const char *name, const char *value);
void kmt_json_text_uint(struct kmt_json_text *json, const char *name, uint64_t value);
void kmt_json_text_int(struct kmt_json_text *json, const char *name, int64_t value);
void kmt_json_text_bool(struct kmt_json_text *json, const char *name, bool value);

/* The object, or the array, that was opened last has all it gets. */
void kmt_json_text_end_object(struct kmt_json_text *json);
void kmt_json_text_end_array(struct kmt_json_text *json);

/* kmt_json_text_finish() - end the top object. Return: 0 or the negative errno of a write */
int kmt_json_text_finish(struct kmt_json_text *json);

#endif
