// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>

#include "kmemtape/tasks.h"

struct task {
	const char *name; /* NULL: free slot */
	int32_t pid;
};

struct kmt_tasks {
	struct task *slots; /* a power of two of them, at most half full */
	size_t nr_slots, nr_used;
	struct kmt_quota *quota; /* NULL */
	uint64_t told;		 /* of those that are used, to the quota */
};

int kmt_tasks_new(struct kmt_tasks **ret_tasks, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_tasks_freep) struct kmt_tasks *tasks = calloc(1, sizeof(*tasks));

	if (!tasks)
		return kmt_fail(err, -ENOMEM, "out of memory");
	tasks->nr_slots = 1024;
	tasks->slots = calloc(tasks->nr_slots, sizeof(*tasks->slots));
	if (!tasks->slots)
		return kmt_fail(err, -ENOMEM, "out of memory");
	*ret_tasks = KMT_STEAL(tasks);
	return 0;
}

struct kmt_tasks *kmt_tasks_free(struct kmt_tasks *tasks)
{
	if (!tasks)
		return NULL;
	free(tasks->slots);
	free(tasks);
	return NULL;
}

void kmt_tasks_set_quota(struct kmt_tasks *tasks, struct kmt_quota *quota)
{
	tasks->quota = quota;
}

int kmt_tasks_tell(struct kmt_tasks *tasks)
{
	return kmt_quota_tell(tasks->quota, tasks->nr_used, &tasks->told);
}

/* The slot of @pid, or the free one where it belongs. */
static struct task *probe(struct task *slots, size_t nr_slots, int32_t pid)
{
	size_t i = ((uint32_t)pid * 0x9e3779b1u) & (nr_slots - 1);

	while (slots[i].name && slots[i].pid != pid)
		i = (i + 1) & (nr_slots - 1);
	return &slots[i];
}

static int grow(struct kmt_tasks *tasks)
{
	size_t nr_slots = tasks->nr_slots * 2;
	struct task *slots;
	int r = kmt_tasks_tell(tasks);

	if (r < 0)
		return r;
	slots = calloc(nr_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < tasks->nr_slots; i++)
		if (tasks->slots[i].name)
			*probe(slots, nr_slots, tasks->slots[i].pid) = tasks->slots[i];
	free(tasks->slots);
	tasks->slots = slots;
	tasks->nr_slots = nr_slots;
	return 0;
}

int kmt_tasks_name(struct kmt_tasks *tasks, int32_t pid, const char *name)
{
	struct task *slot = probe(tasks->slots, tasks->nr_slots, pid);

	if (!slot->name) {
		if (tasks->nr_used * 2 >= tasks->nr_slots) {
			int r = grow(tasks);

			if (r < 0)
				return r;
			slot = probe(tasks->slots, tasks->nr_slots, pid);
		}
		tasks->nr_used++;
	}
	*slot = (struct task){ .name = name, .pid = pid };
	return 0;
}

const char *kmt_tasks_find(const struct kmt_tasks *tasks, int32_t pid)
{
	return probe(tasks->slots, tasks->nr_slots, pid)->name;
}
