/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_OWNER_H
#define LAB_OWNER_H

struct lab_session;

/* The new one has one reference, the caller's. */
struct lab_session *lab_session_new(void);
struct lab_session *lab_session_get(struct lab_session *session);
void lab_session_put(struct lab_session *session);
void lab_session_say(void);

#endif
