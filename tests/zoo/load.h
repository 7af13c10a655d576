/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_LOAD_H
#define KMEMTAPE_ZOO_LOAD_H

#include "random.h"
#include "scenario.h"

/*
 * When the next object of an actor comes: a Poisson process whose rate varies, by thinning (Lewis,
 * Shedler 1979).
 *
 * @now_s: the one before it came then; in seconds since the beginning of the tape
 * @begun_s: the simulation did
 * @until_s: nothing of it is seen behind; what goes on to the end of the tape doesn't end there
 *
 * Return: INFINITY if none comes any more.
 */
double zoo_load_next(const struct zoo_actor_plan *plan, double now_s, double begun_s,
		     double until_s, struct zoo_random *random);

#endif
