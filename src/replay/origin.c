// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "origin.h"

/* What trace-cmd's filters were is not in its files. */
static const char trace_cmd_note[] =
	"recorded by trace-cmd, which leaves its own tasks out, and what interrupts freed "
	"meanwhile: such objects look leaked, and so does what options like -F, -P and -f left out";

static const char clock_note[] =
	"clock local: it differs between CPUs, so that a free can seem to come before its "
	"allocation, and its object leaked: record with -C mono";

int kmt_origin_note(const struct kmt_manifest *manifest, struct kmt_result *result)
{
	int r = 0;

	if (strcmp(manifest->clock, "local") == 0 && manifest->nr_cpus > 1)
		r = kmt_result_note(result, "%s", clock_note);
	if (r == 0 && strncmp(manifest->recorder, "trace-cmd", strlen("trace-cmd")) == 0)
		r = kmt_result_note(result, "%s", trace_cmd_note);
	return r;
}
