/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_PARTS_H
#define KMT_REPLAY_PARTS_H

#include <stddef.h>

#include "kmemtape/result.h"

/*
 * A function that allocates for others leaks if one of them does, and the others blur that. So a
 * call site is judged in parts, one for each owner, and these stand for it in the verdict where one
 * of them leaks by itself.
 */

/**
 * kmt_parts_choose() - what the verdict is made of: sites, or their parts
 * @parts: by site and owner; both in the order of kmt_rows_fill()
 * @ret_rows: copies, on the heap; what they point to stays with their originals
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_parts_choose(const struct kmt_row *sites, size_t nr_sites, const struct kmt_row *parts,
		     size_t nr_parts, struct kmt_row **ret_rows, size_t *ret_nr);

/* Sites that were judged in parts get the judgement of the worst of these. */
void kmt_parts_lift(const struct kmt_result *result, struct kmt_row *sites, size_t nr_sites,
		    struct kmt_row *parts, size_t nr_parts);

#endif
