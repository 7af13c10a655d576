// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>

#include <traceevent/event-parse.h>

#include "kmemtape/formats.h"
#include "kmemtape/gfp.h"

#include "check.h"
#include "fixture.h"

static const struct kmt_layout *layout(struct kmt_formats *formats, const char *event)
{
	uint16_t id;
	const struct kmt_layout *found = kmt_formats_find(formats, event, &id);

	if (!found)
		fail_msg("%s is not there", event);
	CHECK(kmt_formats_layout(formats, id) == found);
	return found;
}

static void check_field(const struct kmt_field *field, uint16_t offset, uint16_t bytes)
{
	CHECK_EQ(field->offset, offset);
	CHECK_EQ(field->bytes, bytes);
}

#define FORMATS(kernel, is_big_endian, long_bytes) \
	KMT_CLEANUP(kmt_formats_freep)             \
	struct kmt_formats *formats = load_formats(kernel, is_big_endian, long_bytes)

TEST(fields_of_6_1_are_where_they_were_measured)
{
	FORMATS("6.1", false, 8);
	const struct kmt_layout *alloc = layout(formats, "kmem:kmem_cache_alloc");

	check_field(&alloc->call_site, 8, 8);
	check_field(&alloc->ptr, 16, 8);
	check_field(&alloc->bytes_req, 24, 8);
	check_field(&alloc->bytes_alloc, 32, 8);
	check_field(&alloc->gfp, 40, 8);
	CHECK_EQ(alloc->text.bytes, 0); /* the allocation doesn't tell its cache */
	CHECK(alloc->is_plain);
	CHECK_EQ(layout(formats, "kmem:kmem_cache_free")->text.offset, 24);
	CHECK(layout(formats, "kmem:kmem_cache_free")->text.is_data_loc);
	CHECK(!kmt_formats_has_late_frees(formats));
}

TEST(fields_of_6_12_are_where_they_were_measured)
{
	FORMATS("6.12", false, 8);
	check_field(&layout(formats, "kmem:kmem_cache_alloc")->bytes_req, 24, 8);
	check_field(&layout(formats, "kmem:kmalloc")->bytes_alloc, 32, 8);
	check_field(&layout(formats, "kmem:kfree")->ptr, 16, 8);
}

TEST(the_cache_name_of_6_18_moves_the_sizes)
{
	FORMATS("6.18", false, 8);
	const struct kmt_layout *alloc = layout(formats, "kmem:kmem_cache_alloc");

	check_field(&alloc->text, 24, 4);
	CHECK(alloc->text.is_data_loc && !alloc->text.is_rel_loc);
	check_field(&alloc->bytes_req, 32, 8);
	check_field(&alloc->bytes_alloc, 40, 8);
	CHECK_EQ(alloc->min_bytes, 56); /* up to gfp_flags: what we read */
	check_field(&layout(formats, "kmem:kmalloc")->bytes_req, 24, 8);
	CHECK_EQ(layout(formats, "kmem:kmalloc")->text.bytes, 0);
}

TEST(old_kernels_have_node_events_and_late_frees)
{
	FORMATS("3.10", false, 8);
	CHECK_EQ(layout(formats, "kmem:kmalloc_node")->kind, KMT_EVENT_KMALLOC_NODE);
	CHECK_EQ(layout(formats, "kmem:kmem_cache_alloc_node")->kind, KMT_EVENT_CACHE_ALLOC_NODE);
	check_field(&layout(formats, "kmem:kmalloc")->gfp, 40, 4);
	CHECK_EQ(layout(formats, "kmem:kmem_cache_free")->text.bytes, 0);
	CHECK(kmt_formats_has_late_frees(formats));
}

TEST(a_32_bit_kernel_has_4_byte_pointers)
{
	FORMATS("i386", false, 4);
	const struct kmt_layout *alloc = layout(formats, "kmem:kmalloc");
	const struct kmt_page_layout *page = kmt_formats_page(formats);

	CHECK_EQ(alloc->call_site.bytes, 4);
	CHECK_EQ(alloc->ptr.bytes, 4);
	CHECK(!alloc->is_plain);
	CHECK_EQ(page->data_offset, 12);
	CHECK_EQ(page->commit_bytes, 4);
	CHECK_EQ(page->subbuf_bytes, 4096);
}

TEST(a_big_endian_kernel_is_not_plain)
{
	FORMATS("s390x", true, 8);
	CHECK(!layout(formats, "kmem:kmalloc")->is_plain);
	CHECK(kmt_formats_page(formats)->is_big_endian);
}

TEST(sub_buffers_have_the_size_that_the_header_page_says)
{
	FORMATS("6.18-64k", false, 8);
	CHECK_EQ(kmt_formats_page(formats)->subbuf_bytes, 65536);
	CHECK_EQ(kmt_formats_page(formats)->data_offset, 16);
	CHECK_EQ(kmt_formats_page(formats)->commit_offset, 8);
	CHECK_EQ(kmt_formats_page(formats)->commit_bytes, 8);
}

TEST(tasks_and_modules_are_bound_by_name)
{
	FORMATS("6.18", false, 8);
	check_field(&layout(formats, "task:task_rename")->text, 28, 16);
	CHECK(!layout(formats, "task:task_rename")->text.is_data_loc);
	check_field(&layout(formats, "task:task_rename")->task_pid, 8, 4);
	check_field(&layout(formats, "task:task_newtask")->text, 12, 16);
	check_field(&layout(formats, "module:module_load")->text, 12, 4);
}

/* Every number of every fixture, read by libtraceevent. */
static void compare(struct kmt_formats *formats, const char *path, const char *event,
		    uint32_t long_bytes)
{
	static const char *const names[] = { "common_pid", "common_flags", "call_site", "ptr",
					     "bytes_req",  "bytes_alloc",  "gfp_flags" };
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	const struct kmt_layout *ours;
	struct tep_event *theirs;
	struct tep_handle *tep;
	size_t bytes;
	uint16_t id;

	text = read_fixture(path, &bytes);
	if (!text)
		return; /* this kernel lacks it */
	tep = tep_alloc();
	CHECK(tep);
	tep_set_loglevel(TEP_LOG_NONE);
	tep_set_long_size(tep, (int)long_bytes);
	CHECK_EQ(tep_parse_event(tep, text, bytes, "x"), 0);
	theirs = tep_get_first_event(tep);
	ours = kmt_formats_find(formats, event, &id);
	CHECK(ours);
	CHECK_EQ(id, theirs->id);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct kmt_field *fields[] = { &ours->pid,       &ours->flags,
						     &ours->call_site, &ours->ptr,
						     &ours->bytes_req, &ours->bytes_alloc,
						     &ours->gfp };
		const struct tep_format_field *field = tep_find_any_field(theirs, names[i]);

		if (fields[i] == &ours->ptr && strncmp(event, "kmemtape:", 9) == 0)
			continue; /* it has another name */
		CHECK_EQ(fields[i]->bytes, field ? field->size : 0);
		if (!field)
			continue;
		CHECK_EQ(fields[i]->offset, field->offset);
		CHECK_EQ(fields[i]->is_signed, (field->flags & TEP_FIELD_IS_SIGNED) != 0);
	}
	tep_free(tep);
}

static const struct {
	const char *kernel;
	bool is_big_endian;
	uint32_t long_bytes;
} fixtures[] = {
	{ "3.10", false, 8 }, { "5.12", false, 8 }, { "6.1", false, 8 },  { "6.12", false, 8 },
	{ "6.18", false, 8 }, { "i386", false, 4 }, { "s390x", true, 8 }, { "6.18-64k", false, 8 },
};

TEST(libtraceevent_reads_the_same_from_every_fixture)
{
	for (size_t k = 0; k < sizeof(fixtures) / sizeof(fixtures[0]); k++) {
		FORMATS(fixtures[k].kernel, fixtures[k].is_big_endian, fixtures[k].long_bytes);

		for (size_t i = 0; i < NR_FIXTURE_EVENTS; i++) {
			char path[256];

			(void)snprintf(path, sizeof(path), "formats/%s/%s/format",
				       fixtures[k].kernel, fixture_events[i]);
			*strchr(path, ':') = '/';
			compare(formats, path, fixture_events[i], fixtures[k].long_bytes);
		}
	}
}

/* What the fields of other spaces' events are called. */
static const struct {
	const char *event, *name;
	size_t field;
} other_fields[] = {
#define FIELD(field) offsetof(struct kmt_layout, field)
	{ "kmem:mm_page_alloc", "pfn", FIELD(ptr) },
	{ "kmem:mm_page_alloc", "order", FIELD(order) },
	{ "kmem:mm_page_alloc", "gfp_flags", FIELD(gfp) },
	{ "kmem:mm_page_free", "pfn", FIELD(ptr) },
	{ "kmem:mm_page_free", "order", FIELD(order) },
	{ "kmem:mm_page_free_batched", "pfn", FIELD(ptr) },
	{ "percpu:percpu_alloc_percpu", "call_site", FIELD(call_site) },
	{ "percpu:percpu_alloc_percpu", "ptr", FIELD(ptr) },
	{ "percpu:percpu_alloc_percpu", "size", FIELD(bytes_req) },
	{ "percpu:percpu_alloc_percpu", "bytes_alloc", FIELD(bytes_alloc) },
	{ "percpu:percpu_alloc_percpu", "gfp_flags", FIELD(gfp) },
	{ "percpu:percpu_free_percpu", "ptr", FIELD(ptr) },
	{ "vmalloc:alloc_vmap_area", "addr", FIELD(ptr) },
	{ "vmalloc:alloc_vmap_area", "size", FIELD(bytes_alloc) },
	{ "vmalloc:alloc_vmap_area", "failed", FIELD(failed) },
	{ "vmalloc:free_vmap_area_noflush", "va_start", FIELD(ptr) },
	{ "kmemtape:vma_new", "addr", FIELD(ptr) },
	{ "kmemtape:vma_new", "size", FIELD(bytes_alloc) },
	{ "kmemtape:vma_new", "caller", FIELD(call_site) },
	{ "kmemtape:vma_del", "addr", FIELD(ptr) },
	{ "kmemtape:vma_del", "call_site", FIELD(call_site) },
	{ "ftrace:kernel_stack", "size", FIELD(nr) },
#undef FIELD
};

static void compare_other(struct kmt_formats *formats, struct tep_handle *tep, const char *kernel,
			  size_t i)
{
	const struct kmt_field *ours;
	const struct tep_format_field *theirs;
	const struct kmt_layout *found;
	char path[256];
	size_t bytes;
	uint16_t id;

	(void)snprintf(path, sizeof(path), "formats/%s/%s/format", kernel, other_fields[i].event);
	*strchr(path, ':') = '/';
	KMT_CLEANUP(kmt_freep) char *text = read_fixture(path, &bytes);

	if (!text)
		return; /* this kernel lacks it */
	(void)tep_parse_event(tep, text, bytes, kernel);
	found = kmt_formats_find(formats, other_fields[i].event, &id);
	if (!found && strcmp(kernel, "3.10") == 0)
		return; /* is none: see below */
	CHECK(found);
	theirs = tep_find_field(tep_find_event(tep, id), other_fields[i].name);
	ours = (const struct kmt_field *)((const char *)found + other_fields[i].field);
	CHECK_EQ(ours->bytes, theirs ? theirs->size : 0);
	CHECK_EQ(ours->offset, theirs ? theirs->offset : 0);
}

TEST(libtraceevent_finds_the_same_of_pages_areas_and_per_cpu_memory)
{
	for (size_t k = 0; k < sizeof(fixtures) / sizeof(fixtures[0]); k++) {
		FORMATS(fixtures[k].kernel, fixtures[k].is_big_endian, fixtures[k].long_bytes);
		struct tep_handle *tep = tep_alloc();

		CHECK(tep);
		tep_set_loglevel(TEP_LOG_NONE);
		tep_set_long_size(tep, (int)fixtures[k].long_bytes);
		add_fixtures(formats, fixtures[k].kernel, other_fixture_events,
			     NR_OTHER_FIXTURE_EVENTS);
		for (size_t i = 0; i < sizeof(other_fields) / sizeof(other_fields[0]); i++)
			compare_other(formats, tep, fixtures[k].kernel, i);
		tep_free(tep);
	}
}

TEST(frames_begin_behind_their_number_whatever_is_declared)
{
	for (size_t k = 0; k < sizeof(fixtures) / sizeof(fixtures[0]); k++) {
		FORMATS(fixtures[k].kernel, fixtures[k].is_big_endian, fixtures[k].long_bytes);

		add_fixtures(formats, fixtures[k].kernel, other_fixture_events,
			     NR_OTHER_FIXTURE_EVENTS);
		CHECK(kmt_formats_has_stacks(formats));
		check_field(&layout(formats, "ftrace:kernel_stack")->frames,
			    fixtures[k].long_bytes == 4 ? 12 : 16,
			    (uint16_t)fixtures[k].long_bytes);
		CHECK_EQ(layout(formats, "ftrace:kernel_stack")->min_bytes,
			 fixtures[k].long_bytes == 4 ? 12 : 16);
	}
}

/* The address of a struct page, taken for a frame number, would make any page of any block. */
TEST(page_events_without_frame_numbers_are_passed_over)
{
	FORMATS("3.10", false, 8);
	uint16_t id;

	CHECK(!kmt_formats_has_unnumbered_pages(formats));
	add_fixtures(formats, "3.10", other_fixture_events, NR_OTHER_FIXTURE_EVENTS);
	CHECK(kmt_formats_has_unnumbered_pages(formats));
	CHECK(!kmt_formats_find(formats, "kmem:mm_page_alloc", &id));
	CHECK(!kmt_formats_find(formats, "kmem:mm_page_free", &id));
	CHECK(!kmt_formats_find(formats, "kmem:mm_page_free_batched", &id));
}

/* Texts by hand: a kfree, whose fields the tests change. */
static const char page_text[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";

static const char free_text[] =
	"name: kmem_cache_free\nID: 17\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:unsigned long call_site;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:const void * ptr;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:__data_loc char[] name;\toffset:24;\tsize:4;\tsigned:0;\n\n"
	"print fmt: \"ptr=%p\", REC->ptr\n";

static char *with(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);
	char *changed = NULL;

	if (!at)
		fail_msg("the fixture has no '%s'", old);
	CHECK(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) > 0);
	return changed;
}

static struct kmt_formats *empty(void)
{
	struct kmt_formats *formats;

	CHECK_EQ(kmt_formats_new(false, 8, page_text, strlen(page_text), &formats, NULL), 0);
	return formats;
}

/* The fields of a probe that are called differently on each kernel. */
static void check_probe(const char *kernel, bool is_big_endian, uint32_t long_bytes,
			enum kmt_rcu_meaning meaning, unsigned int head_at)
{
	FORMATS(kernel, is_big_endian, long_bytes);
	const struct kmt_layout *rcu = layout(formats, "kmemtape:rcu_free");
	const struct kmt_layout *bulk = layout(formats, "kmemtape:bulk_free");
	const struct kmt_layout *more = layout(formats, "kmemtape:bulk_free_more");

	CHECK(kmt_formats_has_free_probes(formats) && kmt_formats_has_rcu_probe(formats));
	CHECK_EQ(rcu->rcu_meaning, meaning);
	check_field(&rcu->head, head_at, long_bytes);
	check_field(&rcu->ptr, head_at + long_bytes, long_bytes);
	CHECK_EQ(rcu->min_bytes, head_at + 2 * long_bytes);
	check_field(&bulk->cache, head_at, long_bytes);
	check_field(&bulk->nr, head_at + long_bytes, long_bytes);
	check_field(&bulk->ptr, head_at + 2 * long_bytes, long_bytes);
	CHECK_EQ(bulk->first, 0);
	CHECK_EQ(bulk->nr_pointers, 16);
	CHECK_EQ(bulk->min_bytes, head_at + 18 * long_bytes);
	CHECK_EQ(more->first, 16);
	CHECK_EQ(more->nr_pointers, 48);
	CHECK(!bulk->is_last && more->is_last && !bulk->is_plain);
}

TEST(what_probes_recorded_is_told_by_the_names_of_their_fields)
{
	check_probe("5.12", false, 8, KMT_RCU_OFFSET, 24);
	check_probe("6.1", false, 8, KMT_RCU_OFFSET, 24);
	check_probe("6.12", false, 8, KMT_RCU_POINTER, 24);
	check_probe("i386", false, 4, KMT_RCU_EITHER, 16);
	check_probe("s390x", true, 8, KMT_RCU_OFFSET, 16);
}

TEST(free_probes_are_those_of_both_kinds)
{
	static const char *const events[] = { "kmemtape:rcu_free", "kmemtape:bulk_free" };
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = empty();
	uint16_t id;

	for (size_t i = 0; i < 2; i++) {
		KMT_CLEANUP(kmt_freep) char *text = NULL;
		char path[256];
		size_t bytes;

		CHECK(!kmt_formats_has_free_probes(formats));
		(void)snprintf(path, sizeof(path), "formats/6.1/%s/format", events[i]);
		*strchr(path, ':') = '/';
		text = read_fixture(path, &bytes);
		CHECK_EQ(kmt_formats_add(formats, events[i], text, bytes, NULL), 0);
	}
	CHECK(kmt_formats_has_free_probes(formats));
	/* Alone, it has to count what it can't show. */
	CHECK(kmt_formats_find(formats, "kmemtape:bulk_free", &id)->is_last);
}

static int add_probe(const char *event, const char *old, const char *new)
{
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = empty();
	KMT_CLEANUP(kmt_freep) char *text = NULL, *changed = NULL;
	char path[256];
	size_t bytes;

	(void)snprintf(path, sizeof(path), "formats/6.1/%s/format", event);
	*strchr(path, ':') = '/';
	text = read_fixture(path, &bytes);
	changed = with(text, old, new);
	return kmt_formats_add(formats, event, changed, strlen(changed), NULL);
}

TEST(a_probe_that_does_not_tell_its_objects_is_refused)
{
	CHECK_EQ(add_probe("kmemtape:rcu_free", "u64 func", "u64 ptr"), 0);
	CHECK_EQ(add_probe("kmemtape:rcu_free", "u64 func", "u64 arg2"), -EBADMSG);
	CHECK_EQ(add_probe("kmemtape:rcu_free", "u64 head", "u64 arg1"), -EBADMSG);
	CHECK_EQ(add_probe("kmemtape:rcu_free", "offset:32;\tsize:8", "offset:32;\tsize:7"),
		 -EBADMSG);
	CHECK_EQ(add_probe("kmemtape:rcu_free", "u64 call_site", "u64 other"), 0);
	CHECK_EQ(add_probe("kmemtape:bulk_free", "u64 cache", "u64 other"), 0);
	CHECK_EQ(add_probe("kmemtape:bulk_free", "u64 n;", "u64 number;"), -EBADMSG);
	CHECK_EQ(add_probe("kmemtape:bulk_free", "p0[]", "p7[16]"), 0);
	CHECK_EQ(add_probe("kmemtape:bulk_free", "p0[]", "q0[]"), -EBADMSG);
	CHECK_EQ(add_probe("kmemtape:bulk_free", "p0[]", "p0x[]"), -EBADMSG);
	CHECK_EQ(add_probe("kmemtape:bulk_free", "p0[]", "p[]"), -EBADMSG);
	CHECK_EQ(add_probe("kmemtape:bulk_free", "p0[]", "p70000[]"), -EBADMSG);
	CHECK_EQ(add_probe("kmemtape:bulk_free", "size:128", "size:127"), -EBADMSG);
	CHECK_EQ(add_probe("kmemtape:bulk_free", "size:128", "size:0"), -EBADMSG);
	CHECK_EQ(add_probe("kmemtape:bulk_free", "size:128", "size:65536"), -EBADMSG);
}

/* What kmt_formats_add() says to a free whose text is changed; @ret_layout may be NULL. */
static int add_changed(const char *old, const char *new, struct kmt_layout *ret_layout,
		       struct kmt_err *err)
{
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = empty();
	KMT_CLEANUP(kmt_freep) char *text = with(free_text, old, new);
	uint16_t id;
	int r = kmt_formats_add(formats, "kmem:kmem_cache_free", text, strlen(text), err);

	if (r == 0 && ret_layout)
		*ret_layout = *kmt_formats_find(formats, "kmem:kmem_cache_free", &id);
	if (r < 0)
		CHECK(!kmt_formats_find(formats, "kmem:kmem_cache_free", &id));
	return r;
}

TEST(a_relative_location_is_told_from_an_absolute_one)
{
	struct kmt_layout layout_;

	CHECK_EQ(add_changed("__data_loc", "__data_loc", &layout_, NULL), 0);
	CHECK(layout_.text.is_data_loc && !layout_.text.is_rel_loc);
	CHECK_EQ(add_changed("__data_loc", "__rel_loc", &layout_, NULL), 0);
	CHECK(layout_.text.is_data_loc && layout_.text.is_rel_loc);
}

TEST(a_text_without_a_needed_field_is_refused_by_its_name)
{
	static const char *const needed[] = { "common_pid", "common_flags", "call_site", "ptr" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		struct kmt_err err = { "" };

		if (add_changed(needed[i], "other", NULL, &err) != -EBADMSG)
			fail_msg("did without %s", needed[i]);
		CHECK_HAS(err.text, needed[i]);
		CHECK_HAS(err.text, "kmem:kmem_cache_free");
	}
	CHECK_EQ(add_changed("common_type", "other", NULL, NULL), -EBADMSG);
}

TEST(a_name_that_is_part_of_another_does_not_count)
{
	CHECK_EQ(add_changed("void * ptr", "void * ptr2", NULL, NULL), -EBADMSG);
	CHECK_EQ(add_changed("void * ptr", "void * xptr", NULL, NULL), -EBADMSG);
}

TEST(the_cache_name_is_optional_and_that_of_a_module_is_not)
{
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = empty();
	KMT_CLEANUP(kmt_freep) char *text = with(free_text, "char[] name", "char[] other");
	struct kmt_layout layout_;

	CHECK_EQ(add_changed("char[] name", "char[] other", &layout_, NULL), 0);
	CHECK_EQ(layout_.text.bytes, 0);
	CHECK_EQ(kmt_formats_add(formats, "module:module_load", text, strlen(text), NULL),
		 -EBADMSG);
}

TEST(fields_that_reach_too_far_are_refused)
{
	CHECK_EQ(add_changed("ptr;\toffset:16;\tsize:8", "ptr;\toffset:4092;\tsize:8", NULL, NULL),
		 -EBADMSG);
	CHECK_EQ(add_changed("ptr;\toffset:16;\tsize:8", "ptr;\toffset:70000;\tsize:8", NULL, NULL),
		 -EBADMSG);
	CHECK_EQ(add_changed("ptr;\toffset:16;\tsize:8", "ptr;\toffset:4294967295;\tsize:8", NULL,
			     NULL),
		 -EBADMSG);
	CHECK_EQ(add_changed("ptr;\toffset:16;\tsize:8", "ptr;\toffset:-8;\tsize:8", NULL, NULL),
		 -EBADMSG);
	CHECK_EQ(add_changed("ptr;\toffset:16;\tsize:8", "ptr;\toffset:4088;\tsize:8", NULL, NULL),
		 0);
}

TEST(numbers_of_odd_widths_are_refused)
{
	static const char *const sizes[] = { "0", "3", "5", "16", "4294967304" };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char new[64];

		(void)snprintf(new, sizeof(new), "ptr;\toffset:16;\tsize:%s;", sizes[i]);
		CHECK_EQ(add_changed("ptr;\toffset:16;\tsize:8;", new, NULL, NULL), -EBADMSG);
	}
	CHECK_EQ(
		add_changed("name;\toffset:24;\tsize:4;", "name;\toffset:24;\tsize:8;", NULL, NULL),
		-EBADMSG);
}

TEST(ids_are_16_bits_and_taken_once)
{
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = empty();
	struct kmt_err err = { "" };

	CHECK_EQ(add_changed("ID: 17", "ID: 65535", NULL, NULL), 0);
	CHECK_EQ(add_changed("ID: 17", "ID: 65536", NULL, NULL), -EBADMSG);
	CHECK_EQ(add_changed("ID: 17", "ID: -1", NULL, NULL), -EBADMSG);
	CHECK_EQ(kmt_formats_add(formats, "kmem:kmem_cache_free", free_text, strlen(free_text),
				 NULL),
		 0);
	CHECK_EQ(kmt_formats_add(formats, "kmem:kfree", free_text, strlen(free_text), &err),
		 -EBADMSG);
	CHECK_HAS(err.text, "kmem:kfree");
}

TEST(events_that_mean_nothing_to_us_are_passed_over)
{
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = empty();
	uint16_t id;

	CHECK_EQ(kmt_formats_add(formats, "sched:sched_switch", "any junk", 8, NULL), 0);
	CHECK(!kmt_formats_find(formats, "sched:sched_switch", &id));
	CHECK_EQ(kmt_formats_layout(formats, 17)->kind, 0);
}

TEST(junk_is_no_format)
{
	static const char *const junk[] = { "",
					    "\n",
					    "junk",
					    "name: x\n",
					    "name: x\nID: 5\nformat:\n",
					    "{}",
					    "field:",
					    "\tfield:;\n",
					    "format:\n\tfield:d s[",
					    "format:\n\tfield:d s[\xff" };
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = empty();

	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		CHECK_EQ(kmt_formats_add(formats, "kmem:kfree", junk[i], strlen(junk[i]), NULL),
			 -EBADMSG);
	CHECK_EQ(kmt_formats_add(formats, "kmem:kfree", free_text, sizeof(free_text), NULL),
		 -EBADMSG); /* \0 */
}

TEST(a_format_cut_anywhere_is_refused_or_has_its_fields)
{
	for (size_t bytes = 0; bytes < strlen(free_text); bytes++) {
		KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = empty();
		KMT_CLEANUP(kmt_freep) char *cut = strndup(free_text, bytes);
		int r = kmt_formats_add(formats, "kmem:kmem_cache_free", cut, bytes, NULL);

		CHECK(r == 0 || r == -EBADMSG);
		if (bytes < (size_t)(strstr(free_text, "\n\tfield:__data_loc") - free_text))
			CHECK_EQ(r, -EBADMSG);
	}
}

static int new_page(const char *old, const char *new)
{
	KMT_CLEANUP(kmt_freep) char *text = with(page_text, old, new);
	KMT_CLEANUP(kmt_formats_freep) struct kmt_formats *formats = NULL;

	return kmt_formats_new(false, 8, text, strlen(text), &formats, NULL);
}

TEST(a_page_header_that_makes_no_sense_is_refused)
{
	CHECK_EQ(new_page("timestamp", "timestamp"), 0);
	CHECK_EQ(new_page("timestamp", "time"), -EBADMSG);
	CHECK_EQ(new_page("commit", "commits"), -EBADMSG);
	CHECK_EQ(new_page("char data", "char dota"), -EBADMSG);
	CHECK_EQ(new_page("offset:0;\tsize:8", "offset:0;\tsize:4"), -EBADMSG);
	CHECK_EQ(new_page("offset:0;\tsize:8", "offset:9;\tsize:8"),
		 -EBADMSG); /* beyond the header */
	CHECK_EQ(new_page("offset:8;\tsize:8", "offset:12;\tsize:8"), -EBADMSG);
	CHECK_EQ(new_page("offset:8;\tsize:8", "offset:8;\tsize:2"), -EBADMSG);
	CHECK_EQ(new_page("offset:16;\tsize:4080", "offset:65;\tsize:4080"), -EBADMSG);
	CHECK_EQ(new_page("offset:16;\tsize:4080", "offset:16;\tsize:0"), -EBADMSG);
	CHECK_EQ(new_page("offset:16;\tsize:4080", "offset:16;\tsize:1048576"), -EBADMSG);
}

static const char *gfp_text(const char *kernel, uint32_t gfp)
{
	static char buf[KMT_GFP_TEXT_BYTES];
	struct kmt_gfp_names names;
	char path[64], *text;
	size_t bytes;

	(void)snprintf(path, sizeof(path), "formats/%s/kmem/kmalloc/format", kernel);
	text = read_fixture(path, &bytes);
	CHECK(text);
	kmt_gfp_names_init(&names, text, bytes);
	free(text);
	return kmt_gfp_format(&names, gfp, buf);
}

TEST(gfp_flags_are_called_as_that_kernel_calls_them)
{
	static const char *const kernels[] = { "6.1", "6.12", "6.18" };

	for (size_t i = 0; i < 3; i++) {
		CHECK_TEXT(gfp_text(kernels[i], 0xcc0), "GFP_KERNEL");
		CHECK_TEXT(gfp_text(kernels[i], 0xdc0), "GFP_KERNEL|__GFP_ZERO");
		CHECK_TEXT(gfp_text(kernels[i], 0x400cc0), "GFP_KERNEL_ACCOUNT");
		CHECK_TEXT(gfp_text(kernels[i], 0x100cca), "GFP_HIGHUSER_MOVABLE");
		CHECK_TEXT(gfp_text(kernels[i], 0), "none");
	}
	/* The same bits, another kernel: GFP_ATOMIC lost a bit, GFP_NOWAIT gained one. */
	CHECK_TEXT(gfp_text("6.1", 0xa20), "GFP_ATOMIC");
	CHECK_TEXT(gfp_text("6.12", 0x820), "GFP_ATOMIC");
	CHECK_TEXT(gfp_text("6.1", 0x2800), "GFP_NOWAIT|__GFP_NOWARN");
	CHECK_TEXT(gfp_text("6.12", 0x2800), "GFP_NOWAIT");
	CHECK_TEXT(gfp_text("6.18", 0x1000cc0), "GFP_KERNEL|__GFP_NO_OBJ_EXT");
}

TEST(gfp_bits_that_nobody_named_stay_numbers)
{
	CHECK_TEXT(gfp_text("6.18", 0x80000cc0), "GFP_KERNEL|0x80000000");
	CHECK_TEXT(gfp_text("3.10", 0xd0), "0xd0"); /* its fixture has no table */
}

TEST(all_gfp_bits_fit_the_text)
{
	CHECK(strlen(gfp_text("6.18", UINT32_MAX)) < KMT_GFP_TEXT_BYTES);
	CHECK_HAS(gfp_text("6.18", UINT32_MAX), "|0xfe000200");
}

TEST(a_gfp_table_that_makes_no_sense_names_nothing)
{
	static const char *const texts[] = {
		"{(1, \"A\"}",
		"{1 2, \"A\"}",
		"{, \"A\"}",
		"{0x, \"A\"}",
		"{1, \"\"}",
		"{1, A}",
		"{1, \"A",
		"{(FOO), \"A\"}",
		"{0x100000000, \"A\"}",
		"{~0, \"A\"}",
		"{(((((",
		"{",
		"",
	};
	char text[4096], buf[KMT_GFP_TEXT_BYTES];
	struct kmt_gfp_names names;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)snprintf(text, sizeof(text), "x __print_flags(REC->gfp_flags, \"|\", %s",
			       texts[i]);
		kmt_gfp_names_init(&names, text, strlen(text));
		CHECK_EQ(names.nr, 0);
	}
	/* What is passed over does not hide what follows; parentheses without end do not recurse
	 * so. */
	(void)snprintf(text, sizeof(text),
		       "__print_flags(REC->gfp_flags, \"|\", {(FOO), \"A\"}, {1 << 3, \"B\"}");
	kmt_gfp_names_init(&names, text, strlen(text));
	CHECK_TEXT(kmt_gfp_format(&names, 8, buf), "B");
	memset(strstr(text, "{(FOO)") + 1, '(', sizeof(text) - 64);
	kmt_gfp_names_init(&names, text, sizeof(text));
	CHECK_EQ(names.nr, 0);
}

TEST(a_gfp_table_cut_anywhere_does_no_harm)
{
	size_t bytes;
	char *text = read_fixture("formats/6.18/kmem/kmalloc/format", &bytes);
	struct kmt_gfp_names names;

	for (size_t n = 0; n < bytes; n++) {
		char *cut = malloc(n ? n : 1); /* so that a byte too far is noticed */

		CHECK(cut);
		memcpy(cut, text, n);
		kmt_gfp_names_init(&names, cut, n);
		free(cut);
	}
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(fields_of_6_1_are_where_they_were_measured),
		ROW(fields_of_6_12_are_where_they_were_measured),
		ROW(the_cache_name_of_6_18_moves_the_sizes),
		ROW(old_kernels_have_node_events_and_late_frees),
		ROW(a_32_bit_kernel_has_4_byte_pointers),
		ROW(a_big_endian_kernel_is_not_plain),
		ROW(sub_buffers_have_the_size_that_the_header_page_says),
		ROW(tasks_and_modules_are_bound_by_name),
		ROW(libtraceevent_reads_the_same_from_every_fixture),
		ROW(libtraceevent_finds_the_same_of_pages_areas_and_per_cpu_memory),
		ROW(frames_begin_behind_their_number_whatever_is_declared),
		ROW(page_events_without_frame_numbers_are_passed_over),
		ROW(what_probes_recorded_is_told_by_the_names_of_their_fields),
		ROW(free_probes_are_those_of_both_kinds),
		ROW(a_probe_that_does_not_tell_its_objects_is_refused),
		ROW(a_relative_location_is_told_from_an_absolute_one),
		ROW(a_text_without_a_needed_field_is_refused_by_its_name),
		ROW(a_name_that_is_part_of_another_does_not_count),
		ROW(the_cache_name_is_optional_and_that_of_a_module_is_not),
		ROW(fields_that_reach_too_far_are_refused),
		ROW(numbers_of_odd_widths_are_refused),
		ROW(ids_are_16_bits_and_taken_once),
		ROW(events_that_mean_nothing_to_us_are_passed_over),
		ROW(junk_is_no_format),
		ROW(a_format_cut_anywhere_is_refused_or_has_its_fields),
		ROW(a_page_header_that_makes_no_sense_is_refused),
		ROW(gfp_flags_are_called_as_that_kernel_calls_them),
		ROW(gfp_bits_that_nobody_named_stay_numbers),
		ROW(all_gfp_bits_fit_the_text),
		ROW(a_gfp_table_that_makes_no_sense_names_nothing),
		ROW(a_gfp_table_cut_anywhere_does_no_harm),
	};

	return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
