// SPDX-License-Identifier: LGPL-2.1-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "padding-rules.h"

#define FIXED_BYTES_MAX 1024u /* of a record: an array of a probe's has 512 */
struct kmt_padding *kmt_padding_new(void)
{
	struct kmt_padding *padding = calloc(1, sizeof(*padding));

	if (padding)
		padding->nr = 1;
	return padding;
}

struct kmt_padding *kmt_padding_free(struct kmt_padding *padding)
{
	free(padding);
	return NULL;
}

/* "\tfield:__data_loc char[] name;\toffset:24;\tsize:4;\tsigned:0;" */
static bool read_field(const char *line, struct kmt_padding_rule *rule, bool *is_covered)
{
	const char *declared = line + strlen("\tfield:"), *end = strchr(declared, ';');
	unsigned int at, bytes;

	if (!end || sscanf(end, "; offset:%4u; size:%4u;", &at, &bytes) != 2 ||
	    at + bytes > FIXED_BYTES_MAX)
		return false;
	/* Lengths that are known in other ways than the one below, or not at all. */
	if (strncmp(declared, "__rel_", 6) == 0 || strncmp(declared, "__dynamic", 9) == 0 || !bytes)
		rule->has_end = false;
	if (strncmp(declared, "__data_loc ", 11) == 0) {
		if (bytes != 4 || rule->nr_texts == KMT_PADDING_TEXTS_MAX)
			return false;
		rule->texts[rule->nr_texts++] = (uint16_t)at;
	}
	memset(is_covered + at, true, bytes);
	if (at + bytes > rule->fixed_bytes)
		rule->fixed_bytes = (uint16_t)(at + bytes);
	return true;
}

static bool find_holes(struct kmt_padding_rule *rule, const bool *is_covered)
{
	for (uint16_t at = 0; at < rule->fixed_bytes; at += 4) {
		uint8_t keep[4];

		for (uint16_t i = 0; i < 4; i++)
			keep[i] = is_covered[at + i] || at + i >= rule->fixed_bytes ? 0xff : 0;
		if (kmt_records_get32(keep) == UINT32_MAX)
			continue;
		if (rule->nr_holes == KMT_PADDING_HOLES_MAX)
			return false;
		rule->holes[rule->nr_holes].at = at;
		rule->holes[rule->nr_holes++].keep = kmt_records_get32(keep);
	}
	return true;
}

bool kmt_padding_add(struct kmt_padding *padding, const char *format, bool has_end)
{
	bool is_covered[FIXED_BYTES_MAX] = { false };
	const char *line = strstr(format, "\nID: ");
	struct kmt_padding_rule rule = { .has_end = has_end };
	unsigned int id;

	if (!line || sscanf(line, "\nID: %5u", &id) != 1 || id > UINT16_MAX ||
	    padding->nr > KMT_PADDING_RULES_MAX)
		return false;
	for (line = format; (line = strstr(line, "\n\tfield:")); line++)
		if (!read_field(line + 1, &rule, is_covered))
			return false;
	if (!find_holes(&rule, is_covered))
		return false;
	if (!rule.nr_holes && !rule.nr_texts && rule.fixed_bytes % 8 == 0)
		return true; /* there is none */
	padding->rule_of[id] = (uint8_t)padding->nr;
	padding->rules[padding->nr++] = rule;
	return true;
}

void kmt_padding_clear(const struct kmt_padding *padding, uint8_t *subbuf, size_t subbuf_bytes)
{
	size_t end = kmt_records_end(subbuf, subbuf_bytes);

	for (size_t at = KMT_RECORDS_HEAD_BYTES; at < end;) {
		struct kmt_record_place place = kmt_records_place(subbuf + at, end - at);

		if (!place.bytes)
			return;
		kmt_padding_clear_record(padding, subbuf + at, place);
		at += place.bytes;
	}
}
