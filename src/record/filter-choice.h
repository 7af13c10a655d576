/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_FILTER_CHOICE_H
#define KMT_RECORD_FILTER_CHOICE_H

#include "filter-text.h"
#include "kmemtape/record.h"

/* What was asked of allocations, and what it means on this kernel. */
struct kmt_filter_choice {
	struct kmt_filter filter; /* borrows from the rest */
	struct kmt_cache_choice cache;
	struct kmt_module_range module;
};

/**
 * kmt_filter_choose() - find the caches and the module of @asked
 * @asked: texts are borrowed as long as @choice is used
 * @listener: is told what will be recorded though it wasn't asked for
 * @choice: stays where it is, as it points into itself
 *
 * Return: 0; -ENOENT if there is no such cache or module, and will be none; -ENOTSUP; -E2BIG.
 */
int kmt_filter_choose(const struct kmt_record_filter *asked, int instance_fd,
		      const struct kmt_record_listener *listener, struct kmt_filter_choice *choice,
		      struct kmt_err *err);

#endif
