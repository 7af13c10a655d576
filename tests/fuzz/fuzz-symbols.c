// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "kmemtape/symbols.h"

#include "fuzz.h"

/*
 * Input: symbols/modules, a line "=", kallsyms, a line "=", kallsyms of a module; the last may be
 * missing. Then every address that the text may be about is looked up.
 */
struct part {
	const char *text;
	size_t bytes;
};

static struct part take_part(struct part *rest)
{
	const char *end = rest->bytes ? memmem(rest->text, rest->bytes, "\n=\n", 3) : NULL;
	struct part part = *rest;

	if (end)
		part.bytes = (size_t)(end - rest->text) + 1;
	rest->text += part.bytes + (end ? 2 : 0);
	rest->bytes -= part.bytes + (end ? 2 : 0);
	return part;
}

/* On the heap, and no longer than it must be. */
static char *copy_of(struct part part)
{
	char *copy = malloc(part.bytes + 1);

	MUST(copy);
	memcpy(copy, part.text, part.bytes);
	copy[part.bytes] = '\0';
	return copy;
}

static int read_module(void *context, unsigned int line, char **ret_text, size_t *ret_bytes)
{
	const struct part *module = context;

	if (!module->bytes || line % 3 == 0)
		return -1;
	*ret_text = copy_of(*module);
	*ret_bytes = module->bytes;
	return 0;
}

static void check(const struct kmt_symbols *symbols, uint64_t address, uint64_t time_ns)
{
	struct kmt_symbol symbol;
	uint64_t from, to;

	if (!kmt_symbols_look_up(symbols, address, 0, time_ns, &symbol))
		return;
	MUST(symbol.function || symbol.module);
	MUST(symbol.taint);
	MUST((symbol.module != NULL) == (symbol.instance != 0));
	if (symbol.function) {
		MUST(strlen(symbol.function) > 0);
		MUST(symbol.offset - 1 < symbol.size);
	}
	kmt_symbols_kernel_range(symbols, &from, &to);
	MUST(from <= to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part rest = { (const char *)data, size };
	struct part modules = take_part(&rest), kallsyms = take_part(&rest), module = rest;
	char *text = copy_of(modules);
	struct kmt_symbols *symbols;

	MUST(kmt_symbols_new(&symbols, NULL) == 0);
	MUST(kmt_symbols_add_modules(symbols, text, modules.bytes, read_module, &module, NULL) ==
	     0);
	MUST(kmt_symbols_add_kallsyms(symbols, copy_of(kallsyms), kallsyms.bytes, NULL) == 0);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < kallsyms.bytes; i++) {
			uint64_t address;

			if (i > 0 && kallsyms.text[i - 1] != '\n')
				continue;
			address = 0;
			for (size_t k = i; k < kallsyms.bytes && k < i + 16; k++)
				address = address << 4 | (kallsyms.text[k] & 15) |
					  (kallsyms.text[k] > '9' ? 9 : 0);
			for (uint64_t step = 0; step < 3; step++)
				check(symbols, address + step, i * 10);
		}
		check(symbols, 0, 0);
		check(symbols, UINT64_MAX, UINT64_MAX);
		(void)kmt_symbols_note_load(symbols, "alpha", 1, 50);
		(void)kmt_symbols_note_free(symbols, "alpha", 150);
		(void)kmt_symbols_note_load(symbols, "beta", 1, 180);
	}
	(void)kmt_symbols_free(symbols);
	free(text);
	return 0;
}
