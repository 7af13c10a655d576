/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_CORE_TALLY_H
#define KMT_CORE_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "kmemtape/hash.h"
#include "kmemtape/dossier.h"

/* A list of things that are counted, of bounded length: what comes when it is full is not on it. */
struct tally_key {
	uint64_t number, second; /* whatever they mean */
	const char *text;	 /* interned: compared by address */
	uint32_t account;
	int32_t pid;
};

struct tally_line {
	struct tally_key key;
	uint64_t count;
	uint64_t live;
	uint64_t in_interrupt;
	uint64_t first_ns;
	int32_t first_pid;
	struct kmt_lifetimes lifetimes;
};

struct tally {
	struct tally_line *lines; /* in the order they were opened; room for the next power of two */
	size_t nr;
	uint32_t *slots; /* number of a line + 1; 0: free */
	struct kmt_hash_secret secret;
};

void tally_init(struct tally *tally, uint64_t seed);
void tally_deinit(struct tally *tally);

/* NULL if it isn't on the list. Borrowed until the next tally_open(). */
struct tally_line *tally_find(const struct tally *tally, const struct tally_key *key);

/* A new one if there is none. Return: 0, with NULL if the list is full; -ENOMEM. */
int tally_open(struct tally *tally, const struct tally_key *key, struct tally_line **ret_line);

#endif
