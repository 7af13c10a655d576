/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMT_RECORD_USER_H
#define KMT_RECORD_USER_H

#include <stddef.h>
#include <sys/types.h>

#include "kmemtape/err.h"

#define KMT_USER_NAME_BYTES 64
#define KMT_USER_HOME_BYTES 512
#define KMT_USER_GROUPS_MAX 256

/* Whom a tape belongs to. */
struct kmt_user {
	char name[KMT_USER_NAME_BYTES]; /* the number, if it has none */
	char home[KMT_USER_HOME_BYTES]; /* "" unknown */
	uid_t uid;
	gid_t gid;
	gid_t groups[KMT_USER_GROUPS_MAX];
	size_t nr_groups;
};

/**
 * kmt_user_find() - by what is in /etc/passwd and /etc/group
 * @text: a name, UID or UID:GID; the latter needs no entry
 *
 * Not by what nsswitch.conf names beyond: modules of other people don't get into a recorder.
 *
 * Return: 0; -ENOENT if there is no such user.
 */
int kmt_user_find(const char *text, struct kmt_user *ret_user, struct kmt_err *err);

/* kmt_user_become() - give up all of what we were but capabilities, where these are to be kept */
int kmt_user_become(const struct kmt_user *user);

#endif
