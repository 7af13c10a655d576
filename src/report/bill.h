/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_BILL_H
#define KMT_REPORT_BILL_H

#include <stdio.h>

#include "kmemtape/result.h"

/* How much the kernel's memory grew by its own counters, and how much of that is explained. */
void kmt_bill_print(const struct kmt_result *result, FILE *file);

#endif
