// SPDX-License-Identifier: LGPL-2.1-only
#include <stdlib.h>

#include "module-spans.h"

static int compare(const void *left, const void *right)
{
	const struct kmt_module_span *a = left, *b = right;

	if (a->base != b->base)
		return a->base > b->base ? -1 : 1;
	return (a->module < b->module) - (a->module > b->module);
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void kmt_module_spans_sort(struct kmt_module_spans *spans)
{
	uint64_t reach = 0, functions_reach = 0;

	if (spans->nr > 1)
		qsort(spans->spans, spans->nr, sizeof(*spans->spans), compare);
	spans->is_wrapping = false;
	for (size_t i = spans->nr; i-- > 0;) {
		struct kmt_module_span *span = &spans->spans[i];
		uint64_t last = 0;

		if (span->size && __builtin_add_overflow(span->base, span->size - 1, &last)) {
			spans->is_wrapping = true;
			last = UINT64_MAX;
		}
		reach = max_of(reach, last);
		if (span->has_functions)
			functions_reach = max_of(functions_reach, last);
		span->reach = reach;
		span->functions_reach = functions_reach;
	}
}

size_t kmt_module_spans_find(const struct kmt_module_spans *spans, uint64_t address)
{
	size_t low = 0, high = spans->nr;

	if (spans->is_wrapping)
		return 0;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (spans->spans[mid].base > address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
