/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_HTML_DATA_H
#define KMT_REPORT_HTML_DATA_H

#include <stdio.h>

#include "kmemtape/result.h"

/**
 * kmt_html_data_print() - what a page is made of by its script: the JSON report, shortened
 *
 * Whatever is on the tape, it takes less than 2 MB: rows come with all that is known of them as
 * long as there is room, then with their numbers alone, and what is left is summed. Its keys are
 * those of
 * `--format json`, and "name", "rest", "points", "losses", "dossiers", "stacks", "functions".
 *
 * @rows: at most; 0: all
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_html_data_print(const struct kmt_result *result, uint64_t rows, FILE *file);

#endif
