// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "dossier-names.h"

static int by_site(const void *left, const void *right)
{
	const struct kmt_dossier_freer *a = left, *b = right;

	if (a->call_site != b->call_site)
		return a->call_site < b->call_site ? -1 : 1;
	if (a->instance != b->instance)
		return a->instance < b->instance ? -1 : 1;
	return (a->first_ns > b->first_ns) - (a->first_ns < b->first_ns);
}

static int by_frees(const void *left, const void *right)
{
	const struct kmt_dossier_freer *a = left, *b = right;

	if (a->frees != b->frees)
		return a->frees > b->frees ? -1 : 1;
	return by_site(left, right);
}

static void add_freer(struct kmt_dossier_freer *sum, const struct kmt_dossier_freer *more)
{
	struct kmt_lifetimes *a = &sum->lifetimes;
	const struct kmt_lifetimes *b = &more->lifetimes;

	sum->frees += more->frees;
	sum->in_interrupt += more->in_interrupt;
	if (b->nr && (a->nr == 0 || b->min_ns < a->min_ns))
		a->min_ns = b->min_ns;
	if (b->max_ns > a->max_ns)
		a->max_ns = b->max_ns;
	a->nr += b->nr;
	a->sum_ns += b->sum_ns;
}

static int name_freer(const struct kmt_symbols *symbols, struct kmt_result *result,
		      struct kmt_dossier_freer *freer)
{
	struct kmt_symbol symbol;
	int r;

	freer->is_unknown = !kmt_symbols_look_up(symbols, freer->call_site, freer->first_pid,
						 freer->first_ns, &symbol);
	freer->offset = symbol.offset;
	freer->size = symbol.size;
	freer->instance = symbol.instance;
	(void)((r = kmt_result_keep(result, symbol.function, &freer->function)) < 0 ||
	       (r = kmt_result_keep(result, symbol.module, &freer->module)) < 0 ||
	       (r = kmt_result_keep(result, symbol.taint, &freer->taint)) < 0);
	return r;
}

/* They were told apart whenever a module came or went; most often it was not theirs. */
static int name_freers(const struct kmt_symbols *symbols, struct kmt_result *result,
		       struct kmt_dossier *dossier)
{
	struct kmt_dossier_freer *freers = dossier->freers;
	size_t nr = dossier->nr_freers, kept = 0;

	for (size_t i = 0; i < nr; i++)
		if (name_freer(symbols, result, &freers[i]) < 0)
			return -ENOMEM;
	if (nr == 0)
		return 0;
	qsort(freers, nr, sizeof(*freers), by_site);
	for (size_t i = 1; i < nr; i++)
		if (freers[kept].call_site == freers[i].call_site &&
		    freers[kept].instance == freers[i].instance)
			add_freer(&freers[kept], &freers[i]);
		else
			freers[++kept] = freers[i];
	dossier->nr_freers = kept + 1;
	qsort(freers, dossier->nr_freers, sizeof(*freers), by_frees);
	return 0;
}

int kmt_dossier_name(const struct kmt_symbols *symbols, const struct kmt_gfp_names *names,
		     struct kmt_result *result, struct kmt_dossier *dossier)
{
	char buf[KMT_GFP_TEXT_BYTES];
	int r = 0;

	for (size_t i = 0; r == 0 && i < dossier->nr_flags; i++)
		r = kmt_result_keep(result, kmt_gfp_format(names, dossier->flags[i].gfp, buf),
				    &dossier->flags[i].text);
	for (size_t i = 0; r == 0 && i < dossier->nr_tasks; i++)
		r = kmt_result_keep(result, dossier->tasks[i].comm, &dossier->tasks[i].comm);
	for (size_t i = 0; r == 0 && i < dossier->nr_oldest; i++) {
		struct kmt_dossier_object *object = &dossier->oldest[i];

		r = kmt_result_keep(result, object->comm, &object->comm);
		if (r == 0 && object->has_details)
			r = kmt_result_keep(result, kmt_gfp_format(names, object->gfp, buf),
					    &object->gfp_text);
	}
	return r < 0 ? r : name_freers(symbols, result, dossier);
}

static int most_live_first(const void *left, const void *right)
{
	const struct kmt_dossier *a = left, *b = right;

	if (a->live != b->live)
		return a->live > b->live ? -1 : 1;
	if (a->allocs != b->allocs)
		return a->allocs > b->allocs ? -1 : 1;
	return kmt_site_compare(&a->site, &b->site);
}

void kmt_dossiers_sort(struct kmt_dossier *dossiers, size_t nr)
{
	if (nr)
		qsort(dossiers, nr, sizeof(*dossiers), most_live_first);
}
