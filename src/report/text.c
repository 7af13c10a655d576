// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "kmemtape/report.h"
#include "kmemtape/units.h"

#include "advice.h"
#include "bill.h"
#include "head.h"
#include "suspects.h"
#include "table.h"
#include "words.h"

#define SUPPRESSIONS_SHOWN 10

/* First of all lines, for whoever reads only one. */
static void print_verdict(const struct kmt_result *result, FILE *file)
{
	const struct kmt_verdict *verdict = &result->verdict;
	char confidence[KMT_UNITS_BYTES];

	kmt_words_wrap(file, "", 2, verdict->headline);
	fprintf(file, "  confidence %s\n\n", kmt_words_confidence(confidence, verdict->confidence));
}

static void print_accounts(const struct kmt_result *result, FILE *file)
{
	const struct kmt_totals *totals = &result->totals;
	uint64_t real_frees = totals->frees - totals->null_frees - totals->deferred_frees;
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES], c[KMT_UNITS_BYTES], d[KMT_UNITS_BYTES];
	struct kmt_line line;

	fprintf(file, "events %s   lost %s   allocations %s   frees %s\n",
		kmt_words_count(a, totals->allocs + totals->frees),
		kmt_words_count(b, result->lost), kmt_words_count(c, totals->allocs),
		kmt_words_count(d, totals->frees));
	fprintf(file, "allocated: freed %s", kmt_words_percent(a, totals->paired, totals->allocs));
	fprintf(file, "   address reused, free unseen %s",
		kmt_words_percent(a, totals->reused, totals->allocs));
	fprintf(file, "   live %s\n", kmt_words_percent(a, totals->live, totals->allocs));
	kmt_line_begin(&line, file, "freed: ", 2, 3);
	kmt_line_addf(&line, "%s were allocated before the recording, or unseen",
		      kmt_words_percent(a, totals->unknown_frees + totals->unknown_other_frees,
					real_frees));
	if (totals->filtered_frees)
		kmt_line_addf(&line, "not recorded on purpose %s",
			      kmt_words_percent(a, totals->filtered_frees, real_frees));
	kmt_line_end(&line);
}

static void add_pages(struct kmt_line *line, const struct kmt_result *result)
{
	static const struct {
		enum kmt_use use;
		const char *words;
	} others[] = {
		{ KMT_USE_SLAB, "the slab's" },	       { KMT_USE_VMALLOC, "vmalloc's" },
		{ KMT_USE_PERCPU, "per-CPU" },	       { KMT_USE_USER, "users' and files'" },
		{ KMT_USE_UNKNOWN, "of unknown use" },
	};
	const uint64_t *bytes = result->page_bytes_by_use;
	uint64_t own = bytes[KMT_USE_KERNEL] + bytes[KMT_USE_PAGE_TABLE] + bytes[KMT_USE_STACK];
	char a[KMT_UNITS_BYTES];

	kmt_line_addf(line, "pages %s the kernel's own", kmt_format_size(a, own));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (bytes[others[i].use])
			kmt_line_addf(line, "(%s %s)", kmt_format_size(a, bytes[others[i].use]),
				      others[i].words);
}

/* Where there is more than the slab: what each has; pages of the others are not counted again. */
static void print_spaces(const struct kmt_result *result, FILE *file)
{
	static const char *const names[] = {
		[KMT_SPACE_SLAB] = "slab",
		[KMT_SPACE_PERCPU] = "per-CPU",
		[KMT_SPACE_VMALLOC] = "vmalloc",
	};
	char a[KMT_UNITS_BYTES], pair[KMT_ESCAPED_BYTES];
	bool has_others = false;
	struct kmt_line line;

	for (uint32_t i = KMT_SPACE_PAGE; i < KMT_SPACES_MAX; i++)
		has_others |= result->spaces[i].is_recorded;
	if (!has_others)
		return;
	kmt_line_begin(&line, file, result->sample > 1 ? "  seen: " : "  ", 4, 3);
	for (uint32_t i = 0; i < KMT_SPACES_MAX; i++) {
		const struct kmt_space_sum *space = &result->spaces[i];

		if (!space->is_recorded)
			continue;
		if (i == KMT_SPACE_PAGE)
			add_pages(&line, result);
		else if (i < KMT_SPACE_PAIR)
			kmt_line_addf(&line, "%s %s", names[i],
				      kmt_format_size(a, space->live_bytes));
		else
			kmt_line_addf(&line, "pair %s %s objects",
				      kmt_escape(pair, sizeof(pair),
						 result->pairs[i - KMT_SPACE_PAIR]
							 ? result->pairs[i - KMT_SPACE_PAIR]
							 : "?"),
				      kmt_words_count(a, space->live_objects));
	}
	kmt_line_end(&line);
}

/* What is live, and what of it is not in the judgement. */
static void print_live(const struct kmt_result *result, FILE *file)
{
	uint64_t young_objects = 0, young_bytes = 0;
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES], c[KMT_UNITS_BYTES];
	char estimate[KMT_NAME_BYTES];

	for (size_t i = 0; i < result->nr_rows; i++) {
		const struct kmt_row *row = &result->rows[i];

		if (row->live_objects <= row->mature_objects)
			continue;
		young_objects += row->live_objects - row->mature_objects;
		young_bytes += row->live_bytes - row->mature_bytes;
	}
	fprintf(file, "live at the end: %s objects, %s", kmt_words_count(a, result->totals.live),
		kmt_format_size(b, result->live_bytes));
	if (result->older_ns)
		fprintf(file, " older than %s", kmt_format_time(a, result->older_ns));
	fprintf(file, "\n");
	if (result->is_estimated)
		fprintf(file, "  of all, by the sample: %s\n",
			kmt_words_estimate(estimate, result->estimate.bytes,
					   result->estimate.bytes_low,
					   result->estimate.bytes_high));
	print_spaces(result, file);
	if (young_objects)
		fprintf(file, "  not judged, since younger than %s: %s objects, %s\n",
			kmt_format_time(b, result->grace_ns), kmt_words_count(a, young_objects),
			kmt_format_size(c, young_bytes));
	if (result->recorder_objects)
		fprintf(file, "  kmemtape's own: %s objects, %s\n",
			kmt_words_count(a, result->recorder_objects),
			kmt_format_size(b, result->recorder_bytes));
}

static void print_hits(const struct kmt_suppression_hits *hits, FILE *file)
{
	char pattern[KMT_ESCAPED_BYTES], a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	kmt_escape(pattern, sizeof(pattern), hits->pattern);
	fprintf(file, "suppressed: %" PRIu64 " suspect%s, %s objects, %s by leak:%s\n", hits->rows,
		hits->rows == 1 ? "" : "s", kmt_words_count(a, hits->objects),
		kmt_format_size(b, hits->bytes), pattern);
}

/* What a suppression hid, and which of them nobody needs. */
static void print_suppressions(const struct kmt_result *result, FILE *file)
{
	char pattern[KMT_ESCAPED_BYTES];
	size_t nr_unused = 0;
	struct kmt_line line;

	if (result->nr_suppressions)
		fprintf(file, "\n");
	for (size_t i = 0; i < result->nr_suppressions; i++) {
		if (result->suppressions[i].rows)
			print_hits(&result->suppressions[i], file);
		else
			nr_unused++;
	}
	if (nr_unused == 0)
		return;
	kmt_line_begin(&line, file, "suppressions that hid nothing: ", 2, 2);
	for (size_t i = 0, shown = 0; i < result->nr_suppressions && shown < SUPPRESSIONS_SHOWN;
	     i++) {
		if (result->suppressions[i].rows)
			continue;
		kmt_escape(pattern, sizeof(pattern), result->suppressions[i].pattern);
		kmt_line_addf(&line, "leak:%s", pattern);
		shown++;
	}
	if (nr_unused > SUPPRESSIONS_SHOWN)
		kmt_line_addf(&line, "and %zu more", nr_unused - SUPPRESSIONS_SHOWN);
	kmt_line_end(&line);
}

void kmt_report_text(const struct kmt_result *result, const struct kmt_report_options *options,
		     FILE *file)
{
	struct kmt_suspect suspects[KMT_SUSPECTS_SHOWN];
	/* Where there is no leak, what only grows a little needs no defence. */
	size_t nr = result->verdict.leak == KMT_LEAK_NONE ? 0 : kmt_suspects_find(result, suspects);

	print_verdict(result, file);
	kmt_head_print(result, true, file);
	print_accounts(result, file);
	kmt_bill_print(result, file);
	print_live(result, file);
	kmt_table_print(result, options, file);
	kmt_suspects_print(result, suspects, nr, file);
	kmt_advice_print(result, suspects, nr, file);
	print_suppressions(result, file);
}
