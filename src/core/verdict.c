// SPDX-License-Identifier: LGPL-2.1-only
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kmemtape/units.h"
#include "kmemtape/verdict.h"

#define NS_PER_S 1e9

/* A leak that is as sure is said without a "possible". */
#define LIKELY_CONFIDENCE   0.7
/* What isn't a leak by class has to be as sure, and as large, to be named in the first line. */
#define POSSIBLE_CONFIDENCE 0.5
#define POSSIBLE_BYTES	    (UINT64_C(64) << 10)
/* A row is the recorder's own if at most a tenth of it is others'. */
#define RECORDER_PART	    0.9
/*
 * The first suspects are named first unless another is this many times as large: what is not in
 * the kernel's tree has been seen by few, and what a module left behind has no owner.
 */
#define OUT_OF_TREE_WEIGHT  16
#define MODULE_WEIGHT	    4
#define UNLOADED_WEIGHT	    64
/* Growth that nothing explains is worth a word from here, if it is also half of the growth. */
#define UNEXPLAINED_BYTES   (INT64_C(32) << 20)
#define UNEXPLAINED_PART    0.5
/* So many lost events, in parts of all, can hide a leak's allocations, and make one up. */
#define LOSS_PART	    0.01
/* A tape has to be so many grace periods long to say that nothing leaks. */
#define SHORT_GRACES	    4
/* Slow leaks take their time: a tape of one hour has seen more than one of a minute. */
#define CALM_S		    30.0

#define NAME_BYTES     256
#define FUNCTION_BYTES 64
#define MODULE_BYTES   40

/* Something of which the first line may speak: a row, or a caller of vmalloc(). */
struct suspect {
	const struct kmt_row *row;
	const struct kmt_vmalloc_row *area; /* one of the two */
	const struct kmt_judgement *judgement;
	const char *module, *taint;
	double objects, bytes; /* by the sample: estimates if it isn't 1 */
	double scale;	       /* of the sample, for rates */
	double weight;
	enum kmt_leak leak;
};

/* By which pairs are weighed against what has a size. */
#define PAIR_BYTES 256

struct tally {
	struct suspect first;
	uint64_t nr;			     /* of suspects that are as sure as the first */
	double bytes, bytes_per_s;	     /* of all suspects */
	double by_class[KMT_CLASS_LEAK + 1]; /* bytes of the others */
	double doubtful_bytes;
	double rest_bytes; /* whose these are nobody knows */
	bool has_rest;
	bool is_unsized; /* some of the suspects are pairs */
};

static bool is_recorders(const struct kmt_row *row)
{
	return row->live_objects &&
	       (double)row->recorder_objects > RECORDER_PART * (double)row->live_objects;
}

static bool is_pair(const struct suspect *suspect)
{
	return suspect->row && !kmt_row_has_size(suspect->row);
}

static double sized_bytes(const struct suspect *suspect)
{
	return is_pair(suspect) ? suspect->objects * PAIR_BYTES : suspect->bytes;
}

/* For whom all of it is; NULL: for itself, for several, or no stack tells. */
static const char *owner_of(const struct suspect *suspect)
{
	return suspect->row && suspect->row->nr_owners == 1 ? suspect->row->owner : NULL;
}

static enum kmt_leak suspicion(const struct suspect *suspect)
{
	const struct kmt_judgement *judgement = suspect->judgement;

	if (judgement->class == KMT_CLASS_LEAK)
		return judgement->confidence >= LIKELY_CONFIDENCE ? KMT_LEAK_LIKELY
								  : KMT_LEAK_POSSIBLE;
	if ((judgement->class == KMT_CLASS_GROWTH || judgement->class == KMT_CLASS_UNCERTAIN) &&
	    judgement->confidence >= POSSIBLE_CONFIDENCE &&
	    (sized_bytes(suspect) >= POSSIBLE_BYTES || suspect->module))
		return KMT_LEAK_POSSIBLE;
	return KMT_LEAK_NONE;
}

static void weigh(struct suspect *suspect, bool is_unloaded)
{
	suspect->weight = fmax(sized_bytes(suspect), 1) * suspect->judgement->confidence;
	if (is_unloaded)
		suspect->weight *= UNLOADED_WEIGHT;
	if (suspect->taint && strchr(suspect->taint, 'O'))
		suspect->weight *= OUT_OF_TREE_WEIGHT;
	else if (suspect->module)
		suspect->weight *= MODULE_WEIGHT;
	suspect->leak = suspicion(suspect);
}

/* Ties, which are rare, go to the lower address, so that the order of the rows doesn't matter. */
static bool is_worse(const struct suspect *a, const struct suspect *b)
{
	if (a->leak != b->leak)
		return a->leak > b->leak;
	if (a->weight > b->weight || a->weight < b->weight)
		return a->weight > b->weight;
	if (a->row && b->row)
		return a->row->call_site < b->row->call_site;
	return a->row && !b->row;
}

/* Pages of slabs and the like, which are there as what they are for, and those of users. */
static bool is_of_others(const struct kmt_row *row)
{
	return row->space == KMT_SPACE_PAGE && row->use != KMT_USE_KERNEL &&
	       row->use != KMT_USE_PAGE_TABLE && row->use != KMT_USE_STACK;
}

static void count_suspect(struct tally *tally, const struct suspect *suspect)
{
	const struct kmt_judgement *judgement = suspect->judgement;

	if (suspect->leak == KMT_LEAK_NONE && suspect->row && is_of_others(suspect->row))
		return;
	if (suspect->leak == KMT_LEAK_NONE) {
		tally->by_class[judgement->class] += suspect->bytes;
		return;
	}
	tally->is_unsized |= is_pair(suspect);
	tally->bytes += suspect->bytes;
	if (!is_pair(suspect))
		tally->bytes_per_s += fmax(judgement->trend.bytes_per_s, 0) * suspect->scale;
	if (suspect->leak > tally->first.leak)
		tally->nr = 0;
	tally->nr += suspect->leak >= tally->first.leak;
	if (is_worse(suspect, &tally->first))
		tally->first = *suspect;
}

static void count_rows(const struct kmt_result *result, const struct kmt_row *rows, size_t nr_rows,
		       struct tally *tally)
{
	double sample = result->sample ? (double)result->sample : 1;

	for (size_t i = 0; i < nr_rows; i++) {
		const struct kmt_row *row = &rows[i];
		double scale = row->is_estimated ? kmt_row_scale(row) : sample;
		struct suspect suspect = {
			.row = row,
			.judgement = &row->judgement,
			.module = row->module,
			.taint = row->taint,
			.objects = (double)row->mature_objects * scale,
			.bytes = (double)row->mature_bytes * scale,
			.scale = scale,
		};

		/* Of whom these are nobody knows, not even whoever suppresses them. */
		tally->has_rest |= row->is_rest;
		if (row->is_rest)
			tally->rest_bytes += (double)row->live_bytes * scale;
		if (row->is_suppressed || is_recorders(row))
			continue;
		if (owner_of(&suspect)) {
			suspect.module = row->owner_module;
			suspect.taint = row->owner_taint;
		}
		weigh(&suspect, row->is_unloaded);
		count_suspect(tally, &suspect);
		if (!row->is_rest && row->judgement.class == KMT_CLASS_UNCERTAIN)
			tally->doubtful_bytes += suspect.bytes;
	}
}

static void count_areas(const struct kmt_result *result, struct tally *tally)
{
	for (size_t i = 0; i < result->reconciliation.nr_vmallocs; i++) {
		const struct kmt_vmalloc_row *area = &result->reconciliation.vmallocs[i];
		struct suspect suspect = {
			.area = area,
			.judgement = &area->judgement,
			.module = area->module,
			.taint = area->taint,
			.objects = fmax((double)area->grown_areas, 0),
			.bytes = fmax((double)area->grown_bytes, 0),
			.scale = 1,
		};

		if (area->is_suppressed || area->is_seen_by_events ||
		    area->judgement.class == KMT_CLASS_NONE)
			continue;
		weigh(&suspect, false);
		count_suspect(tally, &suspect);
	}
}

/* Texts */

static uint64_t whole(double n)
{
	return n >= 1e18 ? (uint64_t)1e18 : n > 0 ? (uint64_t)(n + 0.5) : 0;
}

static const char *format_bytes(char *buf, double bytes)
{
	return kmt_format_size(buf, whole(bytes));
}

/* What a row has that is not of the slab. */
static const char *kind_of(const struct kmt_row *row)
{
	if (row->space == KMT_SPACE_PAGE)
		return row->call_site ? " (pages)" : "";
	return row->space == KMT_SPACE_PERCPU	 ? " (per-CPU)"
	       : row->space == KMT_SPACE_VMALLOC ? " (vmalloc)"
						 : "";
}

/* What allocates, beside whom it's for. */
static void name_site(char name[NAME_BYTES], const struct kmt_row *row)
{
	char function[FUNCTION_BYTES];

	if (row->function)
		(void)snprintf(name, NAME_BYTES, "%s+%#" PRIx64,
			       kmt_escape(function, sizeof(function), row->function), row->offset);
	else if (row->call_site)
		(void)snprintf(name, NAME_BYTES, "%#" PRIx64, row->call_site);
	else if (row->space == KMT_SPACE_PAGE)
		(void)snprintf(name, NAME_BYTES, "pages of task %s",
			       kmt_escape(function, sizeof(function),
					  row->comm ? row->comm : "(unknown)"));
	else
		(void)snprintf(name, NAME_BYTES, "an unknown call site");
}

/* Appends " (pages) [foo] (out of tree)". */
static void name_module(char name[NAME_BYTES], const struct suspect *suspect)
{
	char module[MODULE_BYTES];
	size_t used = strlen(name);

	if (suspect->row)
		used += (size_t)snprintf(name + used, NAME_BYTES - used, "%s",
					 kind_of(suspect->row));
	if (suspect->module && !strchr(name, '['))
		used += (size_t)snprintf(name + used, NAME_BYTES - used, " [%s]",
					 kmt_escape(module, sizeof(module), suspect->module));
	if (suspect->taint && strchr(suspect->taint, 'O') && used < NAME_BYTES)
		(void)snprintf(name + used, NAME_BYTES - used, " (out of tree)");
}

static void name_suspect(char name[NAME_BYTES], const struct suspect *suspect)
{
	char function[FUNCTION_BYTES], site[NAME_BYTES];
	const char *owner = owner_of(suspect);

	if (suspect->area)
		(void)snprintf(name, NAME_BYTES, "vmalloc by %s",
			       kmt_escape(function, sizeof(function), suspect->area->caller));
	else if (owner)
		(void)snprintf(name, NAME_BYTES, "%s",
			       kmt_escape(function, sizeof(function), owner));
	else
		name_site(name, suspect->row);
	name_module(name, suspect);
	if (!owner)
		return;
	name_site(site, suspect->row);
	(void)snprintf(name + strlen(name), NAME_BYTES - strlen(name), " (by %.100s)", site);
}

/* Appends; what doesn't fit is cut. */
static void say(struct kmt_verdict *verdict, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct kmt_verdict *verdict, const char *fmt, ...)
{
	size_t used = strlen(verdict->headline);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(verdict->headline + used, sizeof(verdict->headline) - used, fmt, args);
	va_end(args);
}

static bool is_area(const struct suspect *suspect)
{
	return suspect->area || suspect->row->space == KMT_SPACE_VMALLOC;
}

static void say_how_much(struct kmt_verdict *verdict, const struct kmt_result *result,
			 const struct suspect *suspect)
{
	bool is_sampled = suspect->row &&
			  (suspect->row->is_estimated ? suspect->scale > 1 : result->sample > 1);
	char a[KMT_UNITS_BYTES], pair[FUNCTION_BYTES];

	say(verdict, ": %s+%" PRIu64 " %s%s", is_sampled ? "about " : "", whole(suspect->objects),
	    is_area(suspect) ? "area" : "object", whole(suspect->objects) == 1 ? "" : "s");
	if (is_pair(suspect))
		say(verdict, " (%s)",
		    kmt_escape(pair, sizeof(pair),
			       suspect->row->pair ? suspect->row->pair : "pair"));
	else
		say(verdict, ", %s", format_bytes(a, suspect->bytes));
}

static void say_how_fast(struct kmt_verdict *verdict, const struct suspect *suspect)
{
	const struct kmt_trend *trend = &suspect->judgement->trend;
	double an_hour = trend->bytes_per_s * suspect->scale * 3600;
	char a[KMT_UNITS_BYTES];

	if (an_hour < 1)
		return;
	if (is_pair(suspect))
		say(verdict, ", +%" PRIu64 "/h", whole(an_hour));
	else
		say(verdict, ", +%s/h", format_bytes(a, an_hour));
	if (trend->shape != KMT_SHAPE_LINEAR && trend->shape != KMT_SHAPE_STEPS)
		return;
	say(verdict, ", %s", trend->shape == KMT_SHAPE_LINEAR ? "linear" : "in steps");
	if (trend->since_ns && trend->since_ns < trend->until_ns)
		say(verdict, " for %s", kmt_format_time(a, trend->until_ns - trend->since_ns));
}

static const char *doubt_of(const struct kmt_judgement *judgement)
{
	for (size_t i = 0; i < judgement->nr_reasons; i++)
		if (!judgement->reasons[i].is_for)
			return judgement->reasons[i].text;
	return judgement->nr_reasons ? judgement->reasons[0].text : NULL;
}

static void say_suspects(struct kmt_result *result, const struct tally *tally)
{
	const struct suspect *first = &tally->first;
	struct kmt_verdict *verdict = &result->verdict;
	const char *doubt = doubt_of(first->judgement);
	char name[NAME_BYTES];

	verdict->leak = first->leak;
	verdict->confidence = first->judgement->confidence;
	verdict->leaking_bytes = whole(tally->bytes);
	verdict->bytes_per_s = tally->bytes_per_s;
	verdict->is_unsized = tally->is_unsized;
	verdict->call_site = first->row ? first->row->call_site : 0;
	verdict->function = first->row ? first->row->function : NULL;
	verdict->caller = first->area ? first->area->caller : NULL;
	verdict->owner = owner_of(first);
	verdict->owner_module = verdict->owner ? first->row->owner_module : NULL;
	name_suspect(name, first);
	say(verdict, "%s: %s", first->leak == KMT_LEAK_LIKELY ? "LEAK LIKELY" : "POSSIBLE LEAK",
	    name);
	say_how_much(verdict, result, first);
	say_how_fast(verdict, first);
	if (first->row && first->row->is_unloaded)
		say(verdict, ", left behind by the unloaded module");
	if (tally->nr > 1)
		say(verdict, " (and %" PRIu64 " more)", tally->nr - 1);
	if (first->leak == KMT_LEAK_POSSIBLE && doubt)
		say(verdict, "; not sure: %s", doubt);
}

/* Why a "no" would say more than the tape can. Return: whether @verdict has been told. */
static bool say_blindness(struct kmt_result *result, const struct tally *tally)
{
	const struct kmt_totals *totals = &result->totals;
	const struct kmt_reconciliation *bill = &result->reconciliation;
	struct kmt_verdict *verdict = &result->verdict;
	double events = (double)totals->allocs + (double)totals->frees;
	double lost = (double)result->lost;
	int64_t unexplained = bill->kernel_growth_bytes - bill->explained_bytes;
	char a[KMT_UNITS_BYTES], b[KMT_UNITS_BYTES];

	if (totals->allocs == 0) {
		say(verdict, "NO LEAK SEEN, but no allocation was recorded at all");
		verdict->confidence = 0;
	} else if (result->duration_ns / SHORT_GRACES < result->grace_ns) {
		say(verdict,
		    "NO LEAK SEEN, but %s are too short to tell (objects younger than %s are not judged)",
		    kmt_format_time(a, result->duration_ns), kmt_format_time(b, result->grace_ns));
		verdict->confidence = fmin(verdict->confidence, 0.2);
	} else if (tally->has_rest) {
		say(verdict,
		    "NO LEAK SEEN, but there are more call sites than are told apart: %s are of the others",
		    format_bytes(a, tally->rest_bytes));
		verdict->confidence = fmin(verdict->confidence, 0.4);
	} else if (lost > LOSS_PART * (events + lost) || tally->doubtful_bytes >= POSSIBLE_BYTES) {
		say(verdict, "NO LEAK SEEN, but ");
		if (lost > 0)
			say(verdict, "%.*f %% of the events were lost",
			    lost < 0.1 * (events + lost) ? 1 : 0, 100 * lost / (events + lost));
		else
			say(verdict, "events were lost, or contradict the kernel's counters");
		if (tally->doubtful_bytes > 0)
			say(verdict, ": %s may have been freed unseen",
			    format_bytes(a, tally->doubtful_bytes));
		verdict->confidence = fmin(verdict->confidence, 0.4);
	} else if (bill->nr_snapshots >= 2 && unexplained >= UNEXPLAINED_BYTES &&
		   (double)unexplained > UNEXPLAINED_PART * (double)bill->kernel_growth_bytes) {
		say(verdict,
		    "NO LEAK SEEN, but kernel memory grew by %s, of which no recorded event explains %s",
		    format_bytes(a, (double)bill->kernel_growth_bytes),
		    format_bytes(b, (double)unexplained));
		verdict->confidence = fmin(verdict->confidence, 0.4);
	} else {
		return false;
	}
	return true;
}

static void say_part(struct kmt_verdict *verdict, double bytes, const char *what, bool *has_said)
{
	char a[KMT_UNITS_BYTES];

	if (bytes < 1)
		return;
	say(verdict, "%s%s %s", *has_said ? ", " : "; ", format_bytes(a, bytes), what);
	*has_said = true;
}

static void say_calm(struct kmt_result *result, const struct tally *tally)
{
	struct kmt_verdict *verdict = &result->verdict;
	bool has_said = false;
	char a[KMT_UNITS_BYTES];

	say(verdict, "NO LEAK: nothing keeps growing in %s",
	    kmt_format_time(a, result->duration_ns));
	if (result->reconciliation.nr_snapshots >= 2) {
		int64_t growth = result->reconciliation.kernel_growth_bytes;

		say(verdict, "; kernel memory %s%s", growth < 0 ? "-" : "+",
		    format_bytes(a, fabs((double)growth)));
	}
	say_part(verdict, tally->by_class[KMT_CLASS_CACHE], "in caches", &has_said);
	say_part(verdict, tally->by_class[KMT_CLASS_TRANSIENT], "transient", &has_said);
	say_part(verdict, tally->by_class[KMT_CLASS_UNTRACED], "whose frees are not traced",
		 &has_said);
	say_part(verdict, tally->by_class[KMT_CLASS_GROWTH] + tally->by_class[KMT_CLASS_UNCERTAIN],
		 "rose, too little to prove anything", &has_said);
}

/* How sure it is that there is none: a longer, complete and confirmed tape has seen more. */
static double none_confidence(const struct kmt_result *result, const struct tally *tally)
{
	double seconds = (double)result->duration_ns / NS_PER_S;
	double confidence = seconds / (seconds + CALM_S);
	double rising = tally->by_class[KMT_CLASS_GROWTH] + tally->by_class[KMT_CLASS_UNCERTAIN];

	if (result->reconciliation.nr_snapshots < 2)
		confidence *= 0.9;
	if (!result->is_complete || result->lost || result->totals.losses)
		confidence *= 0.9;
	if (rising >= POSSIBLE_BYTES)
		confidence *= 0.8;
	return fmin(confidence, 0.95);
}

int kmt_verdict_make(struct kmt_result *result, const struct kmt_row *rows, size_t nr_rows)
{
	struct tally tally = { 0 };

	result->verdict = (struct kmt_verdict){ 0 };
	count_rows(result, rows, nr_rows, &tally);
	count_areas(result, &tally);
	if (tally.nr) {
		say_suspects(result, &tally);
		return 0;
	}
	result->verdict.confidence = none_confidence(result, &tally);
	if (!say_blindness(result, &tally))
		say_calm(result, &tally);
	return 0;
}
