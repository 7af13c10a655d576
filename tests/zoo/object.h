/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMEMTAPE_ZOO_OBJECT_H
#define KMEMTAPE_ZOO_OBJECT_H

#include "machine.h"

/* How objects come and go on the machine, and what of it is traced. */
int64_t zoo_from_s(double s);
double zoo_to_s(int64_t ns);

void zoo_schedule(struct zoo_machine *machine, int64_t time_ns, enum zoo_what what, uint32_t arg,
		  uint32_t generation);
void zoo_tick(struct zoo_machine *machine);
uint8_t zoo_random_cpu(struct zoo_machine *machine);
struct zoo_task *zoo_random_task(struct zoo_machine *machine, struct zoo_actor *actor);

/* Return: true if it goes onto the tape. */
bool zoo_trace(struct zoo_machine *machine, enum zoo_event_kind kind, int64_t time_ns, uint8_t actor,
	       uint64_t ptr, const struct zoo_task *task, bool is_irq);

/* How long after a free its trace comes, on this kernel. */
int64_t zoo_trace_delay_ns(struct zoo_machine *machine, const struct zoo_actor *actor);

/* @nr: of the actor; @by: NULL: by any of its tasks. Return: its place in the pool. */
uint32_t zoo_object_alloc(struct zoo_machine *machine, uint8_t nr, const struct zoo_task *by);
void zoo_object_free(struct zoo_machine *machine, uint32_t index, const struct zoo_task *by,
		     int64_t delay_ns);

/* To the allocator, without an event. */
void zoo_object_give_back(struct zoo_machine *machine, uint32_t index);

#endif
