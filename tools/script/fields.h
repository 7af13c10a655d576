/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_FIELDS_H
#define KMEMTAPE_TOOLS_FIELDS_H

#include <stdint.h>
#include <stdio.h>

#include "formats-dir.h"
#include "script.h"
#include "symtab.h"

/*
 * Records of events, laid out by the fields that the format files name; keys and defaults as
 * script.h says.
 */

/**
 * fields_encode() - the record of the event that word @at of a line names
 * @record: RING_RECORD_BYTES_MAX long
 *
 * Return: 0; -EINVAL for an event, a key or a value that doesn't exist or doesn't fit.
 */
int fields_encode(struct formats_dir *formats, const struct symtab *symbols,
		  const struct script *script, size_t at, uint8_t *record,
		  unsigned int *ret_bytes, struct kmt_err *err);

/* The event of a record; NULL if it has no format file. */
struct tep_event *fields_event(const struct formats_dir *formats, const void *record,
			       unsigned int bytes);

/* " kmalloc call_site=... pid=42", as fields_encode() takes it; without fields that are cut off. */
void fields_print(FILE *out, const struct formats_dir *formats, const struct symtab *symbols,
		  struct tep_event *event, const void *record, unsigned int bytes);

#endif
