/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPORT_NAMING_H
#define KMT_REPORT_NAMING_H

#include "kmemtape/summary.h"

/* By what a row of one tape is found in another one: names, and never an address. */
enum kmt_key_part {
	KMT_KEY_OFFSET = 1, /* within the function: for the same build only */
	KMT_KEY_CACHE = 2,
};

#define KMT_KEY_BYTES	2048
#define KMT_PLAIN_BYTES 320

/* @parts: of enum kmt_key_part. Return: @key, KMT_KEY_BYTES long. */
char *kmt_row_key(char *key, enum kmt_group group, const struct kmt_summary_row *row,
		  unsigned int parts);

/* Of a site, is there a name at all? */
bool kmt_row_is_named(enum kmt_group group, const struct kmt_summary_row *row);

/* "foo_alloc [foo]", "(built in)", safe for a terminal; @name is KMT_NAME_BYTES long. */
void kmt_row_name(char *name, enum kmt_group group, const struct kmt_summary_row *row);

/* The same for a headline, as on the tape: whoever prints that escapes it. */
void kmt_row_name_plainly(char name[KMT_PLAIN_BYTES], enum kmt_group group,
			  const struct kmt_summary_row *row);

/* A copy of @row that is for whom @owner is, or for nobody (NULL). */
struct kmt_summary_row kmt_row_for(const struct kmt_summary_row *row,
				   const struct kmt_summary_row *owner);

/* For whom @row is, by a name that other tapes know: NULL if there is none. */
const char *kmt_row_owner(const struct kmt_summary_row *row);

/* Of whatever owners, as kmt_row_key() compares functions: nobody is before all others. As
 * strcmp(). */
int kmt_row_compare_owners(const struct kmt_summary_row *a, const struct kmt_summary_row *b);

/* Are both for somebody, and not for the same? */
bool kmt_row_has_other_owner(const struct kmt_summary_row *a, const struct kmt_summary_row *b);

/* Does the report of its tape suspect it, as the verdict does? */
bool kmt_row_is_suspect(const struct kmt_summary_row *row);

#endif
