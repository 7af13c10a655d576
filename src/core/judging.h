/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMT_CORE_JUDGING_H
#define KMT_CORE_JUDGING_H

#include "kmemtape/judgement.h"
#include "kmemtape/trend.h"

#include "reasons.h"
#include "survivors.h"

/*
 * A judgement while it is being made. finding.c says what the survivors look like, confidence.c how
 * sure that is, classes.c what it is called and why; judgement.c asks them in order.
 */

#define NS_PER_S	   1e9
/*
 * Fewer are a handful: whatever they do is chance. Eight that nobody freed exclude a mean lifetime
 * below the length of the recording, just so.
 */
#define LEAK_OBJECTS_MIN   8
#define GROWTH_OBJECTS_MIN 4
/*
 * Births at so many of KMT_PACE_SLOTS different times: a module that loads or a daemon that starts
 * is one or two.
 */
#define LEAK_OCCASIONS	   4
#define GROWTH_OCCASIONS   3
#define COVERED_SLOTS	   8 /* nor are two that took some seconds each, of a short recording */
/*
 * The rate of births may fall by e^-1, to 37 % of what it was, as the load does. A cache that fills
 * with a time constant of 0.3 of the time has a drift of -3.3, of 0.5 one of -2. Few births have
 * some slack for chance: two standard deviations, but never as far as a filling.
 */
#define STEADY_DRIFT	   -1.0
#define STEADY_DRIFT_SLACK 0.6
#define FILLING_DRIFT	   -2.6
/*
 * Of the ends of objects, so many were seen by the reuse of the address only. Without loss it is 0
 * where all frees are traced; three may be a race of the recording's ends.
 */
#define UNTRACED_SHARE	   0.02
#define UNTRACED_REUSED	   3
#define UNTRACED_LIVE_PART 0.2 /* few of the ends, but not so few beside what is live */
#define UNTRACED_SHARE_BIG 0.3

/* What the survivors look like. */
enum kmt_finding {
	KMT_FOUND_FEW,
	KMT_FOUND_MORTAL, /* they die at any age */
	KMT_FOUND_STOPPED,
	KMT_FOUND_FILLING,
	KMT_FOUND_REFILLED, /* all that was there before died */
	/* From here on they rise. */
	KMT_FOUND_SLOWING,
	KMT_FOUND_PAUSED, /* nothing lately */
	KMT_FOUND_JUMPS,  /* going on, at too few times */
	KMT_FOUND_SHORT,  /* going on, for too short a time */
	KMT_FOUND_STEADY,
};

struct kmt_view {
	enum kmt_finding finding;
	struct kmt_survivors survivors;
	struct kmt_pace pace;
	bool has_age; /* beyond which hardly anything dies */
	bool is_rest; /* pace is of what came after a start-up */
};

struct kmt_judging {
	const struct kmt_evidence *evidence;
	struct kmt_judgement *judgement;
	struct kmt_reasons reasons;
	enum kmt_shape shape; /* of the live curve, from warm_s on */
	double warm_s;
	double untraced;       /* share of the ends that only reuse tells; 0: none, or loss */
	uint64_t reused, ends; /* of this share */
	uint64_t doubtful;     /* of the mature: a loss may hide their free */
	struct kmt_view view;
};

#define FOR(judging, ...)     kmt_reasons_add(&(judging)->reasons, true, __VA_ARGS__)
#define AGAINST(judging, ...) kmt_reasons_add(&(judging)->reasons, false, __VA_ARGS__)

#define UNTRACED_TEXT             \
	"%" PRIu64 " of %" PRIu64 \
	" ends were told only by the reuse of the address: no free was traced"
#define LOST_TEXT "lost events may hide the frees of %" PRIu64 " of %" PRIu64

static inline uint64_t kmt_min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline double kmt_clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

/* curve.c: the live curve */

/* Points that were taken while allocations were recorded, from @from_s on. Return: how many. */
size_t kmt_curve_take(const struct kmt_evidence *evidence, const uint64_t *curve, double from_s,
		      uint64_t *times_ns, double *values);
double kmt_curve_peak(const struct kmt_evidence *evidence);

/* Takes the view: the judging's shape and the judgement's trend follow from it. */
void kmt_judging_see(struct kmt_judging *judging, const struct kmt_view *view);

/* finding.c: all of them, or only those that no loss can explain */
void kmt_view_look(const struct kmt_evidence *evidence, bool is_certain, struct kmt_view *view);

/* confidence.c: of a leak, if there were no blind spots; and with them, each said */
double kmt_confidence_steady(const struct kmt_judging *judging);
double kmt_confidence_weigh(struct kmt_judging *judging, double confidence);

/* The kernel's own counters leave no room for so many. */
bool kmt_is_contradicted(const struct kmt_evidence *evidence, double objects);

/* classes.c: each decides, and says why */
void kmt_class_contradicted(struct kmt_judging *judging);
void kmt_class_untraced(struct kmt_judging *judging);
void kmt_class_uncertain(struct kmt_judging *judging);
void kmt_class_rest(struct kmt_judging *judging);
void kmt_class_steady(struct kmt_judging *judging);
void kmt_class_exposed(struct kmt_judging *judging);
void kmt_class_mortal(struct kmt_judging *judging);
void kmt_class_few(struct kmt_judging *judging);
void kmt_class_unsteady(struct kmt_judging *judging);
void kmt_class_unloaded(struct kmt_judging *judging);
void kmt_class_reclaimable(struct kmt_judging *judging);
void kmt_class_owned(struct kmt_judging *judging);
void kmt_class_young(struct kmt_judging *judging);

#endif
