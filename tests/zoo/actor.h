/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_ACTOR_H
#define KMEMTAPE_ZOO_ACTOR_H

#include "machine.h"

/* What the actors do, each as its plan says. @nr: of the actor */
void zoo_actor_init(struct zoo_machine *machine, uint8_t nr);

/* Schedules what it does first. */
void zoo_actor_begin(struct zoo_machine *machine, uint8_t nr);
void zoo_actor_act(struct zoo_machine *machine, const struct zoo_action *action);

#endif
