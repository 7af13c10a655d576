// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdlib.h>

#include "dossier-names.h"
#include "kept-dossiers.h"
#include "texts.h"

static bool has_site(const struct kmt_result *result, const struct kmt_site *site)
{
	for (size_t i = 0; i < result->nr_dossiers; i++)
		if (kmt_site_is(&result->dossiers[i].site, site))
			return true;
	return false;
}

/* Return: false if it has none. */
static bool take_dossier(struct kmt_distilled *distilled, const struct kmt_site *site,
			 struct kmt_result *result)
{
	for (size_t i = 0; i < distilled->nr_dossiers; i++) {
		struct kmt_dossier *dossier = &distilled->dossiers[i];

		if (!kmt_site_is(&dossier->site, site))
			continue;
		result->dossiers[result->nr_dossiers++] = *dossier;
		*dossier = (struct kmt_dossier){ 0 }; /* taken */
		return true;
	}
	return false;
}

static int find_all(const struct kmt_watch_context *context,
		    const struct kmt_asked_context *asked_context, const struct kmt_asked *asked,
		    const struct kmt_account *accounts, size_t nr, const struct kmt_gfp_names *gfp,
		    struct kmt_distilled *distilled, struct kmt_result *result, struct kmt_err *err)
{
	for (size_t i = 0; i < nr; i++) {
		struct kmt_code code;
		struct kmt_site site;

		if (!accounts[i].allocs || !kmt_asked_may_be(asked, asked_context, &accounts[i]) ||
		    !kmt_asked_is(asked, asked_context, &accounts[i], &code))
			continue;
		if (kmt_asked_site(asked_context, &accounts[i], &code, gfp, &site) < 0)
			return kmt_fail(err, -ENOMEM, "out of memory");
		if (has_site(result, &site))
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

/* Books of version 1 don't tell of which space a dossier is: of the first that has its site. */
static int find_spaces(const struct kmt_asked_context *context, const struct kmt_account *accounts,
		       size_t nr, const struct kmt_gfp_names *gfp, struct kmt_distilled *distilled)
{
	for (size_t k = 0; k < distilled->nr_dossiers; k++) {
		struct kmt_site *wanted = &distilled->dossiers[k].site;
		struct kmt_code code;
		struct kmt_site site;

		for (size_t i = 0; i < nr; i++) {
			if (!accounts[i].allocs)
				continue;
			if (kmt_code_find_site(context->symbols, context->frames, &accounts[i],
					       UINT64_MAX, &code) < 0 ||
			    kmt_asked_site(context, &accounts[i], &code, gfp, &site) < 0)
				return -ENOMEM;
			if (site.call_site != wanted->call_site ||
			    site.instance != wanted->instance)
				continue;
			*wanted = site;
			break;
		}
	}
	return 0;
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
	kmt_texts_gfp_names(context->tape, names);
	accounts = kmt_ledger_accounts(ledger, &nr);
	if (!distilled->has_dossier_spaces &&
	    find_spaces(asked_context, accounts, nr, names, distilled) < 0)
		return kmt_fail(err, -ENOMEM, "out of memory");
	if (context->options->explain) {
		r = kmt_asked_init(&asked, KMT_BY_SITE, context->options->explain, err);
		if (r == 0)
			r = find_all(context, asked_context, &asked, accounts, nr, names, distilled,
				     result, err);
	} else {
		take_everything(distilled, result);
	}
	if (r < 0)
		return r;
	result->is_explanation = true;
	for (size_t i = 0; r == 0 && i < result->nr_dossiers; i++)
		r = kmt_dossier_name(context->symbols, names, result, &result->dossiers[i]);
	if (r < 0)
		return kmt_fail(err, r, "out of memory");
	kmt_dossiers_sort(result->dossiers, result->nr_dossiers);
	return 0;
}
