// SPDX-License-Identifier: LGPL-2.1-only
#include <time.h>

#include "job.h"

#define NS_PER_S UINT64_C(1000000000)

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void *run(void *context)
{
	struct kmt_job *job = context;

	job->r = job->source->read(job->source->context, &job->request, &job->result, &job->err);
	atomic_store(&job->is_done, true);
	return NULL;
}

int kmt_job_start(struct kmt_job *job, const struct kmt_tui_source *source,
		  const struct kmt_tui_request *request)
{
	int r;

	*job = (struct kmt_job){
		.source = source,
		.request = *request,
		.is_running = true,
		.started_ns = now_ns(),
	};
	r = pthread_create(&job->thread, NULL, run, job);
	if (r)
		job->is_running = false;
	return -r;
}

bool kmt_job_is_done(struct kmt_job *job)
{
	return job->is_running && atomic_load(&job->is_done);
}

int kmt_job_end(struct kmt_job *job, struct kmt_result **ret_result)
{
	(void)pthread_join(job->thread, NULL);
	job->is_running = false;
	if (job->r == 0)
		*ret_result = job->result;
	job->result = NULL;
	return job->r;
}

uint64_t kmt_job_age_ns(const struct kmt_job *job)
{
	return now_ns() - job->started_ns;
}
