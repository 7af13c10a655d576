/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_REDACT_RECORDS_H
#define KMT_SHARE_REDACT_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "addresses.h"
#include "codes.h"
#include "kmemtape/formats.h"

/*
 * Sub-buffers, built anew: each record that replay reads becomes one with the fields that it reads,
 * of any other only its time stays, and that it was there (with its type, and the context that it
 * came from, which tell whose a stack behind it is). What is not written is zero: so nothing that
 * lay in between, behind the data or in fields that nobody asked for can get through.
 */
struct kmt_redact_records {
	const struct kmt_formats *formats; /* borrowed */
	struct kmt_addresses *addresses;   /* borrowed */
	struct kmt_codes *codes;	   /* borrowed; placed */
	bool has_gap; /* of this CPU: the next sub-buffer says that events are missing before it */
	uint64_t damaged_subbufs;
};

/**
 * kmt_redact_subbuf() - one sub-buffer
 * @from: untrusted. One that makes no sense is taken up to there, and the rest is a loss
 * @to: zeros, as long as @from
 *
 * Return: 0; -E2BIG, -ENOMEM as kmt_addresses_object(), kmt_codes_map().
 */
int kmt_redact_subbuf(struct kmt_redact_records *records, const uint8_t *from, uint8_t *to);

/* kmt_redact_note_blocks() - before all of them: which pages were ever one block */
int kmt_redact_note_blocks(struct kmt_redact_records *records, const uint8_t *from);

#endif
