// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>

#include "folded.h"
#include "walk.h"

static void put_frames(const struct kmt_walk_sample *sample, FILE *file)
{
	char name[KMT_NAME_BYTES];

	if (kmt_walk_root_name(name, sample))
		(void)fprintf(file, "%s;", name);
	for (size_t i = sample->nr_frames; i > 0; i--) {
		kmt_walk_frame_name(name, &sample->frames[i - 1]);
		(void)fprintf(file, "%s%s", name, i > 1 ? ";" : "");
	}
}

int kmt_report_folded(const struct kmt_result *result, const struct kmt_report_options *options,
		      FILE *file, struct kmt_err *err)
{
	struct kmt_walk_sample sample;
	struct kmt_walk walk;

	(void)err;
	kmt_walk_start(&walk, result, options);
	while (kmt_walk_next(&walk, &sample)) {
		if (!sample.row->live_bytes)
			continue;
		put_frames(&sample, file);
		(void)fprintf(file, " %" PRIu64 "\n", sample.row->live_bytes);
	}
	return 0;
}
