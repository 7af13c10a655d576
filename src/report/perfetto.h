/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_PERFETTO_H
#define KMT_REPORT_PERFETTO_H

#include "kmemtape/report.h"

/*
 * A trace for https://ui.perfetto.dev: live bytes over time, and a heap profile at the end. Return:
 * 0 or -ENOMEM.
 */
int kmt_report_perfetto(const struct kmt_result *result, const struct kmt_report_options *options,
			FILE *file, struct kmt_err *err);

#endif
