// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "tally.h"

#define NR_SLOTS (2 * KMT_DOSSIER_LINES_MAX)

static_assert((NR_SLOTS & (NR_SLOTS - 1)) == 0, "indexes wrap by a mask");

void tally_init(struct tally *tally, uint64_t seed)
{
	*tally = (struct tally){ .secret = kmt_hash_secret(seed) };
}

void tally_deinit(struct tally *tally)
{
	free(tally->lines);
	free(tally->slots);
	*tally = (struct tally){ 0 };
}

static size_t home_of(const struct tally *tally, const struct tally_key *key)
{
	const struct kmt_hash_secret *secret = &tally->secret;
	uint64_t hash = kmt_hash_more(secret, secret->words[2], key->number);

	hash = kmt_hash_more(secret, hash, key->second);
	hash = kmt_hash_more(secret, hash, (uint64_t)(uintptr_t)key->text);
	hash = kmt_hash_more(secret, hash, (uint64_t)key->account << 32 | (uint32_t)key->pid);
	return hash & (NR_SLOTS - 1);
}

static bool is_equal(const struct tally_key *a, const struct tally_key *b)
{
	return a->number == b->number && a->second == b->second && a->text == b->text &&
	       a->account == b->account && a->pid == b->pid;
}

/* The slot of @key, or the free one where it belongs: at least half of them are free. */
static uint32_t *probe(const struct tally *tally, const struct tally_key *key)
{
	size_t i = home_of(tally, key);

	while (tally->slots[i] && !is_equal(&tally->lines[tally->slots[i] - 1].key, key))
		i = (i + 1) & (NR_SLOTS - 1);
	return &tally->slots[i];
}

struct tally_line *tally_find(const struct tally *tally, const struct tally_key *key)
{
	uint32_t *slot = tally->slots ? probe(tally, key) : NULL;

	return slot && *slot ? &tally->lines[*slot - 1] : NULL;
}

int tally_open(struct tally *tally, const struct tally_key *key, struct tally_line **ret_line)
{
	struct tally_line *grown;
	uint32_t *slot;

	if (!tally->slots)
		tally->slots = calloc(NR_SLOTS, sizeof(*tally->slots));
	if (!tally->slots)
		return -ENOMEM;
	slot = probe(tally, key);
	*ret_line = *slot ? &tally->lines[*slot - 1] : NULL;
	if (*ret_line || tally->nr >= KMT_DOSSIER_LINES_MAX)
		return 0;
	if ((tally->nr & (tally->nr - 1)) == 0) {
		grown = reallocarray(tally->lines, tally->nr ? tally->nr * 2 : 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		tally->lines = grown;
	}
	*ret_line = &tally->lines[tally->nr++];
	**ret_line = (struct tally_line){ .key = *key };
	*slot = (uint32_t)tally->nr;
	return 0;
}
