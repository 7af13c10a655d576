// SPDX-License-Identifier: GPL-2.0-only
/* zoo-tape: one tape of a scenario, as a script for mktape, and the truth about it as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fatal.h"
#include "machine.h"
#include "tape-text.h"

/* "a|b" as ["a","b"] */
static void print_list(FILE *out, const char *key, const char *words)
{
	(void)fprintf(out, "\"%s\": [\"", key);
	for (; *words; words++)
		(void)fputs(*words == '|' ? "\", \"" : (char[]){ *words, 0 }, out);
	(void)fputs("\"]", out);
}

/* Every allocation and every free is on the tape, in their order: then so is what lives. */
static bool is_exact(const struct zoo_machine *machine, const struct zoo_actor *actor)
{
	return actor->plan->untraced <= 0 && !machine->scenario->has_loss &&
	       !machine->scenario->is_cut && !machine->has_late_frees;
}

static void print_actor(FILE *out, const struct zoo_machine *machine, const struct zoo_actor *actor)
{
	char site[64];

	zoo_site_name(actor, site, sizeof(site));
	(void)fprintf(
		out,
		"{\"symbol\": \"%s\", \"leaks\": %s, \"expected\": %s, \"exact\": %s, \"leaked\": %" PRIu64
		", \"live\": %" PRIu64 ", \"leaked_on_tape\": %" PRIu64
		", \"live_on_tape\": %" PRIu64 ", ",
		site, actor->plan->is_leaking ? "true" : "false",
		actor->plan->is_expected ? "true" : "false",
		is_exact(machine, actor) ? "true" : "false", actor->nr_leaked, actor->nr_live,
		actor->nr_leaked_on_tape, actor->nr_live_on_tape);
	print_list(out, "classes", actor->plan->classes);
	(void)fputc('}', out);
}

static void print_truth(const char *path, const struct zoo_machine *machine, const char *seed)
{
	const struct zoo_scenario *scenario = machine->scenario;
	FILE *out = fopen(path, "we");

	if (!out)
		zoo_fatal("%s: %s", path, strerror(errno));
	(void)fprintf(out,
		      "{\"scenario\": \"%s\", \"seed\": %s, \"length_s\": %.1f, \"sample\": %u, "
		      "\"is_lossy\": %s, "
		      "\"snapshots\": %zu, \"events\": %zu, ",
		      scenario->name, seed, scenario->length_s, scenario->sample,
		      scenario->has_loss ? "true" : "false", machine->nr_snapshots,
		      machine->nr_events);
	print_list(out, "verdicts", scenario->verdicts);
	(void)fputs(", \"sites\": [", out);
	for (size_t i = 0; i < scenario->nr_actors; i++) {
		(void)fputs(i ? ",\n " : "\n ", out);
		print_actor(out, machine, &machine->actors[i]);
	}
	(void)fputs("]}\n", out);
	if (fclose(out) != 0)
		zoo_fatal("%s: %s", path, strerror(errno));
}

int main(int argc, char **argv)
{
	struct zoo_scenario scenario;
	struct zoo_machine machine;
	struct zoo_random random;
	char *end;

	if (argc != 4 || !*argv[2]) {
		(void)fputs("usage: zoo-tape SCENARIO SEED TRUTH >SCRIPT\n", stderr);
		return 2;
	}
	zoo_random_init(&random, strtoull(argv[2], &end, 10), strrchr(argv[1], '/') ?: argv[1]);
	if (*end)
		zoo_fatal("'%s' is not a number", argv[2]);
	zoo_scenario_load(&scenario, argv[1], &random);
	zoo_machine_init(&machine, &scenario, &random);
	zoo_machine_run(&machine);
	zoo_tape_text(stdout, &machine);
	print_truth(argv[3], &machine, argv[2]);
	zoo_machine_deinit(&machine);
	if (fflush(stdout) != 0 || ferror(stdout))
		zoo_fatal("standard output: %s", strerror(errno));
	return 0;
}
