// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmalloc-series.h"

#define ROWS_MAX	       1024u /* a report shows some tens */
#define LOOK_BACKS_MAX	       256u  /* each looks at all modules; a module has a few callers */
#define FLUCTUATING_CONFIDENCE 0.3   /* stays below what a verdict needs */

void kmt_vmalloc_series_init(struct kmt_vmalloc_series *series)
{
	*series = (struct kmt_vmalloc_series){ .nr = 0 };
}

static void free_caller(void *caller)
{
	free(((struct kmt_vmalloc_history *)caller)->text);
	free(caller);
}

void kmt_vmalloc_series_deinit(struct kmt_vmalloc_series *series)
{
	tdestroy(series->callers, free_caller);
	kmt_vmalloc_series_init(series);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct kmt_vmalloc_history *)a)->text,
		      ((const struct kmt_vmalloc_history *)b)->text);
}

/* Return: NULL if there are too many, or if out of memory (*ret_r is -ENOMEM then). */
static struct kmt_vmalloc_history *open_caller(struct kmt_vmalloc_series *series, const char *text,
					       int *ret_r)
{
	struct kmt_vmalloc_history key = { .text = (char *)text }, *caller, **found;

	found = tfind(&key, &series->callers, by_text);
	if (found)
		return *found;
	*ret_r = 0;
	if (series->nr_callers == KMT_COUNTERS_CALLERS_MAX)
		return NULL;
	*ret_r = -ENOMEM;
	caller = calloc(1, sizeof(*caller));
	if (!caller)
		return NULL;
	caller->text = strdup(text);
	if (!caller->text || !tsearch(caller, &series->callers, by_text)) {
		free_caller(caller);
		return NULL;
	}
	series->nr_callers++;
	return caller;
}

/*
 * Once a module is gone, its areas have an address for a caller: as the module's symbols were, it
 * is the same text as before.
 */
static bool name_gone(const struct kmt_symbols *symbols, const char *address, uint64_t time_ns,
		      char *text, size_t text_bytes)
{
	struct kmt_symbol symbol;

	if (!kmt_symbols_look_back(symbols, strtoull(address, NULL, 16), time_ns, &symbol))
		return false;
	if (symbol.function)
		(void)snprintf(text, text_bytes, "%s+0x%" PRIx64 "/0x%" PRIx64 " [%s]",
			       symbol.function, symbol.offset, symbol.size, symbol.module);
	else
		(void)snprintf(text, text_bytes, "%s [%s]", address, symbol.module);
	return true;
}

int kmt_vmalloc_series_add(struct kmt_vmalloc_series *series, const struct kmt_counters *snapshot,
			   const struct kmt_symbols *symbols)
{
	size_t at = series->nr, nr_look_backs = 0;

	if (at == KMT_VMALLOC_POINTS_MAX)
		return 0;

	for (size_t i = 0; i < snapshot->nr_callers; i++) {
		const struct kmt_vmalloc_caller *from = &snapshot->callers[i];
		const char *text = from->caller;
		char name[KMT_COUNTERS_NAME_MAX + 1];
		bool is_unloaded = false;
		struct kmt_vmalloc_history *caller;
		int r;

		if (text[0] == '0' && nr_look_backs++ < LOOK_BACKS_MAX)
			is_unloaded =
				name_gone(symbols, text, snapshot->time_ns, name, sizeof(name));
		caller = open_caller(series, is_unloaded ? name : text, &r);
		if (!caller && r < 0)
			return r;
		if (!caller)
			continue;
		caller->is_unloaded = is_unloaded;
		caller->areas[at] += from->areas;
		caller->bytes[at] += from->bytes;
		if (at == 0)
			caller->first_pages += from->pages;
		if (caller->last_at != at)
			caller->last_pages = 0;
		caller->last_at = at;
		caller->last_pages += from->pages;
	}
	series->times_ns[series->nr++] = snapshot->time_ns;
	return 0;
}

struct walker {
	void (*visit)(void *context, const struct kmt_vmalloc_history *history);
	void *context;
};

static void visit_caller(const void *node, VISIT visit, void *context)
{
	const struct walker *walker = context;

	if (visit == postorder || visit == leaf)
		walker->visit(walker->context, *(const struct kmt_vmalloc_history *const *)node);
}

void kmt_vmalloc_series_walk(const struct kmt_vmalloc_series *series,
			     void (*visit)(void *context,
					   const struct kmt_vmalloc_history *history),
			     void *context)
{
	struct walker walker = { visit, context };

	twalk_r(series->callers, visit_caller, &walker);
}

int kmt_vmalloc_series_restore(struct kmt_vmalloc_series *series,
			       const struct kmt_vmalloc_history *history)
{
	size_t nr = series->nr_callers;
	struct kmt_vmalloc_history *caller;
	char *text;
	int r = -EEXIST;

	caller = open_caller(series, history->text, &r);
	if (!caller || series->nr_callers == nr)
		return r < 0 ? r : -EEXIST;
	text = caller->text;
	*caller = *history;
	caller->text = text;
	return 0;
}

/* --- what came of it --- */

struct growth {
	const struct kmt_vmalloc_series *series;
	const struct kmt_vmalloc_history **grown;
	size_t nr;
	int64_t pages, stack_pages;
};

static void add_growth(const void *node, VISIT visit, void *context)
{
	const struct kmt_vmalloc_history *caller = *(const struct kmt_vmalloc_history *const *)node;
	struct growth *growth = context;
	size_t last = growth->series->nr - 1;
	int64_t pages;
	bool is_stack;

	if (visit != postorder && visit != leaf)
		return;
	pages = (int64_t)(caller->last_at == last ? caller->last_pages : 0) -
		(int64_t)caller->first_pages;
	growth->pages += pages;
	if (kmt_vmalloc_excuse(caller->text, &is_stack) && is_stack)
		growth->stack_pages += pages;
	if (growth->grown && caller->bytes[last] > caller->bytes[0])
		growth->grown[growth->nr++] = caller;
}

void kmt_vmalloc_series_growth(const struct kmt_vmalloc_series *series, int64_t *ret_pages,
			       int64_t *ret_stack_pages)
{
	struct growth growth = { .series = series };

	if (series->nr)
		twalk_r(series->callers, add_growth, &growth);
	*ret_pages = growth.pages;
	*ret_stack_pages = growth.stack_pages;
}

static int by_growth(const void *left, const void *right, void *context)
{
	const struct kmt_vmalloc_history *a = *(const struct kmt_vmalloc_history *const *)left;
	const struct kmt_vmalloc_history *b = *(const struct kmt_vmalloc_history *const *)right;
	size_t last = *(const size_t *)context;
	uint64_t x = a->bytes[last] - a->bytes[0], y = b->bytes[last] - b->bytes[0];

	return x == y ? strcmp(a->text, b->text) : x > y ? -1 : 1;
}

/* "foo+0x30/0x80 [mod]" */
static int name_module(struct kmt_result *result, struct kmt_vmalloc_row *row,
		       const struct kmt_symbols *symbols, uint64_t time_ns)
{
	const char *open = strchr(row->caller, '['), *close = open ? strchr(open, ']') : NULL;
	char name[KMT_COUNTERS_NAME_MAX + 1];
	int r;

	row->taint = "";
	if (!close)
		return 0;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(close - open - 1), open + 1);
	r = kmt_result_keep(result, name, &row->module);
	if (r == 0)
		r = kmt_result_keep(result, kmt_symbols_taint(symbols, name, time_ns), &row->taint);
	return r;
}

/* More tasks, programs or modules than before: no accusation of whoever serves them. */
static int excuse(struct kmt_judgement *judgement, const char *what)
{
	struct kmt_reason *reasons;

	if (judgement->class < KMT_CLASS_GROWTH)
		return 0;
	reasons = reallocarray(judgement->reasons, judgement->nr_reasons + 1, sizeof(*reasons));
	if (!reasons)
		return -ENOMEM;
	judgement->reasons = reasons;
	memmove(reasons + 1, reasons, judgement->nr_reasons * sizeof(*reasons));
	judgement->nr_reasons++;
	reasons[0] = (struct kmt_reason){ .is_for = true };
	(void)snprintf(reasons[0].text, sizeof(reasons[0].text), "its areas come and go with %s",
		       what);
	judgement->class = KMT_CLASS_GROWTH;
	if (judgement->confidence > FLUCTUATING_CONFIDENCE)
		judgement->confidence = FLUCTUATING_CONFIDENCE;
	return 0;
}

static int fill_row(const struct kmt_vmalloc_series *series,
		    const struct kmt_vmalloc_history *caller, const struct kmt_symbols *symbols,
		    struct kmt_result *result, struct kmt_vmalloc_row *row)
{
	size_t last = series->nr - 1;
	bool is_stack;
	const char *what = kmt_vmalloc_excuse(caller->text, &is_stack);
	int r;
	struct kmt_counter_evidence evidence = {
		.times_ns = series->times_ns,
		.objects = caller->areas,
		.bytes = caller->bytes,
		.nr = series->nr,
		.grace_ns = result->grace_ns,
		.is_unloaded = caller->is_unloaded,
	};

	*row = (struct kmt_vmalloc_row){
		.areas = caller->areas[last],
		.bytes = caller->bytes[last],
		.grown_areas = (int64_t)(caller->areas[last] - caller->areas[0]),
		.grown_bytes = (int64_t)(caller->bytes[last] - caller->bytes[0]),
	};
	r = kmt_result_keep(result, caller->text, &row->caller);
	if (r == 0)
		r = name_module(result, row, symbols, series->times_ns[last]);
	if (r < 0)
		return r;
	evidence.is_module = row->module != NULL;
	evidence.is_out_of_tree = strchr(row->taint, 'O') != NULL;
	r = kmt_judge_counter(&evidence, &row->judgement);
	if (r == 0 && what)
		r = excuse(&row->judgement, what);
	return r;
}

int kmt_vmalloc_series_fill(const struct kmt_vmalloc_series *series,
			    const struct kmt_symbols *symbols, struct kmt_result *result)
{
	struct kmt_reconciliation *to = &result->reconciliation;
	KMT_CLEANUP(kmt_freep) const struct kmt_vmalloc_history **grown = NULL;
	struct growth growth = { .series = series };
	size_t last = series->nr - 1;
	int r = 0;

	if (series->nr < 2 || !series->nr_callers)
		return 0;
	growth.grown = grown = calloc(series->nr_callers, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	twalk_r(series->callers, add_growth, &growth);
	if (!growth.nr)
		return 0;
	qsort_r(grown, growth.nr, sizeof(*grown), by_growth, &last);
	to->vmallocs = calloc(growth.nr < ROWS_MAX ? growth.nr : ROWS_MAX, sizeof(*to->vmallocs));
	if (!to->vmallocs)
		return -ENOMEM;
	while (r == 0 && to->nr_vmallocs < growth.nr && to->nr_vmallocs < ROWS_MAX) {
		r = fill_row(series, grown[to->nr_vmallocs], symbols, result,
			     &to->vmallocs[to->nr_vmallocs]);
		to->nr_vmallocs++;
	}
	return r;
}
