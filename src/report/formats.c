// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>

#include "kmemtape/report.h"

#include "pprof.h"

#define TEXT_ROWS 10 /* two lines each: with all the rest, a large terminal full */

/* The report, or what was asked for instead of it. */
static int write_text(const struct kmt_result *result, const struct kmt_report_options *options,
		      FILE *file, struct kmt_err *err)
{
	if (result->is_explanation)
		kmt_report_explain(result, options, file);
	if (result->interval_ns)
		return kmt_report_intervals(result, file, err);
	if (!result->is_explanation)
		kmt_report_text(result, options, file);
	return 0;
}

const struct kmt_report_format kmt_report_formats[] = {
	{ .name = "text",
	  .help = "for people, 80 columns",
	  .rows = TEXT_ROWS,
	  .has_asked = true,
	  .write = write_text },
	{ .name = "json", .help = "schema 1, for jq", .has_asked = true, .write = kmt_report_json },
#ifdef KMT_HAVE_ZLIB
	{ .name = "pprof",
	  .help = "for go tool pprof, Pyroscope, Parca",
	  .is_binary = true,
	  .goes_by_stack = true,
	  .write = kmt_report_pprof },
#endif
	{ 0 },
};

static_assert(sizeof(kmt_report_formats) / sizeof(kmt_report_formats[0]) <= KMT_REPORT_FORMATS_MAX,
	      "whoever lists them has room for so many");
