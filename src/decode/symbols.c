// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/symbols.h"

#include "module-spans.h"

#define MODULES_MAX	   1000000u /* loads in one recording; a busy test host has thousands */
#define MODULE_NAME_BYTES  64	    /* Linux MODULE_NAME_LEN is 64 less a long */
#define MODULE_TAINT_BYTES 16
#define BUILD_ID_BYTES \
	65 /* hexadecimal, as the recorder writes it: 20 bytes are usual, 32 the most */
#define SYMBOLS_MAX   4000000u /* of kernel and modules; a distribution's have 200000 */
/*
 * Looking for an address looks at the modules that were there at any time, looking for a name at
 * all. On a tape that somebody made up it may be a million, each time: then no more names are
 * found.
 */
#define WORK_MAX      UINT64_C(300000000)
/* An init function whose end nobody noticed: longer than it takes, shorter than pids come again. */
#define INIT_NS_MAX   UINT64_C(10000000000)
/* The recorder notices a load within milliseconds, and an emulated one within seconds. */
#define NOTICE_NS_MAX UINT64_C(10000000000)
#define PAGE_BYTES    UINT64_C(4096) /* the smallest of any kernel */

struct entry {
	uint64_t address;
	const char *name; /* in one of the texts; NULL: not code, only where the one before ends */
};

struct table {
	struct entry *entries; /* by address, once is_sorted */
	size_t nr, room;
	bool is_sorted;
};

/* One load of a module. */
struct module {
	char name[MODULE_NAME_BYTES];
	char taint[MODULE_TAINT_BYTES];
	char build_id[BUILD_ID_BYTES]; /* "" unknown */
	uint64_t base, size;
	uint64_t from_ns, to_ns;		 /* was there within from_ns <= time < to_ns */
	uint64_t noticed_from_ns, noticed_to_ns; /* the same as the recorder noticed: not before */
	bool has_load_event;			 /* from_ns is exact */
	struct table table; /* empty: its symbols came with the first kallsyms, or not at all */
	bool has_table_of_other; /* a reload that nobody noticed: the first load owns it */
};

/*
 * From the event that says that a module is loaded to the first sign that its init function has
 * returned. The function's code lies outside of the module's bounds, and its symbols are gone
 * before anybody can copy them.
 */
struct init {
	char module[MODULE_NAME_BYTES];
	int32_t pid; /* that runs it */
	uint64_t from_ns, to_ns;
	uint64_t gone_ns; /* the module went, by an event; 0: none said so */
};

/* What look-ups change, and nothing else. */
struct looks {
	uint64_t work; /* modules that were looked at */
	struct kmt_module_spans spans;
	bool is_stale; /* they are no longer those of the modules */
};

struct kmt_symbols {
	struct looks *looks;
	size_t nr_entries; /* of all tables */
	struct init *inits;
	size_t nr_inits;
	struct table kernel;
	uint64_t kernel_from, kernel_to;
	uint64_t stext; /* 0 unknown */
	struct module *modules;
	size_t nr_modules;
	char **texts; /* of kallsyms; entries point into them */
	size_t nr_texts;
};

int kmt_symbols_new(struct kmt_symbols **ret_symbols, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_symbols_freep) struct kmt_symbols *symbols = calloc(1, sizeof(*symbols));

	if (symbols)
		symbols->looks = calloc(1, sizeof(*symbols->looks));
	if (!symbols || !symbols->looks)
		return kmt_fail(err, -ENOMEM, "out of memory");
	*ret_symbols = KMT_STEAL(symbols);
	return 0;
}

bool kmt_symbols_is_exhausted(const struct kmt_symbols *symbols)
{
	return symbols->looks->work > WORK_MAX;
}

/* Return: if all modules may be looked at once more. */
static bool may_look(const struct kmt_symbols *symbols)
{
	if (kmt_symbols_is_exhausted(symbols))
		return false;
	symbols->looks->work += symbols->nr_modules + symbols->nr_inits;
	return true;
}

struct kmt_symbols *kmt_symbols_free(struct kmt_symbols *symbols)
{
	if (!symbols)
		return NULL;
	for (size_t i = 0; i < symbols->nr_modules; i++)
		if (!symbols->modules[i].has_table_of_other)
			free(symbols->modules[i].table.entries);
	for (size_t i = 0; i < symbols->nr_texts; i++)
		free(symbols->texts[i]);
	if (symbols->looks)
		free(symbols->looks->spans.spans);
	free(symbols->looks);
	free(symbols->modules);
	free(symbols->inits);
	free(symbols->texts);
	free(symbols->kernel.entries);
	free(symbols);
	return NULL;
}

static int append(struct kmt_symbols *symbols, struct table *table, const struct entry *entry)
{
	if (++symbols->nr_entries > SYMBOLS_MAX)
		return -E2BIG;
	if (table->nr == table->room) {
		size_t room = table->room ? table->room * 2 : 256;
		struct entry *grown = reallocarray(table->entries, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		table->entries = grown;
		table->room = room;
	}
	table->entries[table->nr++] = *entry;
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	/* Aliases: kallsyms lists the strongest first, and qsort() is not stable. */
	return x->name < y->name ? -1 : x->name > y->name;
}

static void sort(struct table *table)
{
	bool is_sorted = true;

	for (size_t i = 1; i < table->nr && is_sorted; i++)
		is_sorted = by_address(&table->entries[i - 1], &table->entries[i]) <= 0;
	if (!is_sorted)
		qsort(table->entries, table->nr, sizeof(*table->entries), by_address);
	table->is_sorted = true;
}

/* One line of kallsyms: "ffffffff81000000 T name\t[module]". Texts end in place. */
struct line {
	uint64_t address;
	char type;
	char *name, *module; /* module: NULL if built in */
};

/* Return: the start of the next line, with false in *ret_is_good for one that is no symbol. */
static char *read_line(char *p, struct line *line, bool *ret_is_good)
{
	char *end = strchr(p, '\n'), *next;
	uint64_t address = 0;
	int digits = 0;

	next = end ? end + 1 : p + strlen(p);
	if (end)
		*end = '\0';
	*ret_is_good = false;
	for (;; p++, digits++) {
		char c = *p;

		if (c >= '0' && c <= '9')
			address = address << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			address = address << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	if (digits == 0 || digits > 16 || p[0] != ' ' || !p[1] || p[2] != ' ' ||
	    strspn(p + 3, " \t") || !p[3])
		return next;
	line->address = address;
	line->type = p[1];
	line->name = p + 3;
	line->module = NULL;
	p = line->name + strcspn(line->name, "\t ");
	if (*p) {
		*p++ = '\0';
		p += strspn(p, "\t ");
		if (*p == '[') {
			line->module = p + 1;
			line->module[strcspn(line->module, "]")] = '\0';
		}
	}
	*ret_is_good = true;
	return next;
}

static bool is_code(char type)
{
	return strchr("tTwW", type) != NULL;
}

static int keep_text(struct kmt_symbols *symbols, char *text)
{
	char **grown = reallocarray(symbols->texts, symbols->nr_texts + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	symbols->texts = grown;
	symbols->texts[symbols->nr_texts++] = text;
	return 0;
}

static struct module *add_module(struct kmt_symbols *symbols, const char *name)
{
	struct module *grown, *module;

	if (symbols->nr_modules >= MODULES_MAX)
		return NULL;
	/* Doubling: a test host may load and unload for hours. */
	if ((symbols->nr_modules & (symbols->nr_modules - 1)) == 0) {
		size_t room = symbols->nr_modules ? symbols->nr_modules * 2 : 1;

		grown = reallocarray(symbols->modules, room, sizeof(*grown));
		if (!grown)
			return NULL;
		symbols->modules = grown;
	}
	module = &symbols->modules[symbols->nr_modules++];
	*module = (struct module){ .to_ns = UINT64_MAX, .noticed_to_ns = UINT64_MAX };
	(void)snprintf(module->name, sizeof(module->name), "%s", name);
	return module;
}

/* The module that was there when the recording began, known or made up. NULL: there are too many,
 * or there is no memory. */
static struct module *first_load(struct kmt_symbols *symbols, const char *name)
{
	struct module *module;

	if (!may_look(symbols))
		return NULL;

	/* kallsyms lists them one after the other: most often it is the last one again. */
	for (size_t i = symbols->nr_modules; i-- > 0;)
		if (symbols->modules[i].from_ns == 0 && strcmp(symbols->modules[i].name, name) == 0)
			return &symbols->modules[i];
	module = add_module(symbols, name);
	return module;
}

static void widen(struct module *module, uint64_t address)
{
	if (module->size == 0) {
		module->base = address;
		module->size = 1;
	}
	if (address < module->base) {
		module->size += module->base - address;
		module->base = address;
	}
	if (address - module->base >= module->size)
		module->size = address - module->base + 1;
}

static int why_no_module(const struct kmt_symbols *symbols)
{
	return kmt_symbols_is_exhausted(symbols) || symbols->nr_modules >= MODULES_MAX ? -E2BIG
										       : -ENOMEM;
}

static const char *words_for(int error)
{
	return error == -E2BIG ? "too many symbols or modules to make sense" : "out of memory";
}

static int add_line(struct kmt_symbols *symbols, const struct line *line, bool *is_known,
		    size_t *last_module)
{
	struct entry entry = { .address = line->address,
			       .name = is_code(line->type) ? line->name : NULL };
	struct module *module;
	size_t i = *last_module;

	if (!line->module)
		return append(symbols, &symbols->kernel, &entry);
	if (i >= symbols->nr_modules || symbols->modules[i].from_ns != 0 ||
	    strcmp(symbols->modules[i].name, line->module) != 0) {
		size_t before = symbols->nr_modules;

		module = first_load(symbols, line->module);
		if (!module)
			return why_no_module(symbols);
		i = *last_module = (size_t)(module - symbols->modules);
		/* In kallsyms only (bpf, ftrace trampolines): its bounds are those of its symbols.
		 */
		*is_known = symbols->nr_modules == before && module->size > 0;
	}
	module = &symbols->modules[i];
	if (!*is_known)
		widen(module, line->address);
	return append(symbols, &module->table, &entry);
}

/* Code that is always there lies between _stext (_text) and _end or the last symbol. */
static void find_kernel_range(struct kmt_symbols *symbols)
{
	const struct table *kernel = &symbols->kernel;

	for (size_t i = 0; i < kernel->nr; i++) {
		const struct entry *entry = &kernel->entries[i];

		if (!entry->name || entry->address == 0 || entry->address == UINT64_MAX)
			continue; /* 0: kallsyms is hidden */
		if (strcmp(entry->name, "_stext") == 0)
			symbols->stext = entry->address;
		if (!symbols->kernel_to || entry->address < symbols->kernel_from)
			symbols->kernel_from = entry->address;
		if (entry->address >= symbols->kernel_to)
			symbols->kernel_to = entry->address + 1;
	}
}

int kmt_symbols_add_kallsyms(struct kmt_symbols *symbols, char *text, size_t bytes,
			     struct kmt_err *err)
{
	size_t last_module = SIZE_MAX;
	bool is_known = false;
	int r;

	symbols->looks->is_stale = true;
	r = keep_text(symbols, text);
	for (char *p = text; r == 0 && *p;) {
		struct line line;
		bool is_good;

		p = read_line(p, &line, &is_good);
		if (is_good)
			r = add_line(symbols, &line, &is_known, &last_module);
	}
	if (r < 0) {
		if (symbols->nr_texts && symbols->texts[symbols->nr_texts - 1] == text)
			symbols->nr_texts--; /* not taken */
		return kmt_fail(err, r, "kallsyms: %s", words_for(r));
	}
	sort(&symbols->kernel);
	for (size_t i = 0; i < symbols->nr_modules; i++)
		sort(&symbols->modules[i].table);
	find_kernel_range(symbols);
	return 0;
}

/* Fills one table from the kallsyms lines of one module. */
static int add_module_text(struct kmt_symbols *symbols, size_t index, char *text)
{
	struct table *table = &symbols->modules[index].table;
	int r = keep_text(symbols, text);

	if (r < 0) {
		free(text);
		return r;
	}
	for (char *p = text; r == 0 && *p;) {
		struct line line;
		bool is_good;

		p = read_line(p, &line, &is_good);
		if (is_good)
			r = append(
				symbols, table,
				&(struct entry){ .address = line.address,
						 .name = is_code(line.type) ? line.name : NULL });
	}
	sort(table);
	return r;
}

/* The last load of @name, NULL if there is none. */
static struct module *find_last(struct kmt_symbols *symbols, const char *name)
{
	for (size_t i = symbols->nr_modules; i-- > 0;)
		if (strcmp(symbols->modules[i].name, name) == 0)
			return &symbols->modules[i];
	return NULL;
}

static int add_modules_line(struct kmt_symbols *symbols, const char *text, unsigned int line,
			    int (*read)(void *, unsigned int, char **, size_t *), void *context)
{
	char name[MODULE_NAME_BYTES], taint[MODULE_TAINT_BYTES] = "-",
				      build_id[BUILD_ID_BYTES] = "-";
	uint64_t time_ns, size, base;
	struct module *module;
	char *kallsyms;
	size_t bytes;

	if (sscanf(text, "load %" SCNu64 " %63s %" SCNu64 " %" SCNx64 " %15s%*[ ]%64[0-9a-f]",
		   &time_ns, name, &size, &base, taint, build_id) >= 4) {
		module = add_module(symbols, name);
		if (!module)
			return why_no_module(symbols);
		module->base = base;
		module->size = size;
		module->from_ns = module->noticed_from_ns = time_ns;
		if (strcmp(taint, "-") != 0)
			(void)snprintf(module->taint, sizeof(module->taint), "%s", taint);
		if (strcmp(build_id, "-") != 0)
			(void)snprintf(module->build_id, sizeof(module->build_id), "%s", build_id);
		if (read(context, line, &kallsyms, &bytes) >= 0)
			return add_module_text(symbols, symbols->nr_modules - 1, kallsyms);
	} else if (sscanf(text, "unload %" SCNu64 " %63s", &time_ns, name) == 2) {
		if (!may_look(symbols))
			return -E2BIG;
		module = find_last(symbols, name);
		if (module && module->to_ns == UINT64_MAX)
			module->to_ns = module->noticed_to_ns = time_ns;
	}
	return 0; /* lines that we don't know are a newer writer's */
}

int kmt_symbols_add_modules(struct kmt_symbols *symbols, const char *text, size_t bytes,
			    int (*read)(void *context, unsigned int line, char **ret_text,
					size_t *ret_bytes),
			    void *context, struct kmt_err *err)
{
	unsigned int line = 1;

	symbols->looks->is_stale = true;
	for (const char *p = text; *p; line++) {
		int r = add_modules_line(symbols, p, line, read, context);

		if (r < 0)
			return kmt_fail(err, r, "symbols/modules: line %u: %s", line, words_for(r));
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return 0;
}

/*
 * Loaded again, and the recorder did not notice: then it is the same module at the same place, or
 * it would have. Return: 0, also if there is no such module; -ENOMEM.
 */
static int load_again(struct kmt_symbols *symbols, const char *name, uint64_t time_ns)
{
	struct module *again;

	for (size_t i = symbols->nr_modules; i-- > 0;) {
		const struct module *module = &symbols->modules[i];

		if (strcmp(module->name, name) != 0 || module->to_ns > time_ns ||
		    module->noticed_to_ns <= time_ns)
			continue;
		again = add_module(symbols, name);
		if (!again)
			return -ENOMEM;
		*again = symbols->modules[i]; /* add_module() may have moved it */
		again->from_ns = time_ns;
		again->has_load_event = true;
		again->to_ns = again->noticed_to_ns;
		again->has_table_of_other = true;
		return 0;
	}
	return 0;
}

static int begin_init(struct kmt_symbols *symbols, const char *name, int32_t pid, uint64_t time_ns,
		      uint64_t noticed_ns)
{
	struct init *init;

	if (symbols->nr_inits >= MODULES_MAX)
		return 0;
	if ((symbols->nr_inits & (symbols->nr_inits - 1)) == 0) {
		size_t room = symbols->nr_inits ? symbols->nr_inits * 2 : 1;

		init = reallocarray(symbols->inits, room, sizeof(*init));
		if (!init)
			return -ENOMEM;
		symbols->inits = init;
	}
	init = &symbols->inits[symbols->nr_inits++];
	if (noticed_ns - time_ns > INIT_NS_MAX)
		noticed_ns = time_ns + INIT_NS_MAX;
	*init = (struct init){ .pid = pid, .from_ns = time_ns, .to_ns = noticed_ns };
	(void)snprintf(init->module, sizeof(init->module), "%s", name);
	return 0;
}

/*
 * The first load of @name that was noticed at @time_ns or later. The recorder may have missed
 * earlier ones, too short to notice: so a later event before the same notice replaces what they
 * said.
 */
int kmt_symbols_note_load(struct kmt_symbols *symbols, const char *name, int32_t pid,
			  uint64_t time_ns)
{
	uint64_t noticed_ns = UINT64_MAX; /* never: it refused to load, or was gone too soon */
	int r;

	if (!may_look(symbols))
		return 0;
	symbols->looks->is_stale = true;
	for (size_t i = 0; i < symbols->nr_modules; i++) {
		struct module *module = &symbols->modules[i];

		if (module->noticed_from_ns == 0 || module->noticed_from_ns < time_ns ||
		    strcmp(module->name, name) != 0)
			continue;
		module->from_ns = time_ns;
		module->has_load_event = true;
		module->to_ns = module->noticed_to_ns;
		noticed_ns = module->noticed_from_ns;
		break;
	}
	if (noticed_ns == UINT64_MAX) {
		r = load_again(symbols, name, time_ns);
		if (r < 0)
			return r;
	}
	return begin_init(symbols, name, pid, time_ns, noticed_ns);
}

/* The first load of @name that was there at @time_ns, as far as it is known by now. */
int kmt_symbols_note_free(struct kmt_symbols *symbols, const char *name, uint64_t time_ns)
{
	if (!may_look(symbols))
		return 0;
	symbols->looks->is_stale = true;
	for (size_t i = 0; i < symbols->nr_modules; i++) {
		struct module *module = &symbols->modules[i];

		if (module->from_ns > time_ns || module->noticed_to_ns < time_ns ||
		    strcmp(module->name, name) != 0)
			continue;
		module->to_ns = time_ns;
		break;
	}
	for (size_t i = symbols->nr_inits; i-- > 0;)
		if (strcmp(symbols->inits[i].module, name) == 0) {
			struct init *init = &symbols->inits[i];

			if (init->to_ns > time_ns)
				init->to_ns = time_ns;
			if (!init->gone_ns)
				init->gone_ns = time_ns;
			break;
		}
	return 0;
}

void kmt_symbols_kernel_range(const struct kmt_symbols *symbols, uint64_t *ret_from,
			      uint64_t *ret_to)
{
	*ret_from = symbols->kernel_from;
	*ret_to = symbols->kernel_to;
}

/* The function that @address is in. Return: false if none is. */
static bool find_function(const struct table *table, uint64_t address,
			  const struct entry **ret_entry, uint64_t *ret_size)
{
	size_t low = 0, high = table->nr;
	const struct entry *entry;
	uint64_t end;

	while (low < high) { /* the first one behind @address */
		size_t mid = low + (high - low) / 2;

		if (table->entries[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return false;
	entry = &table->entries[low - 1];
	/* The first of those at the same address: the name that the kernel prints, too. */
	while (entry > table->entries && entry[-1].address == entry->address && entry[-1].name)
		entry--;
	if (!entry->name)
		return false;
	/* The last one ends nobody knows where; but code of another owner is on another page. */
	end = low < table->nr ? table->entries[low].address
			      : (entry->address | (PAGE_BYTES - 1)) + 1;
	if (address >= end && end != 0)
		return false;
	*ret_entry = entry;
	*ret_size = end - entry->address;
	return true;
}

/* The modules' spans, as they are now. NULL: there is no memory, or nothing more is looked for. */
static const struct kmt_module_spans *spans_of(const struct kmt_symbols *symbols)
{
	struct looks *looks = symbols->looks;
	struct kmt_module_span *spans;

	if (!looks->is_stale || kmt_symbols_is_exhausted(symbols))
		return kmt_symbols_is_exhausted(symbols) ? NULL : &looks->spans;
	spans = calloc(symbols->nr_modules ? symbols->nr_modules : 1, sizeof(*spans));
	if (!spans) {
		looks->work = UINT64_MAX;
		return NULL;
	}
	for (size_t i = 0; i < symbols->nr_modules; i++) {
		const struct module *module = &symbols->modules[i];

		spans[i] = (struct kmt_module_span){
			.base = module->base,
			.size = module->size,
			.from_ns = module->from_ns,
			.to_ns = module->to_ns,
			.module = (uint32_t)i,
			.has_functions = module->table.nr > 0,
		};
	}
	free(looks->spans.spans);
	looks->spans = (struct kmt_module_spans){ .spans = spans, .nr = symbols->nr_modules };
	kmt_module_spans_sort(&looks->spans);
	looks->work += symbols->nr_modules;
	looks->is_stale = false;
	return &looks->spans;
}

static bool is_there(const struct kmt_module_span *span, uint64_t address, uint64_t time_ns)
{
	return kmt_module_span_has(span, address) && time_ns >= span->from_ns &&
	       time_ns < span->to_ns;
}

/* Whose code an address may have been. */
struct guess {
	const struct module *module;
	const struct entry *entry; /* NULL: only its bounds say so */
	uint64_t size;
};

/*
 * Since Linux 6.4 (ac3b43283923) a module's parts lie apart, and base and size from /proc/modules
 * reach over code of others; so does the last function of a part, up to the next one. So the
 * nearest function decides, and bounds alone are the last resort.
 */
static void consider(struct guess *best, const struct module *module, uint64_t address)
{
	struct guess guess = { .module = module };
	bool is_better;

	if (!find_function(&module->table, address, &guess.entry, &guess.size))
		guess.entry = NULL;
	if (!best->module || !guess.entry != !best->entry)
		is_better = !best->module || guess.entry;
	else if (guess.entry && guess.entry->address != best->entry->address)
		is_better = guess.entry->address > best->entry->address;
	else if (!guess.entry && module->base != best->module->base)
		is_better = module->base > best->module->base;
	else
		is_better = module > best->module; /* the one that came last */
	if (is_better)
		*best = guess;
}

/* The module that was there, with a function if one is known. */
static struct guess find_module(const struct kmt_symbols *symbols,
				const struct kmt_module_spans *spans, uint64_t address,
				uint64_t time_ns)
{
	size_t first = kmt_module_spans_find(spans, address), i;
	struct guess best = { NULL };

	for (i = first; i < spans->nr && spans->spans[i].reach >= address; i++) {
		const struct kmt_module_span *span = &spans->spans[i];

		/* The first one that has but bounds is as good as all others that have no more. */
		if (best.module && span->functions_reach < address)
			break;
		if ((!best.module || span->has_functions) && is_there(span, address, time_ns))
			consider(&best, &symbols->modules[span->module], address);
	}
	symbols->looks->work += i - first + 1;
	return best;
}

static bool is_coming(const struct kmt_module_span *span, const struct module *module,
		      uint64_t address, uint64_t time_ns)
{
	return span->has_functions && span->from_ns > time_ns &&
	       span->from_ns - time_ns <= NOTICE_NS_MAX && kmt_module_span_has(span, address) &&
	       !module->has_load_event;
}

/*
 * The module that was noticed next, with a function there: the event that says when it was loaded
 * was lost, or this kernel has none. Code that nobody knows yet is of who is known a moment later;
 * else the bounds of a neighbour would get the blame.
 */
static struct guess find_coming(const struct kmt_symbols *symbols,
				const struct kmt_module_spans *spans, uint64_t address,
				uint64_t time_ns)
{
	size_t first = kmt_module_spans_find(spans, address), i;
	struct guess best = { NULL };

	for (i = first; i < spans->nr && spans->spans[i].functions_reach >= address; i++) {
		const struct module *module = &symbols->modules[spans->spans[i].module];
		struct guess guess = { .module = module };

		if (!is_coming(&spans->spans[i], module, address, time_ns) ||
		    (best.module && best.module->from_ns < module->from_ns) ||
		    (best.module && best.module->from_ns == module->from_ns &&
		     best.module > module))
			continue;
		if (find_function(&module->table, address, &guess.entry, &guess.size))
			best = guess;
	}
	symbols->looks->work += i - first + 1;
	return best;
}

/*
 * The module whose init function the task ran at that time. Only the task itself counts, and only
 * where the kernel's own code is known: an accusation needs more than having been there.
 */
static const struct init *find_init(const struct kmt_symbols *symbols, uint64_t address,
				    int32_t pid, uint64_t time_ns)
{
	if (address - symbols->kernel_from < symbols->kernel_to - symbols->kernel_from ||
	    symbols->kernel_to == 0)
		return NULL;
	symbols->looks->work += symbols->nr_inits;
	for (size_t i = symbols->nr_inits; i-- > 0;) {
		const struct init *init = &symbols->inits[i];

		if (init->pid == pid && time_ns >= init->from_ns && time_ns < init->to_ns)
			return init;
	}
	return NULL;
}

/* The load that an init function belongs to; NULL: it refused to load, or went too soon to be
 * noticed. */
static const struct module *load_of(const struct kmt_symbols *symbols, const struct init *init)
{
	symbols->looks->work += symbols->nr_modules;
	for (size_t i = 0; i < symbols->nr_modules; i++)
		if (symbols->modules[i].from_ns == init->from_ns &&
		    strcmp(symbols->modules[i].name, init->module) == 0)
			return &symbols->modules[i];
	return NULL;
}

static uint64_t unloaded_ns(const struct module *module)
{
	return module->to_ns != UINT64_MAX ? module->to_ns : 0;
}

static void describe_init(const struct kmt_symbols *symbols, const struct init *init,
			  struct kmt_symbol *symbol)
{
	const struct module *module = load_of(symbols, init);

	symbol->module = init->module;
	symbol->instance = (uint32_t)(symbols->nr_modules + (size_t)(init - symbols->inits)) + 1;
	symbol->unloaded_ns = init->gone_ns;
	if (!module)
		return;
	symbol->taint = module->taint;
	if (!symbol->unloaded_ns)
		symbol->unloaded_ns = unloaded_ns(module);
}

static void describe_guess(const struct kmt_symbols *symbols, const struct guess *guess,
			   uint64_t address, struct kmt_symbol *symbol)
{
	const struct module *module = guess->module;

	if (module) {
		symbol->module = module->name;
		symbol->taint = module->taint;
		symbol->unloaded_ns = unloaded_ns(module);
		symbol->instance = (uint32_t)(module - symbols->modules) + 1;
		symbol->offset = address - module->base;
	}
	if (guess->entry) {
		symbol->function = guess->entry->name;
		symbol->offset = address - guess->entry->address;
		symbol->size = guess->size;
	}
}

int kmt_symbols_look_up(const struct kmt_symbols *symbols, uint64_t address, int32_t pid,
			uint64_t time_ns, struct kmt_symbol *ret_symbol)
{
	const struct kmt_module_spans *spans = spans_of(symbols);
	uint64_t inside = address - 1;
	const struct init *init;
	struct guess guess;

	*ret_symbol = (struct kmt_symbol){ .taint = "" };
	if (!spans)
		return 0;
	guess = find_module(symbols, spans, inside, time_ns);
	if (!guess.module)
		(void)find_function(&symbols->kernel, inside, &guess.entry, &guess.size);
	if (!guess.entry) {
		struct guess coming = find_coming(symbols, spans, inside, time_ns);

		if (coming.entry)
			guess = coming;
	}
	if (!guess.entry) {
		init = find_init(symbols, inside, pid, time_ns);
		if (init) {
			describe_init(symbols, init, ret_symbol);
			return 1;
		}
		if (!guess.module)
			return 0;
	}
	describe_guess(symbols, &guess, address, ret_symbol);
	return 1;
}

int kmt_symbols_look_back(const struct kmt_symbols *symbols, uint64_t address, uint64_t time_ns,
			  struct kmt_symbol *ret_symbol)
{
	const struct kmt_module_spans *spans = spans_of(symbols);
	struct guess best = { NULL };
	bool is_any_there = false;
	size_t first, i;

	*ret_symbol = (struct kmt_symbol){ .taint = "" };
	if (!spans)
		return 0;
	first = kmt_module_spans_find(spans, address - 1);
	for (i = first; i < spans->nr && spans->spans[i].reach >= address - 1; i++) {
		const struct kmt_module_span *span = &spans->spans[i];

		if (!kmt_module_span_has(span, address - 1) || span->from_ns > time_ns)
			continue;
		is_any_there |= span->to_ns > time_ns;
		consider(&best, &symbols->modules[span->module], address - 1);
	}
	symbols->looks->work += i - first + 1;
	/* Code of what is still there would have a name. */
	if (!best.module || best.module->to_ns > time_ns || (!best.entry && is_any_there))
		return 0;
	describe_guess(symbols, &best, address, ret_symbol);
	return 1;
}

const char *kmt_symbols_taint(const struct kmt_symbols *symbols, const char *name, uint64_t time_ns)
{
	if (!may_look(symbols))
		return "";
	for (size_t i = symbols->nr_modules; i-- > 0;)
		if (symbols->modules[i].from_ns <= time_ns &&
		    strcmp(symbols->modules[i].name, name) == 0)
			return symbols->modules[i].taint;
	return "";
}

const char *kmt_symbols_build_id(const struct kmt_symbols *symbols, const char *name,
				 uint32_t instance)
{
	const char *id = NULL;

	if (instance)
		return instance <= symbols->nr_modules ? symbols->modules[instance - 1].build_id
						       : "";
	if (!may_look(symbols))
		return NULL;
	for (size_t i = 0; i < symbols->nr_modules; i++) {
		const struct module *module = &symbols->modules[i];

		if (strcmp(module->name, name) != 0)
			continue;
		if (id && strcmp(id, module->build_id) != 0)
			return NULL;
		id = module->build_id;
	}
	return id ? id : "";
}

const char *kmt_symbols_module(const struct kmt_symbols *symbols, size_t index,
			       const char **ret_build_id)
{
	if (index >= symbols->nr_modules)
		return NULL;
	*ret_build_id = symbols->modules[index].build_id;
	return symbols->modules[index].name;
}

uint64_t kmt_symbols_stext(const struct kmt_symbols *symbols)
{
	return symbols->stext;
}

bool kmt_symbols_visit(const struct kmt_symbols *symbols, uint64_t address,
		       bool (*visit)(void *context, const struct kmt_symbol *symbol), void *context)
{
	const struct entry *entry;
	uint64_t size;

	if (!may_look(symbols))
		return false;
	for (size_t i = 0; i <= symbols->nr_modules; i++) {
		const struct module *module = i < symbols->nr_modules ? &symbols->modules[i] : NULL;
		struct kmt_symbol symbol = { .taint = "" };

		if (module && address - 1 - module->base >= module->size)
			continue;
		if (!find_function(module ? &module->table : &symbols->kernel, address - 1, &entry,
				   &size))
			continue;
		if (module) {
			symbol.module = module->name;
			symbol.taint = module->taint;
			symbol.instance = (uint32_t)i + 1;
		}
		symbol.function = entry->name;
		symbol.offset = address - entry->address;
		symbol.size = size;
		if (visit(context, &symbol))
			return true;
	}
	return false;
}
