/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_FIREFOX_H
#define KMT_REPORT_FIREFOX_H

#include "kmemtape/report.h"

/*
 * What is live by stack and by when it was allocated, for https://profiler.firefox.com. Return: 0
 * or -ENOMEM.
 */
int kmt_report_firefox(const struct kmt_result *result, const struct kmt_report_options *options,
		       FILE *file, struct kmt_err *err);

#endif
