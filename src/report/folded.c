// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "folded.h"
#include "walk.h"

/* The last of a stack: of a name that ends with a number readers take it for one of two counts. */
static void put_innermost(const char *name, FILE *file)
{
	const char *blank = strrchr(name, ' ');

	if (blank && strspn(blank + 1, "0123456789.") == strlen(blank + 1))
		(void)fprintf(file, "%.*s\\x20%s", (int)(blank - name), name, blank + 1);
	else
		(void)fputs(name, file);
}

static void put_frames(const struct kmt_walk_sample *sample, FILE *file)
{
	char name[KMT_NAME_BYTES];

	if (kmt_walk_root_name(name, sample))
		(void)fprintf(file, "%s;", name);
	for (size_t i = sample->nr_frames; i > 1; i--) {
		kmt_walk_frame_name(name, &sample->frames[i - 1]);
		(void)fprintf(file, "%s;", name);
	}
	kmt_walk_frame_name(name, &sample->frames[0]);
	put_innermost(name, file);
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
