// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "btf.h"
#include "kmemtape/cleanup.h"

#define NAME	      "/sys/kernel/btf/vmlinux"
#define MODIFIERS_MAX 32 /* typedefs of const typedefs ...: 5 are many */
#define DEPTH_MAX     8	 /* of structures without a name in one another; 3 are many */
#define KIND_ENUM64   19 /* BTF_KIND_ENUM64: 6089fb325cf7 (v6.0), may be newer than the headers */

struct btf {
	const uint8_t *types;
	const char *texts;
	uint32_t types_bytes, texts_bytes;
	uint32_t *offsets; /* of types, by their number less 1 */
	uint32_t nr;
};

/* Bytes behind the struct btf_type; -1: unknown kind. */
static int64_t bytes_behind(const struct btf_type *type)
{
	int64_t nr = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case KIND_ENUM64:
		return 12 * nr;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return 8 * nr;
	default:
		return -1;
	}
}

/* NULL for void, and for what isn't there. */
static const struct btf_type *type_of(const struct btf *btf, uint32_t number)
{
	return number && number <= btf->nr
		       ? (const struct btf_type *)(btf->types + btf->offsets[number - 1])
		       : NULL;
}

static int open_header(struct btf *btf, const void *data, size_t bytes, struct kmt_err *err)
{
	const struct btf_header *header = data;

	if (bytes < sizeof(*header) || header->magic != BTF_MAGIC ||
	    header->hdr_len < sizeof(*header) || header->hdr_len > bytes)
		return kmt_fail(err, -EBADMSG, NAME ": not BTF");
	bytes -= header->hdr_len;
	if (header->type_off > bytes || header->type_len > bytes - header->type_off ||
	    header->str_off > bytes || header->str_len > bytes - header->str_off ||
	    (header->hdr_len + header->type_off) % 4 || header->str_len == 0)
		return kmt_fail(err, -EBADMSG, NAME ": its parts are out of range");
	btf->types = (const uint8_t *)data + header->hdr_len + header->type_off;
	btf->types_bytes = header->type_len;
	btf->texts = (const char *)data + header->hdr_len + header->str_off;
	btf->texts_bytes = header->str_len;
	if (btf->texts[btf->texts_bytes - 1])
		return kmt_fail(err, -EBADMSG, NAME ": its texts have no end");
	return 0;
}

static int find_types(struct btf *btf, struct kmt_err *err)
{
	uint32_t at = 0;

	btf->offsets =
		calloc(btf->types_bytes / sizeof(struct btf_type) + 1, sizeof(*btf->offsets));
	if (!btf->offsets)
		return kmt_fail(err, -ENOMEM, NAME ": out of memory");
	while (btf->types_bytes - at >= sizeof(struct btf_type)) {
		const struct btf_type *type = (const struct btf_type *)(btf->types + at);
		int64_t more = bytes_behind(type);

		if (more < 0)
			return kmt_fail(err, -EPROTONOSUPPORT,
					NAME ": type %u is of an unknown kind", btf->nr + 1);
		btf->offsets[btf->nr++] = at;
		at += (uint32_t)sizeof(*type);
		if (more > btf->types_bytes - at)
			return kmt_fail(err, -EBADMSG, NAME ": type %u is cut short", btf->nr);
		at += (uint32_t)more;
	}
	return 0;
}

static const struct btf_type *without_modifiers(const struct btf *btf, uint32_t number)
{
	const struct btf_type *type = type_of(btf, number);

	for (int i = 0; type && i < MODIFIERS_MAX; i++) {
		switch (BTF_INFO_KIND(type->info)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			type = type_of(btf, type->type);
			break;
		default:
			return type;
		}
	}
	return NULL;
}

static char letter_of(const struct btf *btf, uint32_t number)
{
	const struct btf_type *type = without_modifiers(btf, number);

	if (!type)
		return '?';
	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case KIND_ENUM64:
		return 'i';
	case BTF_KIND_PTR:
		type = without_modifiers(btf, type->type);
		return type && BTF_INFO_KIND(type->info) == BTF_KIND_FUNC_PROTO ? 'f' : 'p';
	default:
		return '?';
	}
}

static int sign(const struct btf *btf, const struct btf_type *function, char *ret_signature)
{
	const struct btf_type *proto = type_of(btf, function->type);
	const struct btf_param *params;
	uint32_t nr;

	if (!proto || BTF_INFO_KIND(proto->info) != BTF_KIND_FUNC_PROTO)
		return 0;
	params = (const struct btf_param *)(proto + 1);
	nr = BTF_INFO_VLEN(proto->info);
	if (nr > KMT_BTF_PARAMS_MAX)
		return 0;
	for (uint32_t i = 0; i < nr; i++)
		ret_signature[i] = letter_of(btf, params[i].type);
	ret_signature[nr] = '\0';
	return 1;
}

static bool is_named(const struct btf *btf, const struct btf_type *type, const char *name)
{
	return type->name_off < btf->texts_bytes && strcmp(btf->texts + type->name_off, name) == 0;
}

static void close_btf(struct btf *btf)
{
	free(btf->offsets);
}

static int open_btf(struct btf *btf, const void *data, size_t bytes, struct kmt_err *err)
{
	int r = open_header(btf, data, bytes, err);

	return r < 0 ? r : find_types(btf, err);
}

int kmt_btf_signature(const void *data, size_t bytes, const char *function,
		      char ret_signature[KMT_BTF_PARAMS_MAX + 1], struct kmt_err *err)
{
	KMT_CLEANUP(close_btf) struct btf btf = { .nr = 0 };
	int r = open_btf(&btf, data, bytes, err);

	if (r < 0)
		return r;
	for (uint32_t number = 1; number <= btf.nr; number++) {
		const struct btf_type *type = type_of(&btf, number);

		if (BTF_INFO_KIND(type->info) == BTF_KIND_FUNC && is_named(&btf, type, function))
			return sign(&btf, type, ret_signature);
	}
	return 0;
}

static bool has_members(const struct btf_type *type)
{
	return type && (BTF_INFO_KIND(type->info) == BTF_KIND_STRUCT ||
			BTF_INFO_KIND(type->info) == BTF_KIND_UNION);
}

/* In bits, of the member and of those without a name around it. */
static bool find_member(const struct btf *btf, const struct btf_type *type, const char *name,
			int depth, uint64_t *ret_bits)
{
	const struct btf_member *members = (const struct btf_member *)(type + 1);

	for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++) {
		const struct btf_member *member = &members[i];
		uint64_t bits = BTF_INFO_KFLAG(type->info) ? BTF_MEMBER_BIT_OFFSET(member->offset)
							   : member->offset;
		const struct btf_type *inner = without_modifiers(btf, member->type);
		uint64_t inner_bits;

		if (member->name_off >= btf->texts_bytes)
			continue;
		if (member->name_off && strcmp(btf->texts + member->name_off, name) == 0) {
			*ret_bits = bits;
			return true;
		}
		if (!member->name_off && depth < DEPTH_MAX && has_members(inner) &&
		    find_member(btf, inner, name, depth + 1, &inner_bits)) {
			*ret_bits = bits + inner_bits;
			return true;
		}
	}
	return false;
}

int kmt_btf_member(const void *data, size_t bytes, const char *structure, const char *member,
		   uint32_t *ret_offset, struct kmt_err *err)
{
	KMT_CLEANUP(close_btf) struct btf btf = { .nr = 0 };
	int r = open_btf(&btf, data, bytes, err);
	uint64_t bits;

	if (r < 0)
		return r;
	for (uint32_t number = 1; number <= btf.nr; number++) {
		const struct btf_type *type = type_of(&btf, number);

		if (BTF_INFO_KIND(type->info) != BTF_KIND_STRUCT ||
		    !is_named(&btf, type, structure) ||
		    !find_member(&btf, type, member, 0, &bits) || bits % 8 || bits / 8 > UINT32_MAX)
			continue;
		*ret_offset = (uint32_t)(bits / 8);
		return 1;
	}
	return 0;
}
