// SPDX-License-Identifier: LGPL-2.1-only
#include <errno.h>
#include <string.h>

#include "kmemtape/report.h"
#include "kmemtape/summary.h"

const char *kmt_summary_build_id(const struct kmt_summary *summary, const char *module)
{
	for (size_t i = 0; i < summary->nr_build_ids; i++) {
		const char *other = summary->build_ids[i].module;

		if (module && other ? strcmp(module, other) == 0 : module == other)
			return summary->build_ids[i].id;
	}
	return NULL;
}

static bool may_be_same(const char *a, const char *b)
{
	return !a || !b || strcmp(a, b) == 0;
}

static bool is_within(const struct kmt_summary *a, const struct kmt_summary *b)
{
	return a->start_ns >= b->start_ns && a->end_ns <= b->end_ns;
}

bool kmt_summary_is_same_recording(const struct kmt_summary *a, const struct kmt_summary *b)
{
	return a->events && a->events == b->events && a->allocs == b->allocs &&
	       a->frees == b->frees && a->end_ns && b->end_ns &&
	       (is_within(a, b) || is_within(b, a)) && may_be_same(a->host, b->host) &&
	       may_be_same(a->kernel, b->kernel) &&
	       may_be_same(kmt_summary_build_id(a, NULL), kmt_summary_build_id(b, NULL));
}

int kmt_summary_of_result(const struct kmt_result *result, struct kmt_summary **ret_summary,
			  struct kmt_err *err)
{
	struct kmt_report_options options = { .top = 0 };
	KMT_CLEANUP(kmt_freep) char *text = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&text, &bytes);
	int r;

	if (!file)
		return kmt_fail(err, -ENOMEM, "out of memory");
	r = kmt_report_json(result, &options, file, err);
	if (fclose(file) != 0 && r == 0)
		r = kmt_fail(err, -ENOMEM, "out of memory");
	return r < 0 ? r : kmt_summary_read(text, bytes, result->path, ret_summary, err);
}

struct kmt_summary *kmt_summary_free(struct kmt_summary *summary)
{
	if (!summary)
		return NULL;
	for (size_t i = 0; i < summary->nr_texts; i++)
		free(summary->texts[i]);
	free(summary->texts);
	free(summary->rows);
	free(summary->build_ids);
	free(summary->pairs);
	free(summary->filters);
	free(summary->notes);
	free(summary);
	return NULL;
}
