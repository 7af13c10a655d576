/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TAPE_ROW_INDEX_H
#define KMT_TAPE_ROW_INDEX_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Where in a row a number was last. It may forget, so that neither its memory nor a search depends
 * on the numbers.
 */
struct kmt_row_index;

struct kmt_row_index *kmt_row_index_new(void);
struct kmt_row_index *kmt_row_index_free(struct kmt_row_index *index);
void kmt_row_index_clear(struct kmt_row_index *index);

void kmt_row_index_set(struct kmt_row_index *index, uint64_t number, uint32_t at);

/* Return: false if it isn't known. */
bool kmt_row_index_get(const struct kmt_row_index *index, uint64_t number, uint32_t *ret_at);

#endif
