// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "dossier-names.h"
#include "kept-dossiers.h"
#include "texts.h"

static bool has_site(const struct kmt_result *result, const struct kmt_code *site)
{
	for (size_t i = 0; i < result->nr_dossiers; i++)
		if (result->dossiers[i].call_site == site->address &&
		    result->dossiers[i].instance == site->symbol.instance)
			return true;
	return false;
}

/* Return: false if it has none. */
static bool take_dossier(struct kmt_distilled *distilled, const struct kmt_code *site,
			 struct kmt_result *result)
{
	for (size_t i = 0; i < distilled->nr_dossiers; i++) {
		struct kmt_dossier *dossier = &distilled->dossiers[i];

		if (dossier->call_site != site->address ||
		    dossier->instance != site->symbol.instance)
			continue;
		result->dossiers[result->nr_dossiers++] = *dossier;
		*dossier = (struct kmt_dossier){ 0 }; /* taken */
		return true;
	}
	return false;
}

static int find_all(const struct kmt_watch_context *context,
		    const struct kmt_asked_context *asked_context, const struct kmt_asked *asked,
		    const struct kmt_account *accounts, size_t nr, struct kmt_distilled *distilled,
		    struct kmt_result *result, struct kmt_err *err)
{
	for (size_t i = 0; i < nr; i++) {
		struct kmt_code site;

		if (!accounts[i].allocs || !kmt_asked_may_be(asked, asked_context, &accounts[i]) ||
		    !kmt_asked_is(asked, asked_context, &accounts[i], &site) ||
		    has_site(result, &site))
			continue;
		if (result->nr_dossiers == KMT_DOSSIERS_MAX)
			result->has_more_sites = true;
		else if (!take_dossier(distilled, &site, result))
			return kmt_fail(err, -ENOTSUP,
					"%s is distilled, and explains only sites that are "
					"suspected: '%.128s' needs the whole tape",
					context->tape->path, asked->name);
	}
	if (result->nr_dossiers)
		return 0;
	return kmt_asked_fail(asked, asked_context, accounts, nr, err);
}

/* What the tape's maker was suspicious of. */
static void take_everything(struct kmt_distilled *distilled, struct kmt_result *result)
{
	for (size_t i = 0; i < distilled->nr_dossiers; i++) {
		result->dossiers[result->nr_dossiers++] = distilled->dossiers[i];
		distilled->dossiers[i] = (struct kmt_dossier){ 0 }; /* taken */
	}
}

int kmt_kept_dossiers_fill(const struct kmt_watch_context *context,
			   const struct kmt_asked_context *asked_context,
			   const struct kmt_ledger *ledger, struct kmt_distilled *distilled,
			   struct kmt_result *result, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) struct kmt_gfp_names *names = malloc(sizeof(*names));
	const struct kmt_account *accounts;
	struct kmt_asked asked;
	size_t nr;
	int r = 0;

	result->dossiers = calloc(KMT_DOSSIERS_MAX, sizeof(*result->dossiers));
	if (!names || !result->dossiers)
		return kmt_fail(err, -ENOMEM, "out of memory");
	if (context->options->explain) {
		r = kmt_asked_init(&asked, KMT_BY_SITE, context->options->explain, err);
		accounts = kmt_ledger_accounts(ledger, &nr);
		if (r == 0)
			r = find_all(context, asked_context, &asked, accounts, nr, distilled,
				     result, err);
	} else {
		take_everything(distilled, result);
	}
	if (r < 0)
		return r;
	kmt_texts_gfp_names(context->tape, names);
	result->is_explanation = true;
	for (size_t i = 0; r == 0 && i < result->nr_dossiers; i++)
		r = kmt_dossier_name(context->symbols, names, result, &result->dossiers[i]);
	if (r < 0)
		return kmt_fail(err, r, "out of memory");
	kmt_dossiers_sort(result->dossiers, result->nr_dossiers);
	return 0;
}
