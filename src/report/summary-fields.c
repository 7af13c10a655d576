// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "summary-fields.h"

#define PART_BYTES_MAX (UINT32_C(1) << 20) /* a row with its history takes some KiB */
#define TEXT_BYTES_MAX 1024		   /* as long as reports write them */

struct json_object *kmt_reading_parse(struct kmt_reading *reading, const struct kmt_piece *piece,
				      enum json_type type)
{
	struct json_tokener *tokener = NULL;
	struct json_object *object = NULL;

	if (piece->bytes <= PART_BYTES_MAX)
		tokener = json_tokener_new_ex(KMT_PIECES_DEPTH_MAX);
	if (tokener) {
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
		object = json_tokener_parse_ex(tokener, piece->text, (int)piece->bytes);
		if (json_tokener_get_parse_end(tokener) != piece->bytes ||
		    !json_object_is_type(object, type)) {
			json_object_put(object);
			object = NULL;
		}
		json_tokener_free(tokener);
	}
	if (!object && !reading->wrong)
		reading->wrong = "";
	return object;
}

struct json_object *kmt_reading_member(struct kmt_reading *reading, struct json_object *object,
				       const char *key, enum json_type type)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(object, key, &member) || !member)
		return NULL;
	if (json_object_is_type(member, type) ||
	    (type == json_type_double && json_object_is_type(member, json_type_int)))
		return member;
	if (!reading->wrong)
		reading->wrong = key;
	return NULL;
}

uint64_t kmt_reading_uint(struct kmt_reading *reading, struct json_object *object, const char *key)
{
	struct json_object *member = kmt_reading_member(reading, object, key, json_type_int);

	if (!member)
		return 0;
	if (json_object_get_int64(member) >= 0)
		return json_object_get_uint64(member);
	if (!reading->wrong)
		reading->wrong = key;
	return 0;
}

double kmt_reading_real(struct kmt_reading *reading, struct json_object *object, const char *key)
{
	struct json_object *member = kmt_reading_member(reading, object, key, json_type_double);
	double x = member ? json_object_get_double(member) : 0;

	if (isfinite(x))
		return x;
	if (!reading->wrong)
		reading->wrong = key;
	return 0;
}

bool kmt_reading_bool(struct kmt_reading *reading, struct json_object *object, const char *key)
{
	struct json_object *member = kmt_reading_member(reading, object, key, json_type_boolean);

	return member && json_object_get_boolean(member);
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \xNN to the byte that it was. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] == 'x' && hex(from[2]) >= 0 && hex(from[3]) >= 0 &&
		    (from[2] != '0' || from[3] != '0')) {
			*to = (char)(hex(from[2]) * 16 + hex(from[3]));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static bool make_room(struct kmt_summary *summary)
{
	size_t room = summary->texts_room ? 2 * summary->texts_room : 64;
	char **texts;

	if (summary->nr_texts < summary->texts_room)
		return true;
	texts = realloc(summary->texts, room * sizeof(*texts));
	if (!texts)
		return false;
	summary->texts = texts;
	summary->texts_room = room;
	return true;
}

char *kmt_reading_keep(struct kmt_reading *reading, struct json_object *text)
{
	struct kmt_summary *summary = reading->summary;
	char *copy = NULL;

	if (make_room(summary))
		copy = strndup(json_object_get_string(text), TEXT_BYTES_MAX);
	if (!copy) {
		reading->is_out_of_memory = true;
		return NULL;
	}
	unescape(copy);
	summary->texts[summary->nr_texts++] = copy;
	return copy;
}

char *kmt_reading_text(struct kmt_reading *reading, struct json_object *object, const char *key)
{
	struct json_object *member = kmt_reading_member(reading, object, key, json_type_string);

	return member ? kmt_reading_keep(reading, member) : NULL;
}

int kmt_reading_check(const struct kmt_reading *reading, struct kmt_err *err)
{
	if (reading->is_out_of_memory)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", reading->name);
	if (!reading->wrong)
		return 0;
	if (!*reading->wrong)
		return kmt_fail(err, -EBADMSG, "%s: %s: not as a report has it", reading->name,
				reading->part);
	return kmt_fail(err, -EBADMSG, "%s: %s: %s is not as a report has it", reading->name,
			reading->part, reading->wrong);
}
