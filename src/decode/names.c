// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "kmemtape/hash.h"
#include "kmemtape/names.h"

struct name {
	struct name *next;
	uint32_t hash;
	char text[];
};

struct kmt_names {
	pthread_mutex_t lock;
	struct name **slots; /* a power of two of them */
	size_t nr_slots, nr_names;
	struct kmt_hash_secret secret;
	uint64_t max_bytes, bytes; /* 0: no limit */
	bool is_full;
};

#define SLOT_BYTES 32u /* of a name: just grown, and what malloc() takes for itself */

int kmt_names_new(struct kmt_names **ret_names, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_names_freep) struct kmt_names *names = calloc(1, sizeof(*names));

	if (!names)
		return kmt_fail(err, -ENOMEM, "out of memory");
	(void)pthread_mutex_init(&names->lock, NULL);
	names->secret = kmt_hash_secret(0);
	names->nr_slots = 1024; /* a kernel has a few hundred caches */
	names->slots = calloc(names->nr_slots, sizeof(*names->slots));
	if (!names->slots)
		return kmt_fail(err, -ENOMEM, "out of memory");
	*ret_names = KMT_STEAL(names);
	return 0;
}

void kmt_names_set_seed(struct kmt_names *names, uint64_t seed)
{
	names->secret = kmt_hash_secret(seed);
}

void kmt_names_set_max(struct kmt_names *names, uint64_t max_bytes)
{
	(void)pthread_mutex_lock(&names->lock);
	names->max_bytes = max_bytes;
	(void)pthread_mutex_unlock(&names->lock);
}

struct kmt_names *kmt_names_free(struct kmt_names *names)
{
	if (!names)
		return NULL;
	for (size_t i = 0; names->slots && i < names->nr_slots; i++)
		for (struct name *name = names->slots[i], *next; name; name = next) {
			next = name->next;
			free(name);
		}
	free(names->slots);
	(void)pthread_mutex_destroy(&names->lock);
	free(names);
	return NULL;
}

static uint32_t hash_of(const struct kmt_names *names, const char *text, size_t bytes)
{
	uint64_t hash = names->secret.words[2] + bytes, word;

	for (size_t at = 0; at < bytes; at += sizeof(word)) {
		size_t left = bytes - at;

		word = 0;
		memcpy(&word, text + at, left < sizeof(word) ? left : sizeof(word));
		hash = kmt_hash_more(&names->secret, hash, word);
	}
	return (uint32_t)hash;
}

/* Tasks may bring millions of names. If there's no memory for it, chains just get longer. */
static void grow(struct kmt_names *names)
{
	size_t nr_slots = names->nr_slots * 2;
	struct name **slots = calloc(nr_slots, sizeof(*slots));

	if (!slots)
		return;
	for (size_t i = 0; i < names->nr_slots; i++)
		for (struct name *name = names->slots[i], *next; name; name = next) {
			next = name->next;
			name->next = slots[name->hash & (nr_slots - 1)];
			slots[name->hash & (nr_slots - 1)] = name;
		}
	free(names->slots);
	names->slots = slots;
	names->nr_slots = nr_slots;
}

static const char *add(struct kmt_names *names, const char *text, size_t bytes, uint32_t hash)
{
	uint64_t taken = names->bytes + sizeof(struct name) + bytes + 1 + SLOT_BYTES;
	struct name *name, **slot;

	names->is_full |= names->max_bytes && taken > names->max_bytes;
	name = names->is_full ? NULL : malloc(sizeof(*name) + bytes + 1);
	if (!name)
		return NULL;
	names->bytes = taken;
	if (names->nr_names >= names->nr_slots)
		grow(names);
	slot = &names->slots[hash & (names->nr_slots - 1)];
	name->hash = hash;
	name->next = *slot;
	memcpy(name->text, text, bytes);
	name->text[bytes] = '\0';
	*slot = name;
	names->nr_names++;
	return name->text;
}

const char *kmt_names_intern(struct kmt_names *names, const char *text, size_t bytes)
{
	const char *found = NULL;
	uint32_t hash;

	bytes = strnlen(text, bytes < KMT_NAME_BYTES_MAX ? bytes : KMT_NAME_BYTES_MAX);
	hash = hash_of(names, text, bytes);
	(void)pthread_mutex_lock(&names->lock);
	for (struct name *name = names->slots[hash & (names->nr_slots - 1)]; name && !found;
	     name = name->next)
		if (name->hash == hash && strncmp(name->text, text, bytes) == 0 &&
		    name->text[bytes] == '\0')
			found = name->text;
	if (!found)
		found = add(names, text, bytes, hash);
	(void)pthread_mutex_unlock(&names->lock);
	return found;
}

bool kmt_names_is_full(struct kmt_names *names)
{
	bool is_full;

	(void)pthread_mutex_lock(&names->lock);
	is_full = names->is_full;
	(void)pthread_mutex_unlock(&names->lock);
	return is_full;
}
