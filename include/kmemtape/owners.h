/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_OWNERS_H
#define KMEMTAPE_OWNERS_H

#include <stdbool.h>
#include <stddef.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"

/*
 * Owners: which functions allocate for others, so that the one they do it for can be named. A table
 * that comes with the program, and lines of the user's:
 *
 *   # comment
 *   helper PATTERN        a function that allocates for its callers: *, ? as in fnmatch(3)
 *   owner PATTERN         one that does not, whatever a helper line says
 */
struct kmt_owners;

#define KMT_OWNERS_BYTES_MAX (1u << 20)

/* The built-in table. */
int kmt_owners_new(struct kmt_owners **ret_owners, struct kmt_err *err);
struct kmt_owners *kmt_owners_free(struct kmt_owners *owners);

/**
 * kmt_owners_add() - lines of the user, which go before all that was there
 * @name: of the file, for messages
 *
 * Return: 0; -EBADMSG with file and line; -ENOMEM.
 */
int kmt_owners_add(struct kmt_owners *owners, const char *name, const char *text, size_t bytes,
		   struct kmt_err *err);

/* @function: without ".isra.0" and the like; of a module only the user's lines can make it a helper
 */
bool kmt_owners_is_helper(const struct kmt_owners *owners, const char *function,
			  const char *module);

KMT_DEFINE_FREEP(struct kmt_owners *, kmt_owners_free)

#endif
