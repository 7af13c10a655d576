// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "records.h"

#define GFP_KERNEL 0xcc0u
#define PID	   42u
#define CALL_BYTES 0x1cu /* from the beginning of a site's text to what its call returns to */

/* Every other class is of kmalloc(). */
static const struct class
{
	const char *cache; /* NULL: kmalloc */
	unsigned int bytes;
} classes[LOAD_CLASSES] = {
	{ NULL, 32 },  { "dentry", 192 },  { NULL, 64 },  { "filp", 256 },
	{ NULL, 96 },  { "vm_area", 184 }, { NULL, 128 }, { "skbuff_head_cache", 232 },
	{ NULL, 192 }, { "pid", 112 },	   { NULL, 256 }, { "anon_vma", 88 },
	{ NULL, 8 },   { "cred", 184 },	   { NULL, 16 },  { "maple_node", 256 },
};

static int put_field(struct record *record, const struct tep_event *event, const char *name,
		     uint64_t n, unsigned int *ret_offset, struct kmt_err *err)
{
	const struct tep_format_field *field = tep_find_any_field((struct tep_event *)event, name);

	if (!field || field->size > 8 || field->offset + field->size > (int)RECORD_BYTES_MAX)
		return kmt_fail(err, -EBADMSG, "%s: has no field '%s' that fits", event->name,
				name);
	for (int i = 0; i < field->size; i++) /* of little-endian kernels */
		record->bytes[field->offset + i] = (uint8_t)(n >> (8 * i));
	if (ret_offset)
		*ret_offset = (unsigned int)field->offset;
	return 0;
}

/* Fields end where the text of the name begins. */
static unsigned int end_of_fields(const struct tep_event *event)
{
	unsigned int end = 0;

	for (const struct tep_format_field *field = event->format.fields; field;
	     field = field->next)
		if (end < (unsigned int)(field->offset + field->size))
			end = (unsigned int)(field->offset + field->size);
	return end;
}

static int put_name(struct record *record, const struct tep_event *event, const char *name,
		    struct kmt_err *err)
{
	size_t bytes = strlen(name) + 1;

	if (!tep_find_field((struct tep_event *)event, "name"))
		return 0;
	if (record->nr_bytes + bytes > RECORD_BYTES_MAX)
		return kmt_fail(err, -EBADMSG, "%s: too long", event->name);
	memcpy(record->bytes + record->nr_bytes, name, bytes);
	record->nr_bytes += (unsigned int)bytes;
	return put_field(record, event, "name", bytes << 16 | (record->nr_bytes - bytes), NULL,
			 err);
}

static int init_record(struct record *record, const struct formats_dir *formats, const char *name,
		       const struct class *class, bool is_free, struct kmt_err *err)
{
	struct tep_event *event = tep_find_event_by_name(formats->tep, "kmem", name);
	int r;

	if (!event)
		return kmt_fail(err, -EBADMSG, "%s: there is no such event", name);
	*record = (struct record){ .nr_bytes = end_of_fields(event) };
	(void)((r = put_field(record, event, "common_type", (uint64_t)event->id, NULL, err)) < 0 ||
	       (r = put_field(record, event, "common_pid", PID, NULL, err)) < 0 ||
	       (r = put_field(record, event, "call_site", 0, &record->call_site_offset, err)) < 0 ||
	       (r = put_field(record, event, "ptr", 0, &record->ptr_offset, err)) < 0);
	if (r == 0 && !is_free)
		(void)((r = put_field(record, event, "bytes_req", class->bytes, NULL, err)) < 0 ||
		       (r = put_field(record, event, "bytes_alloc", class->bytes, NULL, err)) < 0 ||
		       (r = put_field(record, event, "gfp_flags", GFP_KERNEL, NULL, err)) < 0);
	if (r == 0 && class->cache)
		r = put_name(record, event, class->cache, err);
	return r;
}

int records_init(struct records *records, const struct formats_dir *formats, struct kmt_err *err)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < LOAD_CLASSES; i++) {
		const struct class *class = &classes[i];
		struct record *of = records->of[i];

		r = init_record(&of[0], formats, class->cache ? "kmem_cache_alloc" : "kmalloc",
				class, false, err);
		if (r == 0)
			r = init_record(&of[1], formats, class->cache ? "kmem_cache_free" : "kfree",
					class, true, err);
		/* Who frees is in front of all who allocate. */
		of[1].call_site = RECORDS_TEXT_FROM + i * RECORDS_SITE_BYTES + CALL_BYTES;
	}
	return r;
}

const struct record *records_put(struct records *records, const struct load_event *event)
{
	struct record *record = &records->of[event->class][event->is_free];
	uint64_t call_site = record->call_site;

	if (!call_site)
		call_site = RECORDS_TEXT_FROM +
			    (LOAD_CLASSES + (uint64_t)event->site) * RECORDS_SITE_BYTES +
			    CALL_BYTES;
	memcpy(record->bytes + record->ptr_offset, &event->ptr, sizeof(event->ptr));
	memcpy(record->bytes + record->call_site_offset, &call_site, sizeof(call_site));
	return record;
}
