/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_PERFETTO_HEAP_H
#define KMT_REPORT_PERFETTO_HEAP_H

#include "kmemtape/report.h"

#include "proto-wire.h"

/**
 * kmt_perfetto_heap_fill() - the heap profile of the end, as heapprofd would have taken it
 * @pid: of the process that it is shown with
 * @packet: becomes a ProfilePacket; empty
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_perfetto_heap_fill(const struct kmt_result *result,
			   const struct kmt_report_options *options, uint64_t pid,
			   struct kmt_proto *packet);

#endif
