/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_SLAB_FLAGS_H
#define KMT_RECORD_SLAB_FLAGS_H

#include <stddef.h>

/**
 * kmt_slab_flags_read() - names of the caches with SLAB_RECLAIM_ACCOUNT
 * @path: /sys/kernel/slab
 * @ret_text: one a line, on the heap; NULL if this kernel doesn't tell: only SLUB does
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_slab_flags_read(const char *path, char **ret_text, size_t *ret_bytes);

#endif
