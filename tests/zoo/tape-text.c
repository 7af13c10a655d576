// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fatal.h"
#include "tape-text.h"

#define ALLOC_OFFSET	 0x4cu
#define FREE_OFFSET	 0x1eu
#define GFP_KERNEL	 0xcc0u
#define GFP_ATOMIC	 0x820u
#define NOTICED_NS	 (ZOO_NS_PER_S / 20) /* the recorder looks at modules after their event */
#define MODULE_BYTES	 0x20000u
#define CUT_APART_S	 20.0 /* CPUs of a tape that was cut end that far apart, at most */
#define CUT_APART	 0.05 /* of its length */
#define DRAINED_EVERY_NS ZOO_NS_PER_S

/* One CPU, or one interval of a loss. */
struct gap {
	int64_t from_ns, to_ns;
	uint64_t cpus; /* bits */
};

struct output {
	FILE *out;
	struct zoo_machine *machine;
	int64_t base_ns; /* what the trace clock showed when the tape began */
	struct gap *gaps;
	size_t nr_gaps;
	bool *is_lost; /* by event */
	uint64_t nr_lost[ZOO_CPUS_MAX], nr_kept[ZOO_CPUS_MAX];
	int64_t cut_ns[ZOO_CPUS_MAX];
};

void zoo_site_name(const struct zoo_actor *actor, char *text, size_t room)
{
	(void)snprintf(text, room, "%s+0x%x", actor->plan->name, ALLOC_OFFSET);
}

static int compare_times(const void *a, const void *b)
{
	const struct zoo_event *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/* Only late traces are out of order. */
static void sort_events(struct zoo_machine *machine)
{
	for (size_t i = 1; i < machine->nr_events; i++)
		if (machine->events[i].time_ns < machine->events[i - 1].time_ns) {
			qsort(machine->events, machine->nr_events, sizeof(*machine->events),
			      compare_times);
			return;
		}
}

static uint64_t some_cpus(struct zoo_machine *machine, double share)
{
	unsigned int cpus = machine->scenario->cpus;
	uint64_t bits = UINT64_C(1) << zoo_random_below(machine->random, cpus);

	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		if (zoo_random_unit(machine->random) < share)
			bits |= UINT64_C(1) << cpu;
	return bits;
}

static void plan_gaps(struct output *output)
{
	const struct zoo_loss_plan *loss = &output->machine->scenario->loss;
	double latest_s = fmax(loss->from_s, loss->to_s - loss->length_s);

	if (!output->machine->scenario->has_loss)
		return;
	output->nr_gaps = (size_t)loss->nr;
	output->gaps = zoo_calloc(output->nr_gaps + 1, sizeof(*output->gaps));
	for (size_t i = 0; i < output->nr_gaps; i++) {
		double from_s = zoo_random_between(output->machine->random, loss->from_s, latest_s);

		output->gaps[i] = (struct gap){
			.from_ns = (int64_t)(from_s * (double)ZOO_NS_PER_S),
			.to_ns = (int64_t)((from_s + loss->length_s) * (double)ZOO_NS_PER_S),
			.cpus = some_cpus(output->machine, loss->cpus),
		};
	}
}

static bool is_in_gap(const struct output *output, const struct zoo_event *event)
{
	for (size_t i = 0; i < output->nr_gaps; i++)
		if (event->time_ns >= output->gaps[i].from_ns &&
		    event->time_ns < output->gaps[i].to_ns &&
		    output->gaps[i].cpus >> event->cpu & 1)
			return true;
	return false;
}

/* The newest of a ring buffer is never lost: it is the oldest that goes. */
static void lose(struct output *output)
{
	const struct zoo_machine *machine = output->machine;
	bool has_newest[ZOO_CPUS_MAX] = { false };

	output->is_lost = zoo_calloc(machine->nr_events + 1, sizeof(bool));
	for (size_t i = machine->nr_events; i-- > 0;) {
		const struct zoo_event *event = &machine->events[i];

		output->is_lost[i] = has_newest[event->cpu] && is_in_gap(output, event);
		has_newest[event->cpu] = true;
		output->nr_lost[event->cpu] += output->is_lost[i];
		output->nr_kept[event->cpu] += !output->is_lost[i];
	}
}

static void plan_cuts(struct output *output)
{
	const struct zoo_scenario *scenario = output->machine->scenario;
	double apart_s = fmin(CUT_APART_S, CUT_APART * scenario->length_s);

	for (unsigned int cpu = 0; cpu < scenario->cpus; cpu++) {
		double cut_s =
			scenario->length_s - apart_s * zoo_random_unit(output->machine->random);

		output->cut_ns[cpu] =
			scenario->is_cut ? (int64_t)(cut_s * (double)ZOO_NS_PER_S) : INT64_MAX;
	}
}

static void print_stats(const struct output *output)
{
	const struct zoo_scenario *scenario = output->machine->scenario;

	if (scenario->is_cut || (scenario->has_loss && !scenario->loss.is_counted))
		return;
	for (unsigned int cpu = 0; cpu < scenario->cpus; cpu++)
		(void)fprintf(output->out,
			      "stats %u overrun=%" PRIu64
			      " commit_overrun=0 dropped=0 read=%" PRIu64 "\n",
			      cpu, output->nr_lost[cpu], output->nr_kept[cpu]);
}

static void print_manifest(const struct output *output)
{
	const struct zoo_machine *machine = output->machine;
	const struct zoo_scenario *scenario = machine->scenario;
	bool is_cut = scenario->is_cut;

	(void)fprintf(output->out, "# %s\nkernel %s.0\narch x86_64\nformats %s\nclock mono\n",
		      scenario->about, scenario->kernel, scenario->kernel);
	(void)fprintf(output->out, "start %" PRId64 "\nallocs_on %" PRId64 "\n", output->base_ns,
		      output->base_ns);
	/* Who is killed had no time to write when it ended. */
	(void)fprintf(output->out, "allocs_off %" PRId64 "\nend %" PRId64 "\n",
		      is_cut ? 0 : output->base_ns + machine->allocs_off_ns,
		      is_cut ? 0 : output->base_ns + machine->end_ns);
	if (scenario->sample > 1)
		(void)fprintf(output->out, "sample %u\nsample_mask %u\n", scenario->sample,
			      (scenario->sample - 1) * 4096);
	(void)fprintf(output->out, "closed %s\n", is_cut ? "no" : "yes");
	for (unsigned int cpu = 0; cpu < scenario->cpus; cpu++)
		(void)fprintf(output->out, "cpu %u\n", cpu);
	print_stats(output);
}

/* A module that came later has its symbols at line @line of symbols/modules; else in kallsyms. */
static void print_functions(const struct output *output, const struct zoo_actor *actor,
			    unsigned int line)
{
	const char *module = actor->plan->module, *name = actor->plan->name;

	if (line)
		(void)fprintf(output->out,
			      "module_symbol %u %016" PRIx64 " t %s\n"
			      "module_symbol %u %016" PRIx64 " t put_%s\n",
			      line, actor->function, name, line, actor->free_function, name);
	else
		(void)fprintf(output->out,
			      "symbol %016" PRIx64 " t %s%s%s%s\n"
			      "symbol %016" PRIx64 " t put_%s%s%s%s\n",
			      actor->function, name, *module ? " [" : "", module,
			      *module ? "]" : "", actor->free_function, name, *module ? " [" : "",
			      module, *module ? "]" : "");
}

static void print_symbols(const struct output *output)
{
	const struct zoo_machine *machine = output->machine;

	(void)fputs("symbol ffffffff81000000 T _stext\n", output->out);
	for (size_t i = 0; i < machine->scenario->nr_actors; i++)
		if (machine->actors[i].plan->load_s < 0)
			print_functions(output, &machine->actors[i], 0);
	(void)fputs("symbol ffffffff81f00000 T _etext\n", output->out);
}

struct module_line {
	int64_t time_ns;
	const struct zoo_actor *actor;
	bool is_load;
};

static int compare_lines(const void *a, const void *b)
{
	const struct module_line *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static int64_t noticed_ns(const struct output *output, double s)
{
	return output->base_ns + (int64_t)(s * (double)ZOO_NS_PER_S) + NOTICED_NS;
}

static void print_modules(const struct output *output)
{
	struct module_line lines[2 * ZOO_ACTORS_MAX];
	unsigned int nr = 0;

	for (size_t i = 0; i < output->machine->scenario->nr_actors; i++) {
		const struct zoo_actor *actor = &output->machine->actors[i];
		const struct zoo_actor_plan *plan = actor->plan;

		if (!*plan->module)
			continue;
		lines[nr++] = (struct module_line){
			plan->load_s < 0 ? 0 : noticed_ns(output, plan->load_s), actor, true
		};
		if (plan->unload_s >= 0)
			lines[nr++] = (struct module_line){ noticed_ns(output, plan->unload_s),
							    actor, false };
	}
	qsort(lines, nr, sizeof(lines[0]), compare_lines);
	for (unsigned int i = 0; i < nr; i++) {
		const struct zoo_actor *actor = lines[i].actor;

		if (!lines[i].is_load) {
			(void)fprintf(output->out, "module unload %" PRId64 " %s\n",
				      lines[i].time_ns, actor->plan->module);
			continue;
		}
		(void)fprintf(output->out, "module load %" PRId64 " %s %u 0x%016" PRIx64 " %s -\n",
			      lines[i].time_ns, actor->plan->module, MODULE_BYTES, actor->function,
			      actor->plan->taint);
		if (actor->plan->load_s >= 0)
			print_functions(output, actor, i + 1);
	}
}

static void print_comms(const struct output *output)
{
	for (size_t i = 0; i < output->machine->scenario->nr_actors; i++)
		for (unsigned int k = 0; k < output->machine->actors[i].nr_tasks; k++)
			(void)fprintf(output->out, "comm %u task-%zu-%u\n",
				      output->machine->actors[i].tasks[k].pid, i, k);
}

static void print_snapshots(const struct output *output)
{
	for (size_t i = 0; i < output->machine->nr_snapshots; i++) {
		const struct zoo_snapshot *snapshot = &output->machine->snapshots[i];
		const char *line = snapshot->text;

		(void)fprintf(output->out, "snapshot %" PRId64 " %s\n",
			      output->base_ns + snapshot->time_ns, snapshot->why);
		for (const char *end; (end = strchr(line, '\n')); line = end + 1)
			(void)fprintf(output->out, "| %.*s\n", (int)(end - line), line);
	}
}

static void print_alloc(FILE *out, const struct zoo_actor *actor, const struct zoo_event *event,
			bool has_name)
{
	const struct zoo_cache *cache = actor->cache;

	(void)fprintf(out,
		      "%s call_site=0x%" PRIx64 " ptr=0x%" PRIx64 " bytes_req=%u bytes_alloc=%u "
		      "gfp=0x%x",
		      cache->is_kmalloc ? "kmalloc" : "kmem_cache_alloc",
		      actor->function + ALLOC_OFFSET, event->ptr, actor->bytes_req, cache->bytes,
		      event->flags ? GFP_ATOMIC : GFP_KERNEL);
	if (!cache->is_kmalloc && has_name)
		(void)fprintf(out, " name=%s", cache->name);
}

static void print_free(FILE *out, const struct zoo_actor *actor, const struct zoo_event *event)
{
	const struct zoo_cache *cache = actor->cache;

	(void)fprintf(out, "%s call_site=0x%" PRIx64 " ptr=0x%" PRIx64,
		      cache->is_kmalloc ? "kfree" : "kmem_cache_free",
		      actor->free_function + FREE_OFFSET, event->ptr);
	if (!cache->is_kmalloc)
		(void)fprintf(out, " name=%s", cache->name);
}

static void print_event(const struct output *output, const struct zoo_event *event)
{
	const struct zoo_actor *actor = &output->machine->actors[event->actor];
	FILE *out = output->out;

	(void)fprintf(out, "%" PRId64 " %u ", output->base_ns + event->time_ns, event->cpu);
	switch (event->kind) {
	case ZOO_EVENT_ALLOC:
		print_alloc(out, actor, event,
			    strcmp(output->machine->scenario->kernel, "6.18") == 0);
		break;
	case ZOO_EVENT_FREE:
		print_free(out, actor, event);
		break;
	case ZOO_EVENT_MODULE_LOAD:
		(void)fprintf(out, "module_load name=%s", actor->plan->module);
		break;
	default:
		(void)fprintf(out, "module_free name=%s", actor->plan->module);
	}
	(void)fprintf(out, " pid=%u", event->pid);
	if (event->flags)
		(void)fprintf(out, " flags=0x%x", event->flags);
	(void)fputc('\n', out);
}

static void print_lost(const struct output *output, const struct zoo_event *event, uint64_t nr)
{
	(void)fprintf(output->out, "%" PRId64 " %u lost ", output->base_ns + event->time_ns,
		      event->cpu);
	if (output->machine->scenario->loss.is_counted)
		(void)fprintf(output->out, "%" PRIu64 "\n", nr);
	else
		(void)fputs("?\n", output->out);
}

/* Up to the next event, or the end of the file: how far each CPU was drained, each second. */
static void print_drained(const struct output *output, unsigned int cpu, int64_t *drained_ns,
			  bool *has_data, int64_t until_ns)
{
	if (until_ns > output->cut_ns[cpu])
		until_ns = output->cut_ns[cpu];
	while (*drained_ns + DRAINED_EVERY_NS <= until_ns) {
		*drained_ns += DRAINED_EVERY_NS;
		(void)fprintf(output->out, "%" PRId64 " %u %s\n", output->base_ns + *drained_ns,
			      cpu, *has_data ? "chunk" : "mark");
		*has_data = false;
	}
}

static void print_events(const struct output *output)
{
	const struct zoo_machine *machine = output->machine;
	bool is_cut = machine->scenario->is_cut, has_data[ZOO_CPUS_MAX] = { false };
	uint64_t nr_lost[ZOO_CPUS_MAX] = { 0 };
	int64_t drained_ns[ZOO_CPUS_MAX] = { 0 };

	for (size_t i = 0; i < machine->nr_events; i++) {
		const struct zoo_event *event = &machine->events[i];
		unsigned int cpu = event->cpu;

		if (is_cut)
			print_drained(output, cpu, &drained_ns[cpu], &has_data[cpu],
				      event->time_ns);
		if (event->time_ns > output->cut_ns[cpu])
			continue;
		if (output->is_lost[i]) {
			nr_lost[cpu]++;
			continue;
		}
		if (nr_lost[cpu])
			print_lost(output, event, nr_lost[cpu]);
		nr_lost[cpu] = 0;
		print_event(output, event);
		has_data[cpu] = true;
	}
	for (unsigned int cpu = 0; is_cut && cpu < machine->scenario->cpus; cpu++)
		print_drained(output, cpu, &drained_ns[cpu], &has_data[cpu], INT64_MAX);
}

void zoo_tape_text(FILE *out, struct zoo_machine *machine)
{
	struct output output = { .out = out, .machine = machine };

	output.base_ns =
		(int64_t)(1000 + zoo_random_below(machine->random, 10000000)) * ZOO_NS_PER_S;
	sort_events(machine);
	plan_gaps(&output);
	plan_cuts(&output);
	lose(&output);
	print_manifest(&output);
	print_symbols(&output);
	print_modules(&output);
	print_comms(&output);
	print_snapshots(&output);
	print_events(&output);
	free(output.gaps);
	free(output.is_lost);
}
