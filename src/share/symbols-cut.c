// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols-cut.h"

/* One line. What decode/symbols.c makes of it: an address, in a table of the kernel or a module. */
struct line {
	uint64_t address;
	uint32_t from; /* in the text */
	uint32_t table;
	uint32_t run; /* of lines of one module; 0: the kernel's */
	bool is_code;
	bool is_kept;
};

struct cut {
	const char *text;
	struct line *lines; /* in the order of the text */
	size_t nr, room;
	uint32_t *by_address; /* numbers of lines, by table, then by address */
	uint32_t nr_tables, nr_runs;
	struct {
		const char *name;
		size_t bytes;
	} * tables; /* [0]: the kernel */
};

static void deinit(struct cut *cut)
{
	free(cut->lines);
	free(cut->by_address);
	free(cut->tables);
}

/* "[ext4]" behind the name; 0 bytes: none */
static const char *module_of(const char *line, size_t *ret_bytes)
{
	const char *at = line;

	*ret_bytes = 0;
	for (int word = 0; word < 3; word++) {
		at += strcspn(at, " \t\n");
		at += strspn(at, " \t");
	}
	if (*at != '[')
		return at;
	*ret_bytes = strcspn(at + 1, "]\n");
	return at + 1;
}

/* The table of a module, a new one if there is none. Most often it's the one of the line before. */
static int find_table(struct cut *cut, const char *name, size_t bytes, uint32_t last,
		      uint32_t *ret_table)
{
	void *grown;

	for (uint32_t k = 0; k < cut->nr_tables; k++) {
		uint32_t i = (last + cut->nr_tables - k) % cut->nr_tables;

		if (cut->tables[i].bytes == bytes &&
		    memcmp(cut->tables[i].name, name, bytes) == 0) {
			*ret_table = i;
			return 0;
		}
	}
	if ((cut->nr_tables & (cut->nr_tables - 1)) == 0) {
		grown = reallocarray(cut->tables, cut->nr_tables ? cut->nr_tables * 2 : 1,
				     sizeof(*cut->tables));
		if (!grown)
			return -ENOMEM;
		cut->tables = grown;
	}
	cut->tables[cut->nr_tables].name = name;
	cut->tables[cut->nr_tables].bytes = bytes;
	*ret_table = cut->nr_tables++;
	return 0;
}

static int add_line(struct cut *cut, const char *at, uint32_t *last_module)
{
	struct line line = { .from = (uint32_t)(at - cut->text) };
	const char *module;
	size_t bytes;
	char *end;

	if (!strchr("0123456789abcdef", *at))
		return 0;
	line.address = strtoull(at, &end, 16);
	if (end == at || end[0] != ' ' || !end[1] || end[2] != ' ')
		return 0; /* no symbol */
	line.is_code = strchr("tTwW", end[1]) != NULL;
	module = module_of(at, &bytes);
	if (find_table(cut, module, bytes, bytes ? *last_module : 0, &line.table) < 0)
		return -ENOMEM;
	if (line.table) {
		cut->nr_runs += line.table != *last_module;
		line.run = cut->nr_runs;
		*last_module = line.table;
	}
	if (cut->nr == cut->room) {
		size_t room = cut->room ? cut->room * 2 : 4096;
		struct line *grown = reallocarray(cut->lines, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		cut->lines = grown;
		cut->room = room;
	}
	cut->lines[cut->nr++] = line;
	return 0;
}

static int read_lines(struct cut *cut)
{
	uint32_t last_module = 0, kernel;
	int r = find_table(cut, "", 0, 0, &kernel);

	for (const char *at = cut->text; r == 0 && *at;) {
		r = add_line(cut, at, &last_module);
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return r;
}

static int compare(const void *left, const void *right, void *context)
{
	const struct cut *cut = context;
	const struct line *a = &cut->lines[*(const uint32_t *)left];
	const struct line *b = &cut->lines[*(const uint32_t *)right];

	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return (a > b) - (a < b);
}

static int sort_lines(struct cut *cut)
{
	cut->by_address = calloc(cut->nr + 1, sizeof(*cut->by_address));
	if (!cut->by_address)
		return -ENOMEM;
	for (size_t i = 0; i < cut->nr; i++)
		cut->by_address[i] = (uint32_t)i;
	if (cut->nr)
		qsort_r(cut->by_address, cut->nr, sizeof(*cut->by_address), compare, cut);
	return 0;
}

static struct line *line_at(const struct cut *cut, size_t i)
{
	return &cut->lines[cut->by_address[i]];
}

/* In lines @from..@to of a table, what is at or before @address, and where that ends. */
static void keep_function(const struct cut *cut, size_t from, size_t to, uint64_t address)
{
	size_t low = from, high = to;

	while (low < high) { /* the first one behind */
		size_t mid = low + (high - low) / 2;

		if (line_at(cut, mid)->address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < to)
		line_at(cut, low)->is_kept = true;
	for (size_t i = low;
	     i > from && line_at(cut, i - 1)->address == line_at(cut, low - 1)->address; i--)
		line_at(cut, i - 1)->is_kept = true;
}

/* Each address in each table: it may have been of a module for some time only. */
static void keep_functions(const struct cut *cut, const uint64_t *addresses, size_t nr_addresses)
{
	size_t to;

	for (size_t from = 0; from < cut->nr; from = to) {
		size_t first = 0;

		for (to = from + 1;
		     to < cut->nr && line_at(cut, to)->table == line_at(cut, from)->table;)
			to++;
		while (first < nr_addresses && addresses[first] - 1 < line_at(cut, from)->address)
			first++;
		for (size_t i = first; i < nr_addresses; i++) {
			keep_function(cut, from, to, addresses[i] - 1);
			/* All that follow are behind the last line, too. */
			if (addresses[i] - 1 >= line_at(cut, to - 1)->address)
				break;
		}
	}
}

static bool is_code_of_kernel(const struct line *line)
{
	return line->table == 0 && line->is_code && line->address && line->address != UINT64_MAX;
}

static bool is_stext(const struct cut *cut, const struct line *line)
{
	const char *name = cut->text + line->from;

	name += strcspn(name, " ");
	return strncmp(name + 3, "_stext", 6) == 0 && strchr(" \t\n", name[9]);
}

static void keep_kernel_range(const struct cut *cut)
{
	struct line *first = NULL, *last = NULL;

	for (size_t i = 0; i < cut->nr; i++) {
		struct line *line = &cut->lines[i];

		if (!is_code_of_kernel(line))
			continue;
		if (!first || line->address < first->address)
			first = line;
		if (!last || line->address > last->address)
			last = line;
		line->is_kept |= is_stext(cut, line);
	}
	if (first)
		first->is_kept = last->is_kept = true;
}

/*
 * Of a module that only kallsyms has (bpf), the bounds are those of its first lines in a row: the
 * first line, which opens it, the lowest and the highest stay of each row.
 */
static void keep_bounds(const struct cut *cut)
{
	struct line *first = NULL, *lowest = NULL, *highest = NULL;

	for (size_t i = 0; i < cut->nr; i++) {
		struct line *line = &cut->lines[i];

		if (!line->run)
			continue;
		if (!first || line->run != first->run) {
			if (first)
				first->is_kept = lowest->is_kept = highest->is_kept = true;
			first = lowest = highest = line;
		}
		if (line->address < lowest->address)
			lowest = line;
		if (line->address > highest->address)
			highest = line;
	}
	if (first)
		first->is_kept = lowest->is_kept = highest->is_kept = true;
}

static int write_kept(const struct cut *cut, char **ret_text, size_t *ret_bytes)
{
	FILE *file = open_memstream(ret_text, ret_bytes);
	bool is_good;

	if (!file)
		return -ENOMEM;
	for (size_t i = 0; i < cut->nr; i++) {
		const char *line = cut->text + cut->lines[i].from;

		if (!cut->lines[i].is_kept)
			continue;
		(void)fwrite(line, 1, strcspn(line, "\n"), file);
		(void)putc('\n', file);
	}
	is_good = !ferror(file);
	if (fclose(file) == 0 && is_good)
		return 0;
	free(*ret_text);
	*ret_text = NULL;
	return -ENOMEM;
}

int kmt_symbols_cut(const char *text, size_t bytes, const uint64_t *addresses, size_t nr_addresses,
		    char **ret_text, size_t *ret_bytes)
{
	struct cut cut = { .text = text };
	int r;

	(void)((r = read_lines(&cut)) < 0 || (r = sort_lines(&cut)) < 0);
	if (r == 0) {
		keep_functions(&cut, addresses, nr_addresses);
		keep_kernel_range(&cut);
		keep_bounds(&cut);
		r = write_kept(&cut, ret_text, ret_bytes);
	}
	deinit(&cut);
	return r;
}
