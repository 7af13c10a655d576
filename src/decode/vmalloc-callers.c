// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "kmemtape/counters.h"

/*
 * Callers whose areas come and go with something else, and what that is. A leak of those things
 * is a leak, but not of this caller, and its number alone proves nothing. Names are the starts of
 * functions: kernel/fork.c, kernel/bpf, kernel/module, mm/execmem.c, mm/percpu.c. Small functions
 * are inlined, so that their callers are here as well.
 */
static const struct {
	const char *start, *what;
	bool is_stack;
} fluctuating[] = {
	{ "alloc_thread_stack_node", "tasks", true },
	{ "dup_task_struct", "tasks", true },
	{ "copy_process", "tasks", true },
	{ "kernel_clone", "tasks", true },
	{ "_do_fork", "tasks", true },
	{ "do_fork", "tasks", true },
	{ "fork_idle", "tasks", true },
	{ "kernel_thread", "tasks", true },
	{ "create_io_thread", "tasks", true },
	{ "bpf_", "BPF programs and maps", false },
	{ "__bpf_", "BPF programs and maps", false },
	{ "htab_map_alloc", "BPF programs and maps", false },
	{ "array_map_alloc", "BPF programs and maps", false },
	{ "queue_stack_map_alloc", "BPF programs and maps", false },
	{ "prealloc_init", "BPF programs and maps", false },
	{ "load_module", "modules", false },
	{ "module_alloc", "modules", false },
	{ "module_memory_alloc", "modules", false },
	{ "layout_and_allocate", "modules", false },
	{ "move_module", "modules", false },
	{ "copy_module_from_user", "modules", false },
	{ "execmem_", "modules, BPF and probes", false },
	{ "arch_ftrace_update_trampoline", "tracing", false },
	{ "pcpu_", "per-CPU memory, which has a counter of its own", false },
};

const char *kmt_vmalloc_excuse(const char *caller, bool *ret_is_stack)
{
	*ret_is_stack = false;
	if (strchr(caller, '[')) /* code of a module is never meant */
		return NULL;
	for (size_t i = 0; i < sizeof(fluctuating) / sizeof(fluctuating[0]); i++)
		if (strncmp(caller, fluctuating[i].start, strlen(fluctuating[i].start)) == 0) {
			*ret_is_stack = fluctuating[i].is_stack;
			return fluctuating[i].what;
		}
	return NULL;
}
