// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmemtape/fs.h"
#include "kmemtape/record.h"

#include "../../src/record/cache-choice.h"
#include "../../src/record/conditions.h"
#include "../../src/record/filter-text.h"
#include "../../src/record/module-range.h"
#include "../../src/record/probes.h"

#include "check.h"
#include "dir.h"

/* What the kernel would be told for @event of a kernel in tests/formats. */
static int filter_text(const struct kmt_filter *filter, const char *kernel, const char *event,
		       unsigned int set, char text[KMT_MANIFEST_TEXT_BYTES], struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *format = NULL;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/formats/%s/%s/format", getenv("KMT_TESTS"), kernel,
		       event);
	if (kmt_read_file(AT_FDCWD, path, 1 << 20, &format, NULL, err) < 0)
		fail_msg("%s", err->text);
	return kmt_filter_text(filter, event, set, format, text, err);
}

static void expect(const struct kmt_filter *filter, const char *kernel, const char *event,
		   unsigned int set, const char *expected)
{
	char text[KMT_MANIFEST_TEXT_BYTES];
	struct kmt_err err = { "" };

	if (filter_text(filter, kernel, event, set, text, &err) < 0)
		fail_msg("%s", err.text);
	CHECK_TEXT(text, expected);
}

static void refuse(const struct kmt_filter *filter, const char *kernel, const char *event,
		   unsigned int set, const char *why)
{
	char text[KMT_MANIFEST_TEXT_BYTES];
	struct kmt_err err = { "" };

	CHECK(filter_text(filter, kernel, event, set, text, &err) < 0);
	CHECK_HAS(err.text, why);
}

TEST(without_a_wish_there_is_no_condition)
{
	const struct kmt_filter filter = { .min_bytes = 0 };

	expect(&filter, "6.18", "kmem/kmalloc", KMT_RECORD_SLAB, "");
}

TEST(all_conditions_must_hold)
{
	const struct kmt_module_range module = { true, 0xffffffffc0001000, 0xffffffffc0003000 };
	const struct kmt_filter filter = {
		.min_bytes = 100, .pid = 42, .comm = "a b", .module = &module
	};

	expect(&filter, "6.18", "kmem/kmalloc", KMT_RECORD_SLAB,
	       "bytes_alloc >= 100 && call_site > 0xffffffffc0001000 && "
	       "call_site <= 0xffffffffc0003000 && common_pid == 42 && comm == \"a b\"");
}

TEST(the_least_size_is_that_of_each_kind_of_memory)
{
	struct kmt_filter filter = { .min_bytes = 4097, .page_bytes = 4096, .nr_possible_cpus = 8 };

	expect(&filter, "3.10", "kmem/kmem_cache_alloc", KMT_RECORD_SLAB, "bytes_alloc >= 4097");
	expect(&filter, "6.18", "kmem/mm_page_alloc", KMT_RECORD_PAGE, "order >= 1");
	expect(&filter, "6.18", "percpu/percpu_alloc_percpu", KMT_RECORD_PERCPU,
	       "bytes_alloc >= 4097");
	expect(&filter, "6.18", "vmalloc/alloc_vmap_area", KMT_RECORD_VMALLOC, "size >= 4097");
	filter.min_bytes = 4096;
	expect(&filter, "6.18", "kmem/mm_page_alloc", KMT_RECORD_PAGE, "");
	filter.page_bytes = 65536;
	filter.min_bytes = 1 << 20;
	expect(&filter, "6.18", "kmem/mm_page_alloc", KMT_RECORD_PAGE, "order >= 4");
	filter.min_bytes = UINT64_MAX; /* nothing is that large, and nothing overflows */
	expect(&filter, "6.18", "kmem/mm_page_alloc", KMT_RECORD_PAGE, "order >= 40");
}

/* Until about Linux 5.19 the event had the size for one CPU only. */
TEST(per_cpu_memory_is_as_large_as_all_cpus_share_of_it)
{
	static const char format[] = "\tfield:size_t size;\toffset:16;\tsize:8;\tsigned:0;\n";
	const struct kmt_filter filter = { .min_bytes = 4097, .nr_possible_cpus = 8 };
	char text[KMT_MANIFEST_TEXT_BYTES];

	CHECK_EQ(kmt_filter_text(&filter, "percpu/percpu_alloc_percpu", KMT_RECORD_PERCPU, format,
				 text, NULL),
		 0);
	CHECK_TEXT(text, "size >= 513");
}

TEST(a_module_that_is_not_loaded_is_what_the_kernel_is_not)
{
	const struct kmt_module_range kernel = { false, 0xffffffff81000000, 0xffffffff82000000 };
	const struct kmt_filter filter = { .module = &kernel };

	expect(&filter, "6.18", "percpu/percpu_alloc_percpu", KMT_RECORD_PERCPU,
	       "(call_site < 0xffffffff81000000 || call_site > 0xffffffff82000000)");
	expect(&filter, "6.12", "kmemtape/vma_new", KMT_RECORD_VMALLOC,
	       "(caller < 0xffffffff81000000 || caller > 0xffffffff82000000)");
}

TEST(what_an_event_does_not_tell_is_refused_with_advice)
{
	const struct kmt_module_range module = { true, 0x1000, 0x2000 };
	const struct kmt_cache_choice cache = { .pattern = "dentry" };
	struct kmt_filter filter = { .module = &module };

	refuse(&filter, "6.18", "kmem/mm_page_alloc", KMT_RECORD_PAGE, "leave page out of -e");
	refuse(&filter, "6.18", "vmalloc/alloc_vmap_area", KMT_RECORD_VMALLOC, "leave vmalloc out");
	filter = (struct kmt_filter){ .cache = &cache };
	refuse(&filter, "6.18", "kmem/mm_page_alloc", KMT_RECORD_PAGE, "-e slab");
	refuse(&filter, "6.18", "percpu/percpu_alloc_percpu", KMT_RECORD_PERCPU, "-e slab");
}

TEST(pairs_know_tasks_and_nothing_else)
{
	const struct kmt_module_range module = { true, 0x1000, 0x2000 };
	const struct kmt_cache_choice cache = { .pattern = "dentry" };
	const struct kmt_filter filter = {
		.min_bytes = 1, .pid = 7, .cache = &cache, .module = &module
	};

	expect(&filter, "6.18", "kmem/kmalloc", 0, "common_pid == 7");
}

TEST(a_cache_is_told_by_name_where_events_have_it)
{
	const struct kmt_cache_choice cache = { .pattern = "dentry",
						.nr = 1,
						.caches = { { .name = "dentry", .bytes = 192 } } };
	const struct kmt_filter filter = { .cache = &cache };

	expect(&filter, "6.18", "kmem/kmem_cache_alloc", KMT_RECORD_SLAB, "(name == \"dentry\")");
	expect(&filter, "6.18", "kmem/kmalloc", KMT_RECORD_SLAB, "call_site == 0");
	expect(&filter, "6.12", "kmem/kmem_cache_alloc", KMT_RECORD_SLAB, "(bytes_alloc == 192)");
	expect(&filter, "3.10", "kmem/kmem_cache_alloc_node", KMT_RECORD_SLAB,
	       "(bytes_alloc == 192)");
	expect(&filter, "3.10", "kmem/kmalloc_node", KMT_RECORD_SLAB, "call_site == 0");
}

TEST(a_cache_of_kmalloc_is_told_by_size)
{
	const struct kmt_cache_choice cache = {
		.pattern = "kmalloc*-64",
		.has_wildcard = true,
		.nr = 3,
		.caches = { { .name = "kmalloc-64", .bytes = 64, .is_kmalloc = true },
			    { .name = "kmalloc-cg-64", .bytes = 64, .is_kmalloc = true },
			    { .name = "kmalloc-rcl-64", .bytes = 128, .is_kmalloc = true } }
	};
	const struct kmt_filter filter = { .cache = &cache };

	expect(&filter, "6.18", "kmem/kmalloc", KMT_RECORD_SLAB,
	       "(bytes_alloc == 64 || bytes_alloc == 128)");
	expect(&filter, "6.18", "kmem/kmem_cache_alloc", KMT_RECORD_SLAB,
	       "(name ~ \"kmalloc*-64\")");
	expect(&filter, "6.1", "kmem/kmem_cache_alloc", KMT_RECORD_SLAB, "call_site == 0");
}

/* The kernel would take them for something else: "9p*" matches nothing at all. */
TEST(a_pattern_that_begins_with_a_digit_is_escaped)
{
	struct kmt_cache_choice cache = { .pattern = "9p*", .has_wildcard = true };
	const struct kmt_filter filter = { .cache = &cache };

	expect(&filter, "6.18", "kmem/kmem_cache_alloc", KMT_RECORD_SLAB, "(name ~ \"\\9p*\")");
	cache = (struct kmt_cache_choice){ .pattern = "9p-fcall-cache" };
	expect(&filter, "6.18", "kmem/kmem_cache_alloc", KMT_RECORD_SLAB,
	       "(name == \"9p-fcall-cache\")");
}

TEST(a_merged_cache_is_told_by_the_name_that_events_have)
{
	const struct kmt_cache_choice cache = {
		.pattern = "cred_jar",
		.nr = 1,
		.caches = { { .name = "pid", .merged = "cred_jar", .bytes = 192 } }
	};
	const struct kmt_filter filter = { .cache = &cache };

	expect(&filter, "6.18", "kmem/kmem_cache_alloc", KMT_RECORD_SLAB,
	       "(name == \"cred_jar\" || name == \"pid\")");
}

TEST(a_condition_that_is_too_long_is_refused)
{
	struct kmt_cache_choice cache = { .pattern = "*", .has_wildcard = true, .nr = 30 };
	const struct kmt_filter filter = { .cache = &cache };

	for (size_t i = 0; i < cache.nr; i++)
		cache.caches[i] = (struct kmt_cache){ .bytes = 1000 + i };
	refuse(&filter, "6.12", "kmem/kmem_cache_alloc", KMT_RECORD_SLAB, "too many caches");
}

static void make_cache(const struct dir *dir, const char *name, const char *target,
		       unsigned int slab_bytes, unsigned int object_bytes)
{
	char path[128], text[32];

	(void)snprintf(path, sizeof(path), "%s/slab/%s", dir->path, target ? target : name);
	(void)mkdir(path, 0700);
	(void)snprintf(path, sizeof(path), "slab/%s/slab_size", target ? target : name);
	(void)snprintf(text, sizeof(text), "%u\n", slab_bytes);
	CHECK_EQ(kmt_write_file(dir->fd, path, text, strlen(text), NULL), 0);
	(void)snprintf(path, sizeof(path), "slab/%s/object_size", target ? target : name);
	(void)snprintf(text, sizeof(text), "%u\n", object_bytes);
	CHECK_EQ(kmt_write_file(dir->fd, path, text, strlen(text), NULL), 0);
	if (!target)
		return;
	(void)snprintf(path, sizeof(path), "slab/%s", name);
	CHECK_EQ(symlinkat(target, dir->fd, path), 0);
}

static const char slabinfo[] =
	"slabinfo - version: 2.1\n"
	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n"
	"dentry            205632 205632    192   21    1 : tunables    0    0    0\n"
	"pid                  567    567    192   21    1 : tunables    0    0    0\n"
	"kmalloc-64           567    567     64   21    1 : tunables    0    0    0\n";

static struct kmt_cache_choice choose(const struct dir *dir, const char *pattern, bool has_sysfs)
{
	struct kmt_cache_choice choice;
	char slab[128], info[128];
	struct kmt_err err = { "" };

	CHECK_EQ(kmt_write_file(dir->fd, "slabinfo", slabinfo, strlen(slabinfo), NULL), 0);
	(void)snprintf(slab, sizeof(slab), "%s/%s", dir->path, has_sysfs ? "slab" : "none");
	(void)snprintf(info, sizeof(info), "%s/slabinfo", dir->path);
	if (kmt_cache_choose(pattern, slab, info, &choice, &err) < 0)
		fail_msg("%s", err.text);
	return choice;
}

TEST(merged_caches_are_found_by_each_of_their_names)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_cache_choice choice;

	CHECK_EQ(mkdirat(dir.fd, "slab", 0700), 0);
	make_cache(&dir, "cred_jar", ":A-0000192", 192, 184);
	make_cache(&dir, "pid", ":A-0000192", 192, 184);
	make_cache(&dir, "kmalloc-64", NULL, 128, 64); /* with a red zone */
	make_cache(&dir, "dma-kmalloc-64", NULL, 64, 64);

	choice = choose(&dir, "cred_jar", true);
	CHECK_EQ(choice.nr, 1);
	CHECK_TEXT(choice.caches[0].name, "pid"); /* as slabinfo and events have it */
	CHECK_TEXT(choice.caches[0].merged, "cred_jar");
	CHECK_EQ(choice.caches[0].bytes, 192);
	CHECK(!choice.caches[0].is_kmalloc);

	choice = choose(&dir, "pid", true);
	CHECK_EQ(choice.nr, 1);
	CHECK_TEXT(choice.caches[0].name, "pid");
	CHECK_TEXT(choice.caches[0].merged, "cred_jar"); /* which will be recorded with it */

	choice = choose(&dir, "*-64", true);
	CHECK_EQ(choice.nr, 2);
	CHECK(choice.caches[0].is_kmalloc && choice.caches[1].is_kmalloc);
	CHECK_EQ(choice.caches[0].bytes + choice.caches[1].bytes, 192);
	CHECK_EQ(choose(&dir, "dent", true).nr, 0);
	CHECK_EQ(choose(&dir, ":A-0000192", true).nr, 0); /* a name that no event has */
}

TEST(without_sysfs_slabinfo_has_to_do)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_cache_choice choice = choose(&dir, "kmalloc-*", false);

	CHECK_EQ(choice.nr, 1);
	CHECK_EQ(choice.caches[0].bytes, 64);
	CHECK(choice.caches[0].is_kmalloc);
	CHECK_EQ(choose(&dir, "name", false).nr, 0); /* of the heading */
	CHECK_EQ(kmt_cache_choose("x", "/nonexistent", "/nonexistent", &choice, NULL), -ENOTSUP);
}

TEST(more_caches_than_a_filter_can_have_are_told)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_cache_choice choice;
	char name[32];

	CHECK_EQ(mkdirat(dir.fd, "slab", 0700), 0);
	for (unsigned int i = 0; i <= KMT_CACHES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "c%u", i);
		make_cache(&dir, name, NULL, 64, 64);
	}
	choice = choose(&dir, "c*", true);
	CHECK_EQ(choice.nr, KMT_CACHES_MAX);
	CHECK(choice.has_more);
	CHECK(!choose(&dir, "c1*", true).has_more);
}

static int find_range(const char *kallsyms, const char *module, struct kmt_module_range *range,
		      struct kmt_err *err)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	char path[128];

	CHECK_EQ(kmt_write_file(dir.fd, "kallsyms", kallsyms, strlen(kallsyms), NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/kallsyms", dir.path);
	return kmt_module_range_find(path, module, range, err);
}

/* As since Linux 6.4: code and data of modules lie apart. */
static const char kallsyms[] = "0000000000000000 A fixed_percpu_data\n"
			       "ffffffff81000000 T _stext\n"
			       "ffffffff81000100 T kmalloc\n"
			       "ffffffff82000000 T _etext\n"
			       "ffffffffc0002040 t b_last\t[kmt_b]\n"
			       "ffffffffc0001000 t b_first\t[kmt_b]\n"
			       "ffffffffc0f00000 d b_data\t[kmt_b]\n"
			       "ffffffffc0003000 t a_first\t[kmt_a]\n"
			       "ffffffffc0000500 t c_only\t[kmt_b_more]\n";

TEST(a_module_is_where_its_functions_are)
{
	struct kmt_module_range range;

	CHECK_EQ(find_range(kallsyms, "kmt-b", &range, NULL), 0);
	CHECK(range.is_loaded);
	CHECK_EQ(range.start, 0xffffffffc0001000);
	CHECK_EQ(range.end, 0xffffffffc0003000); /* where the next one begins */
	CHECK_EQ(find_range(kallsyms, "kmt_a", &range, NULL), 0);
	CHECK_EQ(range.end, 0xffffffffc0003000 + (1 << 20)); /* its data is further away */
}

TEST(a_module_that_is_not_there_yet_will_not_be_in_the_kernels_text)
{
	struct kmt_module_range range;

	CHECK_EQ(find_range(kallsyms, "kmt", &range, NULL), 0);
	CHECK(!range.is_loaded);
	CHECK_EQ(range.start, 0xffffffff81000000);
	CHECK_EQ(range.end, 0xffffffff82000000);
}

TEST(hidden_addresses_are_no_range)
{
	struct kmt_module_range range;
	struct kmt_err err = { "" };

	CHECK_EQ(find_range("0000000000000000 T _stext\n0000000000000000 T _etext\n"
			    "0000000000000000 t f\t[kmt_a]\n",
			    "kmt_a", &range, &err),
		 -ENOTSUP);
	CHECK_HAS(err.text, "kptr_restrict");
}

static bool has_moved(const char *symbols, uint64_t start)
{
	const struct kmt_module_range range = { true, start, start + 4096 };
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	char path[128];

	CHECK_EQ(kmt_write_file(dir.fd, "kallsyms", symbols, strlen(symbols), NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/kallsyms", dir.path);
	return kmt_module_range_has_moved(path, "kmt_a", &range);
}

/* The condition is on where it was: what it allocates elsewhere is passed over. */
TEST(a_module_that_comes_back_elsewhere_has_moved)
{
	CHECK(!has_moved(kallsyms, 0xffffffffc0003000));
	CHECK(has_moved(kallsyms, 0xffffffffc0008000));
	CHECK(!has_moved("ffffffff81000000 T _stext\nffffffff82000000 T _etext\n",
			 0xffffffffc0003000)); /* gone, and that is all */
	CHECK(!has_moved("0000000000000000 t f\t[kmt_a]\n", 0xffffffffc0003000));
}

static void make_event(const struct dir *dir, const char *event)
{
	char command[512];

	(void)snprintf(command, sizeof(command),
		       "mkdir -p %s/events/%s && touch %s/events/%s/enable", dir->path, event,
		       dir->path, event);
	CHECK_EQ(system(command), 0);
}

/* As a kernel in tests/formats has it. */
static void make_format(const struct dir *dir, const char *kernel, const char *event)
{
	char command[1024];

	(void)snprintf(command, sizeof(command), "cp %s/formats/%s/%s/format %s/events/%s/",
		       getenv("KMT_TESTS"), kernel, event, dir->path, event);
	CHECK_EQ(system(command), 0);
}

TEST(a_set_is_whole_or_missing_by_name)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_event_set events = { .nr = 0 };
	struct kmt_err err = { "" };

	make_event(&dir, "kmem/mm_page_alloc");
	make_format(&dir, "6.18", "kmem/mm_page_alloc");
	make_event(&dir, "percpu/percpu_alloc_percpu");
	make_event(&dir, "percpu/percpu_free_percpu");
	CHECK_EQ(kmt_event_set_add_set(&events, dir.fd, KMT_RECORD_PERCPU, &err), 0);
	CHECK_EQ(events.nr, 2);
	CHECK_EQ(kmt_event_set_add_set(&events, dir.fd, KMT_RECORD_PAGE, &err), -ENOTSUP);
	CHECK_HAS(err.text, "kmem/mm_page_free: ");
	CHECK_HAS(err.text, "page memory");
	CHECK_EQ(events.nr, 2); /* allocations without their frees would look leaked */
	make_event(&dir, "kmem/mm_page_free");
	make_format(&dir, "6.18", "kmem/mm_page_free");
	make_event(&dir, "kmem/mm_page_free_batched");
	CHECK_EQ(kmt_event_set_add_set(&events, dir.fd, KMT_RECORD_PAGE, &err), 0);
	CHECK_EQ(events.nr, 4);
}

/* Until Linux 4.0 the address of its struct page is all they tell: what replay could not count. */
TEST(events_that_do_not_tell_the_page_are_not_recorded)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_event_set events = { .nr = 0 };
	struct kmt_err err = { "" };

	make_event(&dir, "kmem/mm_page_alloc");
	make_format(&dir, "3.10", "kmem/mm_page_alloc");
	make_event(&dir, "kmem/mm_page_free");
	make_format(&dir, "3.10", "kmem/mm_page_free");
	CHECK_EQ(kmt_event_set_add_set(&events, dir.fd, KMT_RECORD_PAGE, &err), -ENOTSUP);
	CHECK_HAS(err.text, "no field 'pfn'");
	CHECK_EQ(events.nr, 0);
}

static bool is_on(const struct dir *dir, const char *event)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	char path[128];

	(void)snprintf(path, sizeof(path), "events/%s/enable", event);
	CHECK_EQ(kmt_read_file(dir->fd, path, 16, &text, NULL, NULL), 0);
	return *text == '1';
}

/* The second one can't be switched, as its directory is gone: what was on before it is told. */
TEST(what_has_stacks_is_on_first_and_off_last)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	struct kmt_event_set events = { .nr = 0 };
	struct kmt_err err = { "" };

	make_event(&dir, "kmem/kmalloc");
	kmt_event_set_add(&events, "kmem/gone", "kmem/gone", KMT_ROLE_ALLOC);
	kmt_event_set_add(&events, "kmem/mm_page_alloc", "kmem/mm_page_alloc", KMT_ROLE_ALLOC);
	kmt_event_set_add(&events, "kmem/kmalloc", "kmem/kmalloc", KMT_ROLE_ALLOC);
	events.has_stack[1] = true;
	CHECK_EQ(kmt_event_set_switch(&events, dir.fd, KMT_ROLE_ALLOC, true, &err), -ENOENT);
	CHECK_HAS(err.text, "mm_page_alloc"); /* the first failure */
	CHECK(is_on(&dir, "kmem/kmalloc"));   /* and it goes on */
	CHECK_EQ(kmt_event_set_switch(&events, dir.fd, KMT_ROLE_ALLOC, false, &err), -ENOENT);
	CHECK_HAS(err.text, "gone");
	CHECK(!is_on(&dir, "kmem/kmalloc"));
}

/* A probe of a function's return tells where it goes on, and the stack of a return is of no more
 * use. */
TEST(pairs_have_a_call_site_and_need_no_stacks)
{
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	static const char *const names[] = { "kmem/mm_page_alloc", "kmemtape/pair_dentry_alloc" };
	static const struct kmt_filter filter = { .min_bytes = 0 };
	struct kmt_conditions conditions = {
		.instance_fd = dir.fd, .sample = 1, .page_bytes = 4096, .filter = &filter
	};
	struct kmt_event_set events = { .nr = 0 };
	struct kmt_manifest manifest;
	char path[128];

	kmt_manifest_init(&manifest);
	for (size_t i = 0; i < 2; i++) {
		make_event(&dir, names[i]);
		make_format(&dir, "6.12", names[i]);
		(void)snprintf(path, sizeof(path), "events/%s/trigger", names[i]);
		CHECK_EQ(kmt_write_file(dir.fd, path, "", 0, NULL), 0);
		kmt_event_set_add(&events, names[i], names[i], KMT_ROLE_ALLOC);
	}
	CHECK_EQ(kmt_conditions_set(&conditions, &events, &manifest, NULL, NULL), 0);
	CHECK(events.has_stack[0]);
	CHECK(!events.has_stack[1]);
	CHECK_TEXT(manifest.stacks, "page");
	conditions.stacks = KMT_RECORD_STACKS_ALL;
	events.nr = 2;
	CHECK_EQ(kmt_conditions_set(&conditions, &events, &manifest, NULL, NULL), 0);
	CHECK(events.has_stack[1]);
	kmt_manifest_deinit(&manifest);
}

/* What a kernel with this README is told about the return of a function. */
static void expect_return_probe(const char *readme, const char *expected)
{
	static const struct kmt_probe_spec spec = {
		.event = "e", .function = "f", .args = "object=$retval:x64", .is_return = true
	};
	KMT_CLEANUP(leave_dir) struct dir dir = enter_dir();
	KMT_CLEANUP(kmt_probes_freep) struct kmt_probes *probes = NULL;
	KMT_CLEANUP(kmt_freep) char *text = NULL;

	CHECK_EQ(kmt_write_file(dir.fd, "README", readme, strlen(readme), NULL), 0);
	CHECK_EQ(kmt_write_file(dir.fd, "kprobe_events", "", 0, NULL), 0);
	CHECK_EQ(kmt_probes_new(dir.path, dir.fd, 8, &probes, NULL), 0);
	CHECK_EQ(kmt_probes_create(probes, &spec), 0);
	CHECK_EQ(kmt_read_file(dir.fd, "kprobe_events", 4096, &text, NULL, NULL), 0);
	CHECK_EQ(strncmp(text, expected, strlen(expected)), 0);
}

/* Until Linux 4.11 the name was lost with the number, and the probe stayed for ever. */
TEST(a_number_of_returns_is_for_kernels_that_know_it)
{
	expect_return_probe("\t   Format: p[:[<group>/]<event>] <place> [<args>]\n"
			    "\t           r[maxactive][:[<group>/]<event>] <place> [<args>]\n",
			    "r256:kmemtape_");
	expect_return_probe("\t  trace_pipe\t\t- A consuming read\n", "r:kmemtape_");
}

TEST(a_sample_is_by_the_bits_above_the_page_size)
{
	CHECK_EQ(kmt_conditions_slab_mask(1, 4096), 0);
	CHECK_EQ(kmt_conditions_slab_mask(8, 4096), 0x7000);
	CHECK_EQ(kmt_conditions_slab_mask(64, 65536), 0x3f0000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ROW(without_a_wish_there_is_no_condition),
		ROW(all_conditions_must_hold),
		ROW(the_least_size_is_that_of_each_kind_of_memory),
		ROW(per_cpu_memory_is_as_large_as_all_cpus_share_of_it),
		ROW(a_module_that_is_not_loaded_is_what_the_kernel_is_not),
		ROW(what_an_event_does_not_tell_is_refused_with_advice),
		ROW(pairs_know_tasks_and_nothing_else),
		ROW(a_cache_is_told_by_name_where_events_have_it),
		ROW(a_cache_of_kmalloc_is_told_by_size),
		ROW(a_pattern_that_begins_with_a_digit_is_escaped),
		ROW(a_merged_cache_is_told_by_the_name_that_events_have),
		ROW(a_condition_that_is_too_long_is_refused),
		ROW(merged_caches_are_found_by_each_of_their_names),
		ROW(without_sysfs_slabinfo_has_to_do),
		ROW(more_caches_than_a_filter_can_have_are_told),
		ROW(a_module_is_where_its_functions_are),
		ROW(a_module_that_is_not_there_yet_will_not_be_in_the_kernels_text),
		ROW(hidden_addresses_are_no_range),
		ROW(a_module_that_comes_back_elsewhere_has_moved),
		ROW(a_set_is_whole_or_missing_by_name),
		ROW(events_that_do_not_tell_the_page_are_not_recorded),
		ROW(what_has_stacks_is_on_first_and_off_last),
		ROW(pairs_have_a_call_site_and_need_no_stacks),
		ROW(a_number_of_returns_is_for_kernels_that_know_it),
		ROW(a_sample_is_by_the_bits_above_the_page_size),
	};

	return cmocka_run_group_tests_name("record-filters", tests, NULL, NULL);
}
