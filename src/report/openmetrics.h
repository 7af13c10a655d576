/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_OPENMETRICS_H
#define KMT_REPORT_OPENMETRICS_H

#include "kmemtape/report.h"

#define KMT_OPENMETRICS_ROWS 20 /* time series have a price: those that are worth one */

/*
 * Gauges for a file that a collector reads: OpenMetrics, and no less what Prometheus's own text
 * format allows. Return: 0 or -ENOMEM.
 */
int kmt_report_openmetrics(const struct kmt_result *result,
			   const struct kmt_report_options *options, FILE *file,
			   struct kmt_err *err);

#endif
