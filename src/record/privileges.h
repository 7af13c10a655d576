/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_PRIVILEGES_H
#define KMT_RECORD_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/capabilities.h"
#include "kmemtape/err.h"
#include "user.h"

/*
 * A recorder has the rights of the user whose tape it is, and capabilities beside them. What root
 * alone may open, files of tracefs and counters, is opened by the calls below. All else, whatever
 * has to do with the tape above all, is done with the user's own rights: no link that the user puts
 * into the way leads to anything that is not the user's.
 */

/**
 * kmt_privileges_take() - be @user from now on, and keep what setting up may need
 * @user: NULL: stay who we are
 *
 * Of this thread and those that it starts: to be called before any is.
 */
int kmt_privileges_take(const struct kmt_user *user, struct kmt_err *err);

/* kmt_privileges_keep() - of this thread, from now on: those of @capabilities that it still has */
void kmt_privileges_keep(uint64_t capabilities);

/* kmt_privileges_keep_for_cleaning() - tracefs, and no more; of who may still be root */
void kmt_privileges_keep_for_cleaning(bool unmounts);

/* What root may open, we may, until a guard or kmt_privileges_lower() ends it. */
uint64_t kmt_privileges_raise(void);
void kmt_privileges_lower(uint64_t *raised);

/* openat(), kmt_read_file() and a look whether there is such a file: what root may. */
int kmt_privileges_open(int dirfd, const char *path, int flags);
int kmt_privileges_read_file(int dirfd, const char *path, size_t limit, char **ret_text,
			     size_t *ret_bytes, struct kmt_err *err);
int kmt_privileges_find(int dirfd, const char *path);

#endif
