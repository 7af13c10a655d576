// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "uses.h"

/*
 * Functions of mm and fs, of Linux 3.10 to 6.18, by which pages come to what they are for. A '*' is
 * for the rest of the name; so "allocate_slab" has none, for a driver's may begin alike. What is
 * not here is passed over: the innermost of a stack that is here decides.
 */
static const struct {
	const char *function;
	enum kmt_use use;
} uses[] = {
	/* mm/slub.c, mm/slab.c, mm/slab_common.c */
	{ "allocate_slab", KMT_USE_SLAB },
	{ "new_slab", KMT_USE_SLAB },
	{ "new_slab_objects", KMT_USE_SLAB },
	{ "___slab_alloc", KMT_USE_SLAB },
	{ "__slab_alloc", KMT_USE_SLAB },
	{ "cache_grow*", KMT_USE_SLAB },
	{ "cache_alloc_refill", KMT_USE_SLAB },
	{ "kmem_getpages", KMT_USE_SLAB },
	{ "fallback_alloc", KMT_USE_SLAB },
	{ "refill_objects", KMT_USE_SLAB },
	{ "kmalloc_large*", KMT_USE_SLAB },
	{ "__kmalloc_large*", KMT_USE_SLAB },
	{ "___kmalloc_large*", KMT_USE_SLAB },
	{ "kmalloc_order*", KMT_USE_SLAB },
	{ "__kmalloc", KMT_USE_SLAB },
	{ "__kmalloc_node*", KMT_USE_SLAB },
	{ "__kmalloc_cache*", KMT_USE_SLAB },
	{ "__do_kmalloc_node", KMT_USE_SLAB },
	{ "kmem_cache_alloc*", KMT_USE_SLAB },
	/* mm/vmalloc.c */
	{ "vm_area_alloc_pages*", KMT_USE_VMALLOC },
	{ "__vmalloc_area_node*", KMT_USE_VMALLOC },
	{ "__vmalloc_node_range*", KMT_USE_VMALLOC },
	{ "__vmalloc_node*", KMT_USE_VMALLOC },
	/* mm/percpu-vm.c, mm/percpu.c */
	{ "pcpu_alloc_pages*", KMT_USE_PERCPU },
	{ "pcpu_populate_chunk", KMT_USE_PERCPU },
	{ "pcpu_create_chunk", KMT_USE_PERCPU },
	{ "pcpu_balance_*", KMT_USE_PERCPU },
	{ "pcpu_alloc", KMT_USE_PERCPU },
	{ "pcpu_alloc_noprof", KMT_USE_PERCPU },
	/* arch's pgalloc.h, mm/memory.c, mm/pgalloc-track.h, arch/x86/mm/pgtable.c */
	{ "pte_alloc_one*", KMT_USE_PAGE_TABLE },
	{ "__pte_alloc*", KMT_USE_PAGE_TABLE },
	{ "__pmd_alloc", KMT_USE_PAGE_TABLE },
	{ "pmd_alloc_one*", KMT_USE_PAGE_TABLE },
	{ "__pud_alloc", KMT_USE_PAGE_TABLE },
	{ "pud_alloc_one*", KMT_USE_PAGE_TABLE },
	{ "__p4d_alloc", KMT_USE_PAGE_TABLE },
	{ "pgd_alloc", KMT_USE_PAGE_TABLE },
	{ "_pgd_alloc", KMT_USE_PAGE_TABLE },
	{ "preallocate_pmds", KMT_USE_PAGE_TABLE },
	{ "crst_table_alloc*", KMT_USE_PAGE_TABLE }, /* s390 */
	{ "page_table_alloc*", KMT_USE_PAGE_TABLE },
	/* kernel/fork.c, without CONFIG_VMAP_STACK: else they are of vmalloc first */
	{ "alloc_thread_stack_node*", KMT_USE_STACK },
	{ "alloc_thread_info*", KMT_USE_STACK },
	{ "dup_task_struct", KMT_USE_STACK },
	/* mm/memory.c, mm/huge_memory.c, mm/hugetlb.c, mm/ksm.c, mm/migrate.c, mm/userfaultfd.c */
	{ "handle_mm_fault", KMT_USE_USER },
	{ "__handle_mm_fault", KMT_USE_USER },
	{ "handle_pte_fault", KMT_USE_USER },
	{ "do_anonymous_page", KMT_USE_USER },
	{ "alloc_anon_folio", KMT_USE_USER },
	{ "folio_prealloc", KMT_USE_USER },
	{ "wp_page_copy", KMT_USE_USER },
	{ "do_wp_page", KMT_USE_USER },
	{ "do_cow_fault", KMT_USE_USER },
	{ "do_swap_page", KMT_USE_USER },
	{ "copy_present_page", KMT_USE_USER },
	{ "copy_page_range", KMT_USE_USER },
	{ "do_huge_pmd_*", KMT_USE_USER },
	{ "vma_alloc_anon_folio*", KMT_USE_USER },
	{ "collapse_*", KMT_USE_USER },
	{ "khugepaged*", KMT_USE_USER },
	{ "alloc_hugetlb_folio*", KMT_USE_USER },
	{ "alloc_huge_page*", KMT_USE_USER },
	{ "alloc_fresh_huge*", KMT_USE_USER },
	{ "alloc_buddy_huge*", KMT_USE_USER },
	{ "alloc_pool_huge_*", KMT_USE_USER },
	{ "ksm_might_need_to_copy", KMT_USE_USER },
	{ "migrate_pages*", KMT_USE_USER },
	{ "alloc_migration_target*", KMT_USE_USER },
	{ "alloc_misplaced_dst_*", KMT_USE_USER },
	{ "compaction_alloc*", KMT_USE_USER },
	{ "mfill_atomic*", KMT_USE_USER },
	{ "mcopy_atomic*", KMT_USE_USER },
	{ "setup_arg_pages", KMT_USE_USER },
	{ "populate_vma_page_range", KMT_USE_USER },
	{ "faultin_page", KMT_USE_USER },
	/* mm/filemap.c, mm/readahead.c, mm/shmem.c, mm/swap_state.c, fs/buffer.c, mm/secretmem.c */
	{ "__page_cache_alloc", KMT_USE_USER },
	{ "filemap_*", KMT_USE_USER },
	{ "__filemap_*", KMT_USE_USER },
	{ "do_read_cache_*", KMT_USE_USER },
	{ "read_cache_*", KMT_USE_USER },
	{ "pagecache_get_page", KMT_USE_USER },
	{ "grab_cache_page*", KMT_USE_USER },
	{ "find_or_create_page", KMT_USE_USER },
	{ "page_cache_ra_*", KMT_USE_USER },
	{ "page_cache_*_ra", KMT_USE_USER },
	{ "ra_alloc_folio", KMT_USE_USER },
	{ "readahead_*", KMT_USE_USER },
	{ "__do_page_cache_readahead", KMT_USE_USER },
	{ "ondemand_readahead", KMT_USE_USER },
	{ "force_page_cache_*", KMT_USE_USER },
	{ "shmem_*", KMT_USE_USER },
	{ "__read_swap_cache_async", KMT_USE_USER },
	{ "read_swap_cache_async", KMT_USE_USER },
	{ "swapin_readahead", KMT_USE_USER },
	{ "swap_cluster_readahead", KMT_USE_USER },
	{ "grow_dev_page", KMT_USE_USER },
	{ "grow_dev_folio", KMT_USE_USER },
	{ "grow_buffers", KMT_USE_USER },
	{ "secretmem_fault", KMT_USE_USER },
};

/* Compilers make copies, foo.isra.0, and 6.10 wrapped all allocators, foo_noprof(). */
static size_t plain_bytes(const char *function)
{
	static const char wrapped[] = "_noprof";
	size_t bytes = strcspn(function, "."), tail = sizeof(wrapped) - 1;

	if (bytes > tail && strncmp(function + bytes - tail, wrapped, tail) == 0)
		bytes -= tail;
	return bytes;
}

static bool matches(const char *pattern, const char *function, size_t bytes)
{
	size_t length = strlen(pattern);

	if (pattern[length - 1] == '*')
		return bytes >= length - 1 && strncmp(pattern, function, length - 1) == 0;
	return bytes == length && strncmp(pattern, function, length) == 0;
}

/* Return: KMT_USE_UNKNOWN: it doesn't tell. */
static enum kmt_use use_of(const char *function)
{
	size_t bytes = plain_bytes(function);

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (matches(uses[i].function, function, bytes))
			return uses[i].use;
	return KMT_USE_UNKNOWN;
}

enum kmt_use kmt_use_of_stack(const struct kmt_frames *frames, const struct kmt_trace *trace)
{
	bool has_name = false;

	for (uint32_t i = 0; i < trace->nr; i++) {
		const struct kmt_frame *frame = &kmt_trace_frame(frames, trace, i)->frame;
		enum kmt_use use;

		if (frame->module)
			return KMT_USE_KERNEL; /* it asked for them, whoever called it */
		if (!frame->function)
			continue;
		has_name = true;
		use = use_of(frame->function);
		if (use != KMT_USE_UNKNOWN)
			return use;
	}
	return has_name ? KMT_USE_KERNEL : KMT_USE_UNKNOWN;
}

enum kmt_use kmt_use_of_flags(const char *flags)
{
	/*
	 * include/linux/gfp_types.h: GFP_HIGHUSER_MOVABLE and its parts. What the kernel keeps for
	 * itself is neither movable nor in high memory, but for what zsmalloc and balloons have.
	 */
	if (strstr(flags, "GFP_HIGHUSER") || strstr(flags, "GFP_TRANSHUGE") ||
	    strstr(flags, "__GFP_MOVABLE"))
		return KMT_USE_USER;
	return KMT_USE_UNKNOWN;
}

const char *kmt_use_owner(enum kmt_use use)
{
	static const char *const owners[KMT_USES] = {
		[KMT_USE_SLAB] = "a slab",
		[KMT_USE_VMALLOC] = "an area of vmalloc",
		[KMT_USE_PERCPU] = "a chunk of per-CPU memory",
		[KMT_USE_USER] = "a process or a file",
		[KMT_USE_PAGE_TABLE] = "a process",
		[KMT_USE_STACK] = "a task",
	};

	return owners[use];
}
