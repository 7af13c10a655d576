/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_MANIFEST_JSON_H
#define KMT_TAPE_MANIFEST_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/manifest.h"

/* What writing and parsing a manifest share, so that they cannot drift apart. */
#define KMT_MANIFEST_FORMAT   "kmemtape"
#define KMT_MANIFEST_MEMBERS  36
#define KMT_MANIFEST_FEATURES 7
#define KMT_MANIFEST_SYMBOLS  (KMT_SYMBOLS_GOOD + 1)

#define KMT_MANIFEST_DISTILLED "distilled" /* a feature, and nothing else says so */
#define KMT_MANIFEST_SMALL     "small"     /* likewise */

enum kmt_member_type {
	KMT_MEMBER_TEXT,
	KMT_MEMBER_UINT32,
	KMT_MEMBER_UINT64,
	KMT_MEMBER_INT64,
	KMT_MEMBER_BOOL,
};

/* A plain member */
struct kmt_manifest_member {
	const char *section; /* NULL: top level */
	const char *name;
	enum kmt_member_type type;
	size_t offset;
	uint64_t min, max; /* of numbers without a sign */
	bool is_needed;
};

/*
 * What a reader must know of, or it would tell something else than what was recorded. They are on
 * the tape only when they are used, so that most tapes can be read by every reader.
 */
struct kmt_manifest_feature {
	const char *name;
	bool (*is_used)(const struct kmt_manifest *manifest);
};

extern const struct kmt_manifest_member kmt_manifest_members[KMT_MANIFEST_MEMBERS];
extern const struct kmt_manifest_feature kmt_manifest_features[KMT_MANIFEST_FEATURES];
extern const char *const kmt_manifest_symbols[KMT_MANIFEST_SYMBOLS]; /* by kmt_symbols_state */

static inline struct json_object *kmt_json_put(struct json_object *object)
{
	json_object_put(object);
	return NULL;
}

KMT_DEFINE_FREEP(struct json_object *, kmt_json_put)

#endif
