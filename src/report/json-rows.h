/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_JSON_ROWS_H
#define KMT_REPORT_JSON_ROWS_H

#include "kmemtape/result.h"

#include "builder.h"

#define JSON_STYLE (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)

/**
 * kmt_json_print_rows() - "sites", or what else the result is grouped by, as a member of the root
 * @top: 0: all
 *
 * One row at a time: as objects, they would take five times the memory of the rows themselves.
 *
 * Return: false if memory ran out, then within the list.
 */
bool kmt_json_print_rows(const struct kmt_result *result, uint64_t top, FILE *file);

/* All members of the report's root but the rows. */
void kmt_json_put_head(struct builder *b, struct json_object *root,
		       const struct kmt_result *result);

/* "frames", if there are any */
void kmt_json_put_frames(struct builder *b, struct json_object *object,
			 const struct kmt_frame *frames, size_t nr);

/* All that is said of one row. */
void kmt_json_put_row(struct builder *b, struct json_object *object,
		      const struct kmt_result *result, const struct kmt_row *row);

/* "estimate", of a sample. */
void kmt_json_put_estimate(struct builder *b, struct json_object *object,
			   const struct kmt_estimate *estimate, bool has_size);

const char *kmt_json_space(uint32_t space);
const char *kmt_json_use(enum kmt_use use);

#endif
