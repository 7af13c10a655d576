// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/formats.h"

#define FORMAT_BYTES_MAX 65536u
#define RECORD_BYTES_MAX 4096u /* no kernel event of ours comes near it */
#define SUBBUF_BYTES_MAX (1u << 20)

/* What each event has, by field name. NULL: the event has none, "?NAME": not on all kernels. */
struct wanted {
	const char *event;
	uint8_t kind, space;
	const char *call_site, *ptr, *bytes_req, *bytes_alloc, *gfp;
	const char *order, *failed, *area;
	const char *text, *task_pid;
	bool is_text_needed;
};

#define PAIR_NAME_BYTES	 32
#define PAIR_EVENT_BYTES 64

/* The events of a pair, and what they have. */
struct pair {
	char name[PAIR_NAME_BYTES];
	char events[2][PAIR_EVENT_BYTES]; /* "kmemtape:pair_NAME_alloc", "..._free" */
	struct wanted wanted[2];
};

struct kmt_formats {
	struct kmt_page_layout page;
	bool has_late_frees;
	bool has_unnumbered_pages;
	struct kmt_layout layouts[KMT_LAYOUTS_MAX + 1]; /* [0]: not ours */
	const char *names[KMT_LAYOUTS_MAX + 1];
	uint16_t ids[KMT_LAYOUTS_MAX + 1];
	size_t nr_layouts;
	struct pair pairs[KMT_PAIRS_MAX];
	size_t nr_pairs;
	uint8_t by_id[65536]; /* index into layouts: common_type has 16 bits */
};

#define SLAB_ALLOC                                                        \
	.call_site = "call_site", .ptr = "ptr", .bytes_req = "bytes_req", \
	.bytes_alloc = "bytes_alloc", .gfp = "gfp_flags"
#define SLAB_FREE .call_site = "call_site", .ptr = "ptr"

static const struct wanted wanted_events[] = {
	{ "kmem:kmalloc", KMT_EVENT_KMALLOC, SLAB_ALLOC },
	{ "kmem:kmalloc_node", KMT_EVENT_KMALLOC_NODE, SLAB_ALLOC },
	{ "kmem:kmem_cache_alloc", KMT_EVENT_CACHE_ALLOC, SLAB_ALLOC, .text = "name" },
	{ "kmem:kmem_cache_alloc_node", KMT_EVENT_CACHE_ALLOC_NODE, SLAB_ALLOC, .text = "name" },
	{ "kmem:kfree", KMT_EVENT_KFREE, SLAB_FREE },
	{ "kmem:kmem_cache_free", KMT_EVENT_CACHE_FREE, SLAB_FREE, .text = "name" },
	{ "module:module_load", KMT_EVENT_MODULE_LOAD, .text = "name", .is_text_needed = true },
	{ "module:module_free", KMT_EVENT_MODULE_FREE, .text = "name", .is_text_needed = true },
	{ "task:task_newtask", KMT_EVENT_TASK_NAME, .text = "comm", .task_pid = "pid",
	  .is_text_needed = true },
	{ "task:task_rename", KMT_EVENT_TASK_NAME, .text = "newcomm", .task_pid = "pid",
	  .is_text_needed = true },
	{ "kmemtape:rcu_free", KMT_EVENT_RCU_FREE },
	{ "kmemtape:rcu_free_nolock", KMT_EVENT_RCU_FREE },
	{ "kmemtape:bulk_free", KMT_EVENT_BULK_FREE },
	{ "kmemtape:bulk_free_more", KMT_EVENT_BULK_FREE },
	/* f67bed134a05 (v5.19) added call_site, bytes_alloc and gfp_flags */
	{ "percpu:percpu_alloc_percpu", KMT_EVENT_PERCPU_ALLOC, KMT_SPACE_PERCPU,
	  .call_site = "?call_site", .ptr = "ptr", .bytes_req = "size",
	  .bytes_alloc = "?bytes_alloc", .gfp = "?gfp_flags" },
	{ "percpu:percpu_free_percpu", KMT_EVENT_PERCPU_FREE, KMT_SPACE_PERCPU, .ptr = "ptr" },
	{ "vmalloc:alloc_vmap_area", KMT_EVENT_VMALLOC, KMT_SPACE_VMALLOC, .ptr = "addr",
	  .bytes_req = "size", .bytes_alloc = "size", .failed = "failed" },
	{ "vmalloc:free_vmap_area_noflush", KMT_EVENT_VFREE, KMT_SPACE_VMALLOC, .ptr = "va_start" },
	{ "kmemtape:vma_new", KMT_EVENT_VMALLOC, KMT_SPACE_VMALLOC, .call_site = "caller",
	  .ptr = "addr", .bytes_req = "size", .bytes_alloc = "size", .area = "?area" },
	{ "kmemtape:vma_del", KMT_EVENT_VFREE, KMT_SPACE_VMALLOC, .call_site = "?call_site",
	  .ptr = "addr" },
	{ "kmem:mm_page_alloc", KMT_EVENT_PAGE_ALLOC, KMT_SPACE_PAGE, .ptr = "pfn",
	  .order = "order", .gfp = "gfp_flags" },
	{ "kmem:mm_page_free", KMT_EVENT_PAGE_FREE, KMT_SPACE_PAGE, .ptr = "pfn",
	  .order = "order" },
	{ "kmem:mm_page_free_batched", KMT_EVENT_PAGE_FREE_BATCHED, KMT_SPACE_PAGE, .ptr = "pfn" },
	{ "ftrace:kernel_stack", KMT_EVENT_STACK },
};

static const struct wanted *wanted_named(const struct kmt_formats *formats, const char *name)
{
	for (size_t i = 0; i < sizeof(wanted_events) / sizeof(wanted_events[0]); i++)
		if (strcmp(wanted_events[i].event, name) == 0)
			return &wanted_events[i];
	for (size_t i = 0; i < 2 * formats->nr_pairs; i++)
		if (strcmp(formats->pairs[i / 2].events[i % 2], name) == 0)
			return &formats->pairs[i / 2].wanted[i % 2];
	return NULL;
}

/*
 * Format files are read here and not by libtraceevent: on hostile text its parser of declarations
 * leaks memory (fuzz-formats), and we need only the four properties of fields that we know by name.
 * The tests compare with libtraceevent.
 */
struct format_text {
	const char *name; /* for messages */
	const char *text, *end;
};

/* A line "\tfield:DECLARATION;\toffset:N;\tsize:N;\tsigned:N;" of a format file */
struct format_line {
	const char *declaration, *declaration_end;
	const char *field, *field_end; /* the name that is declared */
	unsigned long long offset, size;
	bool is_signed;
};

/* Passes over @word at *@p. Return: false if there is something else. */
static bool pass(const char **p, const char *end, const char *word)
{
	size_t bytes = strlen(word);

	if ((size_t)(end - *p) < bytes || memcmp(*p, word, bytes) != 0)
		return false;
	*p += bytes;
	return true;
}

static bool pass_number(const char **p, const char *end, unsigned long long max,
			unsigned long long *ret_n)
{
	unsigned long long n = 0;
	const char *start = *p;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		n = n * 10 + (unsigned long long)(**p - '0');
		if (n > max)
			return false;
	}
	*ret_n = n;
	return *p > start;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* The last word of a declaration, an array's bounds behind it passed over. */
static bool find_name(struct format_line *line)
{
	const char *end = line->declaration_end;

	if (end > line->declaration && end[-1] == ']')
		while (end > line->declaration && *--end != '[')
			;
	line->field_end = end;
	while (end > line->declaration && is_name_char(end[-1]))
		end--;
	line->field = end;
	/* A name alone is no declaration: it has a type in front of it. */
	return line->field < line->field_end && line->field > line->declaration;
}

/* Return: false if it is no such line, to its end. */
static bool read_line(const char *p, const char *end, struct format_line *line)
{
	unsigned long long is_signed = 0;

	if (!pass(&p, end, "\tfield:"))
		return false;
	p += p < end && *p == ' '; /* header_page has one */
	line->declaration = p;
	p = memchr(p, ';', (size_t)(end - p));
	if (!p)
		return false;
	line->declaration_end = p;
	if (!find_name(line) || !pass(&p, end, ";\toffset:") ||
	    !pass_number(&p, end, RECORD_BYTES_MAX, &line->offset) || !pass(&p, end, ";\tsize:") ||
	    !pass_number(&p, end, SUBBUF_BYTES_MAX, &line->size) || !pass(&p, end, ";"))
		return false;
	if (p < end && (!pass(&p, end, "\tsigned:") || !pass_number(&p, end, 1, &is_signed) ||
			!pass(&p, end, ";"))) /* Linux 2.6.32 had no `signed` */
		return false;
	line->is_signed = is_signed;
	return p == end;
}

/* Up to the print format, which is C that nobody needs. */
static int open_text(const char *name, const char *text, size_t bytes, struct format_text *ret_text,
		     struct kmt_err *err)
{
	const char *print;

	if (bytes > FORMAT_BYTES_MAX || memchr(text, '\0', bytes))
		return kmt_fail(err, -EBADMSG, "%s: not a format file", name);
	print = memmem(text, bytes, "\nprint fmt:", strlen("\nprint fmt:"));
	if (!print && (bytes == 0 || text[bytes - 1] != '\n'))
		return kmt_fail(err, -EBADMSG, "%s: not a format file, or cut short", name);
	*ret_text = (struct format_text){ name, text, print ? print : text + bytes };
	return 0;
}

/*
 * Looks for a field, or for none (@field_name NULL), and checks all lines on the way.
 * Return: 1 found, 0 there is none, -EBADMSG.
 */
static int find_field(const struct format_text *text, const char *field_name,
		      struct format_line *ret_line, struct kmt_err *err)
{
	size_t name_bytes = field_name ? strlen(field_name) : 0;
	struct format_line line;
	int found = 0;

	for (const char *p = text->text, *end; p < text->end; p = end + 1) {
		end = memchr(p, '\n', (size_t)(text->end - p));
		if (!end)
			end = text->end;
		if (*p != '\t')
			continue;
		if (!read_line(p, end, &line))
			return kmt_fail(err, -EBADMSG, "%s: not a format file", text->name);
		if (field_name && !found && (size_t)(line.field_end - line.field) == name_bytes &&
		    memcmp(line.field, field_name, name_bytes) == 0) {
			*ret_line = line;
			found = 1;
		}
	}
	return found;
}

/* The line "ID: N" */
static int read_id(const struct format_text *text, uint16_t *ret_id, struct kmt_err *err)
{
	const char *p =
		memmem(text->text, (size_t)(text->end - text->text), "\nID: ", strlen("\nID: "));
	unsigned long long id = 0;

	if (!p)
		return kmt_fail(err, -EBADMSG, "%s: not a format file", text->name);
	p += strlen("\nID: ");
	if (!pass_number(&p, text->end, UINT16_MAX, &id) || p == text->end || *p != '\n')
		return kmt_fail(err, -EBADMSG, "%s: its id is out of range", text->name);
	*ret_id = (uint16_t)id;
	return 0;
}

static bool begins_with(const struct format_line *line, const char *word)
{
	const char *p = line->declaration;

	return pass(&p, line->declaration_end, word);
}

/* Return: 0, also if there is no such field (then *ret_field stays empty); -EBADMSG. */
static int bind(const struct format_text *text, const char *field_name, struct kmt_field *ret_field,
		struct kmt_err *err)
{
	struct format_line line;
	bool is_located;
	int r;

	*ret_field = (struct kmt_field){ 0 };
	if (!field_name)
		return 0;
	r = find_field(text, field_name, &line, err);
	if (r <= 0)
		return r;
	is_located = begins_with(&line, "__data_loc ") || begins_with(&line, "__rel_loc ");
	if (line.size == 0 || line.offset + line.size > RECORD_BYTES_MAX)
		return kmt_fail(err, -EBADMSG, "%s: field '%s' is out of range", text->name,
				field_name);
	if (is_located && line.size != 4)
		return kmt_fail(err, -EBADMSG, "%s: field '%s': a __data_loc of %llu bytes",
				text->name, field_name, line.size);
	*ret_field = (struct kmt_field){
		.offset = (uint16_t)line.offset,
		.bytes = (uint16_t)line.size,
		.is_signed = line.is_signed,
		.is_data_loc = is_located,
		.is_rel_loc = begins_with(&line, "__rel_loc "),
	};
	return 0;
}

/* A field that must be there, and be a number. */
static int bind_number(const struct format_text *text, const char *field_name,
		       struct kmt_field *ret_field, struct kmt_err *err)
{
	int r = bind(text, field_name, ret_field, err);

	if (r < 0)
		return r;
	if (ret_field->bytes == 0)
		return kmt_fail(err, -EBADMSG, "%s: has no field '%s'", text->name, field_name);
	if (ret_field->is_data_loc || ret_field->bytes > 8 ||
	    (ret_field->bytes & (ret_field->bytes - 1)))
		return kmt_fail(err, -EBADMSG, "%s: field '%s' is no number", text->name,
				field_name);
	return 0;
}

static void need(struct kmt_layout *layout, const struct kmt_field *field)
{
	unsigned int end = (unsigned int)field->offset + field->bytes;

	if (field->bytes && end > layout->min_bytes)
		layout->min_bytes = (uint16_t)end;
}

/* A field that need not be there, but is a number if it is. */
static int bind_optional(const struct format_text *text, const char *field_name,
			 struct kmt_field *ret_field, struct kmt_err *err)
{
	int r = bind(text, field_name, ret_field, err);

	return r < 0 || ret_field->bytes == 0 ? r : bind_number(text, field_name, ret_field, err);
}

static int bind_rcu(const struct format_text *text, struct kmt_layout *layout, struct kmt_err *err)
{
	static const char *const meanings[] = {
		[KMT_RCU_POINTER] = "ptr",
		[KMT_RCU_OFFSET] = "func",
		[KMT_RCU_EITHER] = "ptr_or_func",
	};
	int r;

	(void)((r = bind_number(text, "head", &layout->head, err)) < 0 ||
	       (r = bind_optional(text, "call_site", &layout->call_site, err)) < 0);
	for (uint8_t i = 0; r == 0 && layout->ptr.bytes == 0; i++) {
		if (i == sizeof(meanings) / sizeof(meanings[0]))
			return kmt_fail(err, -EBADMSG, "%s: has no field that tells the object",
					text->name);
		r = bind_optional(text, meanings[i], &layout->ptr, err);
		layout->rcu_meaning = i;
	}
	need(layout, &layout->head);
	need(layout, &layout->call_site);
	need(layout, &layout->ptr);
	return r;
}

/* "p16", an array of addresses. All lines were read before. */
static bool find_pointers(const struct format_text *text, struct format_line *line,
			  unsigned long long *ret_first)
{
	for (const char *p = text->text, *end; p < text->end; p = end + 1) {
		const char *digits;

		end = memchr(p, '\n', (size_t)(text->end - p));
		if (!end)
			end = text->end;
		if (*p != '\t' || !read_line(p, end, line) || *line->field != 'p')
			continue;
		digits = line->field + 1;
		if (pass_number(&digits, line->field_end, UINT16_MAX, ret_first) &&
		    digits == line->field_end)
			return true;
	}
	return false;
}

static int bind_pointers(const struct format_text *text, uint32_t long_bytes,
			 struct kmt_layout *layout, struct kmt_err *err)
{
	unsigned long long first = 0;
	struct format_line line;

	if (!find_pointers(text, &line, &first))
		return kmt_fail(err, -EBADMSG, "%s: has no array of pointers", text->name);
	if (line.size == 0 || line.size % long_bytes || line.offset + line.size > RECORD_BYTES_MAX)
		return kmt_fail(err, -EBADMSG, "%s: its array is out of range", text->name);
	layout->ptr = (struct kmt_field){ .offset = (uint16_t)line.offset,
					  .bytes = (uint16_t)long_bytes };
	layout->first = (uint16_t)first;
	layout->nr_pointers = (uint16_t)(line.size / long_bytes);
	if (line.offset + line.size > layout->min_bytes)
		layout->min_bytes = (uint16_t)(line.offset + line.size);
	return 0;
}

static int bind_bulk(const struct format_text *text, uint32_t long_bytes, struct kmt_layout *layout,
		     struct kmt_err *err)
{
	int r;

	(void)((r = bind_number(text, "n", &layout->nr, err)) < 0 ||
	       (r = bind_optional(text, "cache", &layout->cache, err)) < 0 ||
	       (r = bind_optional(text, "call_site", &layout->call_site, err)) < 0);
	need(layout, &layout->nr);
	need(layout, &layout->cache);
	need(layout, &layout->call_site);
	return r < 0 ? r : bind_pointers(text, long_bytes, layout, err);
}

/* "?call_site": need not be there */
static int bind_wanted(const struct format_text *text, const char *field_name,
		       struct kmt_layout *layout, struct kmt_field *field, struct kmt_err *err)
{
	int r;

	if (!field_name)
		return 0;
	r = *field_name == '?' ? bind_optional(text, field_name + 1, field, err)
			       : bind_number(text, field_name, field, err);
	need(layout, field);
	return r;
}

/*
 * A declaration of 8 frames (of none until about Linux 5.12, which wrote just as many) of which
 * there are as many as `size` says: only the first is bound.
 */
static int bind_stack(const struct format_text *text, uint32_t long_bytes,
		      struct kmt_layout *layout, struct kmt_err *err)
{
	struct format_line line = { 0 };
	int r;

	(void)((r = bind_number(text, "size", &layout->nr, err)) < 0 ||
	       (r = find_field(text, "caller", &line, err)) < 0);
	if (r < 0)
		return r;
	if (r == 0 || begins_with(&line, "__data_loc ") || begins_with(&line, "__rel_loc ") ||
	    line.offset == 0)
		return kmt_fail(err, -EBADMSG, "%s: has no array of callers", text->name);
	layout->frames = (struct kmt_field){ .offset = (uint16_t)line.offset,
					     .bytes = (uint16_t)long_bytes };
	need(layout, &layout->nr);
	if (layout->frames.offset > layout->min_bytes)
		layout->min_bytes = layout->frames.offset;
	return 0;
}

static int bind_text(const struct wanted *wanted, const struct format_text *text,
		     struct kmt_layout *layout, struct kmt_err *err)
{
	int r = bind(text, wanted->text, &layout->text, err);

	if (r < 0)
		return r;
	if (wanted->is_text_needed && layout->text.bytes == 0)
		return kmt_fail(err, -EBADMSG, "%s: has no field '%s'", text->name, wanted->text);
	need(layout, &layout->text);
	/* Where task_rename has no `pid`, it is the task that runs. */
	r = bind(text, wanted->task_pid, &layout->task_pid, err);
	if (r < 0)
		return r;
	if (layout->task_pid.bytes == 0)
		layout->task_pid = layout->pid;
	need(layout, &layout->task_pid);
	if (layout->task_pid.bytes > 8 || layout->task_pid.is_data_loc)
		return kmt_fail(err, -EBADMSG, "%s: field 'pid' is no number", text->name);
	return 0;
}

static int bind_layout(const struct wanted *wanted, const struct format_text *text,
		       uint32_t long_bytes, struct kmt_layout *layout, struct kmt_err *err)
{
	struct {
		const char *field_name;
		struct kmt_field *field;
	} numbers[] = {
		{ "common_pid", &layout->pid },
		{ "common_flags", &layout->flags },
		{ wanted->call_site, &layout->call_site },
		{ wanted->ptr, &layout->ptr },
		{ wanted->bytes_req, &layout->bytes_req },
		{ wanted->bytes_alloc, &layout->bytes_alloc },
		{ wanted->gfp, &layout->gfp },
		{ wanted->order, &layout->order },
		{ wanted->failed, &layout->failed },
		{ wanted->area, &layout->area },
	};
	struct kmt_field type;
	int r;

	r = bind_number(text, "common_type", &type, err);
	if (r < 0)
		return r;
	if (type.offset != 0 || type.bytes != 2)
		return kmt_fail(err, -EBADMSG, "%s: common_type is not the first field",
				text->name);
	layout->kind = wanted->kind;
	layout->space = wanted->space;
	for (size_t i = 0; r == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		r = bind_wanted(text, numbers[i].field_name, layout, numbers[i].field, err);
	if (r == 0 && wanted->kind == KMT_EVENT_RCU_FREE)
		r = bind_rcu(text, layout, err);
	if (r == 0 && wanted->kind == KMT_EVENT_BULK_FREE)
		r = bind_bulk(text, long_bytes, layout, err);
	if (r == 0 && wanted->kind == KMT_EVENT_STACK)
		r = bind_stack(text, long_bytes, layout, err);
	/* What a probe at the return of a function has without being asked. */
	if (r == 0 && wanted->kind == KMT_EVENT_PAIR_ALLOC && layout->call_site.bytes == 0)
		r = bind_wanted(text, "?__probe_ret_ip", layout, &layout->call_site, err);
	return r < 0 ? r : bind_text(wanted, text, layout, err);
}

static bool is_plain(const struct kmt_layout *layout, const struct kmt_page_layout *page)
{
	bool is_alloc = layout->bytes_alloc.bytes;

	return layout->kind >= KMT_EVENT_KMALLOC && layout->kind <= KMT_EVENT_CACHE_FREE &&
	       !page->is_big_endian && layout->pid.bytes == 4 && layout->flags.bytes == 1 &&
	       layout->call_site.bytes == 8 && layout->ptr.bytes == 8 &&
	       (is_alloc ? layout->bytes_req.bytes == 8 && layout->bytes_alloc.bytes == 8 &&
				   layout->gfp.bytes >= 4
			 : !layout->bytes_req.bytes && !layout->gfp.bytes);
}

/* Of the events that show a part of what kmem_cache_free_bulk() was given, the one with the end. */
static void mark_last(struct kmt_formats *formats)
{
	unsigned int end = 0;

	for (size_t i = 1; i <= formats->nr_layouts; i++) {
		const struct kmt_layout *layout = &formats->layouts[i];

		if (layout->kind == KMT_EVENT_BULK_FREE &&
		    layout->first + layout->nr_pointers > end)
			end = (unsigned int)layout->first + layout->nr_pointers;
	}
	for (size_t i = 1; i <= formats->nr_layouts; i++)
		formats->layouts[i].is_last =
			(unsigned int)formats->layouts[i].first + formats->layouts[i].nr_pointers ==
			end;
}

/*
 * Linux 9fdd8a875c6f (v4.0) made page frame numbers of the pages' addresses. How large a struct
 * page was is not on the tape, so that there is no telling which pages a block is made of.
 */
static int has_page_addresses(const struct wanted *wanted, const struct format_text *text,
			      struct kmt_err *err)
{
	struct format_line line;
	int r;

	if (wanted->space != KMT_SPACE_PAGE)
		return 0;
	r = find_field(text, "pfn", &line, err);
	return r != 0 ? (r < 0 ? r : 0) : find_field(text, "page", &line, err);
}

int kmt_formats_add(struct kmt_formats *formats, const char *name, const char *text, size_t bytes,
		    struct kmt_err *err)
{
	const struct wanted *wanted = wanted_named(formats, name);
	struct kmt_layout layout = { 0 };
	size_t at = formats->nr_layouts + 1;
	struct format_text format;
	struct kmt_field node;
	uint16_t id = 0;
	int r;

	if (!wanted)
		return 0;
	(void)((r = open_text(name, text, bytes, &format, err)) < 0 ||
	       (r = find_field(&format, NULL, NULL, err)) < 0 ||
	       (r = has_page_addresses(wanted, &format, err)) < 0);
	if (r != 0) {
		formats->has_unnumbered_pages |= r > 0;
		return r < 0 ? r : 0;
	}
	(void)((r = read_id(&format, &id, err)) < 0 ||
	       (r = bind_layout(wanted, &format, formats->page.long_bytes, &layout, err)) < 0 ||
	       (r = bind(&format, "node", &node, err)) < 0);
	if (r < 0)
		return r;
	if (formats->by_id[id] || at > KMT_LAYOUTS_MAX)
		return kmt_fail(err, -EBADMSG, "%s: id %u is taken", name, id);
	if (wanted->kind == KMT_EVENT_KMALLOC)
		formats->has_late_frees = node.bytes == 0;
	layout.is_plain = is_plain(&layout, &formats->page);
	formats->layouts[at] = layout;
	formats->names[at] = wanted->event;
	formats->ids[at] = id;
	formats->by_id[id] = (uint8_t)at;
	formats->nr_layouts++;
	mark_last(formats);
	return 0;
}

void kmt_formats_set_pairs(struct kmt_formats *formats, const char *const *names, size_t nr)
{
	static const char *const ends[2] = { "alloc", "free" };

	assert(nr <= KMT_PAIRS_MAX && formats->nr_layouts == 0);
	for (size_t i = 0; i < 2 * nr; i++) {
		struct pair *pair = &formats->pairs[i / 2];
		bool is_free = i % 2;

		(void)snprintf(pair->name, sizeof(pair->name), "%s", names[i / 2]);
		(void)snprintf(pair->events[is_free], sizeof(pair->events[is_free]),
			       "kmemtape:pair_%.*s_%s", PAIR_NAME_BYTES - 1, names[i / 2],
			       ends[is_free]);
		pair->wanted[is_free] = (struct wanted){
			.event = pair->events[is_free],
			.kind = is_free ? KMT_EVENT_PAIR_FREE : KMT_EVENT_PAIR_ALLOC,
			.space = (uint8_t)(KMT_SPACE_PAIR + i / 2),
			.call_site = "?call_site",
			.ptr = "object",
		};
	}
	formats->nr_pairs = nr;
}

const char *kmt_formats_pair(const struct kmt_formats *formats, uint32_t space)
{
	return space >= KMT_SPACE_PAIR && space - KMT_SPACE_PAIR < formats->nr_pairs
		       ? formats->pairs[space - KMT_SPACE_PAIR].name
		       : NULL;
}

/* The page header is described in the words of an event's fields. */
static int bind_page(struct kmt_page_layout *page, const char *header_page, size_t bytes,
		     struct kmt_err *err)
{
	static const char name[] = "events/header_page";
	struct kmt_field time, commit;
	struct format_text format;
	struct format_line data;
	int r;

	(void)((r = open_text(name, header_page, bytes, &format, err)) < 0 ||
	       (r = bind_number(&format, "timestamp", &time, err)) < 0 ||
	       (r = bind_number(&format, "commit", &commit, err)) < 0 ||
	       (r = find_field(&format, "data", &data, err)) < 0);
	if (r < 0)
		return r;
	if (r == 0 || data.offset > 64 || data.size == 0 ||
	    data.offset + data.size > SUBBUF_BYTES_MAX)
		return kmt_fail(err, -EBADMSG, "%s: no data, or out of range", name);
	page->time_offset = time.offset;
	page->commit_offset = commit.offset;
	page->commit_bytes = commit.bytes;
	page->data_offset = (uint16_t)data.offset;
	page->subbuf_bytes = (uint32_t)(data.offset + data.size);
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

const uint8_t *kmt_formats_numbers(const struct kmt_formats *formats)
{
	return formats->by_id;
}

const struct kmt_layout *kmt_formats_at(const struct kmt_formats *formats, unsigned int number)
{
	return &formats->layouts[number];
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

static bool has_kind(const struct kmt_formats *formats, enum kmt_event_kind kind)
{
	for (size_t i = 1; i <= formats->nr_layouts; i++)
		if (formats->layouts[i].kind == kind)
			return true;
	return false;
}

bool kmt_formats_has_stacks(const struct kmt_formats *formats)
{
	return has_kind(formats, KMT_EVENT_STACK);
}

bool kmt_formats_has_unnumbered_pages(const struct kmt_formats *formats)
{
	return formats->has_unnumbered_pages;
}

bool kmt_formats_has_rcu_probe(const struct kmt_formats *formats)
{
	return has_kind(formats, KMT_EVENT_RCU_FREE);
}

bool kmt_formats_has_free_probes(const struct kmt_formats *formats)
{
	return has_kind(formats, KMT_EVENT_RCU_FREE) && has_kind(formats, KMT_EVENT_BULK_FREE);
}

bool kmt_formats_has_late_frees(const struct kmt_formats *formats)
{
	return formats->has_late_frees;
}
