/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_JSON_ASKED_H
#define KMT_REPORT_JSON_ASKED_H

#include "kmemtape/result.h"

#include "builder.h"

/* What was asked for beyond the rows, each if it was: "explain", "intervals". */
void kmt_json_put_explain(struct builder *b, struct json_object *root,
			  const struct kmt_result *result);
void kmt_json_put_intervals(struct builder *b, struct json_object *root,
			    const struct kmt_result *result);

/* The lists of one site: "sizes", "gfp", "allocated_by", "freed_by", "lifetimes", "oldest". */
void kmt_json_put_dossier(struct builder *b, struct json_object *object,
			  const struct kmt_result *result, const struct kmt_dossier *dossier);

#endif
