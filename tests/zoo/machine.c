// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "counters-text.h"
#include "fatal.h"
#include "machine.h"
#include "object.h"

#define SNAPSHOTS_MANY	  16
#define SNAPSHOT_EVERY_NS (10 * ZOO_NS_PER_S)

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

static void schedule_snapshots(struct zoo_machine *machine)
{
	bool is_many = strcmp(machine->scenario->snapshots, "many") == 0;
	int64_t every_ns = machine->allocs_off_ns / SNAPSHOTS_MANY;

	if (strcmp(machine->scenario->snapshots, "none") == 0)
		return;
	zoo_schedule(machine, -zoo_from_s(0.05), ZOO_SNAPSHOT, 0, 0);
	if (every_ns < SNAPSHOT_EVERY_NS)
		every_ns = SNAPSHOT_EVERY_NS;
	for (int64_t at = every_ns; is_many && at < machine->allocs_off_ns; at += every_ns)
		zoo_schedule(machine, at, ZOO_SNAPSHOT, 1, 0);
	if (!machine->scenario->is_cut)
		zoo_schedule(machine, machine->allocs_off_ns, ZOO_SNAPSHOT, 2, 0);
}

void zoo_machine_init(struct zoo_machine *machine, struct zoo_scenario *scenario,
		      struct zoo_random *random)
{
	*machine = (struct zoo_machine){ .scenario = scenario, .random = random };
	zoo_memory_init(&machine->memory, random);
	machine->start_ns = -zoo_from_s(scenario->age_s) - ZOO_NS_PER_S;
	machine->now_ns = machine->start_ns;
	machine->allocs_off_ns = zoo_from_s(scenario->length_s);
	machine->end_ns = zoo_from_s(scenario->length_s + scenario->settle_s);
	machine->has_late_frees = strcmp(scenario->kernel, "5.12") == 0;
	for (size_t i = 0; i < scenario->nr_actors; i++)
		zoo_actor_init(machine, (uint8_t)i);
}

static void count_truth(struct zoo_machine *machine)
{
	for (uint32_t i = 0; i < machine->pool.nr; i++) {
		const struct zoo_object *object = &machine->pool.objects[i];
		struct zoo_actor *actor = &machine->actors[object->actor];
		bool is_leaked =
			object->is_leaked || (actor->is_gone && actor->plan->keeps_after_unload);

		if (!zoo_object_is_here(object) || object->is_dead)
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
		zoo_actor_begin(machine, (uint8_t)i);
	schedule_snapshots(machine);
	while (machine->queue.nr) {
		struct zoo_action action = zoo_queue_take(&machine->queue);

		if (action.time_ns > machine->now_ns)
			machine->now_ns = action.time_ns;
		if (action.what == ZOO_SNAPSHOT)
			take_snapshot(machine, action.arg);
		else
			zoo_actor_act(machine, &action);
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
	zoo_queue_deinit(&machine->queue);
	zoo_pool_deinit(&machine->pool);
	free(machine->events);
	zoo_memory_deinit(&machine->memory);
}
