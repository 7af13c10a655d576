// SPDX-License-Identifier: LGPL-2.1-only
#include <assert.h>

#include "kmemtape/report.h"

#include "csv.h"
#include "firefox.h"
#include "folded.h"
#include "html.h"
#include "ndjson.h"
#include "openmetrics.h"
#include "perfetto.h"
#include "pprof.h"
#include "speedscope.h"

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
	{ .name = "html",
	  .help = "one page for a browser",
	  .is_page = true,
	  .write = kmt_report_html },
#ifdef KMT_HAVE_ZLIB
	{ .name = "pprof",
	  .help = "for go tool pprof, Pyroscope, Parca",
	  .is_binary = true,
	  .goes_by_stack = true,
	  .write = kmt_report_pprof },
#endif
	{ .name = "folded",
	  .help = "for flamegraph.pl and inferno",
	  .is_bare = true,
	  .goes_by_stack = true,
	  .write = kmt_report_folded },
	{ .name = "speedscope",
	  .help = "for https://www.speedscope.app",
	  .goes_by_stack = true,
	  .write = kmt_report_speedscope },
	{ .name = "firefox",
	  .help = "for https://profiler.firefox.com",
	  .goes_by_stack = true,
	  .write = kmt_report_firefox },
	{ .name = "perfetto",
	  .help = "for https://ui.perfetto.dev",
	  .is_binary = true,
	  .goes_by_stack = true,
	  .write = kmt_report_perfetto },
	{ .name = "csv", .help = "for spreadsheets and databases", .write = kmt_report_csv },
	{ .name = "ndjson",
	  .help = "a row of json on each line, for jq",
	  .write = kmt_report_ndjson },
	{ .name = "openmetrics",
	  .help = "for node_exporter's textfile collector",
	  .rows = KMT_OPENMETRICS_ROWS,
	  .write = kmt_report_openmetrics },
	{ 0 },
};

static_assert(sizeof(kmt_report_formats) / sizeof(kmt_report_formats[0]) <= KMT_REPORT_FORMATS_MAX,
	      "whoever lists them has room for so many");
