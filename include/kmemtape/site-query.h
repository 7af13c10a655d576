/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_SITE_QUERY_H
#define KMEMTAPE_SITE_QUERY_H

#include <stdbool.h>
#include <stdint.h>

/* How a user names a call site: "foo", "foo+0x4c", "0xffffffffc0001020", each with " [module]". */
#define KMT_SITE_FUNCTION_BYTES 128
#define KMT_SITE_MODULE_BYTES	64

struct kmt_site_query {
	char function[KMT_SITE_FUNCTION_BYTES]; /* "": asked for by address */
	char module[KMT_SITE_MODULE_BYTES];	/* "": any */
	uint64_t address;
	uint64_t offset;
	bool has_offset;
};

/* What is known of a call site. */
struct kmt_site_name {
	uint64_t call_site;
	const char *function, *module; /* NULL: unknown; built in */
	uint64_t offset;
};

/**
 * kmt_site_query_parse() - read what the user typed, or copied from a report
 *
 * "/0x90" behind the offset and " (out of tree)" behind the module mean nothing.
 *
 * Return: 0; -EINVAL if it is none of the forms above.
 */
int kmt_site_query_parse(const char *text, struct kmt_site_query *ret_query);

/* A function matches its parts, too: "foo" is "foo.isra.0" and "foo.cold". */
bool kmt_site_query_matches(const struct kmt_site_query *query, const struct kmt_site_name *name);

/**
 * kmt_site_query_distance() - how far a site is from what was asked for
 *
 * Return: 0 it matches; the more, the farther; KMT_FAR: nobody can have meant this.
 */
#define KMT_FAR 100u
unsigned int kmt_site_query_distance(const struct kmt_site_query *query,
				     const struct kmt_site_name *name);

/**
 * kmt_word_distance() - how far two words are: typing errors between them, or one is within the
 * other
 *
 * Return: 0 equal; KMT_FAR
 */
unsigned int kmt_word_distance(const char *asked, const char *word);

#endif
