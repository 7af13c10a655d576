// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "btf.h"
#include "privileges.h"
#include "vmalloc-probes.h"

#define ARGS_BYTES 256

/* Of struct vm_struct, in bytes. */
struct offsets {
	uint32_t addr, size, flags, caller;
};

/*
 * Linux include/linux/vmalloc.h of 64-bit kernels until 6.12: next, addr, size, flags, pages,
 * nr_pages, phys_addr, caller. In 7.3 the caller is at 64.
 */
static const struct offsets old_offsets = { .addr = 8, .size = 16, .flags = 24, .caller = 56 };

static bool ask_btf(const struct kmt_probes_kernel *kernel, struct offsets *ret_offsets)
{
	const struct {
		const char *name;
		uint32_t *offset;
	} members[] = {
		{ "addr", &ret_offsets->addr },
		{ "size", &ret_offsets->size },
		{ "flags", &ret_offsets->flags },
		{ "caller", &ret_offsets->caller },
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (kmt_btf_member(kernel->btf, kernel->btf_bytes, "vm_struct", members[i].name,
				   members[i].offset, NULL) != 1)
			return false;
	return true;
}

/* A kernel that has events of vmalloc is too new to guess. */
static bool is_old(const struct kmt_probes_kernel *kernel)
{
	return kernel->bits == 64 && kmt_privileges_find(kernel->instance_fd, "events/vmalloc") < 0;
}

static int create_both(struct kmt_probes *probes, const struct offsets *offsets)
{
	unsigned int bits = kmt_probes_kernel(probes)->bits;
	char args[ARGS_BYTES], addr[ARGS_BYTES];
	struct kmt_probe_spec del = {
		.event = "vma_del",
		.function = "remove_vm_area",
		.args = addr,
		.role = KMT_ROLE_FREE,
	};
	struct kmt_probe_spec new = {
		.event = "vma_new",
		.function = "__get_vm_area_node",
		.args = args,
		.role = KMT_ROLE_ALLOC,
		.is_return = true,
	};
	int r;

	(void)snprintf(addr, sizeof(addr), "addr=$arg1:x%u", bits);
	(void)snprintf(args, sizeof(args),
		       "area=$retval:x%u addr=+%u($retval):x%u size=+%u($retval):u%u "
		       "flags=+%u($retval):x%u caller=+%u($retval):x%u",
		       bits, offsets->addr, bits, offsets->size, bits, offsets->flags, bits,
		       offsets->caller, bits);
	r = kmt_probes_create(probes, &del);
	if (r < 0)
		return r;
	r = kmt_probes_create(probes, &new);
	if (r < 0)
		kmt_probes_drop_last(probes); /* frees alone are of no use */
	return r;
}

int kmt_vmalloc_probes_add(struct kmt_probes *probes, char why[KMT_MANIFEST_TEXT_BYTES])
{
	const struct kmt_probes_kernel *kernel = kmt_probes_kernel(probes);
	struct offsets offsets = old_offsets;
	const char *reason = NULL;
	int r = 0;

	if (!kernel->has_kprobes)
		reason = "this kernel has no kprobe events";
	else if (kernel->btf ? !ask_btf(kernel, &offsets) : !is_old(kernel))
		reason = "nothing tells the layout of its struct vm_struct (no BTF)";
	else if ((r = create_both(probes, &offsets)) < 0)
		reason = kmt_probes_reason(r);
	(void)snprintf(why, KMT_MANIFEST_TEXT_BYTES, "%s", reason ? reason : "");
	return reason ? -ENOTSUP : 0;
}
