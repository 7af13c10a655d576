/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DAT_PAGES_H
#define KMT_DAT_PAGES_H

#include "dat.h"

/* The sub-buffers of one CPU, in their order. */
struct kmt_dat_pages;

int kmt_dat_pages_new(const struct kmt_dat *dat, const struct kmt_dat_buffer *buffer,
		      const struct kmt_dat_cpu *cpu, struct kmt_dat_pages **ret_pages,
		      struct kmt_err *err);
struct kmt_dat_pages *kmt_dat_pages_free(struct kmt_dat_pages *pages);

KMT_DEFINE_FREEP(struct kmt_dat_pages *, kmt_dat_pages_free)

/**
 * kmt_dat_pages_next() - the next ones, whole: what is missing of the last one is zero
 * @ret_pages: borrowed until the next call
 *
 * Return: 1; 0 at the end; -EBADMSG damaged
 */
int kmt_dat_pages_next(struct kmt_dat_pages *pages, const uint8_t **ret_pages, size_t *ret_bytes,
		       struct kmt_err *err);

/* Where things are in a sub-buffer: header_page. */
struct kmt_dat_layout {
	bool is_big_endian;
	uint32_t commit_offset, commit_bytes, data_offset, page_bytes;
};

/* Return: 0; -EBADMSG */
int kmt_dat_layout_parse(struct kmt_dat_layout *layout, const char *header_page, bool is_big_endian,
			 const char *path, struct kmt_err *err);

/**
 * kmt_dat_count_ids() - count the records of a sub-buffer by the id of their event
 * @counts: UINT16_MAX + 1 of them
 *
 * Only as far as it makes sense: what doesn't is for the decoder of the tape to complain of.
 */
void kmt_dat_count_ids(const struct kmt_dat_layout *layout, const uint8_t *page, uint64_t *counts);

#endif
