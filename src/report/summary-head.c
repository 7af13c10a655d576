// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>

#include "kmemtape/units.h"

#include "summary-head.h"
#include "words.h"

void kmt_summary_doubts_print(const struct kmt_summary *summary, const char *name, FILE *file)
{
	char n[KMT_UNITS_BYTES], text[KMT_ESCAPED_BYTES];

	if (summary->lost || summary->losses)
		fprintf(file, "%sLOST %s EVENTS: %s live objects may have been freed there\n", name,
			summary->lost ? kmt_words_count(n, summary->lost) : "AN UNKNOWN NUMBER OF",
			kmt_words_count((char[KMT_UNITS_BYTES]){ "" }, summary->uncertain));
	if (!summary->is_complete)
		fprintf(file, "%sINCOMPLETE: the recording did not end in order\n", name);
	if (summary->is_cut)
		fprintf(file, "%sCUT: the report has not all of its rows\n", name);
	if (summary->sample > 1)
		fprintf(file, "%sSAMPLE: 1 in %" PRIu64 " addresses; what is left is an estimate\n",
			name, summary->sample);
	for (size_t i = 0; i < summary->nr_filters; i++) {
		(void)snprintf(text, sizeof(text), "%sfilter: ", name);
		kmt_words_wrap(file, text, 8, summary->filters[i]);
	}
	for (size_t i = 0; i < summary->nr_notes; i++) {
		(void)snprintf(text, sizeof(text), "%snote: ", name);
		kmt_words_wrap(file, text, 6, summary->notes[i]);
	}
}

void kmt_summary_head_print(const struct kmt_summary *summary, const char *name, FILE *file)
{
	char text[KMT_ESCAPED_BYTES], more[KMT_ESCAPED_BYTES], n[KMT_UNITS_BYTES];
	struct kmt_line line;

	kmt_line_begin(&line, file, name, 3, 3);
	kmt_line_add(&line, kmt_escape(text, sizeof(text), summary->path ? summary->path : "?"));
	if (summary->host)
		kmt_line_addf(&line, "host %s", kmt_escape(text, sizeof(text), summary->host));
	kmt_line_addf(&line, "%s %s",
		      kmt_escape(text, sizeof(text), summary->kernel ? summary->kernel : "?"),
		      kmt_escape(more, sizeof(more), summary->arch ? summary->arch : "?"));
	kmt_line_add(&line, kmt_format_time(n, summary->duration_ns));
	kmt_line_addf(&line, "allocations %s", kmt_words_count(n, summary->allocs));
	kmt_line_addf(&line, "lost %s", kmt_words_count(n, summary->lost));
	if (summary->leak == KMT_LEAK_NONE)
		kmt_line_add(&line, "no leak seen");
	else
		kmt_line_addf(&line, "leak %s %s", kmt_leak_name(summary->leak),
			      kmt_words_confidence(n, summary->confidence));
	kmt_line_end(&line);
}
