/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_TUI_JOB_H
#define KMT_TUI_JOB_H

#include <pthread.h>
#include <stdatomic.h>

#include "kmemtape/tui.h"

/* A report that is being read, in a thread of its own. */
struct kmt_job {
	const struct kmt_tui_source *source;
	struct kmt_tui_request request;
	pthread_t thread;
	bool is_running; /* from start to end */
	uint64_t started_ns;
	atomic_bool is_done;
	/* The thread's until is_done */
	struct kmt_result *result;
	struct kmt_err err;
	int r;
};

/* Return: 0; negative errno if there is no thread for it. */
int kmt_job_start(struct kmt_job *job, const struct kmt_tui_source *source,
		  const struct kmt_tui_request *request);

/* Is there a report, or a failure? Then kmt_job_end() hands it over. */
bool kmt_job_is_done(struct kmt_job *job);

/* @ret_result: the caller's, when 0 is returned. Return: as the source, with words in job->err. */
int kmt_job_end(struct kmt_job *job, struct kmt_result **ret_result);

/* How long it has been running. */
uint64_t kmt_job_age_ns(const struct kmt_job *job);

#endif
