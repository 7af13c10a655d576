// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kmemtape/history.h"

#include "page-replay.h"

/* When something was lost, as far as the tape can tell: as many intervals as histories have points.
 */
static void want_losses(const struct kmt_tape *tape, struct kmt_replay_options *replay)
{
	const struct kmt_manifest *manifest = &tape->manifest;
	bool is_whole = manifest->is_closed && !manifest->nr_disturbances &&
			kmt_manifest_lost(manifest) == 0;

	if (!is_whole && !manifest->is_distilled && manifest->end_ns > manifest->start_ns)
		replay->interval_ns =
			(manifest->end_ns - manifest->start_ns) / KMT_HISTORY_POINTS + 1;
}

/* As the report says what to type next. */
static int make_query(const struct kmt_result *result, char **ret_query)
{
	const struct kmt_verdict *verdict = &result->verdict;

	for (size_t i = 0; verdict->call_site && i < result->nr_rows; i++) {
		const struct kmt_row *row = &result->rows[i];

		if (!kmt_result_blames(result, row))
			continue;
		if ((row->function
			     ? asprintf(ret_query, "%s+0x%" PRIx64, row->function, row->offset)
			     : asprintf(ret_query, "0x%" PRIx64, row->call_site)) < 0)
			*ret_query = NULL;
		return *ret_query ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

int kmt_page_replay(struct kmt_tape *tape, struct kmt_replay_options *replay,
		    struct kmt_result **ret_result, struct kmt_err *err)
{
	KMT_CLEANUP(kmt_freep) char *query = NULL;
	struct kmt_result *more = NULL;
	int r;

	replay->lists_stacks = replay->group == KMT_BY_SITE;
	want_losses(tape, replay);
	r = kmt_replay(tape, replay, ret_result, err);
	if (r < 0 && replay->interval_ns) {
		replay->interval_ns = 0;
		r = kmt_replay(tape, replay, ret_result, err);
	}
	if (r < 0 || replay->group != KMT_BY_SITE || make_query(*ret_result, &query) < 0)
		return r;
	replay->explain = query;
	if (kmt_replay(tape, replay, &more, NULL) == 0) {
		(void)kmt_result_free(*ret_result);
		*ret_result = more;
	}
	replay->explain = NULL;
	return 0;
}
