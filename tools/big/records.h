/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_BIG_RECORDS_H
#define KMEMTAPE_TOOLS_BIG_RECORDS_H

#include "kmemtape/err.h"

#include "formats-dir.h"
#include "load.h"

/* The ring-buffer records of a load's events: all but address and call site is made beforehand. */
#define RECORD_BYTES_MAX 96u

#define RECORDS_TEXT_FROM  UINT64_C(0xffffffff81000000)
#define RECORDS_SITE_BYTES 64u /* of text, around each call site */

struct record {
	uint8_t bytes[RECORD_BYTES_MAX];
	unsigned int nr_bytes;
	unsigned int ptr_offset, call_site_offset;
	uint64_t call_site; /* of frees; 0 of allocations */
};

struct records {
	struct record of[LOAD_CLASSES][2]; /* allocation, free */
};

/* By one thread at a time: libtraceevent remembers the event that was looked up last. */
int records_init(struct records *records, const struct formats_dir *formats, struct kmt_err *err);

/* Return: the record, valid until the next call. */
const struct record *records_put(struct records *records, const struct load_event *event);

#endif
