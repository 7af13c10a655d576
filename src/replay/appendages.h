/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_REPLAY_APPENDAGES_H
#define KMT_REPLAY_APPENDAGES_H

/*
 * Appendages: objects that belong to one other object, whatever it is of, and are freed with it.
 * They grow as it does, so that they look like a leak next to each cache that fills; but nobody
 * else has them, so that they can't leak by themselves.
 *
 * Return: what the objects that this function of the kernel itself allocates belong to ("inode");
 * NULL if they stand for themselves, or nobody knows.
 */
const char *kmt_appendage_owner(const char *function);

#endif
