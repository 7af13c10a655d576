// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <gelf.h>
#include <string.h>

#include "debug-functions.h"

/* kallsyms knows where the next function begins, ELF where this one ends: between them lies what
 * aligns the next. */
#define PADDING_MAX 64u

struct function {
	const char *name; /* in the file */
	uint64_t start;
	uint64_t size; /* 0: assembly that doesn't tell */
};

struct kmt_debug_functions {
	struct function *all; /* by name, then by start */
	size_t nr;
	uint64_t stext; /* 0: there is none */
};

static bool is_code(Elf *elf, GElf_Word section, const GElf_Sym *symbol)
{
	int type = GELF_ST_TYPE(symbol->st_info);
	GElf_Shdr header;

	if (type != STT_FUNC && type != STT_NOTYPE)
		return false;
	if (section == SHN_UNDEF || section == SHN_ABS || section == SHN_COMMON)
		return false;
	return gelf_getshdr(elf_getscn(elf, section), &header) && header.sh_flags & SHF_EXECINSTR;
}

static int by_name(const void *left, const void *right)
{
	const struct function *a = left, *b = right;
	int r = strcmp(a->name, b->name);

	return r ? r : (a->start > b->start) - (a->start < b->start);
}

static const struct function *first_of(const struct kmt_debug_functions *functions,
				       const char *name)
{
	size_t low = 0, high = functions->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(functions->all[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return &functions->all[low];
}

static bool is_called(const struct kmt_debug_functions *functions, const struct function *function,
		      const char *name)
{
	return function < functions->all + functions->nr && strcmp(function->name, name) == 0;
}

static void collect(struct kmt_debug_functions *functions, Dwfl_Module *module, int nr_symbols)
{
	for (int i = 0; i < nr_symbols; i++) {
		GElf_Word section;
		GElf_Addr address;
		Dwarf_Addr bias;
		GElf_Sym symbol;
		Elf *elf;
		const char *name = dwfl_module_getsym_info(module, i, &symbol, &address, &section,
							   &elf, &bias);

		if (name && *name && elf && is_code(elf, section, &symbol))
			functions->all[functions->nr++] =
				(struct function){ name, address, symbol.st_size };
	}
}

int kmt_debug_functions_new(Dwfl_Module *module, struct kmt_debug_functions **ret_functions)
{
	KMT_CLEANUP(kmt_debug_functions_freep)
	struct kmt_debug_functions *functions = calloc(1, sizeof(*functions));
	int nr_symbols = dwfl_module_getsymtab(module);
	const struct function *stext;

	if (!functions)
		return -ENOMEM;
	functions->all = calloc(nr_symbols > 0 ? (size_t)nr_symbols : 1, sizeof(*functions->all));
	if (!functions->all)
		return -ENOMEM;
	collect(functions, module, nr_symbols);
	qsort(functions->all, functions->nr, sizeof(*functions->all), by_name);
	stext = first_of(functions, "_stext");
	if (is_called(functions, stext, "_stext"))
		functions->stext = stext->start;
	*ret_functions = KMT_STEAL(functions);
	return 0;
}

struct kmt_debug_functions *kmt_debug_functions_free(struct kmt_debug_functions *functions)
{
	if (!functions)
		return NULL;
	free(functions->all);
	free(functions);
	return NULL;
}

/* Is the call in it at all? */
static bool has_offset(const struct function *function, uint64_t offset)
{
	return offset > 0 && (!function->size || offset <= function->size);
}

static bool has_size(const struct function *function, uint64_t size)
{
	return !function->size || (function->size <= size && size - function->size < PADDING_MAX);
}

size_t kmt_debug_functions_find(const struct kmt_debug_functions *functions,
				const struct kmt_lines_place *place, bool is_same_build,
				uint64_t ret_starts[KMT_DEBUG_NAMESAKES_MAX])
{
	const struct function *first = first_of(functions, place->function);
	uint64_t sized[KMT_DEBUG_NAMESAKES_MAX];
	size_t nr = 0, nr_sized = 0;

	for (const struct function *f = first; is_called(functions, f, place->function); f++) {
		if ((f > first && f->start == f[-1].start) || !has_offset(f, place->offset))
			continue;
		/* The tape knows which one it is. */
		if (is_same_build && place->from_stext && functions->stext &&
		    f->start - functions->stext == place->from_stext) {
			ret_starts[0] = f->start;
			return 1;
		}
		if (nr == KMT_DEBUG_NAMESAKES_MAX)
			return 0;
		ret_starts[nr++] = f->start;
		if (place->size && has_size(f, place->size))
			sized[nr_sized++] = f->start;
	}
	/* The last function of a section reaches nobody knows how far: of one build, one is enough.
	 */
	if (is_same_build && (nr < 2 || !nr_sized))
		return nr;
	memcpy(ret_starts, sized, nr_sized * sizeof(*sized));
	return nr_sized;
}
