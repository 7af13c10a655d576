/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef KMEMTAPE_TREND_H
#define KMEMTAPE_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmemtape/history.h"
#include "kmemtape/judgement.h"

/*
 * Robust fits on short series. Slopes are the median over all pairs of points (Theil 1950, Sen,
 * "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968, p. 1379): up to
 * 29 % of the points may be anything without moving it far. Whether there is a trend at all is
 * Kendall's S (Mann, Econometrica 13, 1945, p. 245; Kendall, Rank Correlation Methods, 1975, for
 * ties).
 */
#define KMT_FIT_POINTS_MAX KMT_HISTORY_POINTS /* nr^2 / 2 pairs are on the stack */

struct kmt_fit {
	size_t nr;
	double slope;	  /* per second; 0 below 2 points */
	double low, high; /* its 95 % interval; the slopes' extremes below 4 points */
	double s;	  /* Kendall's: pairs that rise less pairs that fall */
	double z; /* S as a standard normal, corrected for ties and continuity; 0 below 4 points */
};

/**
 * kmt_fit() - fit a line
 * @times_ns: strictly rising
 * @values: as many
 * @nr: KMT_FIT_POINTS_MAX at most
 */
void kmt_fit(const uint64_t *times_ns, const double *values, size_t nr, struct kmt_fit *ret_fit);

/**
 * kmt_shape() - what the series looks like: see the rules in trend.c
 * @values: at times that are the same distance apart, or nearly so
 * @noise: by how much @values may differ from one point to the next and mean nothing
 */
enum kmt_shape kmt_shape(const double *values, size_t nr, double noise);

#endif
