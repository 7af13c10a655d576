/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_FOLDED_H
#define KMT_REPORT_FOLDED_H

#include "kmemtape/report.h"

/* Live bytes as lines of "outer;inner BYTES", as flame graphs are made of. Return: 0. */
int kmt_report_folded(const struct kmt_result *result, const struct kmt_report_options *options,
		      FILE *file, struct kmt_err *err);

#endif
