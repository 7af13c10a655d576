/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_SHARE_IDS_H
#define KMT_SHARE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Numbers for numbers: what stands for a page of memory. Open addressing with a secret in the hash,
 * since a tape may be made to collide; what comes out doesn't depend on it.
 */
#define KMT_IDS_MAX (3u << 20) /* 64 MiB; as pages, 12 GiB of different ones */

struct kmt_id {
	uint64_t key;
	uint64_t value; /* 0: free slot */
};

struct kmt_ids {
	struct kmt_id *slots;
	size_t nr, nr_slots; /* a power of two of them */
	uint64_t secret;
};

/**
 * kmt_ids_get() - what stands for @key
 * @ids: zeros to begin with
 * @ret_id: borrowed until the next call; of a new one, value is the number of keys, and may be
 * changed to any but 0
 *
 * Return: 1 it was there, 0 it is new; -E2BIG if there would be more than KMT_IDS_MAX; -ENOMEM.
 */
int kmt_ids_get(struct kmt_ids *ids, uint64_t key, struct kmt_id **ret_id);

/* True if @key has an entry. */
bool kmt_ids_has(const struct kmt_ids *ids, uint64_t key);

void kmt_ids_deinit(struct kmt_ids *ids);

#endif
