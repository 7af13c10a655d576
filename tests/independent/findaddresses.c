// SPDX-License-Identifier: GPL-2.0-only
/*
 * findaddresses: are there kernel addresses in these files? With libc alone, and nothing of
 * kmemtape, on purpose: what it finds, kmemtape has let through.
 *
 *   findaddresses LONG LEAST KNOWN WORDS FILE...
 *
 * LONG is 4 or 8, or s390x: 8, and addresses below 2^32, of which the wrong byte order would be any
 * small number.
 * KNOWN has hexadecimal numbers, one a line; WORDS is a file (or /dev/null) of which every word of
 * 8 bytes counts as known that looks like an address of a 64-bit kernel with the upper half of all
 * addresses for itself. Not looked for is what would be found in any file: what is below LEAST
 * (hexadecimal), since numbers of all kinds are small, multiples of 64 KiB below 2^32, which are
 * small numbers at another place, and error numbers.
 *
 * Looked for at every byte, in both byte orders: the address in LONG bytes; of 8-byte addresses
 * from 2^32 on, also its upper 6 and 5 bytes, and its number of a page (>> 12) in 8 bytes; and in
 * text, their hexadecimal digits. Not looked for are upper parts with all bits set, which are those
 * of -1 as well; and in a FILE called .zst, which is as good as random, only the whole address.
 *
 * Prints what it found, at most 20 times, and how much was known. Exit 1 if anything was found.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOUND_MAX  20
#define WORD_LEAST UINT64_C(0xffff000000000000) /* four levels of page tables */
#define WORD_MOST  (UINT64_MAX - 4095)		/* error numbers are no addresses */

/* Numbers by their value, 0 free. */
struct set {
	uint64_t *slots;
	size_t nr, nr_slots;
	const char *what;
	unsigned int bytes, digits;
};

static struct set sets[] = {
	{ .what = "the address", .bytes = 8, .digits = 16 },
	{ .what = "its upper 6 bytes", .bytes = 6, .digits = 12 },
	{ .what = "its upper 5 bytes", .bytes = 5, .digits = 10 },
	{ .what = "its page's number", .bytes = 8, .digits = 13 },
};
#define SETS (sizeof(sets) / sizeof(sets[0]))

static unsigned int nr_found;
static bool is_s390x;

static uint64_t *find(const struct set *set, uint64_t n)
{
	size_t mask = set->nr_slots - 1,
	       at = (size_t)(n * UINT64_C(0x9e3779b97f4a7c15) >> 20) & mask;

	while (set->slots[at] && set->slots[at] != n)
		at = (at + 1) & mask;
	return &set->slots[at];
}

static void add(struct set *set, uint64_t n)
{
	struct set grown = *set;
	uint64_t *slot;

	if (n == 0)
		return;
	if (set->nr * 2 >= set->nr_slots) {
		grown.nr_slots = set->nr_slots ? set->nr_slots * 2 : 1024;
		grown.slots = calloc(grown.nr_slots, sizeof(*grown.slots));
		if (!grown.slots)
			exit(2);
		for (size_t i = 0; i < set->nr_slots; i++)
			if (set->slots[i])
				*find(&grown, set->slots[i]) = set->slots[i];
		free(set->slots);
		*set = grown;
	}
	slot = find(set, n);
	set->nr += *slot == 0;
	*slot = n;
}

static bool has(const struct set *set, uint64_t n)
{
	return n && set->nr && *find(set, n) == n;
}

static void know(uint64_t address)
{
	if (address >> 32 == 0 && (address & 0xffff) == 0)
		return;
	if (sets[0].bytes == 4 && address > UINT32_MAX - 4095)
		return;
	add(&sets[0], address);
	if (sets[0].bytes == 4 || address >> 32 == 0)
		return;
	if (address >> 16 != UINT64_MAX >> 16)
		add(&sets[1], address >> 16);
	if (address >> 24 != UINT64_MAX >> 24)
		add(&sets[2], address >> 24);
	add(&sets[3], address >> 12);
}

static void found(const char *name, size_t at, const struct set *set, const char *how, uint64_t n)
{
	if (nr_found++ < FOUND_MAX)
		printf("%s: offset %zu: %s, %s: 0x%llx\n", name, at, set->what, how,
		       (unsigned long long)n);
}

static uint64_t get(const uint8_t *p, unsigned int bytes, bool is_big_endian)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < bytes; i++)
		n = n << 8 | p[is_big_endian ? i : bytes - 1 - i];
	return n;
}

static void search_bytes(const char *name, const uint8_t *bytes, size_t size, const struct set *set)
{
	for (size_t at = 0; at + set->bytes <= size; at++) {
		uint64_t little = get(bytes + at, set->bytes, false);
		uint64_t big = get(bytes + at, set->bytes, true);

		if (has(set, little) && !(is_s390x && little >> 32 == 0))
			found(name, at, set, "little-endian", little);
		else if (has(set, big))
			found(name, at, set, "big-endian", big);
	}
}

static void search_text(const char *name, const uint8_t *bytes, size_t size, const struct set *set)
{
	for (size_t at = 0, run = 0; at < size; at++) {
		uint64_t n = 0;

		run = isxdigit(bytes[at]) ? run + 1 : 0;
		if (run < set->digits)
			continue;
		for (size_t i = at + 1 - set->digits; i <= at; i++)
			n = n << 4 | (uint64_t)(isdigit(bytes[i]) ? bytes[i] - '0'
								  : tolower(bytes[i]) - 'a' + 10);
		if (has(set, n))
			found(name, at, set, "as text", n);
	}
}

static uint8_t *read_all(const char *name, size_t *ret_size)
{
	FILE *file = fopen(name, "rb");
	uint8_t *bytes = NULL;
	size_t room = 0, n;

	*ret_size = 0;
	if (!file) {
		perror(name);
		exit(2);
	}
	do {
		if (room - *ret_size < 65536)
			room = room * 2 + 65536;
		bytes = realloc(bytes, room);
		if (!bytes)
			exit(2);
		n = fread(bytes + *ret_size, 1, room - *ret_size, file);
		*ret_size += n;
	} while (n);
	(void)fclose(file);
	return bytes;
}

static void learn(const char *known, const char *words, uint64_t least)
{
	char line[256];
	FILE *file = fopen(known, "r");
	uint8_t *bytes;
	size_t size;

	if (!file) {
		perror(known);
		exit(2);
	}
	while (fgets(line, sizeof(line), file)) {
		uint64_t address = strtoull(line, NULL, 16);

		if (address >= least && address <= WORD_MOST)
			know(address);
	}
	(void)fclose(file);
	bytes = read_all(words, &size);
	for (size_t at = 0; at + 8 <= size; at += 4) {
		uint64_t address = get(bytes + at, 8, false);

		/* Half of it may be of another field, which is often 0. */
		if (address >= WORD_LEAST && address <= WORD_MOST && (uint32_t)address)
			know(address);
	}
	free(bytes);
}

static bool is_compressed(const char *name)
{
	size_t bytes = strlen(name);

	return bytes > 4 && strcmp(name + bytes - 4, ".zst") == 0;
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fprintf(stderr, "usage: findaddresses LONG LEAST KNOWN WORDS FILE...\n");
		return 2;
	}
	if (strcmp(argv[1], "4") == 0) {
		sets[0].bytes = 4;
		sets[0].digits = 8;
	}
	is_s390x = strcmp(argv[1], "s390x") == 0;
	learn(argv[3], argv[4], strtoull(argv[2], NULL, 16));
	for (int i = 5; i < argc; i++) {
		size_t size;
		uint8_t *bytes = read_all(argv[i], &size);

		for (size_t k = 0; k < (is_compressed(argv[i]) ? 1 : SETS); k++) {
			search_bytes(argv[i], bytes, size, &sets[k]);
			search_text(argv[i], bytes, size, &sets[k]);
		}
		free(bytes);
	}
	printf("%zu known, %u found\n", sets[0].nr, nr_found);
	for (size_t k = 0; k < SETS; k++)
		free(sets[k].slots);
	return nr_found > 0;
}
