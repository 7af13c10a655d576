// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>

#include "fatal.h"
#include "object.h"

#define OTHER_TASK_FREES  0.35 /* of the frees; the others are by the task that allocated last */
#define TASK_MIGRATES	  0.01
#define LATE_NS		  1500.0 /* mean time between a free and its trace, before Linux 5.16 */
#define LATE_INTERRUPTED  0.005
#define LATE_INTERRUPT_NS 300000.0

/* What comes behind the end of the tape, nobody will see. */
void zoo_schedule(struct zoo_machine *machine, int64_t time_ns, enum zoo_what what, uint32_t arg,
		  uint32_t generation)
{
	if (time_ns <= machine->end_ns)
		zoo_queue_add(&machine->queue, time_ns, what, arg, generation);
}

int64_t zoo_from_s(double s)
{
	return (int64_t)(s * (double)ZOO_NS_PER_S);
}

double zoo_to_s(int64_t ns)
{
	return (double)ns / (double)ZOO_NS_PER_S;
}

/* No two things happen in the same nanosecond: then the order is known, whatever the CPU. */
void zoo_tick(struct zoo_machine *machine)
{
	machine->now_ns++;
}

/* The kernel's filter `!(ptr & mask)` of 1-in-N sampling. */
static bool is_sampled(const struct zoo_machine *machine, uint64_t ptr)
{
	return !(ptr & ((uint64_t)machine->scenario->sample - 1) * 4096);
}

static bool is_on_tape(const struct zoo_machine *machine, enum zoo_event_kind kind, int64_t time_ns,
		       uint64_t ptr)
{
	if (time_ns < 0 || time_ns > machine->end_ns)
		return false;
	if (kind == ZOO_EVENT_ALLOC && time_ns > machine->allocs_off_ns)
		return false;
	return kind > ZOO_EVENT_FREE || is_sampled(machine, ptr);
}

/* Return: true if it goes onto the tape. */
bool zoo_trace(struct zoo_machine *machine, enum zoo_event_kind kind, int64_t time_ns,
	       uint8_t actor, uint64_t ptr, const struct zoo_task *task, bool is_irq)
{
	if (!is_on_tape(machine, kind, time_ns, ptr))
		return false;
	if (machine->nr_events == machine->events_room) {
		machine->events_room = machine->events_room * 2 + 4096;
		machine->events = zoo_realloc(machine->events,
					      machine->events_room * sizeof(*machine->events));
	}
	machine->events[machine->nr_events++] = (struct zoo_event){
		.time_ns = time_ns,
		.ptr = ptr,
		.pid = task->pid,
		.cpu = task->cpu,
		.kind = (uint8_t)kind,
		.flags = is_irq ? ZOO_SOFTIRQ : 0,
		.actor = actor,
	};
	return true;
}

uint8_t zoo_random_cpu(struct zoo_machine *machine)
{
	return (uint8_t)zoo_random_below(machine->random, machine->scenario->cpus);
}

struct zoo_task *zoo_random_task(struct zoo_machine *machine, struct zoo_actor *actor)
{
	struct zoo_task *task = &actor->tasks[zoo_random_below(machine->random, actor->nr_tasks)];

	if (zoo_random_unit(machine->random) < TASK_MIGRATES)
		task->cpu = zoo_random_cpu(machine);
	return task;
}

static struct zoo_task who(struct zoo_machine *machine, struct zoo_actor *actor, bool is_irq)
{
	struct zoo_task task = *zoo_random_task(machine, actor);

	if (is_irq)
		task.cpu = zoo_random_cpu(machine);
	return task;
}

static bool is_irq(struct zoo_machine *machine, const struct zoo_actor *actor)
{
	return actor->plan->irq > 0 && zoo_random_unit(machine->random) < actor->plan->irq;
}

/* One in each so many, at any place among them. */
static bool is_leaked(struct zoo_machine *machine, struct zoo_actor *actor)
{
	const struct zoo_actor_plan *plan = actor->plan;
	uint64_t every;

	if (plan->leaks <= 0)
		return plan->leak_share > 0 && zoo_random_unit(machine->random) < plan->leak_share;
	every = (uint64_t)fmax(1, plan->count / plan->leaks);
	if (actor->nr_born % every == 0)
		actor->next_leak = actor->nr_born + zoo_random_below(machine->random, every);
	return actor->nr_born == actor->next_leak;
}

void zoo_object_give_back(struct zoo_machine *machine, uint32_t index)
{
	zoo_slab_free(&machine->memory, machine->pool.objects[index].slot);
	zoo_pool_give(&machine->pool, index);
}

/* Not yet for the allocator: RCU's callbacks run together, some time later. */
static void give_back_later(struct zoo_machine *machine, uint32_t index, double delay_s)
{
	int64_t batch_ns = zoo_from_s(delay_s);

	machine->pool.objects[index].is_dead = true;
	zoo_schedule(machine, (machine->now_ns / batch_ns + 2) * batch_ns, ZOO_GIVE_BACK, index,
		     machine->pool.objects[index].generation);
}

int64_t zoo_trace_delay_ns(struct zoo_machine *machine, const struct zoo_actor *actor)
{
	if (!machine->has_late_frees || actor->cache->is_kmalloc)
		return 0;
	if (zoo_random_unit(machine->random) < LATE_INTERRUPTED)
		return (int64_t)zoo_random_exp(machine->random, LATE_INTERRUPT_NS);
	return (int64_t)zoo_random_exp(machine->random, LATE_NS);
}

/* By @by; NULL: by whom it happens to be. */
void zoo_object_free(struct zoo_machine *machine, uint32_t index, const struct zoo_task *by,
		     int64_t delay_ns)
{
	struct zoo_object *object = &machine->pool.objects[index];
	struct zoo_actor *actor = &machine->actors[object->actor];
	const struct zoo_actor_plan *plan = actor->plan;
	bool is_untraced = plan->untraced > 0 && zoo_random_unit(machine->random) < plan->untraced;
	bool is_in_irq = !by && is_irq(machine, actor);
	struct zoo_task task = by ? *by : actor->tasks[0];

	zoo_tick(machine);
	if (!by && (is_in_irq || zoo_random_unit(machine->random) < OTHER_TASK_FREES))
		task = who(machine, actor, is_in_irq);
	if (!is_untraced)
		(void)zoo_trace(machine, ZOO_EVENT_FREE, machine->now_ns + delay_ns, object->actor,
				zoo_slot_address(object->slot), &task, is_in_irq);
	if (is_untraced && plan->rcu_s > 0)
		give_back_later(machine, index, plan->rcu_s);
	else
		zoo_object_give_back(machine, index);
}

uint32_t zoo_object_alloc(struct zoo_machine *machine, uint8_t nr, const struct zoo_task *by)
{
	struct zoo_actor *actor = &machine->actors[nr];
	bool is_in_irq = !by && is_irq(machine, actor);
	struct zoo_task task = by ? *by : who(machine, actor, is_in_irq);
	uint32_t index = zoo_pool_take(&machine->pool);
	struct zoo_object *object = &machine->pool.objects[index];

	zoo_tick(machine);
	object->slot = zoo_slab_alloc(&machine->memory, actor->cache, task.cpu);
	object->born_ns = machine->now_ns;
	object->actor = nr;
	object->is_dead = false;
	object->is_leaked = is_leaked(machine, actor);
	actor->nr_born++;
	object->is_recorded = zoo_trace(machine, ZOO_EVENT_ALLOC, machine->now_ns, nr,
					zoo_slot_address(object->slot), &task, is_in_irq);
	return index;
}
