/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_ADVICE_H
#define KMT_REPORT_ADVICE_H

#include <stddef.h>
#include <stdio.h>

#include "kmemtape/result.h"

#include "suspects.h"

/* What to do next, and what to send to whom: @add gets a sentence at a time, as the tape has names.
 */
void kmt_advice_list(const struct kmt_result *result, const struct kmt_suspect *suspects, size_t nr,
		     void (*add)(void *context, const char *sentence), void *context);

/* The same as text. */
void kmt_advice_print(const struct kmt_result *result, const struct kmt_suspect *suspects,
		      size_t nr, FILE *file);

#endif
