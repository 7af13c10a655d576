/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_TASKS_H
#define KMEMTAPE_TASKS_H

#include <stdint.h>

#include "kmemtape/cleanup.h"
#include "kmemtape/err.h"
#include "kmemtape/quota.h"

/* pid -> name as it is at this point of the tape. */
struct kmt_tasks;

int kmt_tasks_new(struct kmt_tasks **ret_tasks, struct kmt_err *err);
struct kmt_tasks *kmt_tasks_free(struct kmt_tasks *tasks);

/* As kmt_liveset_set_quota() and kmt_liveset_tell(): of pids that have a name. */
void kmt_tasks_set_quota(struct kmt_tasks *tasks, struct kmt_quota *quota);
int kmt_tasks_tell(struct kmt_tasks *tasks);

/**
 * kmt_tasks_name() - @pid is called @name from now on
 * @name: interned, must outlive @tasks
 *
 * Return: 0; -ENOMEM; -EOVERFLOW as kmt_quota_take().
 */
int kmt_tasks_name(struct kmt_tasks *tasks, int32_t pid, const char *name);

/* Return: borrowed; NULL if unknown. */
const char *kmt_tasks_find(const struct kmt_tasks *tasks, int32_t pid);

KMT_DEFINE_FREEP(struct kmt_tasks *, kmt_tasks_free)

#endif
