// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shards.h"

/* One of them at its work. */
struct task {
	struct kmt_shard *shard;
	pthread_mutex_t *gate; /* held until it is known what the work is */
	int (*work)(struct task *task);
	uint64_t end_ns, older_ns, grace_ns; /* of finish() */
	pthread_t thread;
	int result;
};

struct kmt_shards {
	unsigned int nr;
	struct kmt_shard *shards;
	struct kmt_ledger **ledgers;
	struct task *tasks;
	pthread_mutex_t gate;
};

struct kmt_shards *kmt_shards_free(struct kmt_shards *shards)
{
	if (!shards)
		return NULL;
	for (unsigned int i = 0; shards->shards && i < shards->nr; i++)
		kmt_shard_deinit(&shards->shards[i]);
	for (unsigned int i = 0; shards->ledgers && i < shards->nr; i++)
		(void)kmt_ledger_free(shards->ledgers[i]);
	free(shards->shards);
	free(shards->ledgers);
	free(shards->tasks);
	(void)pthread_mutex_destroy(&shards->gate);
	free(shards);
	return NULL;
}

static int open_ledger(struct kmt_shards *shards, unsigned int i,
		       const struct kmt_ledger_options *options, struct kmt_err *err)
{
	struct kmt_ledger_options own = *options;

	if (shards->nr > 1) {
		/*
		 * Together they never take more than one ledger of all events may. If none has more
		 * than its even share, neither would that one: its worst is at most the sum of
		 * theirs. If one has, only that ledger can tell.
		 */
		own.objects_max = options->objects_max / shards->nr;
		own.number_of = kmt_shard_number_of;
		own.number_context = &shards->shards[i];
	}
	return kmt_ledger_new(&own, &shards->ledgers[i], err);
}

int kmt_shards_new(unsigned int nr, const struct kmt_shard_hooks *hooks,
		   const struct kmt_ledger_options *options, struct kmt_shards **ret_shards,
		   struct kmt_err *err)
{
	KMT_CLEANUP(kmt_shards_freep) struct kmt_shards *shards = calloc(1, sizeof(*shards));

	if (!shards)
		return kmt_fail(err, -ENOMEM, "out of memory");
	(void)pthread_mutex_init(&shards->gate, NULL);
	shards->nr = nr;
	shards->shards = calloc(nr, sizeof(*shards->shards));
	shards->ledgers = calloc(nr, sizeof(*shards->ledgers));
	shards->tasks = calloc(nr, sizeof(*shards->tasks));
	if (!shards->shards || !shards->ledgers || !shards->tasks)
		return kmt_fail(err, -ENOMEM, "out of memory");
	shards->shards[0].hooks = *hooks;
	for (unsigned int i = 0; i < nr; i++) {
		int r = open_ledger(shards, i, options, err);

		if (r < 0)
			return r;
		shards->shards[i].number = i;
		shards->tasks[i].shard = &shards->shards[i];
		shards->tasks[i].gate = &shards->gate;
	}
	*ret_shards = KMT_STEAL(shards);
	return 0;
}

struct kmt_ledger *kmt_shards_ledger(struct kmt_shards *shards, unsigned int i)
{
	return i < shards->nr ? shards->ledgers[i] : NULL;
}

/* --- all at once --- */

static void *run_task(void *context)
{
	struct task *task = context;

	(void)pthread_mutex_lock(task->gate);
	(void)pthread_mutex_unlock(task->gate);
	task->result = task->work(task);
	return NULL;
}

/*
 * The first one is done by the caller. Without enough threads all are @instead of @work: nobody has
 * begun. Return: 0 or the first negative result.
 */
static int do_all(struct kmt_shards *shards, int (*work)(struct task *task),
		  int (*instead)(struct task *task))
{
	unsigned int nr = 1;
	int r = 0;

	(void)pthread_mutex_lock(&shards->gate);
	while (nr < shards->nr &&
	       pthread_create(&shards->tasks[nr].thread, NULL, run_task, &shards->tasks[nr]) == 0)
		nr++;
	for (unsigned int i = 0; i < shards->nr; i++)
		shards->tasks[i].work = nr == shards->nr ? work : instead;
	(void)pthread_mutex_unlock(&shards->gate);
	for (unsigned int i = nr; i < shards->nr; i++)
		(void)run_task(&shards->tasks[i]);
	(void)run_task(&shards->tasks[0]);
	for (unsigned int i = 1; i < nr; i++)
		(void)pthread_join(shards->tasks[i].thread, NULL);
	for (unsigned int i = 0; r == 0 && i < shards->nr; i++)
		r = shards->tasks[i].result;
	return r;
}

static int run(struct task *task)
{
	return kmt_shard_run(task->shard);
}

/* Each has to run while the others do. */
static int leave(struct task *task)
{
	kmt_feeds_leave(task->shard->context.feeds, task->shard->number);
	return -EAGAIN;
}

int kmt_shards_run(struct kmt_shards *shards, const struct kmt_shard_context *context,
		   struct kmt_err *err)
{
	int r;

	for (unsigned int i = 0; i < shards->nr; i++) {
		r = kmt_shard_init(&shards->shards[i], context, shards->ledgers[i], err);
		if (r < 0)
			return r;
	}
	r = do_all(shards, run, leave);
	if (r < 0)
		return kmt_fail(err, r, r == -EAGAIN ? "cannot start a thread" : "out of memory");
	return kmt_feeds_error(context->feeds, err);
}

static int finish(struct task *task)
{
	return kmt_shard_finish(task->shard, task->end_ns, task->older_ns, task->grace_ns);
}

/* Each walks through what is live. */
int kmt_shards_finish(struct kmt_shards *shards, uint64_t end_ns, uint64_t older_ns,
		      uint64_t grace_ns)
{
	for (unsigned int i = 0; i < shards->nr; i++) {
		shards->tasks[i].end_ns = end_ns;
		shards->tasks[i].older_ns = older_ns;
		shards->tasks[i].grace_ns = grace_ns;
	}
	return do_all(shards, finish, finish);
}

/* --- one after the other --- */

int kmt_shards_end(struct kmt_shards *shards, uint64_t end_ns)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < shards->nr; i++)
		r = kmt_shard_end(&shards->shards[i], end_ns);
	return r;
}

uint64_t kmt_shards_last_ns(const struct kmt_shards *shards)
{
	uint64_t last_ns = 0;

	for (unsigned int i = 0; i < shards->nr; i++) {
		uint64_t time_ns = kmt_ledger_totals(shards->ledgers[i])->last_ns;

		last_ns = time_ns > last_ns ? time_ns : last_ns;
	}
	return last_ns;
}

uint64_t kmt_shards_limit_ns(const struct kmt_shards *shards)
{
	uint64_t limit_ns = UINT64_MAX;

	for (unsigned int i = 0; i < shards->nr; i++)
		limit_ns = shards->shards[i].limit_ns < limit_ns ? shards->shards[i].limit_ns
								 : limit_ns;
	return limit_ns;
}

size_t kmt_shards_snapshots(const struct kmt_shards *shards)
{
	return shards->shards[0].nr_snapshots;
}

int kmt_shards_join(struct kmt_shards *shards, struct kmt_ledger **ret_ledger, struct kmt_err *err)
{
	if (shards->nr > 1)
		return kmt_ledger_join(shards->ledgers, shards->nr, ret_ledger, err);
	*ret_ledger = KMT_STEAL(shards->ledgers[0]);
	return 0;
}
