/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_CODES_H
#define KMT_SHARE_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ids.h"

/*
 * Addresses of code to made-up ones. Known code lies in ranges: the kernel's image, and modules,
 * several where they touch. A range moves as a whole to a place that only depends on which ranges
 * there are and how long they are, in the same order. Distances within the image are those of its
 * build, and public; distances within modules that touch tell no base, which is of a page. No
 * distance between two ranges is kept.
 *
 * What is in no range (functions of modules that nobody could name) is numbered by page, between
 * the ranges that it lies between, so that the report's guesses stay the same.
 */
#define KMT_CODE_RANGES_MAX (1u << 20)

struct kmt_code_range {
	uint64_t from, to;   /* whole pages */
	uint64_t fake;	     /* where @from goes */
	uint64_t nr_unknown; /* pages with numbers, below this range and above the one before */
	bool is_kernel;
};

struct kmt_codes {
	bool is_32bit;
	unsigned int page_shift;
	struct kmt_code_range
		*ranges; /* ascending, once they are placed; a last one that is empty */
	size_t nr, room;
	struct kmt_ids pages; /* in no range: to a made-up address */
};

void kmt_codes_init(struct kmt_codes *codes, uint32_t long_bytes, uint32_t page_bytes);
void kmt_codes_deinit(struct kmt_codes *codes);

/**
 * kmt_codes_add() - there is code from @address on
 * @bytes: 0 for a symbol, of which only the page is known
 *
 * Return: 0; -EBADMSG if there are too many ranges; -ENOMEM.
 */
int kmt_codes_add(struct kmt_codes *codes, uint64_t address, uint64_t bytes, bool is_kernel);

/**
 * kmt_codes_place() - no more are added
 *
 * Return: 0; -EBADMSG if there is no room for all of them (of 32 bits); -ENOMEM.
 */
int kmt_codes_place(struct kmt_codes *codes);

/*
 * kmt_codes_map() - after kmt_codes_place(). 0, what else is below a page, and the last 4095 stay.
 * Return: 0; -E2BIG if too many are unknown; -ENOMEM.
 */
int kmt_codes_map(struct kmt_codes *codes, uint64_t address, uint64_t *ret_address);

/* The same of a return address: the call may be the last instruction of its range. */
int kmt_codes_map_return(struct kmt_codes *codes, uint64_t address, uint64_t *ret_address);

/* How long a module can be on the new tape. */
uint64_t kmt_codes_bytes(const struct kmt_codes *codes, uint64_t bytes);

#endif
