// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privileges.h"

int kmt_privileges_drop(bool is_writer, struct kmt_err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint32_t kept = 1u << CAP_DAC_READ_SEARCH | (is_writer ? 1u << CAP_DAC_OVERRIDE : 0);

	if (syscall(SYS_capget, &header, data) < 0)
		return kmt_fail(err, -errno, "sandbox: capget: %s", strerror(errno));
	data[0].permitted &= kept;
	data[1].permitted = 0;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].effective &= data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return kmt_fail(err, -errno, "sandbox: capset: %s", strerror(errno));
	return 0;
}
