// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

static bool is_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_part(const struct kmt_row *site, const struct kmt_row *part)
{
	return site->space == part->space && site->use == part->use &&
	       site->call_site == part->call_site && site->instance == part->instance &&
	       site->bytes_each == part->bytes_each && is_text(site->gfp, part->gfp) &&
	       is_text(site->comm, part->comm);
}

/* Parts of @site begin at @from, if it has any. Return: where they end. */
static size_t end_of(const struct kmt_row *site, const struct kmt_row *parts, size_t nr_parts,
		     size_t from)
{
	while (from < nr_parts && is_part(site, &parts[from]))
		from++;
	return from;
}

/*
 * Where the frees of the whole are not seen, or events were lost, no part is any more certain.
 */
static bool is_split(const struct kmt_row *site, const struct kmt_row *parts, size_t nr)
{
	if (nr < 2 || site->judgement.class == KMT_CLASS_UNTRACED ||
	    site->judgement.class == KMT_CLASS_UNCERTAIN)
		return false;
	for (size_t i = 0; i < nr; i++)
		if (parts[i].judgement.class == KMT_CLASS_LEAK)
			return true;
	return false;
}

int kmt_parts_choose(const struct kmt_row *sites, size_t nr_sites, const struct kmt_row *parts,
		     size_t nr_parts, struct kmt_row **ret_rows, size_t *ret_nr)
{
	struct kmt_row *rows = calloc(nr_sites + nr_parts + 1, sizeof(*rows));
	size_t nr = 0, from = 0;

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < nr_sites; i++) {
		size_t to = end_of(&sites[i], parts, nr_parts, from);

		if (to > from && is_split(&sites[i], parts + from, to - from)) {
			memcpy(rows + nr, parts + from, (to - from) * sizeof(*rows));
			nr += to - from;
		} else {
			rows[nr++] = sites[i];
		}
		from = to;
	}
	*ret_rows = rows;
	*ret_nr = nr;
	return 0;
}

static bool is_blamed(const struct kmt_verdict *verdict, const struct kmt_row *part)
{
	return verdict->call_site == part->call_site && verdict->owner && part->owner &&
	       strcmp(verdict->owner, part->owner) == 0;
}

static double weight_of(const struct kmt_row *part)
{
	return (double)part->mature_bytes * part->judgement.confidence;
}

static bool is_worse(const struct kmt_verdict *verdict, const struct kmt_row *a,
		     const struct kmt_row *b)
{
	if (a->is_suppressed != b->is_suppressed)
		return b->is_suppressed;
	if (is_blamed(verdict, a) != is_blamed(verdict, b))
		return is_blamed(verdict, a);
	if (a->judgement.class != b->judgement.class)
		return a->judgement.class > b->judgement.class;
	return weight_of(a) > weight_of(b);
}

static void lift(const struct kmt_verdict *verdict, struct kmt_row *site, struct kmt_row *parts,
		 size_t nr)
{
	struct kmt_row *worst = parts;
	struct kmt_judgement judgement = site->judgement;

	for (size_t i = 1; i < nr; i++)
		if (is_worse(verdict, &parts[i], worst))
			worst = &parts[i];
	site->judgement = worst->judgement;
	worst->judgement = judgement; /* each is freed once */
	site->owner = worst->owner;
	site->owner_module = worst->owner_module;
	site->owner_taint = worst->owner_taint;
	site->frames = worst->frames;
	site->nr_frames = worst->nr_frames;
	site->is_owners = true;
}

void kmt_parts_lift(const struct kmt_result *result, struct kmt_row *sites, size_t nr_sites,
		    struct kmt_row *parts, size_t nr_parts)
{
	size_t from = 0;

	for (size_t i = 0; i < nr_sites; i++) {
		size_t to = end_of(&sites[i], parts, nr_parts, from);

		if (to > from && is_split(&sites[i], parts + from, to - from))
			lift(&result->verdict, &sites[i], parts + from, to - from);
		from = to;
	}
}
