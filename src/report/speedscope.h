/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_SPEEDSCOPE_H
#define KMT_REPORT_SPEEDSCOPE_H

#include "kmemtape/report.h"

/* Live bytes and live objects by stack, for https://www.speedscope.app. Return: 0 or -ENOMEM. */
int kmt_report_speedscope(const struct kmt_result *result, const struct kmt_report_options *options,
			  FILE *file, struct kmt_err *err);

#endif
