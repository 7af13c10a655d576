// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <string.h>

#include "kmemtape/report.h"
#include "kmemtape/units.h"

#define COLUMNS	      80
#define NAME_COLUMN   44
#define NAME_BYTES    1024
#define ESCAPED_BYTES 512

/* Counts are exact as long as they fit; a maintainer compares them with what a driver printed. */
static const char *count(char *buf, uint64_t n)
{
	if (n > 9999999)
		return kmt_format_count(buf, n);
	(void)snprintf(buf, KMT_UNITS_BYTES, "%" PRIu64, n);
	return buf;
}

static const char *percent(char *buf, uint64_t part, uint64_t whole)
{
	if (whole == 0)
		return "-";
	/* Never "100 %" of what isn't all, nor "0 %" of something. */
	if (part > 0 && part < whole && (double)part / (double)whole > 0.9994)
		return "99.9 %";
	if (part > 0 && (double)part / (double)whole < 0.0005)
		return "< 0.1 %";
	(void)snprintf(buf, KMT_UNITS_BYTES, "%.1f %%", 100.0 * (double)part / (double)whole);
	return buf;
}

static void print_tape(const struct kmt_result *result, FILE *file)
{
	char path[ESCAPED_BYTES], kernel[ESCAPED_BYTES], arch[ESCAPED_BYTES], clock[ESCAPED_BYTES];
	char duration[KMT_UNITS_BYTES];

	fprintf(file, "%s   %s %s   %s   clock %s   %zu CPU%s\n",
		kmt_escape(path, sizeof(path), result->path),
		kmt_escape(kernel, sizeof(kernel), result->kernel),
		kmt_escape(arch, sizeof(arch), result->arch),
		kmt_format_time(duration, result->duration_ns),
		kmt_escape(clock, sizeof(clock), result->clock), result->nr_cpus,
		result->nr_cpus == 1 ? "" : "s");
}

/* What may make the numbers below wrong comes before them. */
static void print_doubts(const struct kmt_result *result, FILE *file)
{
	const struct kmt_totals *totals = &result->totals;
	char n[KMT_UNITS_BYTES], text[ESCAPED_BYTES];

	if (result->lost || totals->losses) {
		fprintf(file, "LOST %s EVENTS",
			result->lost ? count(n, result->lost) : "AN UNKNOWN NUMBER OF");
		if (totals->losses)
			fprintf(file,
				" in %" PRIu64
				" place%s: %s live objects may have been freed there (?)\n",
				totals->losses, totals->losses == 1 ? "" : "s",
				count(n, totals->uncertain));
		else
			fprintf(file, " by the kernel's count: the tape doesn't say where\n");
	}
	if (!result->is_complete)
		fprintf(file,
			"INCOMPLETE: the recording did not end in order; read as far as all CPUs go\n");
	for (size_t i = 0; i < result->nr_notes; i++)
		fprintf(file, "note: %s\n", kmt_escape(text, sizeof(text), result->notes[i]));
}

static void print_totals(const struct kmt_result *result, FILE *file)
{
	const struct kmt_totals *totals = &result->totals;
	uint64_t real_frees = totals->frees - totals->null_frees - totals->deferred_frees;
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES], c[KMT_UNITS_BYTES], d[KMT_UNITS_BYTES];

	fprintf(file, "events %s   lost %s   allocations %s   frees %s\n",
		count(a, totals->allocs + totals->frees), count(b, result->lost),
		count(c, totals->allocs), count(d, totals->frees));
	fprintf(file, "of the allocated: freed %s", percent(a, totals->paired, totals->allocs));
	fprintf(file, "   address reused, free unseen %s",
		percent(a, totals->reused, totals->allocs));
	fprintf(file, "   live %s\n", percent(a, totals->live, totals->allocs));
	fprintf(file, "of the freed: %s were allocated before the recording, or unseen\n",
		percent(a, totals->unknown_frees, real_frees));
	fprintf(file, "live at the end: %s objects, %s", count(a, totals->live),
		kmt_format_size(b, result->live_bytes));
	if (result->older_ns)
		fprintf(file, " older than %s", kmt_format_time(c, result->older_ns));
	if (result->recorder_objects)
		fprintf(file, ",\n  of which %s (%s) kmemtape's own",
			count(c, result->recorder_objects),
			kmt_format_size(d, result->recorder_bytes));
	fprintf(file, "\n");
}

static const char *const group_names[] = {
	[KMT_BY_SITE] = "call site", [KMT_BY_CACHE] = "cache", [KMT_BY_MODULE] = "module",
	[KMT_BY_COMM] = "task",	     [KMT_BY_PID] = "pid",
};

static void name_site(char *name, const struct kmt_row *row)
{
	char function[ESCAPED_BYTES], module[ESCAPED_BYTES];

	if (row->function)
		(void)snprintf(name, NAME_BYTES, "%s+%#" PRIx64 "/%#" PRIx64,
			       kmt_escape(function, sizeof(function), row->function), row->offset,
			       row->size);
	else if (row->module && row->offset == 0) /* in its init function, which is gone */
		(void)snprintf(name, NAME_BYTES, "%#" PRIx64 " (init)", row->call_site);
	else if (row->module)
		(void)snprintf(name, NAME_BYTES, "%#" PRIx64 " (module+%#" PRIx64 ")",
			       row->call_site, row->offset);
	else
		(void)snprintf(name, NAME_BYTES, "%#" PRIx64, row->call_site);
	if (row->module) {
		size_t used = strlen(name);

		(void)snprintf(name + used, NAME_BYTES - used, " [%s]%s",
			       kmt_escape(module, sizeof(module), row->module),
			       strchr(row->taint, 'O') ? " (out of tree)" : "");
	}
}

static void name_row(char *name, const struct kmt_result *result, const struct kmt_row *row)
{
	char text[ESCAPED_BYTES];
	const char *known = NULL;

	switch (result->group) {
	case KMT_BY_SITE:
		name_site(name, row);
		return;
	case KMT_BY_CACHE:
		known = row->cache ? row->cache : "(unknown cache)";
		break;
	case KMT_BY_MODULE:
		known = row->module ? row->module : row->is_unknown ? "(unknown)" : "(built in)";
		break;
	case KMT_BY_COMM:
	case KMT_BY_PID:
		known = row->comm ? row->comm : "(unknown)";
		break;
	}
	(void)snprintf(name, NAME_BYTES, "%s", kmt_escape(text, sizeof(text), known));
	if (result->group == KMT_BY_PID && row->pid >= 0)
		(void)snprintf(name + strlen(name), NAME_BYTES - strlen(name), " %d", row->pid);
}

static bool ends_unseen(const struct kmt_row *row)
{
	return row->reused > 0 && row->reused >= row->frees;
}

static void print_row(const struct kmt_result *result, const struct kmt_row *row, FILE *file)
{
	char name[NAME_BYTES], cache[ESCAPED_BYTES] = "", more[32] = "", ratio[2 * KMT_UNITS_BYTES];
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES], c[KMT_UNITS_BYTES], d[KMT_UNITS_BYTES];
	int used;

	name_row(name, result, row);
	(void)snprintf(ratio, sizeof(ratio), "%s/%s", count(c, row->frees), count(d, row->allocs));
	used = fprintf(file, "%c%9s%c %8s %8s %15s %s", ends_unseen(row) ? '~' : ' ',
		       kmt_format_size(a, row->live_bytes), row->uncertain_objects ? '?' : ' ',
		       count(b, row->live_objects), kmt_format_time(c, row->oldest_age_ns), ratio,
		       name);
	if (result->group == KMT_BY_SITE && row->cache) {
		kmt_escape(cache, sizeof(cache), row->cache);
		if (row->nr_caches > 1)
			(void)snprintf(more, sizeof(more), " +%u", row->nr_caches - 1);
		if (used + 2 + (int)strlen(cache) + (int)strlen(more) > COLUMNS)
			fprintf(file, "\n%*s", NAME_COLUMN + 2, "");
		else
			fprintf(file, "  ");
		fprintf(file, "%s%s", cache, more);
	}
	fprintf(file, "\n");
}

static void print_rows(const struct kmt_result *result, const struct kmt_report_options *options,
		       FILE *file)
{
	uint64_t shown = 0, left = 0, left_bytes = 0;
	bool has_unseen = false, has_uncertain = false;
	char a[KMT_UNITS_BYTES];

	fprintf(file,
		"\nAllocated and not seen freed, by %s: what to look at, no proof of a leak.\n",
		group_names[result->group]);
	fprintf(file, "      LIVE   OBJECTS   OLDEST    FREED/ALLOCS %s\n",
		result->group == KMT_BY_SITE ? "CALL SITE  CACHE" : "NAME");
	for (size_t i = 0; i < result->nr_rows; i++) {
		const struct kmt_row *row = &result->rows[i];

		if (row->live_objects == 0)
			continue;
		if (options->top && shown >= options->top) {
			left++;
			left_bytes += row->live_bytes;
			continue;
		}
		shown++;
		has_unseen |= ends_unseen(row);
		has_uncertain |= row->uncertain_objects > 0;
		print_row(result, row, file);
	}
	if (shown == 0)
		fprintf(file, "      none\n");
	if (left)
		fprintf(file, "      and %" PRIu64 " more with %s (--top 0 shows all)\n", left,
			kmt_format_size(a, left_bytes));
	if (has_unseen)
		fprintf(file,
			"~ at most: half of its objects or more end by a free that is not traced\n");
	if (has_uncertain)
		fprintf(file, "? may have been freed while events were lost\n");
}

void kmt_report_text(const struct kmt_result *result, const struct kmt_report_options *options,
		     FILE *file)
{
	print_tape(result, file);
	print_doubts(result, file);
	print_totals(result, file);
	print_rows(result, options, file);
}
