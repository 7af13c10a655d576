// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "probe-notes.h"

#define PAIR_PREFIX "kmemtape:pair_"

bool kmt_probe_is_alloc(const char *event)
{
	size_t bytes = strlen(event), end = strlen("_alloc");

	if (strcmp(event, "kmemtape:vma_new") == 0)
		return true;
	return strncmp(event, PAIR_PREFIX, strlen(PAIR_PREFIX)) == 0 && bytes > end &&
	       strcmp(event + bytes - end, "_alloc") == 0;
}

static const struct kmt_probe_stats *find(const struct kmt_manifest *manifest, const char *pair,
					  const char *end)
{
	char event[KMT_PROBE_NAME_BYTES];

	(void)snprintf(event, sizeof(event), PAIR_PREFIX "%s_%s", pair, end);
	for (size_t i = 0; i < manifest->nr_probes; i++)
		if (strcmp(manifest->probes[i].event, event) == 0)
			return &manifest->probes[i];
	return NULL;
}

static int note_pair(const struct kmt_manifest *manifest, const struct kmt_pair *pair,
		     struct kmt_result *result)
{
	const struct kmt_probe_stats *alloc = find(manifest, pair->name, "alloc");
	const struct kmt_probe_stats *freed = find(manifest, pair->name, "free");

	if (!alloc || !freed || (alloc->hits && freed->hits))
		return 0;
	if (!alloc->hits && !freed->hits)
		return kmt_result_note(result, "pair %s: neither %s nor %s was called%s%s%s",
				       pair->name, pair->alloc, pair->free,
				       *pair->module ? " (was " : "", pair->module,
				       *pair->module ? " loaded?)" : "");
	return kmt_result_note(result,
			       "pair %s: %s was never called: what it should count may be done by "
			       "another function, or inlined",
			       pair->name, alloc->hits ? pair->free : pair->alloc);
}

int kmt_probe_notes(const struct kmt_manifest *manifest, struct kmt_result *result)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < manifest->nr_probes; i++) {
		const struct kmt_probe_stats *probe = &manifest->probes[i];

		if (probe->missed && kmt_probe_is_alloc(probe->event))
			r = kmt_result_note(result,
					    "%s missed %" PRIu64
					    " calls: what they allocated is not seen",
					    probe->event, probe->missed);
	}
	for (size_t i = 0; r == 0 && i < manifest->nr_pairs; i++)
		r = note_pair(manifest, &manifest->pairs[i], result);
	return r;
}
