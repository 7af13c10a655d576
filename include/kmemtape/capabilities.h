/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_CAPABILITIES_H
#define KMEMTAPE_CAPABILITIES_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Capabilities of the calling thread, as the kernel has them. Plain system calls, because they are
 * made between two reads of tracefs while events are on: nothing is allocated.
 */

#define KMT_CAPABILITY(number) (UINT64_C(1) << (number)) /* CAP_... of linux/capability.h */
/* With which an executable records, whoever runs it: the first is needed, the others of use. */
#define KMT_CAPABILITIES_RECORD                                               \
	(KMT_CAPABILITY(CAP_DAC_OVERRIDE) | KMT_CAPABILITY(CAP_SYSLOG) | \
	 KMT_CAPABILITY(CAP_SYS_NICE) | KMT_CAPABILITY(CAP_IPC_LOCK))
#define KMT_CAPABILITIES_ALL   UINT64_MAX
#define KMT_CAPABILITIES_BYTES 160 /* of a text with all that have a name here */

struct kmt_capabilities {
	uint64_t effective, permitted;
};

/* kmt_capabilities_get() - those of this thread; none if the kernel can't tell */
struct kmt_capabilities kmt_capabilities_get(void);

/**
 * kmt_capabilities_keep() - give up all others, for good; nothing is inheritable afterwards
 * @permitted: may have more than there are: what isn't there doesn't come
 * @effective: those of them that have an effect from now on
 *
 * Return: 0 or negative errno.
 */
int kmt_capabilities_keep(uint64_t permitted, uint64_t effective);

/**
 * kmt_capabilities_raise() - let what is permitted have an effect
 * Return: those that had none before, to be given to kmt_capabilities_lower()
 */
uint64_t kmt_capabilities_raise(uint64_t capabilities);

/* kmt_capabilities_lower() - they stay permitted, and have no effect */
void kmt_capabilities_lower(uint64_t capabilities);

/* kmt_capabilities_forbid() - no program that this thread runs gets any; for good, as far as may be
 */
void kmt_capabilities_forbid(void);

/* kmt_capabilities_text() - "cap_dac_override,cap_syslog", or "none" */
const char *kmt_capabilities_text(char text[KMT_CAPABILITIES_BYTES], uint64_t capabilities);

#endif
