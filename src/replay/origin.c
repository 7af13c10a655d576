// SPDX-License-Identifier: LGPL-2.1-only
#include <string.h>

#include "kmemtape/units.h"

#include "origin.h"

/* What trace-cmd's filters were is not in its files. */
static const char trace_cmd_note[] =
	"recorded by trace-cmd, which leaves its own tasks out, and what interrupts freed "
	"meanwhile: such objects look leaked, and so does what options like -F, -P and -f left out";

static const char clock_note[] =
	"clock local: it differs between CPUs, so that a free can seem to come before its "
	"allocation, and its object leaked: record with -C mono";

/* Told relative to the start, as all times are. */
static int note_end(const struct kmt_manifest *manifest, uint64_t end_ns, struct kmt_result *result)
{
	char after[KMT_UNITS_BYTES];

	if (end_ns < manifest->start_ns)
		return kmt_result_note(result, "the recording ended by itself: %s",
				       manifest->ended_why);
	return kmt_result_note(result, "the recording ended by itself after %s: %s",
			       kmt_format_time(after, end_ns - manifest->start_ns),
			       manifest->ended_why);
}

static int note_range(const struct kmt_manifest *manifest, struct kmt_result *result)
{
	char from[KMT_UNITS_BYTES], to[KMT_UNITS_BYTES];

	return kmt_result_note(result, "a part of the recording, from %s to %s after its start",
			       kmt_format_time(from, manifest->range_from_ns),
			       kmt_format_time(to, manifest->range_to_ns));
}

static int note_ring(const struct kmt_manifest *manifest, uint64_t end_ns,
		     struct kmt_result *result)
{
	char newest[KMT_UNITS_BYTES], all[KMT_UNITS_BYTES];

	if (end_ns < manifest->start_ns || manifest->start_ns < manifest->began_ns)
		return 0;
	return kmt_result_note(result,
			       "the newest %s of %s (record --ring): objects from before are not "
			       "known",
			       kmt_format_time(newest, end_ns - manifest->start_ns),
			       kmt_format_time(all, end_ns - manifest->began_ns));
}

int kmt_origin_note(const struct kmt_manifest *manifest, uint64_t end_ns, struct kmt_result *result)
{
	int r = 0;

	if (*manifest->recovered)
		r = kmt_result_note(result, "recovered from a damaged tape: %s",
				    manifest->recovered);
	if (r == 0 && manifest->range_to_ns)
		r = note_range(manifest, result);
	if (r == 0 && strcmp(manifest->clock, "local") == 0 && manifest->nr_cpus > 1)
		r = kmt_result_note(result, "%s", clock_note);
	if (r == 0 && manifest->began_ns)
		r = note_ring(manifest, end_ns, result);
	if (r == 0 && *manifest->ended_why)
		r = note_end(manifest, end_ns, result);
	if (r == 0 && strncmp(manifest->recorder, "trace-cmd", strlen("trace-cmd")) == 0)
		r = kmt_result_note(result, "%s", trace_cmd_note);
	return r;
}
