// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "counters-text.h"
#include "fatal.h"
#include "machine.h"

#define OTHER_TASK_FREES  0.35 /* of the frees; the others are by the task that allocated last */
#define TASK_MIGRATES	  0.01
#define LATE_NS		  1500.0 /* mean time between a free and its trace, before Linux 5.16 */
#define LATE_INTERRUPTED  0.005
#define LATE_INTERRUPT_NS 300000.0
#define HANDOFF_SHARE	  0.3	  /* of the frees */
#define HANDOFF_NS	  20000.0 /* mean; well below the millisecond of kernel-facts.md */
#define BURST_SHARE	  0.02	  /* of the time between two */
#define DECAY_RATE	  4.6	  /* e^-4.6 is 1 % */
#define SNAPSHOTS_MANY	  16
#define SNAPSHOT_EVERY_NS (10 * ZOO_NS_PER_S)
#define FUNCTION_BYTES	  0x1000u

enum what {
	ARRIVAL,   /* of an object of an actor */
	DEATH,	   /* of an object */
	GIVE_BACK, /* after its RCU grace period */
	HANDED_ON, /* the other half of a handoff */
	LOAD,
	UNLOAD,
	SNAPSHOT,
};

struct zoo_action {
	int64_t time_ns;
	uint64_t order; /* first come, first served */
	uint32_t arg, generation;
	enum what what;
};

static bool is_before(const struct zoo_action *a, const struct zoo_action *b)
{
	return a->time_ns < b->time_ns || (a->time_ns == b->time_ns && a->order < b->order);
}

static void schedule(struct zoo_machine *machine, int64_t time_ns, enum what what, uint32_t arg,
		     uint32_t generation)
{
	struct zoo_action action = { time_ns, machine->nr_actions++, arg, generation, what };
	size_t i = machine->nr_queue++;

	if (time_ns > machine->end_ns) { /* nobody will see it */
		machine->nr_queue--;
		return;
	}
	if (machine->nr_queue > machine->queue_room) {
		machine->queue_room = machine->queue_room * 2 + 1024;
		machine->queue =
			zoo_realloc(machine->queue, machine->queue_room * sizeof(*machine->queue));
	}
	for (; i > 0 && is_before(&action, &machine->queue[(i - 1) / 2]); i = (i - 1) / 2)
		machine->queue[i] = machine->queue[(i - 1) / 2];
	machine->queue[i] = action;
}

static struct zoo_action take_first(struct zoo_machine *machine)
{
	struct zoo_action first = machine->queue[0], last = machine->queue[--machine->nr_queue];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < machine->nr_queue) {
		if (child + 1 < machine->nr_queue &&
		    is_before(&machine->queue[child + 1], &machine->queue[child]))
			child++;
		if (!is_before(&machine->queue[child], &last))
			break;
		machine->queue[i] = machine->queue[child];
		i = child;
	}
	machine->queue[i] = last;
	return first;
}

static int64_t from_s(double s)
{
	return (int64_t)(s * (double)ZOO_NS_PER_S);
}

static double to_s(int64_t ns)
{
	return (double)ns / (double)ZOO_NS_PER_S;
}

/* No two things happen in the same nanosecond: then the order is known, whatever the CPU. */
static void tick(struct zoo_machine *machine)
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
static bool trace(struct zoo_machine *machine, enum zoo_event_kind kind, int64_t time_ns,
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

static uint8_t random_cpu(struct zoo_machine *machine)
{
	return (uint8_t)zoo_random_below(machine->random, machine->scenario->cpus);
}

static struct zoo_task *random_task(struct zoo_machine *machine, struct zoo_actor *actor)
{
	struct zoo_task *task = &actor->tasks[zoo_random_below(machine->random, actor->nr_tasks)];

	if (zoo_random_unit(machine->random) < TASK_MIGRATES)
		task->cpu = random_cpu(machine);
	return task;
}

static struct zoo_task who(struct zoo_machine *machine, struct zoo_actor *actor, bool is_irq)
{
	struct zoo_task task = *random_task(machine, actor);

	if (is_irq)
		task.cpu = random_cpu(machine);
	return task;
}

static bool is_irq(struct zoo_machine *machine, const struct zoo_actor *actor)
{
	return actor->plan->irq > 0 && zoo_random_unit(machine->random) < actor->plan->irq;
}

static uint32_t take_place(struct zoo_machine *machine)
{
	if (machine->nr_unused)
		return machine->unused[--machine->nr_unused];
	if (machine->nr_pool == machine->pool_room) {
		machine->pool_room = machine->pool_room * 2 + 1024;
		machine->pool =
			zoo_realloc(machine->pool, machine->pool_room * sizeof(*machine->pool));
	}
	machine->pool[machine->nr_pool] = (struct zoo_object){ .generation = 0 };
	return machine->nr_pool++;
}

static void release_place(struct zoo_machine *machine, uint32_t index)
{
	machine->pool[index].generation++;
	if (machine->nr_unused == machine->unused_room) {
		machine->unused_room = machine->unused_room * 2 + 1024;
		machine->unused = zoo_realloc(machine->unused,
					      machine->unused_room * sizeof(*machine->unused));
	}
	machine->unused[machine->nr_unused++] = index;
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

static void give_back(struct zoo_machine *machine, uint32_t index)
{
	zoo_slab_free(&machine->memory, machine->pool[index].slot);
	release_place(machine, index);
}

/* Not yet for the allocator: RCU's callbacks run together, some time later. */
static void give_back_later(struct zoo_machine *machine, uint32_t index, double delay_s)
{
	int64_t batch_ns = from_s(delay_s);

	machine->pool[index].is_dead = true;
	schedule(machine, (machine->now_ns / batch_ns + 2) * batch_ns, GIVE_BACK, index,
		 machine->pool[index].generation);
}

static int64_t trace_delay_ns(struct zoo_machine *machine, const struct zoo_actor *actor)
{
	if (!machine->has_late_frees || actor->cache->is_kmalloc)
		return 0;
	if (zoo_random_unit(machine->random) < LATE_INTERRUPTED)
		return (int64_t)zoo_random_exp(machine->random, LATE_INTERRUPT_NS);
	return (int64_t)zoo_random_exp(machine->random, LATE_NS);
}

/* By @by; NULL: by whom it happens to be. */
static void free_object(struct zoo_machine *machine, uint32_t index, const struct zoo_task *by,
			int64_t delay_ns)
{
	struct zoo_object *object = &machine->pool[index];
	struct zoo_actor *actor = &machine->actors[object->actor];
	const struct zoo_actor_plan *plan = actor->plan;
	bool is_untraced = plan->untraced > 0 && zoo_random_unit(machine->random) < plan->untraced;
	bool is_in_irq = !by && is_irq(machine, actor);
	struct zoo_task task = by ? *by : actor->tasks[0];

	tick(machine);
	if (!by && (is_in_irq || zoo_random_unit(machine->random) < OTHER_TASK_FREES))
		task = who(machine, actor, is_in_irq);
	if (!is_untraced)
		(void)trace(machine, ZOO_EVENT_FREE, machine->now_ns + delay_ns, object->actor,
			    zoo_slot_address(object->slot), &task, is_in_irq);
	if (is_untraced && plan->rcu_s > 0)
		give_back_later(machine, index, plan->rcu_s);
	else
		give_back(machine, index);
}

static uint32_t alloc_object(struct zoo_machine *machine, uint8_t nr, const struct zoo_task *by)
{
	struct zoo_actor *actor = &machine->actors[nr];
	bool is_in_irq = !by && is_irq(machine, actor);
	struct zoo_task task = by ? *by : who(machine, actor, is_in_irq);
	uint32_t index = take_place(machine);
	struct zoo_object *object = &machine->pool[index];

	tick(machine);
	object->slot = zoo_slab_alloc(&machine->memory, actor->cache, task.cpu);
	object->generation++;
	object->born_ns = machine->now_ns;
	object->actor = nr;
	object->is_dead = false;
	object->is_leaked = is_leaked(machine, actor);
	actor->nr_born++;
	object->is_recorded = trace(machine, ZOO_EVENT_ALLOC, machine->now_ns, nr,
				    zoo_slot_address(object->slot), &task, is_in_irq);
	return index;
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
		free_object(machine, unhold(actor), NULL, 0);
}

static void arrive_object(struct zoo_machine *machine, uint8_t nr)
{
	struct zoo_actor *actor = &machine->actors[nr];
	uint32_t index = alloc_object(machine, nr, NULL);
	double life_s;

	if (machine->pool[index].is_leaked)
		return;
	if (actor->plan->kind == ZOO_LRU || actor->plan->kind == ZOO_SAWTOOTH) {
		hold(actor, index);
		evict(machine, actor);
		return;
	}
	life_s = draw_life_s(machine, &actor->plan->life);
	if (life_s < to_s(machine->end_ns) - to_s(machine->now_ns))
		schedule(machine, machine->now_ns + from_s(life_s), DEATH, index,
			 machine->pool[index].generation);
}

/* Objects per time, with a mean of 1; @u: 0..1 from the beginning to the end. */
static double load_at(const struct zoo_actor_plan *plan, double u)
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

static double load_peak(const struct zoo_actor_plan *plan)
{
	switch (plan->load) {
	case ZOO_DAY:
	case ZOO_RAMP:
		return 1.82;
	case ZOO_DECAY:
		return load_at(plan, 0);
	case ZOO_BURSTS:
		return 1 / BURST_SHARE;
	case ZOO_CONST:
		break;
	}
	return 1;
}

/* A Poisson process whose rate varies, by thinning (Lewis, Shedler 1979). */
static void schedule_arrival(struct zoo_machine *machine, uint8_t nr)
{
	const struct zoo_actor_plan *plan = machine->actors[nr].plan;
	double begin_s = plan->from_s < 0 ? 0 : plan->from_s, length_s = plan->to_s - begin_s;
	double peak = load_peak(plan), mean_s = length_s / plan->count / peak;
	double at_s = fmax(to_s(machine->now_ns),
			   plan->from_s < 0 ? -machine->scenario->age_s : plan->from_s);
	/* What goes on to the end of the tape doesn't end there. */
	double until_s =
		plan->to_s < machine->scenario->length_s ? plan->to_s : to_s(machine->end_ns);

	if (plan->count <= 0 || plan->kind == ZOO_HANDOFF)
		return;
	do {
		at_s += zoo_random_exp(machine->random, mean_s);
		if (at_s > until_s)
			return;
	} while (zoo_random_unit(machine->random) * peak >=
		 load_at(plan, (at_s - begin_s) / length_s));
	schedule(machine, from_s(at_s), ARRIVAL, nr, 0);
}

/*
 * One CPU frees, another one is given the address at once, and the first one only then gets to
 * trace its free: kernel-facts.md, "Order, clocks, loss".
 */
static void hand_on(struct zoo_machine *machine, uint32_t index)
{
	struct zoo_object *object = &machine->pool[index];
	uint8_t nr = object->actor;
	struct zoo_actor *actor = &machine->actors[nr];
	struct zoo_task by = *random_task(machine, actor);
	struct zoo_slab *slab = object->slot.slab;
	uint8_t owner = slab->cpu >= 0 ? (uint8_t)slab->cpu : by.cpu;
	int64_t delay_ns = 2 + (int64_t)zoo_random_exp(machine->random, HANDOFF_NS);

	if (zoo_random_unit(machine->random) >= HANDOFF_SHARE) {
		free_object(machine, index, &by, trace_delay_ns(machine, actor));
		schedule(machine, machine->now_ns + ZOO_NS_PER_S / 100, HANDED_ON,
			 (uint32_t)random_cpu(machine) << 8 | nr, 0);
		return;
	}
	if (owner == by.cpu && machine->scenario->cpus > 1)
		by.cpu = (uint8_t)((by.cpu + 1) % machine->scenario->cpus);
	free_object(machine, index, &by, machine->has_late_frees ? delay_ns : 0);
	schedule(machine, machine->now_ns + delay_ns / 2, HANDED_ON, (uint32_t)owner << 8 | nr, 0);
}

static void begin_handoff_life(struct zoo_machine *machine, uint32_t index)
{
	const struct zoo_actor_plan *plan = machine->actors[machine->pool[index].actor].plan;
	double life_s = plan->limit * machine->scenario->length_s / plan->count;

	schedule(machine, machine->now_ns + from_s(zoo_random_exp(machine->random, life_s)), DEATH,
		 index, machine->pool[index].generation);
}

static void be_handed(struct zoo_machine *machine, uint32_t arg)
{
	struct zoo_task by = machine->actors[arg & 0xff].tasks[0];
	uint32_t index;

	by.cpu = (uint8_t)(arg >> 8);
	do { /* another one takes the place of what is leaked */
		index = alloc_object(machine, (uint8_t)arg, &by);
	} while (machine->pool[index].is_leaked);
	begin_handoff_life(machine, index);
}

static void begin_handoffs(struct zoo_machine *machine, uint8_t nr)
{
	for (size_t i = 0; i < (size_t)machine->actors[nr].plan->limit;) {
		uint32_t index = alloc_object(machine, nr, NULL);

		if (machine->pool[index].is_leaked)
			continue;
		begin_handoff_life(machine, index);
		i++;
	}
}

static void trace_module(struct zoo_machine *machine, enum zoo_event_kind kind, uint8_t nr)
{
	struct zoo_task modprobe = { 2000u + nr, random_cpu(machine) };

	tick(machine);
	(void)trace(machine, kind, machine->now_ns, nr, 0, &modprobe, false);
}

/* What it still knows of, it frees; what it leaked it doesn't know any more. */
static void unload(struct zoo_machine *machine, uint8_t nr)
{
	struct zoo_actor *actor = &machine->actors[nr];

	actor->is_gone = true;
	for (uint32_t i = 0; i < machine->nr_pool && !actor->plan->keeps_after_unload; i++) {
		const struct zoo_object *object = &machine->pool[i];

		if (object->generation % 2 && object->actor == nr && !object->is_leaked &&
		    !object->is_dead)
			free_object(machine, i, &actor->tasks[0], 0);
	}
	trace_module(machine, ZOO_EVENT_MODULE_FREE, nr);
}

static void take_snapshot(struct zoo_machine *machine, uint32_t which)
{
	static const char *const whys[] = { "start", "interval", "end" };
	struct zoo_snapshot *snapshot;

	machine->snapshots = zoo_realloc(machine->snapshots,
					 (machine->nr_snapshots + 1) * sizeof(*machine->snapshots));
	snapshot = &machine->snapshots[machine->nr_snapshots++];
	snapshot->time_ns = machine->now_ns;
	snapshot->why = whys[which];
	snapshot->text = zoo_counters_text(machine);
}

static void act(struct zoo_machine *machine, const struct zoo_action *action)
{
	struct zoo_actor *actor = &machine->actors[action->arg % ZOO_ACTORS_MAX];
	uint8_t nr = (uint8_t)action->arg;
	bool is_stale = (action->what == DEATH || action->what == GIVE_BACK) &&
			machine->pool[action->arg].generation != action->generation;

	if (is_stale)
		return;
	switch (action->what) {
	case ARRIVAL:
		if (!actor->is_gone)
			arrive_object(machine, nr);
		schedule_arrival(machine, nr);
		break;
	case DEATH:
		if (machine->actors[machine->pool[action->arg].actor].plan->kind == ZOO_HANDOFF)
			hand_on(machine, action->arg);
		else
			free_object(
				machine, action->arg, NULL,
				trace_delay_ns(machine,
					       &machine->actors[machine->pool[action->arg].actor]));
		break;
	case GIVE_BACK:
		give_back(machine, action->arg);
		break;
	case HANDED_ON:
		be_handed(machine, action->arg);
		break;
	case LOAD:
		trace_module(machine, ZOO_EVENT_MODULE_LOAD, nr);
		break;
	case UNLOAD:
		unload(machine, nr);
		break;
	case SNAPSHOT:
		take_snapshot(machine, action->arg);
		break;
	}
}

static void init_actor(struct zoo_machine *machine, uint8_t nr)
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
		actor->tasks[i] = (struct zoo_task){ 100u * (nr + 1) + i, random_cpu(machine) };
	if (plan->unload_s >= 0 && plan->to_s > plan->unload_s)
		plan->to_s = plan->unload_s;
}

static void begin_actor(struct zoo_machine *machine, uint8_t nr)
{
	const struct zoo_actor_plan *plan = machine->actors[nr].plan;

	if (plan->kind == ZOO_HANDOFF)
		begin_handoffs(machine, nr);
	else
		schedule_arrival(machine, nr);
	if (plan->load_s >= 0)
		schedule(machine, from_s(plan->load_s), LOAD, nr, 0);
	if (plan->unload_s >= 0)
		schedule(machine, from_s(plan->unload_s), UNLOAD, nr, 0);
}

static void schedule_snapshots(struct zoo_machine *machine)
{
	bool is_many = strcmp(machine->scenario->snapshots, "many") == 0;
	int64_t every_ns = machine->allocs_off_ns / SNAPSHOTS_MANY;

	if (strcmp(machine->scenario->snapshots, "none") == 0)
		return;
	schedule(machine, -from_s(0.05), SNAPSHOT, 0, 0);
	if (every_ns < SNAPSHOT_EVERY_NS)
		every_ns = SNAPSHOT_EVERY_NS;
	for (int64_t at = every_ns; is_many && at < machine->allocs_off_ns; at += every_ns)
		schedule(machine, at, SNAPSHOT, 1, 0);
	if (!machine->scenario->is_cut)
		schedule(machine, machine->allocs_off_ns, SNAPSHOT, 2, 0);
}

void zoo_machine_init(struct zoo_machine *machine, struct zoo_scenario *scenario,
		      struct zoo_random *random)
{
	*machine = (struct zoo_machine){ .scenario = scenario, .random = random };
	zoo_memory_init(&machine->memory, random);
	machine->start_ns = -from_s(scenario->age_s) - ZOO_NS_PER_S;
	machine->now_ns = machine->start_ns;
	machine->allocs_off_ns = from_s(scenario->length_s);
	machine->end_ns = from_s(scenario->length_s + scenario->settle_s);
	machine->has_late_frees = strcmp(scenario->kernel, "5.12") == 0;
	for (size_t i = 0; i < scenario->nr_actors; i++)
		init_actor(machine, (uint8_t)i);
}

static void count_truth(struct zoo_machine *machine)
{
	for (uint32_t i = 0; i < machine->nr_pool; i++) {
		const struct zoo_object *object = &machine->pool[i];
		struct zoo_actor *actor = &machine->actors[object->actor];
		bool is_leaked =
			object->is_leaked || (actor->is_gone && actor->plan->keeps_after_unload);

		if (object->generation % 2 == 0 || object->is_dead)
			continue;
		actor->nr_live++;
		actor->nr_leaked += is_leaked;
		actor->nr_live_on_tape += object->is_recorded;
		actor->nr_leaked_on_tape += object->is_recorded && is_leaked;
	}
}

void zoo_machine_run(struct zoo_machine *machine)
{
	for (size_t i = 0; i < machine->scenario->nr_actors; i++)
		begin_actor(machine, (uint8_t)i);
	schedule_snapshots(machine);
	while (machine->nr_queue) {
		struct zoo_action action = take_first(machine);

		if (action.time_ns > machine->now_ns)
			machine->now_ns = action.time_ns;
		act(machine, &action);
	}
	count_truth(machine);
}

void zoo_machine_deinit(struct zoo_machine *machine)
{
	for (size_t i = 0; i < machine->scenario->nr_actors; i++)
		free(machine->actors[i].held);
	for (size_t i = 0; i < machine->nr_snapshots; i++)
		free(machine->snapshots[i].text);
	free(machine->snapshots);
	free(machine->queue);
	free(machine->pool);
	free(machine->unused);
	free(machine->events);
	zoo_memory_deinit(&machine->memory);
}
