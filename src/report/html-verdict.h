/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_HTML_VERDICT_H
#define KMT_REPORT_HTML_VERDICT_H

#include <stdio.h>

#include "kmemtape/result.h"

/*
 * The first screen of a page, for whoever has ten seconds: what leaks, since when, how sure that
 * is, who else is suspected, and what to do next. It needs no script.
 */
void kmt_html_verdict_print(const struct kmt_result *result, FILE *file);

#endif
