// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdlib.h>

#include "actor.h"
#include "fatal.h"
#include "load.h"
#include "object.h"

#define HANDOFF_SHARE  0.3     /* of the frees */
#define HANDOFF_NS     20000.0 /* mean; well below the millisecond of kernel-facts.md */
#define FUNCTION_BYTES 0x1000u

static double draw_life_s(struct zoo_machine *machine, const struct zoo_life *life)
{
	switch (life->kind) {
	case ZOO_EXP:
		return zoo_random_exp(machine->random, life->s);
	case ZOO_FIXED:
		return life->s * zoo_random_between(machine->random, 0.98, 1.02);
	case ZOO_PARETO:
		return zoo_random_pareto(machine->random, life->s, 1.5);
	case ZOO_FOREVER:
		break;
	}
	return INFINITY;
}

static void hold(struct zoo_actor *actor, uint32_t index)
{
	if (actor->nr_held == actor->held_room) {
		size_t room = actor->held_room * 2 + 256;
		uint32_t *grown = zoo_calloc(room, sizeof(*grown));

		for (size_t i = 0; i < actor->nr_held; i++)
			grown[i] = actor->held[(actor->held_at + i) % actor->held_room];
		free(actor->held);
		actor->held = grown;
		actor->held_room = room;
		actor->held_at = 0;
	}
	actor->held[(actor->held_at + actor->nr_held++) % actor->held_room] = index;
}

static uint32_t unhold(struct zoo_actor *actor)
{
	uint32_t index = actor->held[actor->held_at];

	actor->held_at = (actor->held_at + 1) % actor->held_room;
	actor->nr_held--;
	return index;
}

/* A cache is full: the one that was not used for longest goes, or most of them. */
static void evict(struct zoo_machine *machine, struct zoo_actor *actor)
{
	const struct zoo_actor_plan *plan = actor->plan;
	size_t keep = (size_t)plan->limit;

	if (actor->nr_held <= (size_t)plan->limit)
		return;
	if (plan->kind == ZOO_SAWTOOTH)
		keep = (size_t)(plan->limit * plan->keep);
	while (actor->nr_held > keep)
		zoo_object_free(machine, unhold(actor), NULL, 0);
}

static void arrive_object(struct zoo_machine *machine, uint8_t nr)
{
	struct zoo_actor *actor = &machine->actors[nr];
	uint32_t index = zoo_object_alloc(machine, nr, NULL);
	double life_s;

	if (machine->pool.objects[index].is_leaked)
		return;
	if (actor->plan->kind == ZOO_LRU || actor->plan->kind == ZOO_SAWTOOTH) {
		hold(actor, index);
		evict(machine, actor);
		return;
	}
	life_s = draw_life_s(machine, &actor->plan->life);
	if (life_s < zoo_to_s(machine->end_ns) - zoo_to_s(machine->now_ns))
		zoo_schedule(machine, machine->now_ns + zoo_from_s(life_s), ZOO_DEATH, index,
			     machine->pool.objects[index].generation);
}

static void schedule_arrival(struct zoo_machine *machine, uint8_t nr)
{
	const struct zoo_actor_plan *plan = machine->actors[nr].plan;
	double until_s =
		plan->to_s < machine->scenario->length_s ? plan->to_s : zoo_to_s(machine->end_ns);
	double at_s = zoo_load_next(plan, zoo_to_s(machine->now_ns), -machine->scenario->age_s,
				    until_s, machine->random);

	if (plan->kind != ZOO_HANDOFF && at_s <= until_s)
		zoo_schedule(machine, zoo_from_s(at_s), ZOO_ARRIVAL, nr, 0);
}

/*
 * One CPU frees, another one is given the address at once, and the first one only then gets to
 * trace its free: kernel-facts.md, "Order, clocks, loss".
 */
static void hand_on(struct zoo_machine *machine, uint32_t index)
{
	struct zoo_object *object = &machine->pool.objects[index];
	uint8_t nr = object->actor;
	struct zoo_actor *actor = &machine->actors[nr];
	struct zoo_task by = *zoo_random_task(machine, actor);
	struct zoo_slab *slab = object->slot.slab;
	uint8_t owner = slab->cpu >= 0 ? (uint8_t)slab->cpu : by.cpu;
	int64_t delay_ns = 2 + (int64_t)zoo_random_exp(machine->random, HANDOFF_NS);

	if (zoo_random_unit(machine->random) >= HANDOFF_SHARE) {
		zoo_object_free(machine, index, &by, zoo_trace_delay_ns(machine, actor));
		zoo_schedule(machine, machine->now_ns + ZOO_NS_PER_S / 100, ZOO_HANDED_ON,
			     (uint32_t)zoo_random_cpu(machine) << 8 | nr, 0);
		return;
	}
	if (owner == by.cpu && machine->scenario->cpus > 1)
		by.cpu = (uint8_t)((by.cpu + 1) % machine->scenario->cpus);
	zoo_object_free(machine, index, &by, machine->has_late_frees ? delay_ns : 0);
	zoo_schedule(machine, machine->now_ns + delay_ns / 2, ZOO_HANDED_ON,
		     (uint32_t)owner << 8 | nr, 0);
}

static void begin_handoff_life(struct zoo_machine *machine, uint32_t index)
{
	const struct zoo_actor_plan *plan =
		machine->actors[machine->pool.objects[index].actor].plan;
	double life_s = plan->limit * machine->scenario->length_s / plan->count;

	zoo_schedule(machine, machine->now_ns + zoo_from_s(zoo_random_exp(machine->random, life_s)),
		     ZOO_DEATH, index, machine->pool.objects[index].generation);
}

static void be_handed(struct zoo_machine *machine, uint32_t arg)
{
	struct zoo_task by = machine->actors[arg & 0xff].tasks[0];
	uint32_t index;

	by.cpu = (uint8_t)(arg >> 8);
	do { /* another one takes the place of what is leaked */
		index = zoo_object_alloc(machine, (uint8_t)arg, &by);
	} while (machine->pool.objects[index].is_leaked);
	begin_handoff_life(machine, index);
}

static void begin_handoffs(struct zoo_machine *machine, uint8_t nr)
{
	for (size_t i = 0; i < (size_t)machine->actors[nr].plan->limit;) {
		uint32_t index = zoo_object_alloc(machine, nr, NULL);

		if (machine->pool.objects[index].is_leaked)
			continue;
		begin_handoff_life(machine, index);
		i++;
	}
}

static void die(struct zoo_machine *machine, uint32_t index)
{
	struct zoo_actor *actor = &machine->actors[machine->pool.objects[index].actor];

	if (actor->plan->kind == ZOO_HANDOFF)
		hand_on(machine, index);
	else
		zoo_object_free(machine, index, NULL, zoo_trace_delay_ns(machine, actor));
}

static void trace_module(struct zoo_machine *machine, enum zoo_event_kind kind, uint8_t nr)
{
	struct zoo_task modprobe = { 2000u + nr, zoo_random_cpu(machine) };

	zoo_tick(machine);
	(void)zoo_trace(machine, kind, machine->now_ns, nr, 0, &modprobe, false);
}

/* What it still knows of, it frees; what it leaked it doesn't know any more. */
static void unload(struct zoo_machine *machine, uint8_t nr)
{
	struct zoo_actor *actor = &machine->actors[nr];

	actor->is_gone = true;
	for (uint32_t i = 0; i < machine->pool.nr && !actor->plan->keeps_after_unload; i++) {
		const struct zoo_object *object = &machine->pool.objects[i];

		if (zoo_object_is_here(object) && object->actor == nr && !object->is_leaked &&
		    !object->is_dead)
			zoo_object_free(machine, i, &actor->tasks[0], 0);
	}
	trace_module(machine, ZOO_EVENT_MODULE_FREE, nr);
}

void zoo_actor_act(struct zoo_machine *machine, const struct zoo_action *action)
{
	struct zoo_actor *actor = &machine->actors[action->arg % ZOO_ACTORS_MAX];
	uint8_t nr = (uint8_t)action->arg;
	bool is_stale = (action->what == ZOO_DEATH || action->what == ZOO_GIVE_BACK) &&
			machine->pool.objects[action->arg].generation != action->generation;

	if (is_stale)
		return;
	switch (action->what) {
	case ZOO_ARRIVAL:
		if (!actor->is_gone)
			arrive_object(machine, nr);
		schedule_arrival(machine, nr);
		break;
	case ZOO_DEATH:
		die(machine, action->arg);
		break;
	case ZOO_GIVE_BACK:
		zoo_object_give_back(machine, action->arg);
		break;
	case ZOO_HANDED_ON:
		be_handed(machine, action->arg);
		break;
	case ZOO_LOAD:
		trace_module(machine, ZOO_EVENT_MODULE_LOAD, nr);
		break;
	case ZOO_UNLOAD:
		unload(machine, nr);
		break;
	case ZOO_SNAPSHOT:
		break; /* the machine's */
	}
}

void zoo_actor_init(struct zoo_machine *machine, uint8_t nr)
{
	struct zoo_actor *actor = &machine->actors[nr];
	struct zoo_actor_plan *plan = &machine->scenario->actors[nr];

	*actor = (struct zoo_actor){ .plan = plan };
	actor->cache = zoo_memory_cache(&machine->memory, plan->cache, (unsigned int)plan->bytes,
					plan->is_reclaimable);
	actor->bytes_req =
		actor->cache->is_kmalloc ? (unsigned int)plan->bytes : actor->cache->bytes;
	actor->function = 0xffffffff81000000 + (nr + 1) * (uint64_t)0x10000;
	if (*plan->module)
		actor->function = 0xffffffffc0000000 + nr * (uint64_t)0x20000;
	actor->free_function = actor->function + FUNCTION_BYTES;
	actor->nr_tasks = 1 + (unsigned int)zoo_random_below(machine->random, ZOO_TASKS_MAX);
	for (unsigned int i = 0; i < actor->nr_tasks; i++)
		actor->tasks[i] = (struct zoo_task){ 100u * (nr + 1) + i, zoo_random_cpu(machine) };
	if (plan->unload_s >= 0 && plan->to_s > plan->unload_s)
		plan->to_s = plan->unload_s;
}

void zoo_actor_begin(struct zoo_machine *machine, uint8_t nr)
{
	const struct zoo_actor_plan *plan = machine->actors[nr].plan;

	if (plan->kind == ZOO_HANDOFF)
		begin_handoffs(machine, nr);
	else
		schedule_arrival(machine, nr);
	if (plan->load_s >= 0)
		zoo_schedule(machine, zoo_from_s(plan->load_s), ZOO_LOAD, nr, 0);
	if (plan->unload_s >= 0)
		zoo_schedule(machine, zoo_from_s(plan->unload_s), ZOO_UNLOAD, nr, 0);
}
