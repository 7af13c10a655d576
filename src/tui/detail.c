// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "kmemtape/units.h"
#include "kmemtape/words.h"

#include "chart.h"
#include "detail.h"

static void print_reasons(const struct kmt_judgement *judgement, FILE *file)
{
	char text[KMT_ESCAPED_BYTES];

	for (int is_for = 1; is_for >= 0; is_for--)
		for (size_t i = 0; i < judgement->nr_reasons; i++)
			if (judgement->reasons[i].is_for == is_for)
				fprintf(file, "  %s: %s\n", is_for ? "why" : "but",
					kmt_escape(text, sizeof(text), judgement->reasons[i].text));
}

static void print_rate(const struct kmt_result *result, const struct kmt_item *item, FILE *file)
{
	const char *(*words)(char *, double) =
		item->has_size ? kmt_words_rate : kmt_words_count_rate;
	const struct kmt_trend *trend = &item->judgement->trend;
	double scale = item->row ? kmt_row_scale(item->row) : 1;
	char rate[KMT_UNITS_BYTES], low[KMT_UNITS_BYTES], high[KMT_UNITS_BYTES];

	if (trend->shape == KMT_SHAPE_NONE)
		return;
	fprintf(file, "  trend: %s", kmt_shape_name(trend->shape));
	if (trend->bytes_per_s > 0)
		fprintf(file, ", %s (95 %%: %s to %s)", words(rate, item->bytes_per_s),
			words(low, trend->low * scale), words(high, trend->high * scale));
	if (trend->since_ns && trend->since_ns >= result->start_ns)
		fprintf(file, ", since %s after the start",
			kmt_format_time(rate, trend->since_ns - result->start_ns));
	fputc('\n', file);
}

static void print_judgement(const struct kmt_result *result, const struct kmt_item *item,
			    FILE *file)
{
	const struct kmt_judgement *judgement = item->judgement;
	char confidence[KMT_UNITS_BYTES];

	fprintf(file, "  class %s", kmt_class_name(judgement->class));
	if (judgement->class != KMT_CLASS_NONE)
		fprintf(file, ", confidence %s",
			kmt_words_confidence(confidence, judgement->confidence));
	fputc('\n', file);
	print_reasons(judgement, file);
	print_rate(result, item, file);
}

static void print_numbers(const struct kmt_item *item, FILE *file)
{
	const struct kmt_row *row = item->row;
	char a[KMT_NAME_BYTES], b[KMT_UNITS_BYTES];

	if (item->has_size)
		fprintf(file, "  live %s in %s objects", kmt_format_size(a, item->bytes),
			kmt_words_count(b, item->objects));
	else
		fprintf(file, "  live %s objects", kmt_words_count(a, item->objects));
	if (row->live_objects)
		fprintf(file, ", the oldest %s", kmt_format_time(a, row->oldest_age_ns));
	fprintf(file, "\n  allocated %" PRIu64 ", freed %" PRIu64, row->allocs, row->frees);
	if (row->reused)
		fprintf(file, ", freed unseen %" PRIu64, row->reused);
	fputc('\n', file);
	if (row->is_estimated && kmt_row_scale(row) > 1)
		fprintf(file, "  live by the sample: %s\n",
			kmt_words_estimate(a, row->estimate.bytes, row->estimate.bytes_low,
					   row->estimate.bytes_high));
	if (row->uncertain_objects)
		fprintf(file, "  %" PRIu64 " may have been freed while events were lost\n",
			row->uncertain_objects);
	if (row->recorder_objects)
		fprintf(file, "  kmemtape's own: %" PRIu64 " objects\n", row->recorder_objects);
}

static void print_whose(const struct kmt_row *row, FILE *file)
{
	char a[KMT_NAME_BYTES], b[KMT_ESCAPED_BYTES];
	const char *kind = kmt_words_kind(a, row);

	if (kind)
		fprintf(file, "  %s\n", kind);
	if (row->cache)
		fprintf(file, "  cache %s%s", kmt_escape(b, sizeof(b), row->cache),
			row->is_reclaimable ? " (reclaimable)" : "");
	if (row->cache && row->nr_caches > 1)
		fprintf(file, " and %u more", row->nr_caches - 1);
	if (row->cache)
		fputc('\n', file);
	if (row->owner)
		fprintf(file, "  for %s", kmt_escape(b, sizeof(b), row->owner));
	if (row->owner && row->owner_module)
		fprintf(file, " [%s]", kmt_escape(b, sizeof(b), row->owner_module));
	if (row->owner)
		fprintf(file, "%s\n",
			row->owner_taint && strchr(row->owner_taint, 'O') ? " (out of tree)" : "");
	if (row->is_unloaded)
		fprintf(file, "  the module was unloaded\n");
	if (row->is_suppressed)
		fprintf(file, "  suppressed\n");
}

static void print_stack(const struct kmt_result *result, const struct kmt_row *row, FILE *file)
{
	char name[KMT_NAME_BYTES];

	if (!row->nr_frames)
		return;
	if (result->group == KMT_BY_STACK || row->nr_stacks <= 1)
		fprintf(file, "\nCALLED BY\n");
	else
		fprintf(file, "\nCALLED BY, in the one of its %u stacks that holds most\n",
			row->nr_stacks);
	for (size_t i = 0; i < row->nr_frames; i++) {
		kmt_words_frame(name, &row->frames[i]);
		fprintf(file, "    %s\n", name);
		if (row->frames[i].lines)
			fprintf(file, "        %s\n",
				kmt_escape(name, sizeof(name), row->frames[i].lines));
	}
}

static void print_areas(const struct kmt_vmalloc_row *row, FILE *file)
{
	char a[KMT_UNITS_BYTES];

	fprintf(file, "  now %s in %" PRIu64 " areas", kmt_format_size(a, row->bytes), row->areas);
	fprintf(file, ", %s since the first snapshot\n", kmt_words_growth(a, row->grown_bytes));
	if (row->is_seen_by_events)
		fprintf(file, "  a call site has the same: it is no finding of its own\n");
	if (row->is_suppressed)
		fprintf(file, "  suppressed\n");
}

void kmt_detail_print(const struct kmt_result *result, const struct kmt_item *item, int width,
		      bool is_utf8, FILE *file)
{
	fprintf(file, "%s%s\n", item->vmalloc ? "vmalloc by " : "", item->name);
	print_judgement(result, item, file);
	if (item->vmalloc) {
		print_areas(item->vmalloc, file);
		return;
	}
	print_numbers(item, file);
	print_whose(item->row, file);
	fputc('\n', file);
	kmt_chart_print(result, item->row, width, is_utf8, file);
	print_stack(result, item->row, file);
}
