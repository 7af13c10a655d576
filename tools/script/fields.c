// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/units.h"

#include "fields.h"

#define LOCATED_BYTES 4u /* of a __data_loc field: length << 16 | offset */

static bool is_task_event(const struct tep_event *event)
{
	return strcmp(event->system, "task") == 0;
}

static bool is_hex(const char *name)
{
	static const char *const names[] = {
		"call_site", "ptr",    "gfp_flags", "clone_flags", "common_flags",
		"taints",    "head",   "cache",	    "ptr_or_func", "addr",
		"va_start",  "vstart", "vend",	    "base_addr",   "pfn",
		"page",	     "flags",  "caller",    "area",	   "object",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool is_text(const struct tep_format_field *field)
{
	return (field->flags & TEP_FIELD_IS_ARRAY) &&
	       (field->flags & (TEP_FIELD_IS_STRING | TEP_FIELD_IS_DYNAMIC));
}

/* Of kernel_stack: as many addresses as `size` says, whatever the declaration does. */
static bool is_callers(const struct tep_format_field *field)
{
	return strcmp(field->name, "caller") == 0 &&
	       strcmp(field->event->name, "kernel_stack") == 0;
}

static bool is_size_of_callers(const struct tep_format_field *field)
{
	return strcmp(field->name, "size") == 0 && strcmp(field->event->name, "kernel_stack") == 0;
}

/* Of a probe: addresses. */
static bool is_pointers(const struct tep_format_field *field)
{
	return (field->flags & TEP_FIELD_IS_ARRAY) && !is_text(field) && !is_callers(field);
}

/* Which of the addresses are those of code, that may be given by name. */
static bool is_code(const struct tep_format_field *field)
{
	return strcmp(field->name, "call_site") == 0 || strcmp(field->name, "caller") == 0 ||
	       strcmp(field->name, "__probe_ret_ip") == 0;
}

static bool is_located(const struct tep_format_field *field)
{
	return field->flags & TEP_FIELD_IS_DYNAMIC;
}

/* What a short key means in this event. */
static const char *field_name(struct tep_event *event, const char *key)
{
	bool is_task = is_task_event(event);

	if (strcmp(key, "gfp") == 0)
		return "gfp_flags";
	if (strcmp(key, "flags") == 0)
		return tep_find_field(event, key) ? key : "common_flags";
	if (strcmp(key, "preempt") == 0)
		return "common_preempt_count";
	if (strcmp(key, is_task ? "by" : "pid") == 0)
		return "common_pid";
	if (strcmp(key, "comm") == 0 && strcmp(event->name, "task_rename") == 0)
		return "newcomm";
	return key;
}

/* The other way. */
static const char *key_of(struct tep_event *event, const char *name)
{
	static const char *const keys[] = { "gfp", "flags", "preempt", "by", "pid", "comm" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(field_name(event, keys[i]), name) == 0)
			return keys[i];
	return name;
}

static unsigned int end_of(const struct tep_event *event)
{
	unsigned int end = 0;
	const struct tep_format_field *const lists[] = { event->format.common_fields,
							 event->format.fields };

	for (size_t i = 0; i < 2; i++)
		for (const struct tep_format_field *f = lists[i]; f; f = f->next) {
			int bytes = is_callers(f) ? 0 : f->size;

			if ((unsigned int)(f->offset + bytes) > end)
				end = (unsigned int)(f->offset + bytes);
		}
	return end;
}

/* sizeof() of the kernel's struct: as its widest number. */
static unsigned int alignment_of(const struct tep_event *event)
{
	unsigned int widest = 4;

	for (const struct tep_format_field *f = event->format.fields; f; f = f->next)
		if (!is_text(f) && !is_pointers(f) && !is_callers(f) &&
		    (unsigned int)f->size > widest)
			widest = (unsigned int)f->size;
	return widest;
}

static void put_number(const struct formats_dir *formats, uint8_t *record,
		       const struct tep_format_field *field, uint64_t n)
{
	ring_put(&formats->layout, record + field->offset, n, (unsigned int)field->size);
}

static int parse_number(const char *text, unsigned int bytes, uint64_t *ret_n)
{
	bool is_negative = *text == '-';
	uint64_t n, max = bytes == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * bytes)) - 1;

	if (kmt_parse_uint(text + is_negative, &n) < 0 || n > (is_negative ? max / 2 + 1 : max))
		return -EINVAL;
	*ret_n = is_negative ? -n : n;
	return 0;
}

/* Where a text goes that has no place in the fixed part: behind what is there. */
static int put_located(const struct formats_dir *formats, uint8_t *record,
		       const struct tep_format_field *field, const char *text,
		       unsigned int *located_end)
{
	unsigned int bytes = (unsigned int)strlen(text) + 1;

	if (*located_end + bytes > RING_RECORD_BYTES_MAX)
		return -EINVAL;
	memcpy(record + *located_end, text, bytes);
	put_number(formats, record, field, (uint64_t)bytes << 16 | *located_end);
	*located_end += bytes;
	return 0;
}

/* "0x1000,0x2000": the others are 0. */
static int put_pointers(const struct formats_dir *formats, uint8_t *record,
			const struct tep_format_field *field, char *value)
{
	unsigned int bytes = formats->layout.long_bytes, at = 0;
	char *rest = NULL;
	uint64_t n;

	for (char *word = strtok_r(value, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (at + bytes > (unsigned int)field->size || parse_number(word, bytes, &n) < 0)
			return -EINVAL;
		ring_put(&formats->layout, record + field->offset + at, n, bytes);
		at += bytes;
	}
	return 0;
}

static bool parse_address(const struct symtab *symbols, const char *text, unsigned int bytes,
			  uint64_t *ret_n)
{
	if (!isdigit((unsigned char)*text) && symtab_parse(symbols, text, ret_n))
		return true;
	return parse_number(text, bytes, ret_n) == 0;
}

/* "kmalloc_trace+0x26,d_alloc+0x40": behind what is there, as many as there are. */
static int put_callers(const struct formats_dir *formats, const struct symtab *symbols,
		       const struct tep_format_field *field, char *value, uint8_t *record,
		       unsigned int *located_end)
{
	unsigned int bytes = formats->layout.long_bytes, at = (unsigned int)field->offset;
	const struct tep_format_field *size = tep_find_field(field->event, "size");
	uint64_t nr = 0, n;
	char *rest = NULL;

	for (char *word = strtok_r(value, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (at + bytes > RING_RECORD_BYTES_MAX || !parse_address(symbols, word, bytes, &n))
			return -EINVAL;
		ring_put(&formats->layout, record + at, n, bytes);
		at += bytes;
		nr++;
	}
	/* What isn't as usual is said with size=, behind it. */
	if (size)
		put_number(formats, record, size, nr);
	*located_end = at;
	return 0;
}

static int put_value(const struct formats_dir *formats, const struct symtab *symbols,
		     struct tep_format_field *field, char *value, uint8_t *record,
		     unsigned int *located_end)
{
	uint64_t n;

	if (is_text(field)) {
		script_unescape(value);
		if (is_located(field))
			return put_located(formats, record, field, value, located_end);
		if (strlen(value) >= (size_t)field->size)
			return -EINVAL;
		memcpy(record + field->offset, value, strlen(value));
		return 0;
	}
	if (is_pointers(field))
		return put_pointers(formats, record, field, value);
	if (is_callers(field))
		return put_callers(formats, symbols, field, value, record, located_end);
	if (is_code(field) ? !parse_address(symbols, value, (unsigned int)field->size, &n)
			   : parse_number(value, (unsigned int)field->size, &n) < 0)
		return -EINVAL;
	put_number(formats, record, field, n);
	return 0;
}

static struct tep_format_field *find_field(struct tep_event *event, const char *key)
{
	struct tep_format_field *field = tep_find_any_field(event, field_name(event, key));

	/* Linux may drop `pid` of task_rename: then it is the task that runs. */
	if (!field && strcmp(key, "pid") == 0 && is_task_event(event))
		field = tep_find_common_field(event, "common_pid");
	return field;
}

/* The same, but keys that were asked for are remembered. NULL if the event has no such field. */
static struct tep_format_field *field_of(struct formats_dir *formats, struct tep_event *event,
					 const char *key)
{
	unsigned int hash = (unsigned int)event->id;
	struct formats_key *known;

	for (const char *p = key; *p; p++)
		hash = hash * 31 + (unsigned char)*p;
	known = &formats->keys[hash % FORMATS_KEYS];
	if (known->event == event && strcmp(known->key, key) == 0)
		return known->field;
	if (strlen(key) >= sizeof(known->key))
		return find_field(event, key);
	known->event = event;
	known->field = find_field(event, key);
	memcpy(known->key, key, strlen(key) + 1);
	return known->field;
}

/* One event line, while it is encoded. */
struct encoding {
	struct formats_dir *formats;
	const struct symtab *symbols;
	const struct script *script;
	struct tep_event *event;
	uint8_t *record;
	unsigned int located_end;
	const struct tep_format_field *given[SCRIPT_WORDS_MAX];
	size_t nr_given;
};

static bool is_given(const struct encoding *encoding, const struct tep_format_field *field)
{
	for (size_t i = 0; i < encoding->nr_given; i++)
		if (encoding->given[i] == field)
			return true;
	return false;
}

/* @to is @from, if it wasn't given. */
static void put_same(struct encoding *encoding, const char *to, const char *from)
{
	const struct tep_format_field *a = field_of(encoding->formats, encoding->event, to);
	const struct tep_format_field *b = field_of(encoding->formats, encoding->event, from);

	if (a && b && a != b && !is_given(encoding, a))
		memcpy(encoding->record + a->offset, encoding->record + b->offset, (size_t)a->size);
}

/* After the values that were given: the ones that follow from them. */
static void put_defaults(struct encoding *encoding)
{
	struct tep_event *event = encoding->event;
	const struct tep_format_field *node = field_of(encoding->formats, event, "node");

	if (is_task_event(event))
		put_same(encoding, "by", "pid");
	put_same(encoding, "bytes_alloc", "bytes_req");
	if (node && !is_given(encoding, node))
		put_number(encoding->formats, encoding->record, node, UINT64_MAX);
	for (const struct tep_format_field *f = event->format.fields; f; f = f->next)
		if (is_located(f) && !is_given(encoding, f))
			(void)put_located(encoding->formats, encoding->record, f, "",
					  &encoding->located_end);
}

static int check_needed(const struct encoding *encoding, struct kmt_err *err)
{
	static const char *const names[] = { "call_site", "ptr",  "bytes_req", "addr",	"va_start",
					     "pfn",	  "page", "caller",    "object" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct tep_format_field *field =
			field_of(encoding->formats, encoding->event, names[i]);

		if (field && !is_given(encoding, field))
			return script_fail(encoding->script, err, "%s without %s",
					   encoding->event->name, names[i]);
	}
	return 0;
}

static int encode_word(struct encoding *encoding, char *word, struct kmt_err *err)
{
	const struct script *script = encoding->script;
	char *value = strchr(word, '=');
	struct tep_format_field *field;

	if (!value)
		return script_fail(script, err, "'%s' is not key=value", word);
	*value = '\0';
	field = field_of(encoding->formats, encoding->event, word);
	if (!field)
		return script_fail(script, err, "%s has no field '%s' here", encoding->event->name,
				   word);
	if (put_value(encoding->formats, encoding->symbols, field, value + 1, encoding->record,
		      &encoding->located_end) < 0)
		return script_fail(script, err, "'%s' does not fit %s, or is no symbol", value + 1,
				   word);
	*value = '=';
	encoding->given[encoding->nr_given++] = field;
	return 0;
}

int fields_encode(struct formats_dir *formats, const struct symtab *symbols,
		  const struct script *script, size_t at, uint8_t *record, unsigned int *ret_bytes,
		  struct kmt_err *err)
{
	struct tep_event *event = tep_find_event_by_name(formats->tep, NULL, script->words[at]);
	struct encoding encoding = { formats, symbols, script, event, record, 0, { NULL }, 0 };
	unsigned int end, align;
	int r;

	if (!event)
		return script_fail(script, err, "'%s' has no format file", script->words[at]);
	memset(record, 0, RING_RECORD_BYTES_MAX);
	end = encoding.located_end = end_of(event);
	align = alignment_of(event);
	ring_put(&formats->layout, record, (uint64_t)event->id, 2);
	for (size_t i = at + 1; i < script->nr_words; i++) {
		r = encode_word(&encoding, script->words[i], err);
		if (r < 0)
			return r;
	}
	r = check_needed(&encoding, err);
	if (r < 0)
		return r;
	put_defaults(&encoding);
	/* Texts begin right behind the fields, but Linux reserves sizeof() and their length. */
	*ret_bytes = (end + align - 1) / align * align + (encoding.located_end - end);
	return 0;
}

struct tep_event *fields_event(const struct formats_dir *formats, const void *record,
			       unsigned int bytes)
{
	if (bytes < 2)
		return NULL;
	return tep_find_event(formats->tep, (int)ring_get(&formats->layout, record, 2));
}

static void print_text(FILE *out, const char *key, const char *text, size_t room)
{
	char *copy = strndup(text, room);

	if (copy && *copy) {
		(void)fprintf(out, " %s=", key);
		script_put_text(out, copy, 1);
	}
	free(copy);
}

static void print_text_field(FILE *out, const struct formats_dir *formats, const char *key,
			     const struct tep_format_field *field, const char *record,
			     unsigned int bytes)
{
	uint64_t location;

	if (!is_located(field)) {
		print_text(out, key, record + field->offset, (size_t)field->size);
		return;
	}
	location = ring_get(&formats->layout, record + field->offset, LOCATED_BYTES);
	if ((location & 0xffff) + (location >> 16) <= bytes)
		print_text(out, key, record + (location & 0xffff), (size_t)(location >> 16));
}

static void print_code(FILE *out, const struct symtab *symbols, uint64_t address)
{
	const struct symbol *symbol = symtab_caller(symbols, address);

	if (symbol)
		(void)fprintf(out, "%s+0x%" PRIx64, symbol->name, address - symbol->address);
	else
		(void)fprintf(out, "0x%" PRIx64, address);
}

/* How many addresses a record of a stack has room for. */
static unsigned int nr_callers(const struct formats_dir *formats,
			       const struct tep_format_field *field, unsigned int bytes)
{
	return (bytes - (unsigned int)field->offset) / formats->layout.long_bytes;
}

static void print_callers(FILE *out, const struct formats_dir *formats,
			  const struct symtab *symbols, const struct tep_format_field *field,
			  const char *record, unsigned int bytes)
{
	unsigned int each = formats->layout.long_bytes, nr = nr_callers(formats, field, bytes);
	const struct tep_format_field *size = tep_find_field(field->event, "size");

	(void)fputs(" caller=", out);
	for (unsigned int i = 0; i < nr; i++) {
		if (i)
			(void)fputc(',', out);
		print_code(out, symbols,
			   ring_get(&formats->layout, record + field->offset + (size_t)i * each,
				    each));
	}
	if (size && ring_get(&formats->layout, record + size->offset, 4) != nr)
		(void)fprintf(out, " size=%" PRIu64,
			      ring_get(&formats->layout, record + size->offset, 4));
}

static void print_pointers(FILE *out, const struct formats_dir *formats, const char *key,
			   const struct tep_format_field *field, const char *record)
{
	unsigned int bytes = formats->layout.long_bytes, nr = (unsigned int)field->size / bytes;
	const char *array = record + field->offset;

	while (nr && !ring_get(&formats->layout, array + (size_t)(nr - 1) * bytes, bytes))
		nr--;
	for (unsigned int i = 0; i < nr; i++)
		(void)fprintf(out, "%s%s%s0x%" PRIx64, i ? "," : " ", i ? "" : key, i ? "" : "=",
			      ring_get(&formats->layout, array + (size_t)i * bytes, bytes));
}

static int64_t sign_extend(uint64_t n, int bytes)
{
	int shift = 64 - 8 * bytes;

	return (int64_t)(n << shift) >> shift;
}

/* True if leaving the field out gives the same. */
static bool is_default(const struct tep_format_field *field, uint64_t n)
{
	static const char *const always[] = {
		"call_site", "ptr",    "bytes_req", "bytes_alloc", "gfp_flags", "common_pid",
		"pid",	     "taints", "addr",	    "va_start",	   "pfn",	"page",
		"caller",    "size",   "order",	    "object",
	};

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (strcmp(always[i], field->name) == 0)
			return false;
	if (strcmp(field->name, "node") == 0)
		return sign_extend(n, field->size) == -1;
	return n == 0;
}

static void print_field(FILE *out, const struct formats_dir *formats, const struct symtab *symbols,
			struct tep_event *event, const struct tep_format_field *field,
			const char *record, unsigned int bytes)
{
	const char *key = key_of(event, field->name);
	uint64_t n;

	if (is_callers(field)) {
		print_callers(out, formats, symbols, field, record, bytes);
		return;
	}
	if (field->offset < 0 || field->size <= 0 ||
	    (unsigned int)field->offset + (unsigned int)field->size > bytes)
		return;
	if (is_text(field)) {
		print_text_field(out, formats, key, field, record, bytes);
		return;
	}
	if (is_pointers(field)) {
		print_pointers(out, formats, key, field, record);
		return;
	}
	if (field->size > 8)
		return;
	n = ring_get(&formats->layout, record + field->offset, (unsigned int)field->size);
	if (is_default(field, n))
		return;
	if (is_code(field)) {
		(void)fprintf(out, " %s=", key);
		print_code(out, symbols, n);
		return;
	}
	if (is_hex(field->name))
		(void)fprintf(out, " %s=0x%" PRIx64, key, n);
	else if (field->flags & TEP_FIELD_IS_SIGNED)
		(void)fprintf(out, " %s=%" PRId64, key, sign_extend(n, field->size));
	else
		(void)fprintf(out, " %s=%" PRIu64, key, n);
}

/* `by` only if it isn't the task that is spoken of. */
static bool is_same_task(const struct formats_dir *formats, struct tep_event *event,
			 const char *record)
{
	struct tep_format_field *pid = tep_find_field(event, "pid");
	struct tep_format_field *by = tep_find_common_field(event, "common_pid");

	return is_task_event(event) && pid && by &&
	       ring_get(&formats->layout, record + pid->offset, 4) ==
		       ring_get(&formats->layout, record + by->offset, 4);
}

void fields_print(FILE *out, const struct formats_dir *formats, const struct symtab *symbols,
		  struct tep_event *event, const void *record, unsigned int bytes)
{
	(void)fprintf(out, " %s", event->name);
	if ((unsigned int)end_of(event) > bytes)
		return;
	for (const struct tep_format_field *f = event->format.fields; f; f = f->next)
		if (!is_size_of_callers(f))
			print_field(out, formats, symbols, event, f, record, bytes);
	for (const struct tep_format_field *f = event->format.common_fields; f; f = f->next) {
		if (strcmp(f->name, "common_type") == 0)
			continue;
		if (strcmp(f->name, "common_pid") == 0 && is_same_task(formats, event, record))
			continue;
		print_field(out, formats, symbols, event, f, record, bytes);
	}
}
