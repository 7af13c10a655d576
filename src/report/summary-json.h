/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_SUMMARY_JSON_H
#define KMT_REPORT_SUMMARY_JSON_H

#include "kmemtape/summary.h"

#include "builder.h"

/* Which tape it is, what its report says, and what may make that wrong. */
void kmt_summary_put(struct builder *b, struct json_object *object,
		     const struct kmt_summary *summary);

#endif
