// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorded.h"

#define PAGE_BYTES 4096u /* where the manifest doesn't say */

static const struct {
	const char *set;    /* as the manifest calls it */
	const char *events; /* how the names of its allocation events begin */
} spaces[] = {
	[KMT_SPACE_SLAB] = { "slab", "kmem:k" },
	[KMT_SPACE_PAGE] = { "page", "kmem:mm_page_" },
	[KMT_SPACE_PERCPU] = { "percpu", "percpu:" },
	[KMT_SPACE_VMALLOC] = { "vmalloc", "vmalloc:" },
};

/* "kmemtape:pair_NAME_alloc" */
static bool is_of_pair(const char *event, const struct kmt_pair *pair)
{
	char name[sizeof("pair__alloc") + KMT_PAIR_NAME_BYTES];
	const char *colon = strchr(event, ':');

	(void)snprintf(name, sizeof(name), "pair_%s_alloc", pair->name);
	return colon && strcmp(colon + 1, name) == 0;
}

static bool is_vmalloc_probe(const char *event)
{
	const char *colon = strchr(event, ':');

	return colon && strcmp(colon + 1, "vma_new") == 0;
}

/* Return: KMT_SPACES_MAX: of none. */
static uint32_t space_of(const struct kmt_manifest *manifest, const char *event)
{
	for (uint32_t i = 0; i < KMT_SPACE_PAIR; i++)
		if (strncmp(event, spaces[i].events, strlen(spaces[i].events)) == 0)
			return i;
	if (is_vmalloc_probe(event))
		return KMT_SPACE_VMALLOC;
	for (uint32_t i = 0; i < manifest->nr_pairs && i < KMT_PAIRS_MAX; i++)
		if (is_of_pair(event, &manifest->pairs[i]))
			return KMT_SPACE_PAIR + i;
	return KMT_SPACES_MAX;
}

/* Older tapes of samples have no mask: what was kept had zeros above the page then, too. */
static uint64_t slab_mask(const struct kmt_manifest *manifest)
{
	uint64_t page_bytes = manifest->page_bytes ? manifest->page_bytes : PAGE_BYTES;
	bool is_mask = manifest->sample > 1 && (manifest->sample & (manifest->sample - 1)) == 0;

	if (manifest->sample_mask || manifest->sample_page_mask || !is_mask)
		return manifest->sample_mask;
	return (manifest->sample - 1) * page_bytes;
}

void kmt_recorded_fill(const struct kmt_manifest *manifest, struct kmt_ledger_options *options)
{
	options->nr_possible_cpus = manifest->nr_possible_cpus;
	options->sample_mask[KMT_SPACE_SLAB] = slab_mask(manifest);
	options->sample_mask[KMT_SPACE_PAGE] = manifest->sample_page_mask;
	options->is_filtered[KMT_SPACE_PAGE] = manifest->sample_page_mask != 0;
	for (size_t i = 0; i < manifest->nr_pairs; i++)
		options->counted_pairs |= (uint32_t)manifest->pairs[i].is_count << i;
	for (size_t i = 0; i < manifest->nr_filters; i++) {
		uint32_t space = space_of(manifest, manifest->filters[i].event);

		if (space < KMT_SPACES_MAX)
			options->is_filtered[space] = true;
	}
}

/* @words: "slab,page" */
static bool has_word(const char *words, const char *word)
{
	size_t bytes = strlen(word);

	for (const char *at = strstr(words, word); at; at = strstr(at + 1, word))
		if ((at == words || at[-1] == ',') && (at[bytes] == '\0' || at[bytes] == ','))
			return true;
	return false;
}

static int keep_filters(const struct kmt_manifest *manifest, struct kmt_result *result)
{
	if (!manifest->nr_filters)
		return 0;
	result->filters = calloc(manifest->nr_filters, sizeof(*result->filters));
	if (!result->filters)
		return -ENOMEM;
	for (size_t i = 0; i < manifest->nr_filters; i++) {
		const struct kmt_manifest_filter *filter = &manifest->filters[i];

		if (asprintf(&result->filters[i], "%s: %s", filter->event, filter->text) < 0) {
			result->filters[i] = NULL;
			return -ENOMEM;
		}
		result->nr_filters++;
	}
	return 0;
}

int kmt_recorded_describe(const struct kmt_manifest *manifest, struct kmt_result *result)
{
	int r = keep_filters(manifest, result);

	for (uint32_t i = 0; i < KMT_SPACE_PAIR; i++)
		result->spaces[i].is_recorded = has_word(manifest->sets, spaces[i].set);
	for (size_t i = 0; r == 0 && i < manifest->nr_pairs && i < KMT_PAIRS_MAX; i++) {
		result->spaces[KMT_SPACE_PAIR + i].is_recorded = true;
		r = kmt_result_keep(result, manifest->pairs[i].name, &result->pairs[i]);
	}
	return r;
}

/* Frees that nobody sees show by the reuse of the address: by whoever comes next in its cache. */
static bool hides_reuse(const struct kmt_manifest *manifest)
{
	for (size_t i = 0; i < manifest->nr_filters; i++) {
		const struct kmt_manifest_filter *filter = &manifest->filters[i];

		if (space_of(manifest, filter->event) == KMT_SPACE_SLAB &&
		    (strstr(filter->text, "comm") || strstr(filter->text, "call_site")))
			return true; /* "comm" is also in "common_pid" */
	}
	return false;
}

static bool has_frees(const struct kmt_totals *totals, uint32_t space)
{
	const uint64_t *by_kind = totals->by_kind;

	switch (space) {
	case KMT_SPACE_SLAB:
		return by_kind[KMT_EVENT_KFREE] || by_kind[KMT_EVENT_CACHE_FREE];
	case KMT_SPACE_PAGE:
		return by_kind[KMT_EVENT_PAGE_FREE];
	case KMT_SPACE_PERCPU:
		return by_kind[KMT_EVENT_PERCPU_FREE];
	case KMT_SPACE_VMALLOC:
		return by_kind[KMT_EVENT_VFREE];
	default:
		return true; /* of pairs, a note says which function nobody called */
	}
}

const char *kmt_recorded_blindness(const struct kmt_manifest *manifest,
				   const struct kmt_totals *totals, bool has_free_probes,
				   uint32_t space)
{
	if (strcmp(manifest->clock, "local") == 0 && manifest->nr_cpus > 1)
		return "by clock local a free can seem to come before its allocation";
	if (strncmp(manifest->recorder, "trace-cmd", strlen("trace-cmd")) == 0)
		return "trace-cmd's filters, which its file doesn't tell, may have left frees out";
	if (!has_frees(totals, space))
		return "not a single free of its kind is on the tape: were they recorded?";
	if (space == KMT_SPACE_SLAB && !has_free_probes && hides_reuse(manifest))
		return "a filter left out by whose reuse of an address an unseen free would show";
	return NULL;
}
