// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmemtape/units.h"

#include "symtab.h"

#define FUNCTION_BYTES_MAX 0x20000u /* farther away it is not that function */

void symtab_deinit(struct symtab *table)
{
	for (size_t i = 0; i < table->nr; i++) {
		free(table->symbols[i].name);
		free(table->symbols[i].module);
	}
	free(table->symbols);
	free(table->by_address);
	free(table->by_name);
	*table = (struct symtab){ 0 };
}

int symtab_add(struct symtab *table, uint64_t address, char type, const char *name,
	       const char *module, unsigned int line)
{
	struct symbol *symbol;

	if (table->nr == table->room) {
		size_t room = table->room * 2 + 64;
		struct symbol *grown = reallocarray(table->symbols, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		table->symbols = grown;
		table->room = room;
	}
	symbol = &table->symbols[table->nr];
	*symbol = (struct symbol){
		.address = address,
		.type = type,
		.name = strdup(name),
		.module = module ? strdup(module) : NULL,
		.line = line,
	};
	if (!symbol->name || (module && !symbol->module)) {
		free(symbol->name);
		free(symbol->module);
		return -ENOMEM;
	}
	table->nr++;
	return 0;
}

int symtab_add_kallsyms(struct symtab *table, char *text, unsigned int line)
{
	char *save;

	for (char *row = strtok_r(text, "\n", &save); row; row = strtok_r(NULL, "\n", &save)) {
		char name[512], module[128] = "", type;
		uint64_t address;
		int nr = sscanf(row, "%" SCNx64 " %c %511s [%127[^]]]", &address, &type, name,
				module);

		if (nr < 3)
			continue;
		if (symtab_add(table, address, type, name, nr == 4 ? module : NULL, line) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int compare_addresses(const void *a, const void *b, void *table)
{
	const struct symbol *symbols = ((struct symtab *)table)->symbols;
	const struct symbol *x = &symbols[*(const size_t *)a], *y = &symbols[*(const size_t *)b];

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int compare_names(const void *a, const void *b, void *table)
{
	const struct symbol *symbols = ((struct symtab *)table)->symbols;

	return strcmp(symbols[*(const size_t *)a].name, symbols[*(const size_t *)b].name);
}

int symtab_sort(struct symtab *table)
{
	table->by_address = calloc(table->nr + 1, sizeof(size_t));
	table->by_name = calloc(table->nr + 1, sizeof(size_t));
	if (!table->by_address || !table->by_name)
		return -ENOMEM;
	for (size_t i = 0; i < table->nr; i++)
		table->by_address[i] = table->by_name[i] = i;
	qsort_r(table->by_address, table->nr, sizeof(size_t), compare_addresses, table);
	qsort_r(table->by_name, table->nr, sizeof(size_t), compare_names, table);
	return 0;
}

/* Where the symbols of that name are in by_name: from *ret_from on. Return: how many. */
static size_t find_names(const struct symtab *table, const char *name, size_t length,
			 size_t *ret_from)
{
	size_t low = 0, high = table->nr, nr = 0;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const char *other = table->symbols[table->by_name[middle]].name;
		int order = strncmp(other, name, length);

		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* The shortest name that begins so comes first. */
	*ret_from = low;
	while (low + nr < table->nr) {
		const char *other = table->symbols[table->by_name[low + nr]].name;

		if (strlen(other) != length || memcmp(other, name, length) != 0)
			break;
		nr++;
	}
	return nr;
}

bool symtab_parse(const struct symtab *table, const char *text, uint64_t *ret_address)
{
	const char *plus = strrchr(text, '+');
	size_t length = plus ? (size_t)(plus - text) : strlen(text);
	uint64_t offset = 0;
	size_t at;

	if (find_names(table, text, length, &at) != 1 ||
	    (plus && kmt_parse_uint(plus + 1, &offset) < 0))
		return false;
	*ret_address = table->symbols[table->by_name[at]].address + offset;
	return true;
}

/* All of that name are needed, so that it is ambiguous in what is printed of the table, too. */
static bool has_namesakes(const struct symtab *table, const struct symbol *symbol)
{
	size_t from, nr = find_names(table, symbol->name, strlen(symbol->name), &from);

	for (size_t i = 0; i < nr; i++)
		table->symbols[table->by_name[from + i]].is_used = true;
	return nr > 1;
}

const struct symbol *symtab_caller(const struct symtab *table, uint64_t address)
{
	size_t low = 0, high = table->nr;
	struct symbol *symbol = NULL;

	/* The last one below the return address, and all that begin there with it. */
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (table->symbols[table->by_address[middle]].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i > 0; i--) {
		struct symbol *alias = &table->symbols[table->by_address[i - 1]];

		if (symbol && alias->address != symbol->address)
			break;
		if (address - alias->address > FUNCTION_BYTES_MAX)
			return NULL;
		alias->is_used = true;
		if (symbol) /* two names for one address: which one is a matter of taste */
			return NULL;
		symbol = alias;
	}
	return symbol && !has_namesakes(table, symbol) ? symbol : NULL;
}
