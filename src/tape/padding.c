// SPDX-License-Identifier: LGPL-2.1-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/padding.h"

#include "records.h"

#define FIXED_BYTES_MAX 1024u /* of a record: an array of a probe's has 512 */
#define HOLES_MAX	6u    /* words that a hole is in */
#define TEXTS_MAX	4
#define RULES_MAX	255u
/* A structure's end rounds up to 8 bytes, and what follows it, to 4: more is something else. */
#define END_BYTES_MAX	10u

/* What is known of an event's records. */
struct rule {
	uint16_t fixed_bytes; /* up to the end of the last field */
	struct {
		uint16_t at;
		uint32_t keep; /* of the word there: bits of fields */
	} holes[HOLES_MAX];    /* before that */
	uint8_t nr_holes, nr_texts;
	bool has_end;
	uint16_t texts[TEXTS_MAX]; /* offsets of __data_loc fields: what they tell of lies behind */
};

struct kmt_padding {
	uint8_t rule_of[UINT16_MAX + 1]; /* by an event's number; 0: none */
	struct rule rules[RULES_MAX + 1];
	size_t nr; /* with the one that isn't used */
};

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
static bool read_field(const char *line, struct rule *rule, bool *is_covered)
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
		if (bytes != 4 || rule->nr_texts == TEXTS_MAX)
			return false;
		rule->texts[rule->nr_texts++] = (uint16_t)at;
	}
	memset(is_covered + at, true, bytes);
	if (at + bytes > rule->fixed_bytes)
		rule->fixed_bytes = (uint16_t)(at + bytes);
	return true;
}

static bool find_holes(struct rule *rule, const bool *is_covered)
{
	for (uint16_t at = 0; at < rule->fixed_bytes; at += 4) {
		uint8_t keep[4];

		for (uint16_t i = 0; i < 4; i++)
			keep[i] = is_covered[at + i] || at + i >= rule->fixed_bytes ? 0xff : 0;
		if (kmt_records_get32(keep) == UINT32_MAX)
			continue;
		if (rule->nr_holes == HOLES_MAX)
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
	struct rule rule = { .has_end = has_end };
	unsigned int id;

	if (!line || sscanf(line, "\nID: %5u", &id) != 1 || id > UINT16_MAX ||
	    padding->nr > RULES_MAX)
		return false;
	for (line = format; (line = strstr(line, "\n\tfield:")); line++)
		if (!read_field(line + 1, &rule, is_covered))
			return false;
	if (!find_holes(&rule, is_covered))
		return false;
	padding->rule_of[id] = (uint8_t)padding->nr;
	padding->rules[padding->nr++] = rule;
	return true;
}

/* Where a record's last field ends; @bytes if that isn't known. */
static size_t find_end(const struct rule *rule, const uint8_t *record, size_t bytes)
{
	size_t end = rule->fixed_bytes;

	if (!rule->has_end || end > bytes)
		return bytes;
	for (size_t i = 0; i < rule->nr_texts; i++) {
		uint32_t place = kmt_records_get32(record + rule->texts[i]);
		size_t text_end = (size_t)(place & 0xffff) + (place >> 16);

		if (text_end > end)
			end = text_end;
	}
	return end < bytes && bytes - end <= END_BYTES_MAX ? end : bytes;
}

static void keep_bits(uint8_t *p, uint32_t keep)
{
	uint32_t word = kmt_records_get32(p) & keep;

	memcpy(p, &word, sizeof(word));
}

/* The length of a record is a multiple of 4. */
static void clear_record(const struct rule *rule, uint8_t *record, size_t bytes)
{
	size_t end = find_end(rule, record, bytes);

	for (size_t i = 0; i < rule->nr_holes; i++)
		if (rule->holes[i].at < bytes)
			keep_bits(record + rule->holes[i].at, rule->holes[i].keep);
	for (; end % 4; end++)
		record[end] = 0;
	for (; end < bytes; end += 4)
		keep_bits(record + end, 0);
}

void kmt_padding_clear(const struct kmt_padding *padding, uint8_t *subbuf, size_t subbuf_bytes)
{
	size_t end = kmt_records_end(subbuf, subbuf_bytes);

	for (size_t at = KMT_RECORDS_HEAD_BYTES; at < end;) {
		struct kmt_record_place place = kmt_records_place(subbuf + at, end - at);
		uint8_t *record = subbuf + at + place.head;
		uint8_t rule;

		if (!place.bytes)
			return;
		at += place.bytes;
		if (!place.head || place.bytes < place.head + sizeof(uint16_t))
			continue;
		rule = padding->rule_of[kmt_records_get16(record)];
		if (rule)
			clear_record(&padding->rules[rule], record, place.bytes - place.head);
	}
}
