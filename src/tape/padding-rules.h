/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_PADDING_RULES_H
#define KMT_TAPE_PADDING_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kmemtape/padding.h"

#include "records.h"

/* What padding.h promises, for one record: inline, as all records of a recording go through it. */
#define KMT_PADDING_HOLES_MAX	  6u /* words that a hole is in */
#define KMT_PADDING_TEXTS_MAX	  4
#define KMT_PADDING_RULES_MAX	  255u
/* A structure's end rounds up to 8 bytes, and what follows it, to 4: more is something else. */
#define KMT_PADDING_END_BYTES_MAX 10u

/* What is known of an event's records. */
struct kmt_padding_rule {
	uint16_t fixed_bytes; /* up to the end of the last field */
	struct {
		uint16_t at;
		uint32_t keep;		/* of the word there: bits of fields */
	} holes[KMT_PADDING_HOLES_MAX]; /* before that */
	uint8_t nr_holes, nr_texts;
	bool has_end;
	uint16_t texts[KMT_PADDING_TEXTS_MAX]; /* offsets of __data_loc fields: what they tell of
						  lies behind */
};

struct kmt_padding {
	uint8_t rule_of[UINT16_MAX + 1]; /* by an event's number; 0: none */
	struct kmt_padding_rule rules[KMT_PADDING_RULES_MAX + 1];
	size_t nr; /* with the one that isn't used */
};

static inline void kmt_padding_keep_bits(uint8_t *p, uint32_t keep)
{
	uint32_t word = kmt_records_get32(p) & keep;

	memcpy(p, &word, sizeof(word));
}

/* Zeroes what is behind the last field, if it is known where that ends. */
static inline void kmt_padding_clear_end(const struct kmt_padding_rule *rule, uint8_t *record,
					 size_t bytes)
{
	size_t end = rule->fixed_bytes;

	if (!rule->has_end || end > bytes)
		return;
	for (size_t i = 0; i < rule->nr_texts; i++) {
		uint32_t place = kmt_records_get32(record + rule->texts[i]);
		size_t text_end = (size_t)(place & 0xffff) + (place >> 16);

		if (text_end > end)
			end = text_end;
	}
	if (bytes - end > KMT_PADDING_END_BYTES_MAX) /* also of one that ends outside */
		return;
	for (; end % 4; end++)
		record[end] = 0;
	for (; end < bytes; end += 4) /* the length of a record is a multiple of 4 */
		kmt_padding_keep_bits(record + end, 0);
}

/* The record at @at, whose place is @place. */
static inline void kmt_padding_clear_record(const struct kmt_padding *padding, uint8_t *at,
					    struct kmt_record_place place)
{
	uint8_t *record = at + place.head;
	size_t bytes = place.bytes - place.head;
	const struct kmt_padding_rule *rule;
	uint8_t index;

	if (!place.head || place.bytes < place.head + sizeof(uint16_t))
		return;
	index = padding->rule_of[kmt_records_get16(record)];
	if (!index)
		return;
	rule = &padding->rules[index];
	for (size_t i = 0; i < rule->nr_holes; i++)
		if (rule->holes[i].at < bytes)
			kmt_padding_keep_bits(record + rule->holes[i].at, rule->holes[i].keep);
	kmt_padding_clear_end(rule, record, bytes);
}

#endif
