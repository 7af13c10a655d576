/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_FIREFOX_TABLES_H
#define KMT_REPORT_FIREFOX_TABLES_H

#include "builder.h"
#include "intern.h"
#include "walk.h"

/* What all threads of a profile share: stacks, their frames, functions, libraries and texts. */

/* A column of a table in the making. */
struct kmt_firefox_column {
	uint64_t *numbers; /* on the heap; UINT32_MAX is null */
	size_t nr;
};

struct kmt_firefox_tables {
	const struct kmt_result *result;
	struct builder *builder;
	struct kmt_intern texts, libs, functions, stacks;
	struct kmt_firefox_column function_names, function_libs, stack_frames, stack_prefixes;
};

void kmt_firefox_tables_deinit(struct kmt_firefox_tables *tables);

/* The number of a sample's stack. What fails for want of memory is remembered. */
uint32_t kmt_firefox_tables_add(struct kmt_firefox_tables *tables,
				const struct kmt_walk_sample *sample);

/* "libs" and "shared" of a profile. */
void kmt_firefox_tables_put(struct kmt_firefox_tables *tables, struct json_object *root);

bool kmt_firefox_tables_are_whole(const struct kmt_firefox_tables *tables);

/* A table of which there is nothing. @columns: the last one is NULL */
void kmt_firefox_put_empty_table(struct builder *b, struct json_object *parent, const char *name,
				 const char *const *columns);

#endif
