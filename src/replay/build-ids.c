// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "build-ids.h"

/* "kernel HEX" on the first line of symbols/build-ids; all else is of modules. */
void kmt_build_ids_read_kernel(const struct kmt_tape *tape, char **ret_id)
{
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes;

	if (kmt_tape_read_text(tape, "symbols/build-ids", &text, &bytes, NULL) < 0 ||
	    sscanf(text, "kernel %m[0-9a-f]", ret_id) != 1)
		*ret_id = NULL;
}

static int by_module(const void *left, const void *right)
{
	const struct kmt_build_id *a = left, *b = right;
	int r = strcmp(a->module, b->module);

	return r ? r : strcmp(a->id, b->id);
}

/* One for each module; of those that were loaded from several builds, none. Return: how many. */
static size_t keep_single(struct kmt_build_id *ids, size_t nr)
{
	size_t kept = 0, to;

	qsort(ids, nr, sizeof(*ids), by_module);
	for (size_t from = 0; from < nr; from = to) {
		bool is_single = *ids[from].id;

		for (to = from + 1; to < nr && strcmp(ids[from].module, ids[to].module) == 0; to++)
			is_single &= strcmp(ids[from].id, ids[to].id) == 0;
		if (is_single)
			ids[kept++] = ids[from];
	}
	return kept;
}

/* Texts become the result's. */
static int keep_texts(struct kmt_result *result)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < result->nr_build_ids; i++) {
		struct kmt_build_id *id = &result->build_ids[i];

		r = kmt_result_keep(result, id->module, &id->module);
		if (r == 0)
			r = kmt_result_keep(result, id->id, &id->id);
	}
	return r;
}

int kmt_build_ids_fill(const struct kmt_tape *tape, const struct kmt_symbols *symbols,
		       struct kmt_result *result)
{
	KMT_CLEANUP(kmt_freep) char *kernel = NULL;
	struct kmt_build_id *ids;
	const char *module, *id;
	size_t nr = 0;

	while (kmt_symbols_module(symbols, nr, &id))
		nr++;
	ids = calloc(nr + 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	result->build_ids = ids;
	kmt_build_ids_read_kernel(tape, &kernel);
	if (kernel)
		ids[result->nr_build_ids++].id = kernel;
	for (size_t i = 0; (module = kmt_symbols_module(symbols, i, &id)); i++)
		ids[result->nr_build_ids + i] = (struct kmt_build_id){ module, id };
	result->nr_build_ids += keep_single(ids + result->nr_build_ids, nr);
	return keep_texts(result);
}
