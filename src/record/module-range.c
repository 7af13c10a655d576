// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/cleanup.h"
#include "module-range.h"

#define NAME_BYTES	    64
/* A function at the end of a module's code is shorter than that; what follows is nobody's. */
#define LAST_FUNCTION_BYTES (UINT64_C(1) << 20)

struct symbol {
	uint64_t address;
	char type;
	char name[NAME_BYTES];	 /* may be cut */
	char module[NAME_BYTES]; /* "" the kernel's own */
};

/* "ffffffffc0001000 t foo	[bar]" */
static bool read_symbol(const char *line, struct symbol *symbol)
{
	const char *bracket = strchr(line, '[');

	if (sscanf(line, "%" SCNx64 " %c %63s", &symbol->address, &symbol->type, symbol->name) != 3)
		return false;
	symbol->module[0] = '\0';
	if (bracket)
		(void)sscanf(bracket, "[%63[^]\n]", symbol->module);
	return true;
}

static bool is_text(const struct symbol *symbol)
{
	return strchr("tTwW", symbol->type);
}

/* What is looked for, and what was found. */
struct search {
	char module[NAME_BYTES];
	bool has_addresses;
	uint64_t first, last; /* functions of the module; first 0: none */
	uint64_t next;	      /* the symbol behind the last one */
	uint64_t stext, etext;
};

static void look_at(struct search *search, const struct symbol *symbol)
{
	bool is_ours = strcmp(symbol->module, search->module) == 0 && is_text(symbol);

	search->has_addresses |= symbol->address != 0;
	if (!*symbol->module && strcmp(symbol->name, "_stext") == 0)
		search->stext = symbol->address;
	if (!*symbol->module && strcmp(symbol->name, "_etext") == 0)
		search->etext = symbol->address;
	if (!is_ours)
		return;
	if (!search->first || symbol->address < search->first)
		search->first = symbol->address;
	if (symbol->address > search->last)
		search->last = symbol->address;
}

static void look_behind(struct search *search, const struct symbol *symbol)
{
	if (symbol->address > search->last && symbol->address < search->next)
		search->next = symbol->address;
}

static int read_all(const char *path, struct search *search,
		    void (*look)(struct search *search, const struct symbol *symbol),
		    struct kmt_err *err)
{
	KMT_CLEANUP(kmt_fclosep) FILE *file = fopen(path, "re");
	KMT_CLEANUP(kmt_freep) char *line = NULL;
	struct symbol symbol;
	size_t room = 0;

	if (!file)
		return kmt_fail(err, -errno, "%s: %s", path, strerror(errno));
	while (getline(&line, &room, file) >= 0)
		if (read_symbol(line, &symbol))
			look(search, &symbol);
	if (ferror(file))
		return kmt_fail(err, -EIO, "%s: %s", path, strerror(EIO));
	return 0;
}

int kmt_module_range_find(const char *path, const char *module, struct kmt_module_range *ret_range,
			  struct kmt_err *err)
{
	struct search search = { .first = 0 };
	int r;

	(void)snprintf(search.module, sizeof(search.module), "%s", module);
	for (char *p = search.module; *p; p++)
		if (*p == '-')
			*p = '_';
	r = read_all(path, &search, look_at, err);
	if (r < 0)
		return r;
	if (!search.has_addresses || (!search.first && (!search.stext || !search.etext)))
		return kmt_fail(err, -ENOTSUP,
				"--module: %s shows no addresses: 'sysctl kernel.kptr_restrict=1' "
				"lets root see them",
				path);
	if (!search.first) {
		*ret_range = (struct kmt_module_range){ false, search.stext, search.etext };
		return 0;
	}
	search.next = search.last + LAST_FUNCTION_BYTES;
	r = read_all(path, &search, look_behind, err);
	if (r < 0)
		return r;
	*ret_range = (struct kmt_module_range){ true, search.first, search.next };
	return 0;
}

bool kmt_module_range_has_moved(const char *path, const char *module,
				const struct kmt_module_range *range)
{
	struct kmt_module_range now;

	return range->is_loaded && kmt_module_range_find(path, module, &now, NULL) == 0 &&
	       now.is_loaded && now.start != range->start;
}
