/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_SUMMARY_JSON_H
#define KMT_REPORT_SUMMARY_JSON_H

#include "kmemtape/summary.h"

#include "builder.h"

/* What a row is called, and what it is of. */
void kmt_summary_put_name(struct builder *b, struct json_object *object,
			  const struct kmt_summary_row *row);

void kmt_summary_put_judgement(struct builder *b, struct json_object *object, enum kmt_class class,
			       double confidence, bool is_suspect);

/* Takes @root. Return: 0 or -ENOMEM. */
int kmt_summary_json_print(const struct builder *b, struct json_object *root, FILE *file,
			   struct kmt_err *err);

/* Which tape it is, what its report says, and what may make that wrong. */
void kmt_summary_put(struct builder *b, struct json_object *object,
		     const struct kmt_summary *summary);

#endif
