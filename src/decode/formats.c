// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include <traceevent/event-parse.h>

#include "kmemtape/formats.h"

#define LAYOUTS_MAX	 15u
#define FORMAT_BYTES_MAX 65536u
#define RECORD_BYTES_MAX 4096u /* no kernel event of ours comes near it */

struct kmt_formats {
	struct kmt_page_layout page;
	bool has_late_frees;
	struct kmt_layout layouts[LAYOUTS_MAX + 1]; /* [0]: not ours */
	const char *names[LAYOUTS_MAX + 1];
	uint16_t ids[LAYOUTS_MAX + 1];
	size_t nr_layouts;
	uint8_t by_id[65536]; /* index into layouts: common_type has 16 bits */
};

static struct tep_handle *free_tep(struct tep_handle *tep)
{
	tep_free(tep);
	return NULL;
}

KMT_DEFINE_FREEP(struct tep_handle *, free_tep)

/* What each event must have, by field name. NULL: the event has none. */
struct wanted {
	const char *event;
	enum kmt_event_kind kind;
	bool is_alloc;
	const char *text, *task_pid;
	bool is_text_needed;
};

static const struct wanted wanted_events[] = {
	{ "kmem:kmalloc", KMT_EVENT_KMALLOC, true, NULL, NULL, false },
	{ "kmem:kmalloc_node", KMT_EVENT_KMALLOC_NODE, true, NULL, NULL, false },
	{ "kmem:kmem_cache_alloc", KMT_EVENT_CACHE_ALLOC, true, "name", NULL, false },
	{ "kmem:kmem_cache_alloc_node", KMT_EVENT_CACHE_ALLOC_NODE, true, "name", NULL, false },
	{ "kmem:kfree", KMT_EVENT_KFREE, false, NULL, NULL, false },
	{ "kmem:kmem_cache_free", KMT_EVENT_CACHE_FREE, false, "name", NULL, false },
	{ "module:module_load", KMT_EVENT_MODULE_LOAD, false, "name", NULL, true },
	{ "module:module_free", KMT_EVENT_MODULE_FREE, false, "name", NULL, true },
	{ "task:task_newtask", KMT_EVENT_TASK_NAME, false, "comm", "pid", true },
	{ "task:task_rename", KMT_EVENT_TASK_NAME, false, "newcomm", "pid", true },
};

static const struct wanted *wanted_named(const char *name)
{
	for (size_t i = 0; i < sizeof(wanted_events) / sizeof(wanted_events[0]); i++)
		if (strcmp(wanted_events[i].event, name) == 0)
			return &wanted_events[i];
	return NULL;
}

/*
 * The print format is C with casts, macros and calls, and we have no use for it: without it,
 * libtraceevent reads nothing but the list of fields.
 */
static int parse_fields(const struct kmt_page_layout *page, const char *name, const char *head,
			const char *text, size_t bytes, struct tep_handle **ret_tep,
			struct kmt_err *err)
{
	static const char no_print[] = "\nprint fmt: \"\"\n";
	KMT_CLEANUP(free_tepp) struct tep_handle *tep = tep_alloc();
	KMT_CLEANUP(kmt_freep) char *fields = NULL;
	const char *end;
	size_t used;

	if (bytes > FORMAT_BYTES_MAX || memchr(text, '\0', bytes))
		return kmt_fail(err, -EBADMSG, "%s: not a format file", name);
	end = memmem(text, bytes, "\nprint fmt:", strlen("\nprint fmt:"));
	used = end ? (size_t)(end - text) : bytes;
	fields = malloc(strlen(head) + used + sizeof(no_print));
	if (!tep || !fields)
		return kmt_fail(err, -ENOMEM, "%s: out of memory", name);
	memcpy(fields, head, strlen(head));
	memcpy(fields + strlen(head), text, used);
	memcpy(fields + strlen(head) + used, no_print, sizeof(no_print));

	tep_set_loglevel(TEP_LOG_NONE); /* libraries don't print */
	tep_set_long_size(tep, page->long_bytes);
	tep_set_file_bigendian(tep, page->is_big_endian ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	if (tep_parse_event(tep, fields, strlen(fields), "kmemtape") != 0 ||
	    tep_get_events_count(tep) != 1)
		return kmt_fail(err, -EBADMSG, "%s: not a format file", name);
	*ret_tep = KMT_STEAL(tep);
	return 0;
}

/* Return: 0, also if there is no such field (then *ret_field stays empty); -EBADMSG. */
static int bind(struct tep_event *event, const char *field_name, const char *name,
		struct kmt_field *ret_field, struct kmt_err *err)
{
	const struct tep_format_field *field;
	bool is_located;

	*ret_field = (struct kmt_field){ 0 };
	if (!field_name)
		return 0;
	field = tep_find_any_field(event, field_name);
	if (!field)
		return 0;
	is_located = field->flags & TEP_FIELD_IS_DYNAMIC;
	if (field->offset < 0 || field->size <= 0 ||
	    (unsigned int)field->offset >= RECORD_BYTES_MAX ||
	    (unsigned int)field->size > RECORD_BYTES_MAX - (unsigned int)field->offset)
		return kmt_fail(err, -EBADMSG, "%s: field '%s' is out of range", name, field_name);
	if (is_located && field->size != 4)
		return kmt_fail(err, -EBADMSG, "%s: field '%s': a __data_loc of %d bytes", name,
				field_name, field->size);
	*ret_field = (struct kmt_field){
		.offset = (uint16_t)field->offset,
		.bytes = (uint16_t)field->size,
		.is_signed = field->flags & TEP_FIELD_IS_SIGNED,
		.is_data_loc = is_located,
		.is_rel_loc = is_located && strstr(field->type, "__rel_loc"),
	};
	return 0;
}

/* A field that must be there, and be a number. */
static int bind_number(struct tep_event *event, const char *field_name, const char *name,
		       struct kmt_field *ret_field, struct kmt_err *err)
{
	int r = bind(event, field_name, name, ret_field, err);

	if (r < 0)
		return r;
	if (ret_field->bytes == 0)
		return kmt_fail(err, -EBADMSG, "%s: has no field '%s'", name, field_name);
	if (ret_field->is_data_loc || ret_field->bytes > 8 ||
	    (ret_field->bytes & (ret_field->bytes - 1)))
		return kmt_fail(err, -EBADMSG, "%s: field '%s' is no number", name, field_name);
	return 0;
}

static void need(struct kmt_layout *layout, const struct kmt_field *field)
{
	unsigned int end = (unsigned int)field->offset + field->bytes;

	if (field->bytes && end > layout->min_bytes)
		layout->min_bytes = (uint16_t)end;
}

static int bind_layout(const struct wanted *wanted, struct tep_event *event, const char *name,
		       struct kmt_layout *layout, struct kmt_err *err)
{
	bool is_memory = wanted->is_alloc || wanted->kind == KMT_EVENT_KFREE ||
			 wanted->kind == KMT_EVENT_CACHE_FREE;
	struct {
		const char *field_name;
		struct kmt_field *field;
		bool is_wanted;
	} numbers[] = {
		{ "common_pid", &layout->pid, true },
		{ "common_flags", &layout->flags, true },
		{ "call_site", &layout->call_site, is_memory },
		{ "ptr", &layout->ptr, is_memory },
		{ "bytes_req", &layout->bytes_req, wanted->is_alloc },
		{ "bytes_alloc", &layout->bytes_alloc, wanted->is_alloc },
		{ "gfp_flags", &layout->gfp, wanted->is_alloc },
	};
	struct kmt_field type;
	int r;

	r = bind_number(event, "common_type", name, &type, err);
	if (r < 0)
		return r;
	if (type.offset != 0 || type.bytes != 2)
		return kmt_fail(err, -EBADMSG, "%s: common_type is not the first field", name);
	layout->kind = (uint8_t)wanted->kind;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!numbers[i].is_wanted)
			continue;
		r = bind_number(event, numbers[i].field_name, name, numbers[i].field, err);
		if (r < 0)
			return r;
		need(layout, numbers[i].field);
	}
	r = bind(event, wanted->text, name, &layout->text, err);
	if (r < 0)
		return r;
	if (wanted->is_text_needed && layout->text.bytes == 0)
		return kmt_fail(err, -EBADMSG, "%s: has no field '%s'", name, wanted->text);
	need(layout, &layout->text);
	/* Where task_rename has no `pid`, it is the task that runs. */
	r = bind(event, wanted->task_pid, name, &layout->task_pid, err);
	if (r < 0)
		return r;
	if (layout->task_pid.bytes == 0)
		layout->task_pid = layout->pid;
	need(layout, &layout->task_pid);
	if (layout->task_pid.bytes > 8 || layout->task_pid.is_data_loc)
		return kmt_fail(err, -EBADMSG, "%s: field 'pid' is no number", name);
	return 0;
}

static bool is_plain(const struct kmt_layout *layout, const struct kmt_page_layout *page)
{
	bool is_alloc = layout->bytes_alloc.bytes;

	return !page->is_big_endian && layout->pid.bytes == 4 && layout->flags.bytes == 1 &&
	       layout->call_site.bytes == 8 && layout->ptr.bytes == 8 &&
	       (!is_alloc || (layout->bytes_req.bytes == 8 && layout->bytes_alloc.bytes == 8 &&
			      layout->gfp.bytes >= 4));
}

int kmt_formats_add(struct kmt_formats *formats, const char *name, const char *text, size_t bytes,
		    struct kmt_err *err)
{
	const struct wanted *wanted = wanted_named(name);
	KMT_CLEANUP(free_tepp) struct tep_handle *tep = NULL;
	struct kmt_layout layout = { 0 };
	struct tep_event *event;
	size_t at = formats->nr_layouts + 1;
	struct kmt_field node;
	int r;

	if (!wanted)
		return 0;
	r = parse_fields(&formats->page, name, "", text, bytes, &tep, err);
	if (r < 0)
		return r;
	event = tep_get_first_event(tep);
	r = bind_layout(wanted, event, name, &layout, err);
	if (r < 0)
		return r;
	if (event->id < 0 || event->id > UINT16_MAX || formats->by_id[event->id] ||
	    at > LAYOUTS_MAX)
		return kmt_fail(err, -EBADMSG, "%s: id %d is out of range or taken", name, event->id);
	if (wanted->kind == KMT_EVENT_KMALLOC) {
		r = bind(event, "node", name, &node, err);
		if (r < 0)
			return r;
		formats->has_late_frees = node.bytes == 0;
	}
	layout.is_plain = is_plain(&layout, &formats->page);
	formats->layouts[at] = layout;
	formats->names[at] = wanted->event;
	formats->ids[at] = (uint16_t)event->id;
	formats->by_id[event->id] = (uint8_t)at;
	formats->nr_layouts++;
	return 0;
}

static int bind_page(struct kmt_page_layout *page, const char *header_page, size_t bytes,
		     struct kmt_err *err)
{
	static const char name[] = "events/header_page";
	KMT_CLEANUP(free_tepp) struct tep_handle *tep = NULL;
	const struct tep_format_field *data;
	struct kmt_field time, commit;
	struct tep_event *event;
	int r;

	/* The page header is described in the words of an event's fields. */
	r = parse_fields(page, name, "name: header_page\nID: 1\nformat:\n", header_page, bytes, &tep,
			 err);
	if (r < 0)
		return r;
	event = tep_get_first_event(tep);
	(void)((r = bind_number(event, "timestamp", name, &time, err)) < 0 ||
	       (r = bind_number(event, "commit", name, &commit, err)) < 0);
	if (r < 0)
		return r;
	data = tep_find_any_field(event, "data");
	if (!data || data->offset < 0 || data->offset > 64 || data->size <= 0 ||
	    data->size >= 1 << 20)
		return kmt_fail(err, -EBADMSG, "%s: no data, or out of range", name);
	page->time_offset = time.offset;
	page->commit_offset = commit.offset;
	page->commit_bytes = commit.bytes;
	page->data_offset = (uint16_t)data->offset;
	page->subbuf_bytes = (uint32_t)data->offset + (uint32_t)data->size;
	if (time.bytes != 8 || time.offset + 8 > page->data_offset || commit.bytes < 4 ||
	    commit.offset + commit.bytes > page->data_offset)
		return kmt_fail(err, -EBADMSG, "%s: time and commit do not fit the header", name);
	return 0;
}

int kmt_formats_new(bool is_big_endian, uint32_t long_bytes, const char *header_page, size_t bytes,
		    struct kmt_formats **ret_formats, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = calloc(1, sizeof(*formats));
	int r;

	if (!formats)
		return kmt_fail(err, -ENOMEM, "out of memory");
	formats->page.is_big_endian = is_big_endian;
	formats->page.long_bytes = (uint8_t)long_bytes;
	r = bind_page(&formats->page, header_page, bytes, err);
	if (r < 0)
		return r;
	*ret_formats = KMT_STEAL(formats);
	return 0;
}

struct kmt_formats *kmt_formats_free(struct kmt_formats *formats)
{
	free(formats);
	return NULL;
}

const struct kmt_page_layout *kmt_formats_page(const struct kmt_formats *formats)
{
	return &formats->page;
}

size_t kmt_formats_min_record_bytes(const struct kmt_formats *formats)
{
	size_t bytes = RECORD_BYTES_MAX;

	for (size_t i = 1; i <= formats->nr_layouts; i++)
		if (formats->layouts[i].min_bytes < bytes)
			bytes = formats->layouts[i].min_bytes;
	return 4 + bytes;
}

const struct kmt_layout *kmt_formats_layout(const struct kmt_formats *formats, uint16_t common_type)
{
	return &formats->layouts[formats->by_id[common_type]];
}

const struct kmt_layout *kmt_formats_find(const struct kmt_formats *formats, const char *name,
					  uint16_t *ret_id)
{
	for (size_t i = 1; i <= formats->nr_layouts; i++)
		if (strcmp(formats->names[i], name) == 0) {
			*ret_id = formats->ids[i];
			return &formats->layouts[i];
		}
	return NULL;
}

bool kmt_formats_has_late_frees(const struct kmt_formats *formats)
{
	return formats->has_late_frees;
}
