// SPDX-License-Identifier: GPL-2.0-only
/* Counted objects, right by themselves; lab_user.c takes references and forgets some. */
#include "lab.h"
#include "lab_owner.h"

#include <linux/kref.h>

struct lab_session {
	struct kref refs;
	char text[700];
};

static struct lab_count sessions;

LAB_SITE struct lab_session *lab_session_new(void)
{
	struct lab_session *session = kzalloc(sizeof(*session), GFP_KERNEL);

	if (session) {
		lab_count_alloc(&sessions, sizeof(*session), kmalloc_size_roundup(sizeof(*session)));
		kref_init(&session->refs);
	}
	return session;
}
EXPORT_SYMBOL_GPL(lab_session_new);

struct lab_session *lab_session_get(struct lab_session *session)
{
	kref_get(&session->refs);
	return session;
}
EXPORT_SYMBOL_GPL(lab_session_get);

static void release(struct kref *refs)
{
	struct lab_session *session = container_of(refs, struct lab_session, refs);

	lab_count_free(&sessions, sizeof(*session), kmalloc_size_roundup(sizeof(*session)));
	kfree(session);
}

void lab_session_put(struct lab_session *session)
{
	kref_put(&session->refs, release);
}
EXPORT_SYMBOL_GPL(lab_session_put);

void lab_session_say(void)
{
	LAB_SAY_KMALLOC("lab_session_new", &sessions, sizeof(struct lab_session));
}
EXPORT_SYMBOL_GPL(lab_session_say);

static int __init lab_owner_init(void)
{
	return 0;
}

static void __exit lab_owner_exit(void)
{
}

module_init(lab_owner_init);
module_exit(lab_owner_exit);
