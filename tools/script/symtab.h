/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_TOOLS_SYMTAB_H
#define KMEMTAPE_TOOLS_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/err.h"

/* The symbols of a script or a tape, in the order in which they came. */
struct symbol {
	uint64_t address;
	char type;
	char *name;
	char *module;	   /* NULL: built in */
	unsigned int line; /* of symbols/modules whose own file it is in; 0: kallsyms */
	bool is_used;
};

struct symtab {
	struct symbol *symbols;
	size_t nr, room;
	size_t *by_address, *by_name; /* NULL until symtab_sort() */
};

void symtab_deinit(struct symtab *table);

/* Texts are copied. Return: 0 or -ENOMEM. */
int symtab_add(struct symtab *table, uint64_t address, char type, const char *name,
	       const char *module, unsigned int line);

/* Lines of /proc/kallsyms; others are passed over. @text is changed. */
int symtab_add_kallsyms(struct symtab *table, char *text, unsigned int line);

/* Nothing may be added after this. */
int symtab_sort(struct symtab *table);

/* "foo+0x10", or "foo". Return: false if there is no such symbol, or more than one. */
bool symtab_parse(const struct symtab *table, const char *text, uint64_t *ret_address);

/*
 * The function that calls from a return address, marked as used.
 *
 * Return: NULL if it has no name that symtab_parse() would turn into the same address.
 */
const struct symbol *symtab_caller(const struct symtab *table, uint64_t address);

#endif
