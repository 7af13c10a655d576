// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "appendages.h"

/*
 * By the function that the tracepoint names, which is the one that the compiler left: so the
 * callers of those that it inlines are here, too, if they allocate nothing else.
 */
static const struct {
	const char *function, *owner;
} appendages[] = {
	/* The vector of what each object of a slab is charged to: kcalloc_node(), freed with the
	 * slab in free_slab_obj_exts(). mm/slab.h, mm/memcontrol.c: Linux 5.9 to 5.16 */
	{ "memcg_alloc_page_obj_cgroups", "a slab page" },
	/* mm/memcontrol.c: 5.17 to 6.9 */
	{ "memcg_alloc_slab_cgroups", "a slab page" },
	/* mm/slab_common.c, then mm/slub.c: since 6.10 */
	{ "alloc_slab_obj_exts", "a slab page" },
	{ "__memcg_slab_post_alloc_hook", "a slab page" },
	{ "account_slab", "a slab page" },
	{ "allocate_slab", "a slab page" },
	/* security/security.c: lsm_inode_cache isn't reclaimable, but goes when its inode does, in
	 * inode_free_by_rcu(). Since 5.1 */
	{ "lsm_inode_alloc", "an inode" },
	{ "security_inode_alloc", "an inode" },
	/* The same of each security module, before: security/selinux/hooks.c,
	 * security/smack/smack_lsm.c */
	{ "inode_alloc_security", "an inode" },
	{ "selinux_inode_alloc_security", "an inode" },
	{ "new_inode_smack", "an inode" },
	/* fs/dcache.c: a name of more than 32 to 40 bytes is of kmalloc(), and freed with the
	   dentry */
	{ "__d_alloc", "a dentry" },
	/* mm/vmalloc.c: after vfree() an area stays until 32 MiB of address space for each doubling
	 * of CPUs wait to be flushed (lazy_max_pages()), and its vmap_area with it. That areas leak
	 * is for themselves and vmallocinfo to show. */
	{ "alloc_vmap_area", "an area of vmalloc" },
};

const char *kmt_appendage_owner(const char *function)
{
	/* Compilers make copies: alloc_slab_obj_exts.isra.0 */
	size_t bytes = strcspn(function, ".");

	for (size_t i = 0; i < sizeof(appendages) / sizeof(appendages[0]); i++)
		if (strncmp(appendages[i].function, function, bytes) == 0 &&
		    appendages[i].function[bytes] == '\0')
			return appendages[i].owner;
	return NULL;
}
