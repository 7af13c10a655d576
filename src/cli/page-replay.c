// SPDX-License-Identifier: GPL-2.0-only
#include "kmemtape/history.h"

#include "page-replay.h"

/* When something was lost: as many intervals as histories have points. */
static uint64_t interval_for(const struct kmt_tape *tape, const struct kmt_result *result)
{
	bool is_whole = !result->lost && !result->totals.losses;

	if (is_whole || tape->manifest.is_distilled || result->end_ns <= result->start_ns)
		return 0;
	return (result->end_ns - result->start_ns) / KMT_HISTORY_POINTS + 1;
}

static bool has_sites(const struct kmt_result *result)
{
	return result->group == KMT_BY_SITE && result->nr_rows;
}

int kmt_page_replay(struct kmt_tape *tape, const struct kmt_replay_options *options,
		    struct kmt_result **ret_result, struct kmt_err *err)
{
	struct kmt_replay_options replay = *options;
	struct kmt_result *rows, *more = NULL;
	int r;

	replay.lists_stacks = replay.group == KMT_BY_SITE;
	r = kmt_replay(tape, &replay, &rows, err);
	if (r < 0)
		return r;
	replay.interval_ns = interval_for(tape, rows);
	replay.dossiers_of = has_sites(rows) ? rows : NULL;
	*ret_result = rows;
	if (!replay.interval_ns && !replay.dossiers_of)
		return 0;
	r = kmt_replay(tape, &replay, &more, NULL);
	if (r < 0 && replay.interval_ns && replay.dossiers_of) {
		replay.interval_ns = 0; /* times beyond reason */
		r = kmt_replay(tape, &replay, &more, NULL);
	}
	if (r == 0) {
		*ret_result = more;
		(void)kmt_result_free(rows);
	}
	return 0;
}
