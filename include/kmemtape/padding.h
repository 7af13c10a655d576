/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_PADDING_H
#define KMEMTAPE_PADDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"

/*
 * Bytes of a record that belong to no field: between two of them, and behind the last. The kernel
 * doesn't write them, so that they hold what lay there a round of the ring buffer before. That says
 * nothing about the event, but makes up a third of a compressed tape. Which they are is found out
 * from the format texts before the recording; then it only takes a look at each record.
 */
struct kmt_padding;

/* Return: of no event yet; NULL: out of memory. */
struct kmt_padding *kmt_padding_new(void);
struct kmt_padding *kmt_padding_free(struct kmt_padding *padding);

KMT_DEFINE_FREEP(struct kmt_padding *, kmt_padding_free)

/**
 * kmt_padding_add() - an event, by its format text
 * @has_end: what is behind the last field is padding, too. Not so for a stack, which may be longer
 * than its format says.
 *
 * Return: false if the text isn't understood in full: records of that event stay as they are.
 */
bool kmt_padding_add(struct kmt_padding *padding, const char *format, bool has_end);

/**
 * kmt_padding_clear() - zero the padding of all records of a sub-buffer
 * @subbuf: of this machine's byte order and word size, but otherwise anything at all
 *
 * Changes no byte of a field, nor one that is outside of a record. Behind a record that makes no
 * sense, all stays as it is.
 */
void kmt_padding_clear(const struct kmt_padding *padding, uint8_t *subbuf, size_t subbuf_bytes);

#endif
