/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_HTML_H
#define KMT_REPORT_HTML_H

#include "kmemtape/report.h"

/* The report as one page for a browser, which needs nothing else. Return: 0 or -ENOMEM. */
int kmt_report_html(const struct kmt_result *result, const struct kmt_report_options *options,
		    FILE *file, struct kmt_err *err);

#endif
