// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>

#include "load.h"

#define BURST_SHARE 0.02 /* of the time between two */
#define DECAY_RATE  4.6	 /* e^-4.6 is 1 % */

/* Objects per time, with a mean of 1; @u: 0..1 from the beginning to the end. */
static double rate_at(const struct zoo_actor_plan *plan, double u)
{
	double phase;

	switch (plan->load) {
	case ZOO_DAY:
		return 1 + 0.82 * sin(2 * M_PI * plan->periods * u);
	case ZOO_RAMP:
		return u < 0 ? 0.18 : 0.18 + 1.64 * u;
	case ZOO_DECAY:
		return DECAY_RATE * exp(-DECAY_RATE * u) / (1 - exp(-DECAY_RATE));
	case ZOO_BURSTS:
		/* Each at a place of its own in the middle half of its period: a fixed hash of its
		 * number. */
		phase = u * plan->periods;
		phase -= floor(phase) + 0.25 + 0.5 * fmod(fabs(floor(phase)) * 0.6180339887, 1);
		return phase >= 0 && phase < BURST_SHARE ? 1 / BURST_SHARE : 0;
	case ZOO_CONST:
		break;
	}
	return 1;
}

static double peak_rate(const struct zoo_actor_plan *plan)
{
	switch (plan->load) {
	case ZOO_DAY:
	case ZOO_RAMP:
		return 1.82;
	case ZOO_DECAY:
		return rate_at(plan, 0);
	case ZOO_BURSTS:
		return 1 / BURST_SHARE;
	case ZOO_CONST:
		break;
	}
	return 1;
}

double zoo_load_next(const struct zoo_actor_plan *plan, double now_s, double begun_s,
		     double until_s, struct zoo_random *random)
{
	double begin_s = plan->from_s < 0 ? 0 : plan->from_s, length_s = plan->to_s - begin_s;
	double peak = peak_rate(plan);
	double at_s = fmax(now_s, plan->from_s < 0 ? begun_s : plan->from_s);

	if (plan->count <= 0)
		return INFINITY;
	do {
		at_s += zoo_random_exp(random, length_s / plan->count / peak);
		if (at_s > until_s)
			return INFINITY;
	} while (zoo_random_unit(random) * peak >= rate_at(plan, (at_s - begin_s) / length_s));
	return at_s;
}
