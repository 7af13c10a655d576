/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_JSON_COUNTERS_H
#define KMT_REPORT_JSON_COUNTERS_H

#include "kmemtape/result.h"

#include "builder.h"

/* "reconciliation": the kernel's own counters against the live set, and vmalloc areas by caller. */
void kmt_json_put_reconciliation(struct builder *b, struct json_object *root,
				 const struct kmt_reconciliation *counted);

#endif
