// SPDX-License-Identifier: LGPL-2.1-only
#include <stdlib.h>
#include <string.h>

#include "kmemtape/hash.h"

#include "row-index.h"

#define SLOTS_BITS 17
#define SLOTS	   (1u << SLOTS_BITS)
#define PROBES_MAX 16u

struct slot {
	uint64_t number;
	uint32_t at;
	uint32_t is_used;
};

struct kmt_row_index {
	struct kmt_hash_secret secret;
	struct slot slots[SLOTS];
};

struct kmt_row_index *kmt_row_index_new(void)
{
	struct kmt_row_index *index = calloc(1, sizeof(*index));

	if (index)
		index->secret = kmt_hash_secret(0); /* who chooses numbers that collide gains 16 */
	return index;
}

struct kmt_row_index *kmt_row_index_free(struct kmt_row_index *index)
{
	free(index);
	return NULL;
}

void kmt_row_index_clear(struct kmt_row_index *index)
{
	memset(index->slots, 0, sizeof(index->slots));
}

/* Return: its slot, or the one that it would get. */
static size_t find(const struct kmt_row_index *index, uint64_t number)
{
	size_t first =
		kmt_hash_more(&index->secret, index->secret.words[2], number) >> (64 - SLOTS_BITS);

	for (size_t i = 0; i < PROBES_MAX; i++) {
		const struct slot *slot = &index->slots[(first + i) % SLOTS];

		if (!slot->is_used || slot->number == number)
			return (first + i) % SLOTS;
	}
	return first;
}

void kmt_row_index_set(struct kmt_row_index *index, uint64_t number, uint32_t at)
{
	index->slots[find(index, number)] = (struct slot){ number, at, 1 };
}

bool kmt_row_index_get(const struct kmt_row_index *index, uint64_t number, uint32_t *ret_at)
{
	const struct slot *slot = &index->slots[find(index, number)];

	if (!slot->is_used || slot->number != number)
		return false;
	*ret_at = slot->at;
	return true;
}
