// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "twins.h"

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* @area's caller: "foo+0x30/0x80 [mod]" */
static bool is_same_code(const struct kmt_row *row, const struct kmt_vmalloc_row *area)
{
	size_t bytes = strcspn(area->caller, "+ ");

	return row->function && strlen(row->function) == bytes &&
	       strncmp(row->function, area->caller, bytes) == 0 &&
	       is_same_text(row->module, area->module);
}

/* Were all events of areas on the tape? Then what the row says is all that there is to say. */
static bool is_complete(const struct kmt_result *result)
{
	return result->nr_filters == 0 && result->lost == 0 && result->totals.losses == 0;
}

void kmt_twins_mark(const struct kmt_row *rows, size_t nr, struct kmt_result *result)
{
	struct kmt_reconciliation *counted = &result->reconciliation;

	for (size_t k = 0; k < nr; k++) {
		if (rows[k].space != KMT_SPACE_VMALLOC)
			continue;
		for (size_t i = 0; i < counted->nr_vmallocs; i++) {
			struct kmt_vmalloc_row *area = &counted->vmallocs[i];

			if (is_same_code(&rows[k], area) &&
			    (rows[k].judgement.class >= area->judgement.class ||
			     is_complete(result)))
				area->is_seen_by_events = true;
		}
	}
}
