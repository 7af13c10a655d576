// SPDX-License-Identifier: GPL-2.0-only
/* Who allocates for others: the table, and the user's lines. */
#include <errno.h>
#include <stdbool.h>

#include "kmemtape/owners.h"

#include "../../src/replay/helpers.h"
#include "check.h"

static bool is_helper(const char *function)
{
	return kmt_owners_is_helper(NULL, function, NULL);
}

TEST(what_allocates_for_others_is_known)
{
	static const char *const helpers[] = {
		"__alloc_skb",
		"mas_preallocate",
		"lsm_blob_alloc",
		"kstrdup",
		"__kmalloc_noprof",
		"kmem_cache_alloc_lru_noprof",
		"sk_prot_alloc",
		"mempool_alloc_noprof",
		"bio_alloc_bioset",
		"__get_vm_area_node",
		"vzalloc_noprof",
		"pcpu_alloc_noprof",
		"__percpu_counter_init_many",
		"alloc_empty_file",
		"security_file_alloc",
		"__kernfs_new_node",
		"devm_kmalloc",
		"kvasprintf",
		"alloc_pages_mpol",
		"__alloc_frozen_pages_noprof",
		"trace_event_raw_event_mm_page_alloc",
		"getname_flags",
	};

	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (!is_helper(helpers[i]))
			fail_msg("%s is no helper", helpers[i]);
}

/* Who is skipped here would lay what it keeps at the door of an innocent. */
TEST(what_keeps_its_memory_is_no_helper)
{
	static const char *const owners[] = {
		"alloc_pipe_info",
		"do_timerfd_create",
		"copy_process",
		"foo_rx",
		/* Of the cache, and not of who asked for its next object. */
		"allocate_slab",
		"new_slab",
		"___slab_alloc",
		"alloc_slab_obj_exts",
		"memcg_alloc_slab_cgroups",
		"alloc_empty_sheaf",
		"__alloc_empty_sheaf",
		/* Shared by all CPUs, or by all who take a fragment. */
		"pcpu_populate_chunk",
		"pcpu_alloc_pages",
		"pcpu_create_chunk",
		"page_frag_alloc",
		"__page_frag_cache_refill",
		"do_anonymous_page",
		"pte_alloc_one",
		"kmalloc2",
		"__kmallocator",
		"mast",
	};

	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		if (is_helper(owners[i]))
			fail_msg("%s is a helper", owners[i]);
}

TEST(copies_that_the_compiler_made_are_the_same_function)
{
	CHECK(is_helper("__alloc_skb.isra.0"));
	CHECK(is_helper("mas_dup_alloc.part.0.cold"));
	CHECK(is_helper(".kstrdup"));
	CHECK(!is_helper("foo_kstrdup.isra.0"));
}

TEST(of_a_module_only_the_user_makes_a_helper)
{
	static const char lines[] = "# mine\n\n  helper foo_alloc*  # of foo\nhelper bar\r\n";
	KMT_CLEANUP(kmt_owners_freep) struct kmt_owners *owners = NULL;

	CHECK(!kmt_owners_is_helper(NULL, "kstrdup", "foo"));
	CHECK_EQ(kmt_owners_new(&owners, NULL), 0);
	CHECK(!kmt_owners_is_helper(owners, "foo_alloc_ring", "foo"));
	CHECK_EQ(kmt_owners_add(owners, "mine", lines, sizeof(lines) - 1, NULL), 0);
	CHECK(kmt_owners_is_helper(owners, "foo_alloc_ring", "foo"));
	CHECK(kmt_owners_is_helper(owners, "bar", NULL));
	CHECK(!kmt_owners_is_helper(owners, "kstrdup", "foo"));
	CHECK(kmt_owners_is_helper(owners, "kstrdup", NULL));
}

TEST(an_owner_line_beats_all_helpers)
{
	static const char first[] = "owner kstrdup\nowner foo_alloc_ring", second[] = "helper foo*";
	KMT_CLEANUP(kmt_owners_freep) struct kmt_owners *owners = NULL;

	CHECK_EQ(kmt_owners_new(&owners, NULL), 0);
	CHECK_EQ(kmt_owners_add(owners, "a", first, sizeof(first) - 1, NULL), 0);
	CHECK_EQ(kmt_owners_add(owners, "b", second, sizeof(second) - 1, NULL), 0);
	CHECK(!kmt_owners_is_helper(owners, "kstrdup", NULL));
	CHECK(!kmt_owners_is_helper(owners, "foo_alloc_ring", "foo"));
	CHECK(kmt_owners_is_helper(owners, "foo_alloc_queue", "foo"));
}

static void refuse(const char *text, size_t bytes, const char *says)
{
	KMT_CLEANUP(kmt_owners_freep) struct kmt_owners *owners = NULL;
	struct kmt_err err = { "" };

	CHECK_EQ(kmt_owners_new(&owners, NULL), 0);
	CHECK_EQ(kmt_owners_add(owners, "mine", text, bytes, &err), -EBADMSG);
	CHECK_HAS(err.text, says);
	CHECK(!kmt_owners_is_helper(owners, "good", NULL)); /* nothing of it was taken */
}

#define REFUSE(text, says) refuse(text, sizeof(text) - 1, says)

TEST(a_bad_line_is_named_and_nothing_taken)
{
	KMT_CLEANUP(kmt_freep) char *large = malloc(KMT_OWNERS_BYTES_MAX + 1);

	REFUSE("helper good\nhelpers foo\n", "mine:2: not a line like");
	REFUSE("helper good\n\nhelper\n", "mine:3: not a line like");
	REFUSE("helper good\nhelper foo bar\n", "mine:2: not a line like");
	REFUSE("helper good\nowner **\n", "mine:2: a pattern that is every function's");
	REFUSE("helper good\nhelper a\0b\n", "mine:2: a zero byte");
	CHECK(large);
	memset(large, '\n', KMT_OWNERS_BYTES_MAX + 1);
	refuse(large, KMT_OWNERS_BYTES_MAX + 1, "mine: larger than 1 MiB");
	memset(large, 'x', 600);
	memcpy(large, "helper ", 7);
	refuse(large, 600, "mine:1: a pattern of more than 512 bytes");
	for (size_t i = 0; i < 4097; i++)
		memcpy(large + i * 9, "helper x\n", 9);
	refuse(large, 4097 * 9, "mine:4097: more than 4096 patterns");
}

TEST(how_the_kernel_gets_going_owns_nothing)
{
	CHECK(kmt_helper_is_entry("entry_SYSCALL_64_after_hwframe"));
	CHECK(kmt_helper_is_entry("do_syscall_64"));
	CHECK(kmt_helper_is_entry("ret_from_fork_asm"));
	CHECK(kmt_helper_is_entry("el0_svc_common.constprop.0"));
	CHECK(kmt_helper_is_entry("asm_sysvec_apic_timer_interrupt"));
	CHECK(!kmt_helper_is_entry("__x64_sys_timerfd_create"));
	CHECK(!kmt_helper_is_entry("foo_poll"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(what_allocates_for_others_is_known),
		ROW(what_keeps_its_memory_is_no_helper),
		ROW(copies_that_the_compiler_made_are_the_same_function),
		ROW(of_a_module_only_the_user_makes_a_helper),
		ROW(an_owner_line_beats_all_helpers),
		ROW(a_bad_line_is_named_and_nothing_taken),
		ROW(how_the_kernel_gets_going_owns_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
