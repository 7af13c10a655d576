/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_NDJSON_H
#define KMT_REPORT_NDJSON_H

#include "kmemtape/report.h"

/* Each row as an object on a line of its own, with the keys of schema 1. Return: 0 or -ENOMEM. */
int kmt_report_ndjson(const struct kmt_result *result, const struct kmt_report_options *options,
		      FILE *file, struct kmt_err *err);

#endif
