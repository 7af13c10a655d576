/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_CSV_H
#define KMT_REPORT_CSV_H

#include "kmemtape/report.h"

/* Rows as RFC 4180 has them, the names of the columns first. Return: 0. */
int kmt_report_csv(const struct kmt_result *result, const struct kmt_report_options *options,
		   FILE *file, struct kmt_err *err);

#endif
