// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>

#include "kmemtape/units.h"

#include "head.h"
#include "words.h"

static void print_tape(const struct kmt_result *result, FILE *file)
{
	char text[KMT_ESCAPED_BYTES], more[KMT_ESCAPED_BYTES], duration[KMT_UNITS_BYTES];
	struct kmt_line line;

	kmt_line_begin(&line, file, "", 2, 3);
	kmt_line_add(&line, kmt_escape(text, sizeof(text), result->path));
	kmt_line_addf(&line, "%s %s", kmt_escape(text, sizeof(text), result->kernel),
		      kmt_escape(more, sizeof(more), result->arch));
	kmt_line_add(&line, kmt_format_time(duration, result->duration_ns));
	kmt_line_addf(&line, "clock %s", kmt_escape(text, sizeof(text), result->clock));
	kmt_line_addf(&line, "%zu CPU%s", result->nr_cpus, result->nr_cpus == 1 ? "" : "s");
	if (result->sample > 1)
		kmt_line_addf(&line, "1 in %" PRIu64 " addresses", result->sample);
	kmt_line_end(&line);
	if (result->is_distilled)
		fprintf(file, "distilled: what is known of a recording, without its events\n");
}

/* What may make the numbers below wrong comes before them. */
static void print_doubts(const struct kmt_result *result, bool has_estimates, FILE *file)
{
	const struct kmt_totals *totals = &result->totals;
	char n[KMT_UNITS_BYTES];

	if (result->lost || totals->losses) {
		fprintf(file, "LOST %s EVENTS",
			result->lost ? kmt_words_count(n, result->lost) : "AN UNKNOWN NUMBER OF");
		if (totals->losses)
			fprintf(file,
				" in %" PRIu64
				" place%s: %s live objects may have been freed there\n",
				totals->losses, totals->losses == 1 ? "" : "s",
				kmt_words_count(n, totals->uncertain));
		else
			fprintf(file, " by the kernel's count: the tape doesn't say where\n");
	}
	if (!result->is_complete)
		fprintf(file,
			"INCOMPLETE: the recording did not end in order; read as far as all CPUs go\n");
	for (size_t i = 0; i < result->nr_filters; i++)
		kmt_words_wrap(file, "filter: ", 8, result->filters[i]);
	if (result->is_estimated)
		kmt_words_wrap(file, "SAMPLE: ", 8,
			       has_estimates ? "LIVE, OBJECTS, RATE and what is explained are "
					       "estimates, all other numbers are as recorded"
					     : "all numbers are as recorded, and not estimates of "
					       "all that there was");
	for (size_t i = 0; i < result->nr_notes; i++)
		kmt_words_wrap(file, "note: ", 6, result->notes[i]);
}

void kmt_head_print(const struct kmt_result *result, bool has_estimates, FILE *file)
{
	print_tape(result, file);
	print_doubts(result, has_estimates, file);
}
