/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_DECODE_MODULE_SPANS_H
#define KMT_DECODE_MODULE_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where the modules of a recording were, highest base first; of the same base the last one first.
 * There may be a million, and most are not at the address that is looked for.
 */
struct kmt_module_span {
	uint64_t base, size;
	uint64_t reach;		  /* the last byte that this one or any behind it has */
	uint64_t functions_reach; /* likewise, of those that have functions */
	uint64_t from_ns, to_ns;
	uint32_t module;
	bool has_functions;
};

struct kmt_module_spans {
	struct kmt_module_span *spans;
	size_t nr;
	bool is_wrapping; /* one of them goes on at address 0 */
};

/* Of spans in any order, whose reaches are not yet known. */
void kmt_module_spans_sort(struct kmt_module_spans *spans);

/* The first that may have @address. */
size_t kmt_module_spans_find(const struct kmt_module_spans *spans, uint64_t address);

static inline bool kmt_module_span_has(const struct kmt_module_span *span, uint64_t address)
{
	return address - span->base < span->size;
}

#endif
