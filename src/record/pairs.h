/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_PAIRS_H
#define KMT_RECORD_PAIRS_H

#include "probes.h"

/*
 * Functions of the kernel or of a module whose calls are recorded as allocations and frees of a kind
 * of object: see struct kmt_pair. As users write them:
 *
 *   NAME=ALLOC:FREE[@MODULE]         ALLOC returns the object, FREE gets it
 *   NAME=GET:PUT[@MODULE],count      both get it: what counts is how often
 *
 * "FREE%2": the object is its second argument, not the first; GET%N and PUT%N likewise. The name of a
 * function may have dots ("foo.isra.0"); '@', '%' and ':' are in none.
 */
#define KMT_PAIR_ARGS_MAX 6

/**
 * kmt_pair_parse() - what a user wrote
 * @ret_alloc_arg, @ret_free_arg: which argument is the object, from 1 on; the first 0 if it's what the
 * function returns
 *
 * Return: 0; -EINVAL, with a line that says what is wrong with @text.
 */
int kmt_pair_parse(const char *text, struct kmt_pair *ret_pair, unsigned int *ret_alloc_arg,
		   unsigned int *ret_free_arg, struct kmt_err *err);

/**
 * kmt_pairs_add() - create the probes of all pairs, and put the pairs into the manifest
 *
 * Functions of a module that isn't there yet are probed as soon as it is; the probes don't keep it from
 * being unloaded.
 *
 * Return: 0; -EINVAL as above, or two have the same name; -ENOENT there is no such function;
 * -ENOTUNIQ there are several; -ENOTSUP this kernel has no kprobes, or takes none there; -E2BIG too many.
 */
int kmt_pairs_add(struct kmt_probes *probes, const char *const *texts, size_t nr,
		  struct kmt_manifest *manifest, struct kmt_err *err);

#endif
