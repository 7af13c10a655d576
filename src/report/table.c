// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "kmemtape/spark.h"
#include "kmemtape/units.h"

#include "table.h"
#include "words.h"

#define PART_INDENT    6
#define HEALTHY_SHOWN  5 /* when nothing else is: what is live is of interest all the same */
#define NR_CLASSES     (KMT_CLASS_LEAK + 1)
#define VMALLOCS_SHOWN 5

static const char *const group_names[] = {
	[KMT_BY_SITE] = "call site", [KMT_BY_CACHE] = "cache", [KMT_BY_MODULE] = "module",
	[KMT_BY_COMM] = "task",	     [KMT_BY_PID] = "pid",     [KMT_BY_STACK] = "call stack",
	[KMT_BY_OWNER] = "owner",
};

/* What was printed, for what is said below. */
struct table {
	const struct kmt_result *result;
	const struct kmt_report_options *options;
	FILE *file;
	bool hides_healthy;
	uint64_t top, shown;
	uint64_t healthy, healthy_bytes;       /* not shown for that */
	uint64_t suppressed, suppressed_bytes; /* nor these */
	uint64_t left, left_bytes;	       /* nor these: too many */
	uint64_t nr_judged;
	bool has_class[NR_CLASSES];
	bool has_trend;
};

static bool is_healthy(const struct kmt_judgement *judgement)
{
	return judgement->class == KMT_CLASS_NONE || judgement->class == KMT_CLASS_TRANSIENT;
}

static const char *rate_of(char *buf, const struct kmt_judgement *judgement)
{
	if (judgement->trend.shape == KMT_SHAPE_NONE)
		return "-";
	return kmt_words_rate(buf, judgement->trend.bytes_per_s);
}

static void print_judgement(struct table *table, const struct kmt_judgement *judgement)
{
	char confidence[KMT_UNITS_BYTES] = "-";

	table->nr_judged++;
	table->has_class[judgement->class] = true;
	if (judgement->class != KMT_CLASS_NONE)
		kmt_words_confidence(confidence, judgement->confidence);
	fprintf(table->file, " %-14s %4s\n", kmt_class_name(judgement->class), confidence);
}

/* Of pairs nobody knows the size: their judgement is of objects. */
static const char *row_rate(char *buf, const struct kmt_row *row)
{
	struct kmt_judgement judgement = row->judgement;

	judgement.trend.bytes_per_s *= kmt_row_scale(row);
	if (kmt_row_has_size(row) || judgement.trend.shape == KMT_SHAPE_NONE)
		return rate_of(buf, &judgement);
	return kmt_words_count_rate(buf, judgement.trend.bytes_per_s);
}

static void print_numbers(struct table *table, const struct kmt_row *row)
{
	const struct kmt_judgement *judgement = &row->judgement;
	char live[KMT_UNITS_BYTES], objects[KMT_UNITS_BYTES], rate[KMT_UNITS_BYTES];
	const struct kmt_grid *grid = &table->result->grid;
	char spark[KMT_SPARK_BYTES];
	size_t nr = row->history ? grid->nr : 0;
	struct kmt_history history;

	table->has_trend |= nr > 0;
	if (row->history)
		kmt_history_unpack(row->history, &history);
	kmt_spark_draw(spark, row->history ? history.live_bytes : NULL, nr, KMT_SPARK_COLUMNS,
		       table->options->is_utf8);
	fprintf(table->file, "%8s %8s %11s %s %-9s",
		kmt_row_has_size(row) ? kmt_format_size(live, kmt_row_scaled(row, row->live_bytes))
				      : "-",
		kmt_words_count(objects, kmt_row_scaled(row, row->live_objects)),
		row_rate(rate, row), spark,
		judgement->trend.shape == KMT_SHAPE_NONE ? "-"
							 : kmt_shape_name(judgement->trend.shape));
	print_judgement(table, judgement);
}

static bool is_of_code(enum kmt_group group)
{
	return group == KMT_BY_SITE || group == KMT_BY_STACK || group == KMT_BY_OWNER;
}

static void add_cache(struct kmt_line *line, const struct kmt_row *row)
{
	char cache[KMT_ESCAPED_BYTES], more[KMT_UNITS_BYTES] = "";

	if (!row->cache)
		return;
	if (row->nr_caches > 1)
		(void)snprintf(more, sizeof(more), " +%u", row->nr_caches - 1);
	kmt_line_addf(line, "%s%s", kmt_escape(cache, sizeof(cache), row->cache), more);
}

static void add_kind(struct kmt_line *line, enum kmt_group group, const struct kmt_row *row)
{
	char buf[KMT_NAME_BYTES];
	const char *kind = kmt_words_kind(buf, row);

	if (kind && group != KMT_BY_CACHE) /* else it is the name */
		kmt_line_add(line, kind);
}

/* For whom a call site allocates, by its stacks. */
static void add_owner(struct kmt_line *line, const struct kmt_row *row)
{
	char owner[KMT_ESCAPED_BYTES], module[KMT_ESCAPED_BYTES], more[KMT_UNITS_BYTES] = "";

	if (row->owner && row->nr_owners > 1)
		(void)snprintf(more, sizeof(more), " +%u", row->nr_owners - 1);
	if (row->owner)
		kmt_line_addf(
			line, "%s %s%s%s%s%s%s", row->is_owners ? "by what is for" : "for",
			kmt_escape(owner, sizeof(owner), row->owner), row->owner_module ? " [" : "",
			row->owner_module ? kmt_escape(module, sizeof(module), row->owner_module)
					  : "",
			row->owner_module ? "]" : "",
			row->owner_taint && strchr(row->owner_taint, 'O') ? " (out of tree)" : "",
			more);
	if (row->nr_stacks > 1)
		kmt_line_addf(line, "%u stacks", row->nr_stacks);
}

/* As the kernel prints them; the first one is what the row is called. */
static void print_stack(struct table *table, const struct kmt_row *row)
{
	char name[KMT_NAME_BYTES];

	for (size_t i = 1; i < row->nr_frames; i++) {
		struct kmt_line line;

		kmt_words_frame(name, &row->frames[i]);
		kmt_line_begin(&line, table->file, "      ", PART_INDENT + 2, 2);
		kmt_line_add(&line, name);
		kmt_line_add_sources(&line, row->frames[i].lines);
		kmt_line_end(&line);
	}
}

/* All that qualifies the numbers; what doesn't apply is not there. */
static void print_owner(struct table *table, const struct kmt_row *row)
{
	const struct kmt_judgement *judgement = &row->judgement;
	char name[KMT_NAME_BYTES], a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];
	struct kmt_line line;

	kmt_words_name(name, table->result->group, row);
	kmt_line_begin(&line, table->file, "    ", PART_INDENT, 2);
	kmt_line_add(&line, name);
	kmt_line_add_sources(&line, row->lines);
	if (is_of_code(table->result->group)) {
		add_cache(&line, row);
		add_owner(&line, row);
	}
	add_kind(&line, table->result->group, row);
	if (row->is_estimated && kmt_row_scale(row) > 1)
		kmt_line_add(&line,
			     kmt_words_estimate(name, row->estimate.bytes, row->estimate.bytes_low,
						row->estimate.bytes_high));
	kmt_line_addf(&line, "freed %s/%s", kmt_words_count(a, row->frees),
		      kmt_words_count(b, row->allocs));
	if (row->reused)
		kmt_line_addf(&line, "%s freed unseen", kmt_words_count(a, row->reused));
	if (judgement->class == KMT_CLASS_UNTRACED && judgement->live_estimate < row->live_objects)
		kmt_line_addf(&line, "about %s live", kmt_words_count(a, judgement->live_estimate));
	if (row->uncertain_objects)
		kmt_line_addf(&line, "%s maybe freed in a loss",
			      kmt_words_count(a, row->uncertain_objects));
	kmt_line_addf(&line, "oldest %s", kmt_format_time(a, row->oldest_age_ns));
	if (row->is_unloaded)
		kmt_line_add(&line, "module unloaded");
	if (row->recorder_objects)
		kmt_line_addf(&line, "%s kmemtape's own",
			      kmt_words_count(a, row->recorder_objects));
	if (row->is_suppressed)
		kmt_line_add(&line, "suppressed");
	kmt_line_end(&line);
	if (table->result->group == KMT_BY_STACK)
		print_stack(table, row);
}

/* Is it one of those that are only counted? */
static bool is_folded(struct table *table, const struct kmt_row *row)
{
	if (table->hides_healthy && row->is_suppressed) {
		table->suppressed++;
		table->suppressed_bytes += row->live_bytes;
	} else if (table->hides_healthy && is_healthy(&row->judgement)) {
		table->healthy++;
		table->healthy_bytes += row->live_bytes;
	} else if (table->top && table->shown >= table->top) {
		table->left++;
		table->left_bytes += row->live_bytes;
	} else {
		return false;
	}
	return true;
}

static void print_rest(const struct table *table)
{
	const char *group = group_names[table->result->group];
	char a[KMT_UNITS_BYTES];

	if (table->left)
		fprintf(table->file, "and %" PRIu64 " more with %s (--top 0 shows all)\n",
			table->left, kmt_format_size(a, table->left_bytes));
	if (table->healthy)
		fprintf(table->file, "and %" PRIu64 " healthy %s%s with %s (--top 0 shows all)\n",
			table->healthy, group, table->healthy == 1 ? "" : "s",
			kmt_format_size(a, table->healthy_bytes));
	if (table->suppressed)
		fprintf(table->file, "and %" PRIu64 " suppressed with %s (--top 0 shows all)\n",
			table->suppressed, kmt_format_size(a, table->suppressed_bytes));
}

static void print_head(FILE *file, const char *first, const char *second, const char *below)
{
	fprintf(file, "%8s %8s %11s %-26s %-14s %4s\n    %s\n", first, second, "RATE", "TREND",
		"CLASS", "SURE", below);
}

/* Is anything live? @ret_is_remarkable: is any of it neither healthy nor suppressed? */
static bool has_live(const struct kmt_result *result, bool *ret_is_remarkable)
{
	bool is_live = false;

	*ret_is_remarkable = false;
	for (size_t i = 0; i < result->nr_rows; i++) {
		const struct kmt_row *row = &result->rows[i];

		is_live |= row->live_objects > 0;
		*ret_is_remarkable |=
			row->live_objects && !row->is_suppressed && !is_healthy(&row->judgement);
	}
	return is_live;
}

static void print_rows(struct table *table)
{
	const struct kmt_result *result = table->result;
	bool is_remarkable;
	char below[80];

	if (!has_live(result, &is_remarkable)) {
		fprintf(table->file, "No %s has anything live.\n", group_names[result->group]);
		return;
	}
	(void)snprintf(below, sizeof(below), "%s%s, how many were seen freed of all",
		       group_names[result->group], is_of_code(result->group) ? ", cache" : "");
	if (table->hides_healthy && !is_remarkable) {
		table->hides_healthy = false;
		table->top = HEALTHY_SHOWN;
		fprintf(table->file, "No %s stands out. Live all the same:\n",
			group_names[result->group]);
	}
	print_head(table->file, "LIVE", "OBJECTS", below);
	for (size_t i = 0; i < result->nr_rows; i++) {
		const struct kmt_row *row = &result->rows[i];

		if (row->live_objects == 0 || is_folded(table, row))
			continue;
		table->shown++;
		print_numbers(table, row);
		print_owner(table, row);
	}
	print_rest(table);
}

static void print_vmalloc(struct table *table, const struct kmt_vmalloc_row *row)
{
	const struct kmt_judgement *judgement = &row->judgement;
	char grown[KMT_UNITS_BYTES], rate[KMT_UNITS_BYTES], caller[KMT_ESCAPED_BYTES];
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];
	struct kmt_line line;

	fprintf(table->file, "%8.24s %+8" PRId64 " %11s %-26s",
		kmt_words_growth(grown, row->grown_bytes), row->grown_areas,
		rate_of(rate, judgement),
		judgement->trend.shape == KMT_SHAPE_NONE ? "-"
							 : kmt_shape_name(judgement->trend.shape));
	print_judgement(table, judgement);
	kmt_line_begin(&line, table->file, "    ", PART_INDENT, 2);
	kmt_line_addf(&line, "%s%s", kmt_escape(caller, sizeof(caller), row->caller),
		      row->taint && strchr(row->taint, 'O') ? " (out of tree)" : "");
	kmt_line_addf(&line, "now %s in %s area%s", kmt_format_size(a, row->bytes),
		      kmt_words_count(b, row->areas), row->areas == 1 ? "" : "s");
	if (row->is_suppressed)
		kmt_line_add(&line, "suppressed");
	kmt_line_end(&line);
}

static void print_vmallocs(struct table *table)
{
	const struct kmt_reconciliation *counted = &table->result->reconciliation;
	uint64_t top = table->options->top, shown = 0;

	if (table->options->hides_healthy && top > VMALLOCS_SHOWN)
		top = VMALLOCS_SHOWN;
	for (size_t i = 0; i < counted->nr_vmallocs; i++) {
		const struct kmt_vmalloc_row *row = &counted->vmallocs[i];

		if (table->options->hides_healthy &&
		    (row->is_suppressed || row->is_seen_by_events || is_healthy(&row->judgement)))
			continue;
		if (top && shown == top) {
			fprintf(table->file, "and more (--top 0 shows all)\n");
			break;
		}
		if (shown++ == 0) {
			fprintf(table->file, "\n");
			print_head(table->file, "VMALLOC", "AREAS", "caller, by vmallocinfo");
		}
		print_vmalloc(table, row);
	}
}

static void print_legend(const struct table *table)
{
	static const char *const meanings[NR_CLASSES] = {
		[KMT_CLASS_TRANSIENT] = "comes and goes",
		[KMT_CLASS_CACHE] =
			"given back when memory gets tight, or filled and stopped growing",
		[KMT_CLASS_UNTRACED] = "frees without an event: LIVE is an upper bound",
		[KMT_CLASS_UNCERTAIN] =
			"lost events or the kernel's own counters speak against LIVE",
		[KMT_CLASS_GROWTH] = "rising, and nothing more is proven",
		[KMT_CLASS_LEAK] = "allocated to the end, and what grew old was never freed",
	};
	char grace[KMT_UNITS_BYTES];

	if (table->nr_judged)
		fprintf(table->file, "\n");
	for (int class = KMT_CLASS_LEAK; class >= 0; class --) {
		if (!table->has_class[class])
			continue;
		if (class == KMT_CLASS_NONE)
			fprintf(table->file, "none: nothing that is older than %s\n",
				kmt_format_time(grace, table->result->grace_ns));
		else
			fprintf(table->file, "%s: %s\n", kmt_class_name((enum kmt_class) class),
				meanings[class]);
	}
	if (table->has_trend)
		fprintf(table->file,
			"TREND: live bytes over the recording, from 0 to their most\n");
}

void kmt_table_print(const struct kmt_result *result, const struct kmt_report_options *options,
		     FILE *file)
{
	struct table table = {
		.result = result,
		.options = options,
		.file = file,
		.hides_healthy = options->hides_healthy,
		.top = options->top,
	};

	fprintf(file, "\n");
	print_rows(&table);
	print_vmallocs(&table);
	print_legend(&table);
}
