// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/cleanup.h"
#include "user.h"

#define PASSWD "/etc/passwd"
#define GROUP  "/etc/group"

/* Digits alone; the largest number means "leave it" to the kernel. */
static bool parse_id(const char *text, const char **ret_end, unsigned int *ret_id)
{
	unsigned long id;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	id = strtoul(text, &end, 10);
	if (errno || id >= UINT_MAX)
		return false;
	*ret_end = end;
	*ret_id = (unsigned int)id;
	return true;
}

/* "UID" or "UID:GID" */
static bool parse_ids(const char *text, struct kmt_user *user, bool *has_gid)
{
	const char *end;

	*has_gid = false;
	if (!parse_id(text, &end, &user->uid))
		return false;
	if (*end == ':')
		*has_gid = parse_id(end + 1, &end, &user->gid);
	return !*end;
}

static void take_entry(struct kmt_user *user, const struct passwd *entry)
{
	(void)snprintf(user->name, sizeof(user->name), "%s", entry->pw_name);
	(void)snprintf(user->home, sizeof(user->home), "%s", entry->pw_dir);
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
}

/* By @name, or by the number in @user if that is NULL. */
static bool find_entry(struct kmt_user *user, const char *name)
{
	KMT_CLEANUP(kmt_fclosep) FILE *file = fopen(PASSWD, "re");
	const struct passwd *entry;

	while (file && (entry = fgetpwent(file)))
		if (name ? strcmp(entry->pw_name, name) == 0 : entry->pw_uid == user->uid) {
			take_entry(user, entry);
			return true;
		}
	return false;
}

static void find_groups(struct kmt_user *user)
{
	KMT_CLEANUP(kmt_fclosep) FILE *file = fopen(GROUP, "re");
	const struct group *group;

	user->groups[user->nr_groups++] = user->gid;
	while (file && user->nr_groups < KMT_USER_GROUPS_MAX && (group = fgetgrent(file)))
		for (char **member = group->gr_mem; *member; member++)
			if (strcmp(*member, user->name) == 0) {
				user->groups[user->nr_groups++] = group->gr_gid;
				break;
			}
}

int kmt_user_find(const char *text, struct kmt_user *ret_user, struct kmt_err *err)
{
	struct kmt_user user = { .nr_groups = 0 };
	bool has_gid;

	if (parse_ids(text, &user, &has_gid)) {
		gid_t gid = user.gid;
		bool is_known = find_entry(&user, NULL);

		if (!is_known && !has_gid)
			return kmt_fail(err, -ENOENT,
					"there is no user %s in " PASSWD ": name the group, too, "
					"as in --user %s:100",
					text, text);
		if (!is_known)
			(void)snprintf(user.name, sizeof(user.name), "%u", user.uid);
		user.gid = has_gid ? gid : user.gid;
	} else if (!find_entry(&user, text)) {
		return kmt_fail(err, -ENOENT,
				"there is no user '%s' in " PASSWD ": give numbers, as in --user "
				"1000:100",
				text);
	}
	find_groups(&user);
	*ret_user = user;
	return 0;
}

int kmt_user_become(const struct kmt_user *user)
{
	if (setgroups(user->nr_groups, user->groups) < 0 ||
	    setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	return 0;
}
