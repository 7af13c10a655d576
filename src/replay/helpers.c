// SPDX-License-Identifier: LGPL-2.1-only
#include <stddef.h>
#include <string.h>

#include "helpers.h"

/*
 * By name alone, of Linux 3.10 to 6.18: a name that a kernel doesn't have does no harm. A '*' is
 * for the rest of the name. What is not here is an owner: so a function has to be one that keeps
 * nothing of what it allocates. Not here, therefore:
 *  - allocate_slab() and what else the slab allocator allocates for itself. A slab, its vectors and
 *    its sheaves are those of a cache, and not of who happened to ask for its next object;
 *  - pcpu_populate_chunk(), page_frag_cache_refill() and their like, for the same reason.
 */
static const char *const allocators[] = {
	/* The tracer, below the allocator: kernel/trace, kernel/kprobes.c, kernel/stacktrace.c */
	"trace_event_raw_event_*", "trace_event_buffer_*", "trace_event_raw_init", "perf_trace_*",
	"__traceiter_*", "event_trigger*", "stacktrace_*", "trace_dump_stack", "__trace_stack",
	"__ftrace_trace_stack", "ftrace_stacktrace*", "stack_trace_save*", "save_stack_trace*",
	"trace_buffer_unlock_commit*", "ftrace_ops_*", "ftrace_regs_*", "kprobe_*", "kretprobe_*",
	"__kretprobe_*", "rethook_*", "arch_rethook_*", "opt_pre_handler", "optimized_callback",
	"exc_int3", "asm_exc_int3", "do_int3", "int3", "kprobes_*", "aggr_pre_handler",
	"pre_handler_kretprobe", "trampoline_handler",
	/* mm/slub.c, mm/slab_common.c, mm/util.c */
	"kmalloc", "kmalloc_*", "__kmalloc", "__kmalloc_*", "___kmalloc_*", "__do_kmalloc_node",
	"kzalloc*", "kcalloc*", "kmem_cache_alloc*", "__kmem_cache_alloc*", "kmem_cache_zalloc",
	"slab_alloc*", "krealloc*", "__krealloc*", "__do_krealloc", "kvmalloc*", "__kvmalloc*",
	"kvzalloc*", "kvcalloc*", "kvrealloc*",
	/* mm/page_alloc.c, mm/mempolicy.c */
	"__alloc_pages*", "alloc_pages", "alloc_pages_*", "__alloc_frozen_pages*",
	"alloc_frozen_pages*", "alloc_page_interleave", "folio_alloc", "folio_alloc_noprof",
	"folio_alloc_mpol*", "__folio_alloc*", "vma_alloc_folio*", "alloc_page_vma",
	"alloc_contig_*", "__alloc_contig_*", "make_alloc_exact", "__get_free_page*",
	"get_free_page*", "get_zeroed_page*", "__get_dma_pages", "__page_cache_alloc",
	/* mm/vmalloc.c, mm/execmem.c, arch's ioremap.c */
	"alloc_vmap_area", "__get_vm_area*", "get_vm_area*", "vmalloc", "vmalloc_*", "__vmalloc",
	"__vmalloc_*", "vzalloc*", "vrealloc*", "vcalloc*", "vm_area_alloc_pages*", "vmap",
	"vmap_pfn", "vm_map_ram", "module_alloc", "execmem_*", "bpf_jit_alloc_exec", "ioremap",
	"ioremap_*", "__ioremap*", "generic_ioremap*", "memremap", "arch_memremap_*",
	/* mm/percpu.c */
	"pcpu_alloc", "pcpu_alloc_noprof", "__alloc_percpu*", "__alloc_reserved_percpu*"
};

static const char *const libraries[] = {
	/* mm/util.c, lib/kasprintf.c, lib/string_helpers.c */
	"kmemdup*", "__kmemdup*", "kvmemdup*", "kstrdup*", "kstrndup*", "kasprintf", "kvasprintf*",
	"memdup_*", "vmemdup_*", "strndup_user", "kstrdup_*", "kasprintf_strarray",
	/* mm/mempool.c, mm/dmapool.c, kernel/dma, drivers/iommu/dma-iommu.c */
	"mempool_*", "dma_pool_*", "dma_alloc_*", "__dma_alloc_*", "dma_direct_alloc*",
	"__dma_direct_alloc*", "dma_common_alloc*", "dma_common_contiguous_remap",
	"dma_common_pages_remap", "iommu_dma_alloc*", "__iommu_dma_alloc*", "arch_dma_alloc",
	"swiotlb_alloc*", "gen_pool_add*", "gen_pool_create",
	/* lib: trees, tables, strings, bitmaps. */
	"mas_*", "mt_*", "__mt_*", "mtree_*", "xas_*", "__xas_*", "xa_*", "__xa_*", "radix_tree_*",
	"__radix_tree_*", "idr_*", "ida_*", "__idr_*", "__ida_*", "rhashtable_*", "__rhashtable_*",
	"rhltable_*", "bucket_table_alloc*", "assoc_array_*", "sg_alloc_*", "__sg_alloc_*",
	"sg_kmalloc", "sgl_alloc*", "bitmap_alloc*", "bitmap_zalloc*", "sbitmap_*",
	"alloc_cpumask_var*", "zalloc_cpumask_var*", "alloc_bucket_spinlocks",
	"__alloc_bucket_spinlocks", "__kfifo_alloc", "kfifo_alloc", "flex_array_*", "btree_*",
	"percpu_ref_*", "percpu_counter_*", "__percpu_counter_*", "percpu_init_rwsem",
	"__percpu_init_rwsem", "genradix_*", "__genradix_*", "objpool_*", "stack_depot_*",
	"interval_tree_*", "argv_split", "match_strdup", "kstrtobool_from_user",
	"init_srcu_struct*", "__init_srcu_struct",
	/* fs/seq_file.c, fs/libfs.c: buffers of whoever shows something */
	"seq_*", "__seq_*", "single_open*", "simple_transaction_*", "simple_attr_open",
	/* net/core/skbuff.c, net/core/sock.c, net/core/page_pool.c and their like */
	"__alloc_skb", "alloc_skb*", "__build_skb*", "build_skb*", "napi_build_skb",
	"slab_build_skb", "__napi_build_skb", "kmalloc_reserve", "__kmalloc_reserve",
	"pskb_expand_head", "__pskb_*", "pskb_copy*", "skb_clone*", "skb_copy*", "__skb_copy*",
	"skb_realloc_headroom", "skb_expand_head", "skb_share_check", "skb_unshare", "skb_morph",
	"skb_page_frag_refill", "sk_page_frag_refill", "skb_ext_*", "__skb_ext_*",
	"__netdev_alloc_*", "netdev_alloc_*", "napi_alloc_*", "__napi_alloc_*", "napi_get_frags",
	"napi_skb_cache_get*", "alloc_napi_skb", "skb_cow_data", "skb_segment*", "skb_linearize*",
	"sk_alloc", "sk_prot_alloc", "sk_clone*", "sk_stream_alloc_skb", "tcp_stream_alloc_skb",
	"sock_alloc", "sock_alloc_inode", "sock_alloc_file", "sock_alloc_send_*", "sock_wmalloc",
	"sock_rmalloc", "sock_omalloc", "sock_kmalloc", "sock_kmemdup", "sock_map_fd",
	"__sock_create", "sock_create*", "page_pool_*", "__page_pool_*", "alloc_netdev_mqs",
	"alloc_etherdev_mqs", "dst_alloc", "metadata_dst_*", "nlmsg_new*", "genlmsg_new*",
	"netlink_alloc_large_skb", "inet_reqsk_alloc", "reqsk_alloc*", "netlink_dump_start",
	"__netlink_dump_start", "nla_memdup*", "nla_strdup*", "register_net_sysctl*",
	/* block, drivers/scsi */
	"bio_alloc*", "bio_kmalloc", "bio_clone*", "__bio_clone*", "bio_copy_*", "bio_split*",
	"bvec_alloc*", "bioset_*", "bio_integrity_alloc", "blk_alloc_*", "blk_mq_alloc_*",
	"__blk_mq_alloc_*", "__alloc_disk*", "__blk_alloc_disk", "alloc_disk*", "blk_next_bio",
	"alloc_buffer_head", "folio_alloc_buffers", "alloc_page_buffers", "alloc_io_context",
	"scsi_alloc_sgtables", "scsi_init_io",
	/* fs: parts of an inode, a file, a name. */
	"alloc_inode", "new_inode", "new_inode_pseudo", "iget_locked", "iget5_locked*",
	"inode_init_*", "inode_insert5", "alloc_anon_inode", "anon_inode_*", "__anon_inode_*",
	"d_alloc", "d_alloc_*", "__d_alloc", "d_make_root", "d_obtain_*", "alloc_empty_file*",
	"alloc_file*", "__alloc_file", "init_file", "get_empty_filp", "getname", "getname_*",
	"simple_xattr_alloc", "alloc_fs_context", "fs_context_for_*", "alloc_super", "sget",
	"sget_*", "sget_fc", "simple_pin_fs", "alloc_vfsmnt", "vfs_kern_mount", "kern_mount",
	"simple_fill_super", "init_pseudo", "fsnotify_alloc_*",
	/* mm/vma: parts of an address space */
	"vm_area_alloc", "vm_area_dup", "vma_iter_*", "vma_prealloc*",
	/* security: blobs of what others own, credentials of who changes them */
	"security_*", "lsm_*", "call_int_hook", "prepare_creds", "prepare_kernel_cred",
	"prepare_exec_creds", "cred_alloc_blank", "key_alloc", "audit_log_*", "audit_buffer_alloc",
	/* lib/kobject.c, fs/kernfs, fs/sysfs, drivers/base, fs/proc, fs/debugfs */
	"kobject_*", "kset_*", "kobj_map", "kernfs_*", "__kernfs_*", "sysfs_*", "__sysfs_*",
	"internal_create_group*", "create_files", "device_add", "device_add_*", "device_register",
	"device_create*", "device_private_init", "dev_set_name", "cdev_alloc", "cdev_add",
	"class_create*", "__class_create", "class_register", "__class_register",
	"platform_device_alloc", "platform_device_add*", "platform_device_register_full",
	"bus_add_*", "driver_register", "__platform_driver_register", "misc_register",
	"root_device_register", "__root_device_register", "devm_*", "__devm_*", "devres_*",
	"__devres_*", "alloc_dr", "dmam_*", "pcim_*", "component_*", "dev_pm_qos_*",
	"device_init_wakeup", "wakeup_source_*", "proc_create*", "__proc_create", "proc_mkdir*",
	"_proc_mkdir", "proc_symlink", "debugfs_create_*", "__debugfs_create_*", "tracefs_create_*",
	"securityfs_create_*", "register_sysctl*", "__register_sysctl_*", "nvmem_register",
	/* kernel: threads, work, interrupts, timers that others want */
	"alloc_workqueue*", "__alloc_workqueue*", "alloc_workqueue_attrs*",
	"apply_workqueue_attrs*", "kthread_create*", "__kthread_create*", "kthread_run*",
	"request_threaded_irq", "request_irq", "request_any_context_irq", "__request_percpu_irq",
	"__irq_alloc_descs", "alloc_descs", "alloc_desc", "irq_domain_*", "__irq_domain_*",
	"irq_create_*", "request_firmware*", "_request_firmware*", "alloc_iova*",
	"__request_region", "request_resource*", "__request_module", "call_usermodehelper_setup",
	"task_work_*", "stop_machine*", "smpboot_register_*", "regmap_init", "__regmap_init*",
	"clk_register*", "__clk_register", "clk_hw_register*", "alloc_clk",
	/* crypto, drivers/usb/core, drivers/i2c, drivers/spi */
	"crypto_alloc_*", "crypto_create_tfm*", "__crypto_alloc_tfm*", "crypto_alg_mod_lookup",
	"usb_alloc_urb", "usb_alloc_coherent", "hcd_buffer_alloc*", "usb_submit_urb",
	"__spi_alloc_controller", "i2c_new_*", "input_allocate_device",
	/* kernel/bpf */
	"bpf_map_kmalloc_node", "bpf_map_kzalloc", "bpf_map_kvcalloc", "bpf_map_area_*",
	"__bpf_map_area_alloc", "bpf_map_alloc_percpu", "bpf_map_alloc_pages", "bpf_mem_alloc",
	"bpf_mem_cache_alloc*", "bpf_prog_alloc*", "bpf_prog_realloc"
};

static const char *const entries[] = {
	/* All architectures */
	"ret_from_fork*", "ret_from_kernel_*", "kthread", "worker_thread", "process_one_work",
	"process_scheduled_works", "smpboot_thread_fn", "handle_softirqs", "do_softirq*",
	"__do_softirq*", "irq_exit*", "__irq_exit*", "run_ksoftirqd", "call_timer_fn",
	"run_timer_*", "__run_timers*", "__run_timer_base", "expire_timers", "rcu_core*",
	"rcu_do_batch", "rcu_process_callbacks", "tasklet_action*", "start_kernel", "kernel_init*",
	"rest_init", "do_one_initcall", "do_initcall*", "do_init_module", "generic_handle_*",
	"handle_irq*", "__handle_irq*", "handle_edge_irq", "handle_fasteoi_irq", "handle_level_irq",
	"irq_thread*", "irq_forced_thread_fn", "task_work_run", "exit_to_user_mode*",
	"syscall_exit_to_user_mode*", "flush_smp_call_function*", "__flush_smp_call_function*",
	"cpu_startup_entry", "do_idle", "default_idle*", "cpuidle_*",
	/* x86 */
	"do_syscall_64", "do_syscall_x64", "x64_sys_call", "ia32_sys_call", "entry_*", "asm_*",
	"do_fast_syscall_32", "__do_fast_syscall_32", "do_int80*", "do_SYSENTER_32", "sysvec_*",
	"__sysvec_*", "common_interrupt", "__common_interrupt", "do_IRQ", "apic_timer_interrupt",
	"smp_apic_timer_interrupt", "reschedule_interrupt", "system_call_fastpath", "sysenter_*",
	"system_call", "secondary_startup_64*", "x86_64_start_*", "common_startup_64",
	"ret_from_intr", "call_on_stack", "page_fault", "exc_page_fault", "do_user_addr_fault",
	"native_safe_halt", "ia32_sysenter_target", "sysret_*", "tracesys*", "syscall_*_work",
	"entry",
	/* arm64, arm */
	"el0*", "el1*", "el0t_*", "el1h_*", "do_el0_svc*", "invoke_syscall", "__invoke_syscall",
	"gic_handle_irq", "__gic_handle_irq*", "do_interrupt_handler", "call_on_irq_stack",
	"__irq_svc", "__irq_usr", "ret_fast_syscall", "__sys_trace", "do_mem_abort", "do_DataAbort",
	/* powerpc, s390, riscv, others */
	"system_call_*", "interrupt_return*", "hardware_interrupt_*", "decrementer_common*",
	"__do_syscall", "__do_pgm_check", "pgm_check_handler", "do_trap_ecall_u",
	"handle_exception", "ret_from_exception", "do_syscall", "handle_syscall", "handle_sys*"
};

/* Length of the name before ".isra.0", ".part.1", ".llvm.123"; names of old powerpc begin with '.'.
 */
static size_t name_bytes(const char *function)
{
	size_t dots = strspn(function, ".");

	return dots + strcspn(function + dots, ".");
}

static bool is_in(const char *const *table, size_t nr, const char *function)
{
	size_t bytes = name_bytes(function), dots = strspn(function, ".");

	function += dots;
	bytes -= dots;
	for (size_t i = 0; i < nr; i++) {
		size_t length = strlen(table[i]);

		if (table[i][length - 1] == '*'
			    ? bytes >= length - 1 && strncmp(table[i], function, length - 1) == 0
			    : bytes == length && strncmp(table[i], function, length) == 0)
			return true;
	}
	return false;
}

#define IS_IN(table, function) is_in(table, sizeof(table) / sizeof((table)[0]), function)

enum kmt_helper kmt_helper_kind(const char *function)
{
	if (IS_IN(allocators, function))
		return KMT_HELPER_ALLOCATOR;
	return IS_IN(libraries, function) ? KMT_HELPER_LIBRARY : KMT_HELPER_NONE;
}

bool kmt_helper_is_entry(const char *function)
{
	return IS_IN(entries, function);
}

bool kmt_helper_is_handed_on(const char *function)
{
	return kmt_helper_kind(function) == KMT_HELPER_LIBRARY && strstr(function, "skb");
}
