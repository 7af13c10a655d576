/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_VMALLOC_PROBES_H
#define KMT_RECORD_VMALLOC_PROBES_H

#include "probes.h"

/**
 * kmt_vmalloc_probes_add() - two probes that see all areas of vmalloc() come and go, with their callers
 * @why: filled in if there are none
 *
 * The events that the kernel has of it since 6.2 don't tell the caller.
 *
 * Return: 0 they are there; -ENOTSUP this kernel has no kprobes, or isn't one that we know how to read.
 */
int kmt_vmalloc_probes_add(struct kmt_probes *probes, char why[KMT_MANIFEST_TEXT_BYTES]);

#endif
