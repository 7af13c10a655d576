// SPDX-License-Identifier: LGPL-2.1-only
#include <math.h>
#include <string.h>

#include "judging.h"

/* Deaths of the old, in parts of the survivors: the odd one of a leaking site is freed at exit. */
#define DEATHS_PART		   0.05
/*
 * The same for each greater age by itself: what lives for a fixed time (TIME_WAIT: 60 s), or is
 * evicted when a cache has filled for the first time, dies at the top of the ages only.
 */
#define ELDER_DEATHS_PART	   0.1
#define ELDER_DEATHS_MIN	   3 /* fewer are odd ones */
/*
 * The longer one looks for an age beyond which nothing dies, the surer one finds one by chance: if
 * they went on dying as they did before that age, fewer than so many deaths have a chance of 1 in
 * 10 000 (Poisson: none of 9.2; with d seen, of d + 3.7 sqrt(d) + 9.2 and more).
 */
#define EXPECTED_DEATHS_MIN	   9.2
#define EXPECTED_DEATHS_DEVIATIONS 3.7
/* To have an age beyond which nothing dies takes this many; the classes want more. */
#define SURVIVORS_MIN		   4

/* What came first may be stray: this part, if it is a whole object */
#define STRAY_PART     0.05
/* A silence as long is no chance, if births came at random: 1 in 10 000. */
#define SILENCE_CHANCE 0.0001
/* A silence shorter than this part is none: a bucket or two, and a pause of the load. */
#define SILENCE_PART   0.1
/* Some bursts are far between: a silence is one if it is longer than the others by so much. */
#define SILENCE_FACTOR 3
/* Births beyond e^40 times more at one end than at the other are all at that end. */
#define DRIFT_MAX      40.0

static double seconds(uint64_t ns)
{
	return (double)ns / NS_PER_S;
}

static double since_start(const struct kmt_evidence *evidence, uint64_t time_ns)
{
	return time_ns > evidence->grid->start_ns ? seconds(time_ns - evidence->grid->start_ns) : 0;
}

/* Of the counts by age, those of @bin and above. */
static double sum_from(const uint64_t *ages, unsigned int bin)
{
	double sum = 0;

	for (; bin < KMT_AGE_BINS; bin++)
		sum += (double)ages[bin];
	return sum;
}

static double deaths_from(const struct kmt_history *history, unsigned int bin)
{
	return sum_from(history->freed_ages, bin) + sum_from(history->reused_ages, bin);
}

/* The youngest are the last that were born: take so many away from that end, or from the other. */
static void trim(double *births, size_t nr, double excess, bool is_young)
{
	for (size_t i = 0; i < nr && excess > 0; i++) {
		double *bucket = &births[is_young ? nr - 1 - i : i];
		double taken = fmin(*bucket, excess);

		*bucket -= taken;
		excess -= taken;
	}
}

static double sum_births(const double *births, size_t nr)
{
	double sum = 0;

	for (size_t i = 0; i < nr; i++)
		sum += births[i];
	return sum;
}

static size_t nr_buckets(const struct kmt_evidence *evidence)
{
	return evidence->grid->nr < KMT_HISTORY_POINTS ? evidence->grid->nr : KMT_HISTORY_POINTS;
}

/* Survivors older than @age_ns, of which there are @older. */
static void fill(const struct kmt_evidence *evidence, uint64_t age_ns, double older,
		 bool is_certain, struct kmt_survivors *survivors)
{
	size_t nr = nr_buckets(evidence);
	double off_s = since_start(evidence, evidence->allocs_off_ns);
	double busy_s = since_start(evidence, evidence->busy_until_ns);
	double all;

	memset(survivors, 0, sizeof(*survivors));
	survivors->age_s = seconds(age_ns);
	survivors->bucket_s = seconds(evidence->grid->width_ns);
	survivors->to_s = since_start(evidence, evidence->end_ns) - survivors->age_s;
	survivors->to_s = fmax(0, fmin(survivors->to_s, off_s));
	if (evidence->busy_until_ns)
		survivors->to_s = fmin(survivors->to_s, busy_s);
	for (size_t i = 0; i < nr; i++)
		survivors->births[i] = (double)evidence->history->born[i];
	all = sum_births(survivors->births, nr);
	trim(survivors->births, nr, all - older, true);
	if (is_certain) {
		trim(survivors->births, nr, (double)evidence->exposed_objects, false);
		survivors->from_s = since_start(evidence, evidence->last_loss_ns);
	}
	survivors->nr = sum_births(survivors->births, nr);
}

/* Those that got even older died: the survivors just haven't had the time. */
static bool has_dead_elders(const struct kmt_evidence *evidence, unsigned int bin)
{
	const struct kmt_history *history = evidence->history;

	for (; bin < KMT_AGE_BINS; bin++) {
		double deaths = deaths_from(history, bin);

		if (deaths < ELDER_DEATHS_MIN)
			return false;
		if (deaths > ELDER_DEATHS_PART * sum_from(history->live_ages, bin))
			return true;
	}
	return false;
}

/* All objects that got older than @from_s: how long were they watched at ages up to @to_s? */
static double watched_between(const struct kmt_history *history, unsigned int from, unsigned int to)
{
	double sum = 0;

	for (unsigned int bin = from; bin < to; bin++) {
		double width_s = seconds(kmt_age_bin_from(bin + 1) - kmt_age_bin_from(bin));
		double ended = (double)history->live_ages[bin] + (double)history->freed_ages[bin] +
			       (double)history->reused_ages[bin];
		double passed =
			sum_from(history->live_ages, bin + 1) + deaths_from(history, bin + 1);

		sum += width_s * (passed + ended / 2);
	}
	return sum;
}

static double watched_after(const struct kmt_survivors *survivors)
{
	double sum = 0;

	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++)
		sum += survivors->births[i] *
		       fmax(survivors->to_s - ((double)i + 0.5) * survivors->bucket_s, 0);
	return sum;
}

/* Births come in bursts: as many independent ones as there would be without the excess variance. */
static double independent(const double *births, size_t from, size_t to)
{
	double n = (double)(to - from), sum = 0, squares = 0, mean, variance;

	for (size_t i = from; i < to; i++) {
		sum += births[i];
		squares += births[i] * births[i];
	}
	if (n < 2 || sum <= 0)
		return fmin(sum, 1);
	mean = sum / n;
	variance = (squares - sum * mean) / (n - 1);
	return sum / fmax(1, variance / mean);
}

/*
 * What was born in one burst, by one process, dies in one: of so many survivors, the part that are
 * independent witnesses.
 */
static double independent_part(const double *births)
{
	size_t from = KMT_HISTORY_POINTS, to = 0;
	double sum = 0;

	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++) {
		if (births[i] <= 0)
			continue;
		from = i < from ? i : from;
		to = i + 1;
		sum += births[i];
	}
	return sum > 0 ? kmt_clamp(independent(births, from, to) / sum, 0, 1) : 1;
}

/* Deaths between two ages say how many there should be beyond, if nothing changed. */
static bool is_safe_age(const struct kmt_evidence *evidence, unsigned int first, unsigned int bin,
			const struct kmt_survivors *survivors)
{
	double before = deaths_from(evidence->history, first) - survivors->deaths;
	double watched_s = watched_between(evidence->history, first, bin);
	double expected;

	/* Deaths in bin 0 are not counted: bin 1 is then the first age that was looked at. */
	if (bin == first || (first == 0 && bin == 1))
		return true;
	expected = watched_s > 0 ? before / watched_s * watched_after(survivors) : 0;
	expected *= independent_part(survivors->births);
	return expected >= survivors->deaths +
				   EXPECTED_DEATHS_DEVIATIONS * sqrt(survivors->deaths) +
				   EXPECTED_DEATHS_MIN;
}

/*
 * The bin of the grace period has deaths on both sides of it: all are counted, which is the safe
 * side. In bin 0 they are not counted at all, so that the search begins behind it.
 */
bool kmt_survivors_find(const struct kmt_evidence *evidence, bool is_certain,
			struct kmt_survivors *ret_survivors)
{
	bool is_counted = evidence->grace_ns >= KMT_AGE_FIRST_NS;
	unsigned int first = is_counted ? kmt_age_bin(evidence->grace_ns) : 1;
	struct kmt_survivors *survivors = ret_survivors, grace;

	for (unsigned int bin = first; bin < KMT_AGE_BINS; bin++) {
		bool is_grace = bin == first && is_counted;

		fill(evidence, is_grace ? evidence->grace_ns : kmt_age_bin_from(bin),
		     is_grace ? (double)evidence->mature_objects
			      : sum_from(evidence->history->live_ages, bin),
		     is_certain, survivors);
		survivors->deaths = deaths_from(evidence->history, bin);
		if (bin == first)
			grace = *survivors;
		if (survivors->nr < SURVIVORS_MIN)
			break;
		if (survivors->deaths > DEATHS_PART * survivors->nr)
			continue;
		survivors->has_dead_elders = has_dead_elders(evidence, bin);
		grace.has_dead_elders |= survivors->has_dead_elders;
		if (!survivors->has_dead_elders && is_safe_age(evidence, first, bin, survivors))
			return true;
	}
	*survivors = grace;
	return false;
}

/*
 * Births with a rate that goes as exp(drift t), t from 0 to 1: their mean is all that matters (Cox
 * and Lewis, The Statistical Analysis of Series of Events, 1966, 3.3). It is 1/2 if the rate is
 * steady, and that of an exponential distribution cut at 1 otherwise.
 */
static double mean_of_drift(double drift)
{
	if (fabs(drift) < 1e-4)
		return 0.5 + drift / 12;
	return -1 / expm1(-drift) - 1 / drift;
}

static double drift_of_mean(double mean)
{
	double low = -DRIFT_MAX, high = DRIFT_MAX;

	for (int i = 0; i < 50; i++) {
		double middle = (low + high) / 2;

		if (mean_of_drift(middle) < mean)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

/* The part of bucket @i that is in the window of @pace. */
static double clip(const struct kmt_survivors *survivors, const struct kmt_pace *pace, size_t i,
		   double *ret_middle_s)
{
	double from_s = fmax((double)i * survivors->bucket_s, pace->from_s);
	double to_s = fmin((double)(i + 1) * survivors->bucket_s, pace->to_s);

	*ret_middle_s = fmin(fmax((from_s + to_s) / 2, pace->from_s), pace->to_s);
	return fmax(to_s - from_s, 0);
}

static void measure_drift(const struct kmt_survivors *survivors, const double *births,
			  struct kmt_pace *pace)
{
	double length_s = pace->to_s - pace->from_s, sum = 0;
	size_t from = KMT_HISTORY_POINTS, to = 0;

	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++) {
		double middle_s;

		if (clip(survivors, pace, i, &middle_s) > 0) {
			from = i < from ? i : from;
			to = i + 1;
		}
		sum += births[i] * (middle_s - pace->from_s);
	}
	if (length_s <= 0 || pace->nr <= 0 || from >= to)
		return;
	pace->drift = drift_of_mean(sum / pace->nr / length_s);
	pace->independent = fmax(independent(births, from, to), 1);
	/* 1 / sqrt(n Var(t)), t even over 0..1 */
	pace->drift_error = sqrt(12 / pace->independent);
}

static void measure_silence(const struct kmt_survivors *survivors, const double *births,
			    struct kmt_pace *pace)
{
	double length_s = pace->to_s - pace->from_s, longest_s = 0;
	size_t first = 0, last = KMT_HISTORY_POINTS;
	double n;

	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++) {
		if (births[i] <= 0)
			continue;
		if (last == KMT_HISTORY_POINTS)
			first = i;
		else
			longest_s = fmax(longest_s, (double)(i - last - 1) * survivors->bucket_s);
		pace->runs += last == KMT_HISTORY_POINTS || i > last + 1;
		last = i;
	}
	if (last == KMT_HISTORY_POINTS)
		return;
	pace->first_s = fmax((double)first * survivors->bucket_s, pace->from_s);
	pace->last_s = fmin((double)(last + 1) * survivors->bucket_s, pace->to_s);
	pace->silence_s = fmax(pace->to_s - pace->last_s, 0);
	pace->patience_s = fmax(SILENCE_PART * length_s, 2 * survivors->bucket_s);
	pace->patience_s = fmax(pace->patience_s, SILENCE_FACTOR * longest_s);
	n = independent(births, first, last + 1);
	if (n > 1) /* (1 - silence / length)^n: none of them falls into the silence */
		pace->patience_s =
			fmax(pace->patience_s, length_s * (1 - pow(SILENCE_CHANCE, 1 / n)));
}

/* Of KMT_PACE_SLOTS in @from_s..to_s, those in which something was born. */
static unsigned int count_slots(const struct kmt_survivors *survivors, const double *births,
				const struct kmt_pace *pace, double from_s)
{
	double slot_s = (survivors->to_s - from_s) / KMT_PACE_SLOTS;
	bool is_used[KMT_PACE_SLOTS] = { false };
	unsigned int nr = 0;

	if (slot_s <= 0)
		return 0;
	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++) {
		double middle_s, slot;

		(void)clip(survivors, pace, i, &middle_s);
		slot = kmt_clamp((middle_s - from_s) / slot_s, 0, KMT_PACE_SLOTS - 1);
		if (births[i] > 0)
			is_used[(size_t)slot] = true;
	}
	for (size_t i = 0; i < KMT_PACE_SLOTS; i++)
		nr += is_used[i];
	return nr;
}

/*
 * If they died at random, of which @deaths were seen: the shortest mean lifetime that 1 in 20 would
 * still show so few deaths in all the time they were watched (a Poisson count's upper bound; 3 for
 * none: "rule of three", Hanley and Lippman-Hand, JAMA 249, 1983, p. 1743).
 */
static void bound_lifetime(const struct kmt_survivors *survivors, const double *births,
			   struct kmt_pace *pace)
{
	double d = survivors->deaths, watched_s = 0;

	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++) {
		double middle_s;

		(void)clip(survivors, pace, i, &middle_s);
		watched_s += births[i] * (pace->to_s - middle_s);
	}
	/* Some of a burst do die alone: half way between all and one of them */
	watched_s *= sqrt(independent_part(births));
	pace->lifetime_s = watched_s / (d + 1.645 * sqrt(d) + 3);
}

static void measure(const struct kmt_survivors *survivors, const double *births,
		    struct kmt_pace *pace)
{
	pace->nr = sum_births(births, KMT_HISTORY_POINTS);
	measure_silence(survivors, births, pace);
	measure_drift(survivors, births, pace);
	pace->occasions = count_slots(survivors, births, pace, survivors->from_s);
	pace->covered = count_slots(survivors, births, pace, pace->from_s);
	bound_lifetime(survivors, births, pace);
}

void kmt_pace_measure(const struct kmt_survivors *survivors, struct kmt_pace *ret_pace)
{
	struct kmt_pace pace = { .to_s = survivors->to_s, .from_s = survivors->from_s };
	double births[KMT_HISTORY_POINTS];

	memcpy(births, survivors->births, sizeof(births));
	trim(births, KMT_HISTORY_POINTS, floor(survivors->nr * STRAY_PART), false);
	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++)
		if (births[i] > 0) {
			pace.from_s = fmax((double)i * survivors->bucket_s, survivors->from_s);
			break;
		}
	measure(survivors, births, &pace);
	*ret_pace = pace;
}

void kmt_pace_measure_rest(const struct kmt_survivors *survivors, const struct kmt_pace *whole,
			   double part, struct kmt_pace *ret_pace)
{
	struct kmt_pace pace = { .to_s = whole->to_s };
	double births[KMT_HISTORY_POINTS] = { 0 };
	double cut_s = whole->from_s + part * (whole->to_s - whole->from_s);
	double skipped = survivors->bucket_s > 0 ? ceil(cut_s / survivors->bucket_s) : 0;
	size_t first = skipped < KMT_HISTORY_POINTS ? (size_t)skipped : KMT_HISTORY_POINTS;

	pace.from_s = fmin((double)first * survivors->bucket_s, whole->to_s);
	for (size_t i = first; i < KMT_HISTORY_POINTS; i++)
		births[i] = survivors->births[i];
	measure(survivors, births, &pace);
	*ret_pace = pace;
}

double kmt_survivors_born_before(const struct kmt_survivors *survivors, double time_s)
{
	double sum = 0;

	for (size_t i = 0; i < KMT_HISTORY_POINTS; i++)
		if ((double)(i + 1) * survivors->bucket_s <= time_s)
			sum += survivors->births[i];
	return sum;
}
