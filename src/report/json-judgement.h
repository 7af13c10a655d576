/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_JSON_JUDGEMENT_H
#define KMT_REPORT_JSON_JUDGEMENT_H

#include "kmemtape/result.h"

#include "builder.h"

/* class, confidence, reasons, rate, trend: into the object that is judged. Without a size all is of
 * objects. */
void kmt_json_put_judgement(struct builder *b, struct json_object *object,
			    const struct kmt_judgement *judgement, bool has_size);

/* history and ages; nothing if there is none. */
void kmt_json_put_history(struct builder *b, struct json_object *object,
			  const struct kmt_packed_history *packed, const struct kmt_grid *grid,
			  bool has_size);

#endif
