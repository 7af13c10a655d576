// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "ids.h"

static size_t hash_of(const struct kmt_ids *ids, uint64_t key)
{
	uint64_t hash = (key ^ ids->secret) * UINT64_C(0x9e3779b97f4a7c15);

	hash = (hash ^ hash >> 32) * (ids->secret | 1);
	return (size_t)(hash ^ hash >> 29);
}

/* The slot of @key, or the free one where it belongs. */
static struct kmt_id *find(const struct kmt_ids *ids, uint64_t key)
{
	size_t mask = ids->nr_slots - 1, at = hash_of(ids, key) & mask;

	while (ids->slots[at].value && ids->slots[at].key != key)
		at = (at + 1) & mask;
	return &ids->slots[at];
}

static int grow(struct kmt_ids *ids)
{
	struct kmt_ids grown = *ids;

	if (!ids->nr_slots && getrandom(&grown.secret, sizeof(grown.secret), GRND_NONBLOCK) < 0)
		grown.secret = (uint64_t)(uintptr_t)ids; /* at early boot */
	grown.nr_slots = ids->nr_slots ? ids->nr_slots * 2 : 1024;
	grown.slots = calloc(grown.nr_slots, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (size_t i = 0; i < ids->nr_slots; i++)
		if (ids->slots[i].value)
			*find(&grown, ids->slots[i].key) = ids->slots[i];
	free(ids->slots);
	*ids = grown;
	return 0;
}

int kmt_ids_get(struct kmt_ids *ids, uint64_t key, struct kmt_id **ret_id)
{
	struct kmt_id *id = ids->nr_slots ? find(ids, key) : NULL;

	if (id && id->value) {
		*ret_id = id;
		return 1;
	}
	if (ids->nr >= KMT_IDS_MAX)
		return -E2BIG;
	if ((ids->nr + 1) * 4 > ids->nr_slots * 3) {
		if (grow(ids) < 0)
			return -ENOMEM;
		id = find(ids, key);
	}
	*id = (struct kmt_id){ .key = key, .value = ids->nr + 1 };
	ids->nr++;
	*ret_id = id;
	return 0;
}

bool kmt_ids_has(const struct kmt_ids *ids, uint64_t key)
{
	return ids->nr_slots && find(ids, key)->value != 0;
}

void kmt_ids_deinit(struct kmt_ids *ids)
{
	free(ids->slots);
	*ids = (struct kmt_ids){ 0 };
}
