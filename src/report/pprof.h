/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_PPROF_H
#define KMT_REPORT_PPROF_H

#include "kmemtape/report.h"

/* A heap profile as Go's pprof has it, in gzip. Return: 0 or -ENOMEM. */
int kmt_report_pprof(const struct kmt_result *result, const struct kmt_report_options *options,
		     FILE *file, struct kmt_err *err);

#endif
