// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdbool.h>

#include "kmemtape/account.h"
#include "kmemtape/hash.h"

#define SLOT_BITS 12u /* to begin with: a busy kernel has one to two thousand call sites */

struct slot {
	uint32_t hash;
	uint32_t index; /* + 1; 0: free */
};

struct kmt_accounts {
	struct kmt_account *accounts;
	size_t nr, room;
	struct slot *slots; /* 1 << slot_bits of them, at most half full */
	size_t nr_slots;
	unsigned int slot_bits;
	struct kmt_hash_secret secret;
};

int kmt_accounts_new(struct kmt_accounts **ret_accounts, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_accounts_freep)
	struct kmt_accounts *accounts = calloc(1, sizeof(*accounts));

	if (!accounts)
		return kmt_fail(err, -ENOMEM, "out of memory");
	accounts->secret = kmt_hash_secret(0);
	accounts->slot_bits = SLOT_BITS;
	accounts->nr_slots = (size_t)1 << SLOT_BITS;
	accounts->room = accounts->nr_slots / 2;
	accounts->slots = calloc(accounts->nr_slots, sizeof(*accounts->slots));
	accounts->accounts = malloc(accounts->room * sizeof(*accounts->accounts));
	if (!accounts->slots || !accounts->accounts)
		return kmt_fail(err, -ENOMEM, "out of memory");
	*ret_accounts = KMT_STEAL(accounts);
	return 0;
}

void kmt_accounts_set_seed(struct kmt_accounts *accounts, uint64_t seed)
{
	accounts->secret = kmt_hash_secret(seed);
}

struct kmt_accounts *kmt_accounts_free(struct kmt_accounts *accounts)
{
	if (!accounts)
		return NULL;
	for (size_t i = 0; i < accounts->nr; i++)
		free(accounts->accounts[i].track);
	free(accounts->accounts);
	free(accounts->slots);
	free(accounts);
	return NULL;
}

/* NH (Black, Halevi, Krawczyk, Krovetz, Rogaway 1999): the products don't wait for each other. */
static uint32_t hash_of(const struct kmt_accounts *accounts, const struct kmt_account_key *key)
{
	const uint64_t *secret = accounts->secret.words;
	uint64_t names = (uint64_t)(uintptr_t)key->cache ^ (uint64_t)(uintptr_t)key->comm << 16;
	uint64_t task = (uint64_t)(uint32_t)key->pid << 32 | key->generation;
	uint64_t stack = (uint64_t)key->stack << 32 | key->gfp;
	uint64_t hash = kmt_hash_product(key->call_site + secret[0], key->bytes_alloc + secret[1]);

	hash += kmt_hash_product(names + secret[2], task + secret[3]);
	hash += kmt_hash_product(stack + secret[4],
				 (key->space << 1 | key->is_recorder) + secret[5]);
	return (uint32_t)(hash * 0xff51afd7ed558ccd >> 32);
}

static bool is_equal(const struct kmt_account_key *a, const struct kmt_account_key *b)
{
	return !((a->call_site ^ b->call_site) | (a->bytes_alloc ^ b->bytes_alloc) |
		 ((uintptr_t)a->cache ^ (uintptr_t)b->cache) |
		 ((uintptr_t)a->comm ^ (uintptr_t)b->comm) | (uint32_t)(a->pid ^ b->pid) |
		 (a->generation ^ b->generation) | (a->is_kmalloc ^ b->is_kmalloc) |
		 (a->is_recorder ^ b->is_recorder) | (a->stack ^ b->stack) | (a->space ^ b->space) |
		 (a->gfp ^ b->gfp));
}

/* The upper bits of a product depend on all of its factors. */
static inline size_t home_of(uint32_t hash, unsigned int slot_bits)
{
	return hash >> (32 - slot_bits);
}

static int grow(struct kmt_accounts *accounts)
{
	unsigned int slot_bits = accounts->slot_bits + 1;
	size_t nr_slots = (size_t)1 << slot_bits;
	struct kmt_account *grown;
	struct slot *slots;

	grown = reallocarray(accounts->accounts, nr_slots / 2, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	accounts->accounts = grown;
	slots = calloc(nr_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < accounts->nr_slots; i++) {
		size_t k = home_of(accounts->slots[i].hash, slot_bits);

		if (!accounts->slots[i].index)
			continue;
		while (slots[k].index)
			k = (k + 1) & (nr_slots - 1);
		slots[k] = accounts->slots[i];
	}
	free(accounts->slots);
	accounts->slots = slots;
	accounts->slot_bits = slot_bits;
	accounts->nr_slots = nr_slots;
	accounts->room = nr_slots / 2;
	return 0;
}

/* Return: the slot of the account with this key, or the free one where it belongs. */
static size_t find_slot(const struct kmt_accounts *accounts, const struct kmt_account_key *key,
			uint32_t hash)
{
	size_t i;

	for (i = home_of(hash, accounts->slot_bits); accounts->slots[i].index;
	     i = (i + 1) & (accounts->nr_slots - 1)) {
		const struct slot *slot = &accounts->slots[i];

		if (slot->hash == hash && is_equal(&accounts->accounts[slot->index - 1].key, key))
			break;
	}
	return i;
}

bool kmt_accounts_has(const struct kmt_accounts *accounts, const struct kmt_account_key *key)
{
	return accounts->slots[find_slot(accounts, key, hash_of(accounts, key))].index != 0;
}

int kmt_accounts_open(struct kmt_accounts *accounts, const struct kmt_account_key *key,
		      uint64_t time_ns, int32_t pid, uint32_t *ret_index)
{
	uint32_t hash = hash_of(accounts, key);
	size_t i = find_slot(accounts, key, hash);

	if (accounts->slots[i].index) {
		*ret_index = accounts->slots[i].index - 1;
		return 0;
	}
	if (accounts->nr == accounts->room) {
		if (accounts->slot_bits >= 31 || grow(accounts) < 0)
			return -ENOMEM;
		return kmt_accounts_open(accounts, key, time_ns, pid, ret_index);
	}
	accounts->accounts[accounts->nr] = (struct kmt_account){
		.key = *key, .first_ns = time_ns, .first_pid = pid, .index = (uint32_t)accounts->nr
	};
	accounts->slots[i] = (struct slot){ .hash = hash, .index = (uint32_t)accounts->nr + 1 };
	*ret_index = (uint32_t)accounts->nr++;
	return 0;
}

struct kmt_account *kmt_accounts_at(struct kmt_accounts *accounts, uint32_t index)
{
	return &accounts->accounts[index];
}

size_t kmt_accounts_nr(const struct kmt_accounts *accounts)
{
	return accounts->nr;
}
