// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kmemtape/capabilities.h"

/* Those that a recorder may have a use for. */
static const struct {
	unsigned int number;
	const char *name;
} names[] = {
	{ CAP_DAC_OVERRIDE, "cap_dac_override" }, { CAP_KILL, "cap_kill" },
	{ CAP_IPC_LOCK, "cap_ipc_lock" },	  { CAP_SYS_PTRACE, "cap_sys_ptrace" },
	{ CAP_SYS_ADMIN, "cap_sys_admin" },	  { CAP_SYS_NICE, "cap_sys_nice" },
	{ CAP_SYS_RESOURCE, "cap_sys_resource" }, { CAP_SYSLOG, "cap_syslog" },
};

struct kmt_capabilities kmt_capabilities_get(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return (struct kmt_capabilities){ .effective = 0 };
	return (struct kmt_capabilities){
		.effective = (uint64_t)data[1].effective << 32 | data[0].effective,
		.permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted,
	};
}

static int set(uint64_t permitted, uint64_t effective)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = (uint32_t)effective, .permitted = (uint32_t)permitted },
		{ .effective = (uint32_t)(effective >> 32),
		  .permitted = (uint32_t)(permitted >> 32) },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int kmt_capabilities_keep(uint64_t permitted, uint64_t effective)
{
	permitted &= kmt_capabilities_get().permitted;
	return set(permitted, permitted & effective);
}

uint64_t kmt_capabilities_raise(uint64_t capabilities)
{
	struct kmt_capabilities now = kmt_capabilities_get();
	uint64_t raised = capabilities & now.permitted & ~now.effective;

	if (raised && set(now.permitted, now.effective | raised) < 0)
		return 0;
	return raised;
}

void kmt_capabilities_lower(uint64_t capabilities)
{
	struct kmt_capabilities now = kmt_capabilities_get();

	if (now.effective & capabilities)
		(void)set(now.permitted, now.effective & ~capabilities);
}

void kmt_capabilities_forbid(void)
{
	for (unsigned int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0); /* takes CAP_SETPCAP */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

const char *kmt_capabilities_text(char text[KMT_CAPABILITIES_BYTES], uint64_t capabilities)
{
	size_t used = 0;

	(void)snprintf(text, KMT_CAPABILITIES_BYTES, "none");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (capabilities & KMT_CAPABILITY(names[i].number))
			used += (size_t)snprintf(text + used, KMT_CAPABILITIES_BYTES - used, "%s%s",
						 used ? "," : "", names[i].name);
	return text;
}
