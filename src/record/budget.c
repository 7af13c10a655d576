// SPDX-License-Identifier: GPL-2.0-only
#include <time.h>

#include "budget.h"

#define SECOND_NS   INT64_C(1000000000)
#define WAIT_NS_MIN UINT64_C(1000000) /* to wake up costs something, too */

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

/* What a second brings. More is never saved up. */
static int64_t share_ns(const struct kmt_budget *budget)
{
	return SECOND_NS / 100 * budget->percent;
}

void kmt_budget_start(struct kmt_budget *budget)
{
	if (!budget->percent)
		return;
	(void)pthread_mutex_lock(&budget->lock);
	budget->last_ns = clock_ns(CLOCK_MONOTONIC);
	budget->last_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	budget->left_ns = share_ns(budget) / 10; /* a start, but no second's worth at once */
	budget->is_on = true;
	(void)pthread_mutex_unlock(&budget->lock);
}

void kmt_budget_stop(struct kmt_budget *budget)
{
	if (!budget->percent)
		return;
	(void)pthread_mutex_lock(&budget->lock);
	budget->is_on = false;
	(void)pthread_mutex_unlock(&budget->lock);
}

static void refill(struct kmt_budget *budget, uint64_t now_ns, uint64_t cpu_ns)
{
	int64_t share = share_ns(budget), passed = (int64_t)(now_ns - budget->last_ns);

	if (passed < 0)
		passed = 0;
	if (passed > SECOND_NS)
		passed = SECOND_NS;
	budget->left_ns += passed / 100 * budget->percent;
	if (budget->left_ns > share)
		budget->left_ns = share;
	budget->left_ns -= (int64_t)(cpu_ns - budget->last_cpu_ns);
	budget->last_ns = now_ns;
	budget->last_cpu_ns = cpu_ns;
}

uint64_t kmt_budget_wait_at(struct kmt_budget *budget, uint64_t now_ns, uint64_t cpu_ns)
{
	uint64_t wait_ns = 0;

	(void)pthread_mutex_lock(&budget->lock);
	if (budget->is_on) {
		refill(budget, now_ns, cpu_ns);
		if (budget->left_ns <= 0) {
			wait_ns = (uint64_t)-budget->left_ns / budget->percent * 100 + WAIT_NS_MIN;
			budget->was_spent = true;
		}
	}
	(void)pthread_mutex_unlock(&budget->lock);
	return wait_ns;
}

uint64_t kmt_budget_wait_ns(struct kmt_budget *budget)
{
	if (!budget->percent)
		return 0;
	return kmt_budget_wait_at(budget, clock_ns(CLOCK_MONOTONIC),
				  clock_ns(CLOCK_PROCESS_CPUTIME_ID));
}
