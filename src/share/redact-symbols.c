// SPDX-License-Identifier: LGPL-2.1-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "redact-symbols.h"

#define SYMBOL_BYTES_MAX 1024u /* Linux KSYM_NAME_LEN is 512 */
#define LINE_BYTES_MAX	 1400u
#define MODULE_BYTES	 64u /* as in decode/symbols.c */
#define PATH_BYTES	 64u

/* "ffffffff81000000 T name\t[module]" */
struct symbol {
	uint64_t address;
	char type;
	const char *name, *module; /* module: "" if built in */
	size_t name_bytes, module_bytes;
};

/* All of it is visible: names of functions, in any language. */
static bool is_visible(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (!isgraph((unsigned char)text[i]))
			return false;
	return bytes > 0;
}

/* Return: false if @line is no symbol. */
static bool read_symbol(const char *line, size_t bytes, struct symbol *symbol)
{
	const char *end = line + bytes, *p = line;

	*symbol = (struct symbol){ .module = "" };
	for (; p < end && p - line < 16 && isxdigit((unsigned char)*p); p++)
		symbol->address = symbol->address << 4 |
				  (uint64_t)(isdigit((unsigned char)*p)
						     ? *p - '0'
						     : tolower((unsigned char)*p) - 'a' + 10);
	if (p == line || end - p < 4 || p[0] != ' ' || !isalpha((unsigned char)p[1]) || p[2] != ' ')
		return false;
	symbol->type = p[1];
	symbol->name = p + 3;
	p = symbol->name;
	while (p < end && *p != '\t' && *p != ' ')
		p++;
	symbol->name_bytes = (size_t)(p - symbol->name);
	while (p < end && (*p == '\t' || *p == ' '))
		p++;
	if (end - p > 2 && *p == '[' && end[-1] == ']') {
		symbol->module = p + 1;
		symbol->module_bytes = (size_t)(end - p) - 2;
		if (symbol->module_bytes >= MODULE_BYTES ||
		    !is_visible(symbol->module, symbol->module_bytes))
			return false;
	}
	return symbol->name_bytes <= SYMBOL_BYTES_MAX &&
	       is_visible(symbol->name, symbol->name_bytes);
}

/* The next line of @*text, without its newline; NULL at the end. */
static const char *next_line(const char **text, size_t *ret_bytes)
{
	const char *line = *text, *end = strchr(line, '\n');

	if (!*line)
		return NULL;
	*ret_bytes = end ? (size_t)(end - line) : strlen(line);
	*text = line + *ret_bytes + (end != NULL);
	return line;
}

/* A line of symbols/modules. */
struct load {
	char word[8];
	uint64_t time_ns, bytes, address;
	char name[MODULE_BYTES], taint[16], build_id[65];
};

/* Return: false if it is another line. */
static bool read_load(const char *line, size_t bytes, struct load *load)
{
	char copy[256];

	*load = (struct load){ .taint = "-", .build_id = "-" };
	if (bytes >= sizeof(copy))
		return false;
	memcpy(copy, line, bytes);
	copy[bytes] = '\0';
	if (sscanf(copy, "load %" SCNu64 " %63s %" SCNu64 " %" SCNx64 " %15s%*[ ]%64[0-9a-f]",
		   &load->time_ns, load->name, &load->bytes, &load->address, load->taint,
		   load->build_id) >= 4) {
		if (load->taint[strspn(load->taint, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-")])
			(void)strcpy(load->taint, "-");
		(void)strcpy(load->word, "load");
	} else if (sscanf(copy, "unload %" SCNu64 " %63s", &load->time_ns, load->name) == 2) {
		(void)strcpy(load->word, "unload");
	} else {
		return false;
	}
	return is_visible(load->name, strlen(load->name));
}

static int add_symbols(const char *text, struct kmt_codes *codes, bool is_of_module)
{
	struct symbol symbol;
	const char *line;
	size_t bytes;
	int r = 0;

	while (r == 0 && (line = next_line(&text, &bytes)))
		if (read_symbol(line, bytes, &symbol))
			r = kmt_codes_add(codes, symbol.address, 0,
					  !is_of_module && !symbol.module_bytes);
	return r;
}

static int read_table(const struct kmt_tape *tape, const char *path, char **ret_text)
{
	size_t bytes;

	return kmt_chunk_read_text(tape->members, path, KMT_TAPE_SYMBOLS_BYTES_MAX, ret_text,
				   &bytes, NULL);
}

static void module_path(char path[PATH_BYTES], unsigned int line)
{
	(void)snprintf(path, PATH_BYTES, "symbols/%04u.zst", line);
}

static int find_modules(const struct kmt_tape *tape, struct kmt_codes *codes)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	const char *at, *line;
	struct load load;
	size_t bytes;
	int r = 0;

	if (kmt_tape_read_text(tape, "symbols/modules", &text, &bytes, NULL) < 0)
		return 0;
	at = text;
	for (unsigned int i = 1; r == 0 && (line = next_line(&at, &bytes)); i++) {
		KMT_CLEANUP(kmt_freep) char *table = NULL;
		char path[PATH_BYTES];

		if (!read_load(line, bytes, &load) || strcmp(load.word, "load") != 0)
			continue;
		if (load.bytes)
			r = kmt_codes_add(codes, load.address, load.bytes, false);
		module_path(path, i);
		if (r == 0 && read_table(tape, path, &table) >= 0)
			r = add_symbols(table, codes, true);
	}
	return r;
}

int kmt_redact_find_code(const struct kmt_tape *tape, struct kmt_codes *codes, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	int r = find_modules(tape, codes);

	if (r == 0 && read_table(tape, "symbols/kallsyms.zst", &text) >= 0)
		r = add_symbols(text, codes, false);
	if (r == 0)
		r = kmt_codes_place(codes);
	if (r == -EBADMSG)
		return kmt_fail(err, r, "%s/symbols: more code than a kernel has", tape->path);
	return r < 0 ? kmt_fail(err, r, "%s: out of memory", tape->path) : 0;
}

static int write_symbol(struct kmt_chunk_writer *writer, struct kmt_codes *codes,
			const struct symbol *symbol, struct kmt_err *err)
{
	char text[LINE_BYTES_MAX];
	uint64_t address;
	int n, r;

	r = kmt_codes_map(codes, symbol->address, &address);
	if (r < 0)
		return kmt_fail(err, r, "symbols: %s", strerror(-r));
	n = snprintf(text, sizeof(text), "%0*" PRIx64 " %c %.*s%s%.*s%s\n",
		     codes->is_32bit ? 8 : 16, address, symbol->type, (int)symbol->name_bytes,
		     symbol->name, symbol->module_bytes ? "\t[" : "", (int)symbol->module_bytes,
		     symbol->module, symbol->module_bytes ? "]" : "");
	return kmt_chunk_writer_text(writer, text, (size_t)n, err);
}

/* A table that ends where it was cut stays cut. */
static int write_table(const struct kmt_tape *tape, struct kmt_codes *codes, const char *path,
		       int dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_chunk_writer_freep) struct kmt_chunk_writer *writer = NULL;
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	struct symbol symbol;
	const char *at, *line;
	size_t bytes;
	int r, s;

	r = read_table(tape, path, &text);
	if (r < 0)
		return r == -ENOMEM ? kmt_fail(err, r, "%s: out of memory", path) : 0;
	s = kmt_chunk_writer_new(dirfd, path, 0, 1, &writer, err);
	at = text;
	while (s == 0 && (line = next_line(&at, &bytes)))
		if (read_symbol(line, bytes, &symbol))
			s = write_symbol(writer, codes, &symbol, err);
	if (s < 0)
		return s;
	return r == KMT_CHUNK_CUT ? kmt_chunk_writer_flush(writer, 0, err)
				  : kmt_chunk_writer_finish(writer, 0, err);
}

static int write_load(FILE *file, struct kmt_codes *codes, const struct load *load)
{
	uint64_t address;
	int r;

	if (strcmp(load->word, "load") != 0) {
		fprintf(file, "unload %" PRIu64 " %s\n", load->time_ns, load->name);
		return 0;
	}
	r = kmt_codes_map(codes, load->address, &address);
	fprintf(file, "load %" PRIu64 " %s %" PRIu64 " 0x%0*" PRIx64 " %s %s\n", load->time_ns,
		load->name, kmt_codes_bytes(codes, load->bytes), codes->is_32bit ? 8 : 16, address,
		load->taint, load->build_id);
	return r;
}

/* Lines keep their numbers, by which the tables of modules are called. */
static int write_modules(const struct kmt_tape *tape, struct kmt_codes *codes, const char *at,
			 int dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	KMT_CLEANUP(kmt_fclosep) FILE *file = NULL;
	struct load load;
	const char *line;
	size_t bytes, text_bytes;
	int r = 0;

	file = open_memstream(&text, &text_bytes);
	if (!file)
		return kmt_fail(err, -ENOMEM, "symbols/modules: out of memory");
	for (unsigned int i = 1; r == 0 && (line = next_line(&at, &bytes)); i++) {
		char path[PATH_BYTES];

		if (!read_load(line, bytes, &load)) {
			fputs("-\n", file);
			continue;
		}
		r = write_load(file, codes, &load);
		module_path(path, i);
		if (r == 0 && strcmp(load.word, "load") == 0)
			r = write_table(tape, codes, path, dirfd, err);
	}
	if (r < 0)
		return r;
	if (fflush(file) != 0)
		return kmt_fail(err, -ENOMEM, "symbols/modules: out of memory");
	return kmt_tape_write_text(dirfd, "symbols/modules", text, text_bytes, err);
}

/* "kernel HEX", "MODULE HEX" */
static int write_build_ids(const struct kmt_tape *tape, int dirfd, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	const char *at, *line;
	size_t bytes, used = 0;

	if (kmt_tape_read_text(tape, "symbols/build-ids", &text, &bytes, NULL) < 0)
		return 0;
	at = text;
	while ((line = next_line(&at, &bytes))) {
		const char *blank = memchr(line, ' ', bytes);
		size_t name_bytes = blank ? (size_t)(blank - line) : 0, i = name_bytes + 1;

		while (i < bytes && isxdigit((unsigned char)line[i]))
			i++;
		if (!blank || i < bytes || bytes - name_bytes > 65 || !is_visible(line, name_bytes))
			continue;
		memmove(text + used, line, bytes);
		used += bytes;
		text[used++] = '\n';
	}
	return kmt_tape_write_text(dirfd, "symbols/build-ids", text, used, err);
}

int kmt_redact_symbols(const struct kmt_tape *tape, struct kmt_codes *codes, int dirfd,
		       struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *modules = NULL;
	size_t bytes;
	int r = 0;

	if (kmt_tape_read_text(tape, "symbols/modules", &modules, &bytes, NULL) >= 0)
		r = write_modules(tape, codes, modules, dirfd, err);
	(void)(r < 0 || (r = write_table(tape, codes, "symbols/kallsyms.zst", dirfd, err)) < 0 ||
	       (r = write_build_ids(tape, dirfd, err)) < 0);
	return r;
}
