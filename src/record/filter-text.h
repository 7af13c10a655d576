/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_FILTER_TEXT_H
#define KMT_RECORD_FILTER_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "cache-choice.h"
#include "kmemtape/manifest.h"
#include "kmemtape/record.h"
#include "module-range.h"

/* The conditions on allocations, in the words of the kernel's event filters. */
struct kmt_filter {
	uint64_t min_bytes;		       /* 0: any */
	int32_t pid;			       /* 0: any */
	const char *comm;		       /* NULL: any; has no quotes in it */
	const struct kmt_cache_choice *cache;  /* NULL: any */
	const struct kmt_module_range *module; /* NULL: any */
	uint32_t page_bytes;
	uint32_t nr_possible_cpus; /* that per-CPU memory is for */
};

/**
 * kmt_filter_text() - the condition for one event of allocations
 * @event: "kmem/kmalloc"
 * @set: that it belongs to, enum kmt_record_set; 0 for pairs
 * @format: text of its format file: fields differ from kernel to kernel
 * @text: "" if it has none
 *
 * Return: 0; -EINVAL if something was asked that these events can't tell; -E2BIG.
 */
int kmt_filter_text(const struct kmt_filter *filter, const char *event, unsigned int set,
		    const char *format, char text[KMT_MANIFEST_TEXT_BYTES], struct kmt_err *err);

/* Does a format file declare @field: a line "field:const void * ptr;"? */
bool kmt_filter_has_field(const char *format, const char *field);

#endif
