/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_QUOTA_H
#define KMEMTAPE_QUOTA_H

#include <errno.h>
#include <stdint.h>

/*
 * What tables that grow with the events of a tape may hold between them: for each of them the most
 * that it ever had, added up. That is no more than what they take of memory at their worst, and by
 * the events alone it is the same each time, whenever it is asked for: tables tell what they have
 * before they grow, so that none has much more than what it told, and again at the end.
 */
struct kmt_quota {
	uint64_t max; /* 0: as much as comes */
	uint64_t used;
};

/* @nr more. Return: 0, -EOVERFLOW. */
static inline int kmt_quota_take(struct kmt_quota *quota, uint64_t nr)
{
	quota->used += nr;
	return quota->max && quota->used > quota->max ? -EOVERFLOW : 0;
}

/* The table has had @most by now, of which it told *@told. @quota: NULL: nobody asks */
static inline int kmt_quota_tell(struct kmt_quota *quota, uint64_t most, uint64_t *told)
{
	uint64_t more = most - *told;

	*told = most;
	return quota ? kmt_quota_take(quota, more) : 0;
}

#endif
