/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_CACHE_CHOICE_H
#define KMT_RECORD_CACHE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/err.h"

/*
 * What a name of slab caches means on this kernel. Caches of the same kind are merged: the one that
 * came first gives the name that events and slabinfo have, the others are links in
 * /sys/kernel/slab.
 */
#define KMT_CACHE_NAME_BYTES 64
#define KMT_CACHES_MAX	     128 /* more than a few make no filter */

struct kmt_cache {
	char name[KMT_CACHE_NAME_BYTES];   /* as events call it */
	char merged[KMT_CACHE_NAME_BYTES]; /* one of the others that are merged with it; "": none */
	uint64_t bytes;			   /* of an object, with all that belongs to it */
	uint64_t object_bytes;		   /* without; 0 unknown */
	bool is_kmalloc;		   /* kmalloc() uses it */
};

struct kmt_cache_choice {
	char pattern[KMT_CACHE_NAME_BYTES];
	bool has_wildcard;
	struct kmt_cache caches[KMT_CACHES_MAX]; /* different names */
	size_t nr;
	bool has_more; /* than there was room for */
};

/**
 * kmt_cache_choose() - the caches called @pattern
 * @pattern: may have * and ?
 * @slab_path: "/sys/kernel/slab"; where there is none, slabinfo has to do
 * @slabinfo_path: "/proc/slabinfo"
 *
 * Return: 0, also if there is none; -ENOMEM; -ENOTSUP if neither can be read.
 */
int kmt_cache_choose(const char *pattern, const char *slab_path, const char *slabinfo_path,
		     struct kmt_cache_choice *ret_choice, struct kmt_err *err);

#endif
