/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_NAMES_H
#define KMEMTAPE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/* Interned names of caches, modules and tasks: equal texts are equal pointers. */
struct kmt_names;

#define KMT_NAME_BYTES_MAX 127u /* longer ones are cut; the kernel's own are at most 63 */

int kmt_names_new(struct kmt_names **ret_names, struct kmt_err *err);
/* Before there is one in it: as kmt_liveset_set_seed(). */
void kmt_names_set_seed(struct kmt_names *names, uint64_t seed);
/* How many bytes they may take from now on; 0, as it is without: as many as come. */
void kmt_names_set_max(struct kmt_names *names, uint64_t max_bytes);
struct kmt_names *kmt_names_free(struct kmt_names *names);

/**
 * kmt_names_intern() - the one copy of a text
 * @text: @bytes long, or shorter if it has a zero byte
 *
 * May be called by several threads at once.
 *
 * Return: borrowed until kmt_names_free(); NULL if out of memory, or they are full.
 */
const char *kmt_names_intern(struct kmt_names *names, const char *text, size_t bytes);

/* True if one was to be interned that there was no room for. By any thread. */
bool kmt_names_is_full(struct kmt_names *names);

KMT_DEFINE_FREEP(struct kmt_names *, kmt_names_free)

#endif
