/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_ASKED_H
#define KMT_REPLAY_ASKED_H

#include <stdbool.h>

#include "kmemtape/account.h"
#include "kmemtape/gfp.h"
#include "kmemtape/result.h"
#include "kmemtape/site-query.h"
#include "kmemtape/symbols.h"

#include "entries.h"

/*
 * What the user asked for by name: a call site, or a cache, module, task. Whose an account is may
 * be known for sure only at the end of the tape: until then all that may turn out to be meant
 * counts.
 */
struct kmt_asked {
	enum kmt_group group;
	const char *name;	     /* as typed */
	struct kmt_site_query query; /* KMT_BY_SITE */
	int64_t pid;		     /* KMT_BY_PID */
};

struct kmt_asked_context {
	const struct kmt_symbols *symbols;
	const struct kmt_stacks *stacks; /* NULL: there are none */
	struct kmt_frames *frames;	 /* of these, at the end of the tape */
	uint64_t kernel_from, kernel_to;
	uint32_t page_bytes;
};

/**
 * kmt_asked_init() - understand a name
 * @name: borrowed
 *
 * Return: 0; -EINVAL if it can be none.
 */
int kmt_asked_init(struct kmt_asked *asked, enum kmt_group group, const char *name,
		   struct kmt_err *err);

/* While the tape is read: false if it's certain that @account is not meant. */
bool kmt_asked_may_be(const struct kmt_asked *asked, const struct kmt_asked_context *context,
		      const struct kmt_account *account);

/* At the end of the tape; @ret_site is the account's call site, if that was looked up. */
bool kmt_asked_is(const struct kmt_asked *asked, const struct kmt_asked_context *context,
		  const struct kmt_account *account, struct kmt_code *ret_site);

/**
 * kmt_asked_site() - the row that an account is in, at the end of the tape
 * @code: its call site, as kmt_asked_is() has it
 * @gfp: of the tape
 *
 * Return: 0 or -ENOMEM.
 */
int kmt_asked_site(const struct kmt_asked_context *context, const struct kmt_account *account,
		   const struct kmt_code *code, const struct kmt_gfp_names *gfp,
		   struct kmt_site *ret_site);

/* Nothing is meant: says so, and what is near. Return: -ENOENT. */
int kmt_asked_fail(const struct kmt_asked *asked, const struct kmt_asked_context *context,
		   const struct kmt_account *accounts, size_t nr, struct kmt_err *err);

#endif
