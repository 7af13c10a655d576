// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fatal.h"
#include "scenario.h"

#define WORDS_MAX 32

/* One line, while it is read. */
struct line {
	const char *path;
	unsigned int number;
	char *words[WORDS_MAX];
	bool is_used[WORDS_MAX];
	size_t nr;
	double length_s; /* what T stands for */
	struct zoo_random *random;
};

static void fail(const struct line *line, const char *what, const char *word)
{
	zoo_fatal("%s:%u: %s: '%s'", line->path, line->number, what, word);
}

static double parse_number(const struct line *line, const char *text)
{
	static const struct {
		const char *name;
		double s;
	} units[] = { { "", 1 }, { "ms", 1e-3 }, { "s", 1 }, { "m", 60 }, { "h", 3600 } };
	char *unit;
	double n;

	n = strtod(text, &unit);
	if (unit == text)
		fail(line, "not a number", text);
	if (strcmp(unit, "T") == 0)
		return n * line->length_s;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(unit, units[i].name) == 0)
			return n * units[i].s;
	fail(line, "no such unit", unit);
	return 0;
}

/* strtod() would take the first dot of 1..2. */
static double draw_number(const struct line *line, char *text)
{
	char *dots = strstr(text, ".."), *tilde = strchr(text, '~');
	double from, to;

	if (!dots && !tilde)
		return parse_number(line, text);
	*(dots ? dots : tilde) = '\0';
	from = parse_number(line, text);
	to = parse_number(line, dots ? dots + 2 : tilde + 1);
	if (dots)
		return zoo_random_between(line->random, from, to);
	return exp(zoo_random_between(line->random, log(from), log(to)));
}

/* One of a|b|c, in place. */
static char *draw_word(const struct line *line, char *text)
{
	size_t nr = 1, nth;
	char *bar;

	for (const char *p = text; (p = strchr(p, '|')); p++)
		nr++;
	for (nth = zoo_random_below(line->random, nr); nth; nth--)
		text = strchr(text, '|') + 1;
	bar = strchr(text, '|');
	if (bar)
		*bar = '\0';
	return text;
}

/* The value of a key; NULL if it isn't there. */
static char *find(struct line *line, const char *key)
{
	size_t length = strlen(key);

	for (size_t i = 1; i < line->nr; i++) {
		if (strncmp(line->words[i], key, length) != 0 || line->words[i][length] != '=' ||
		    line->is_used[i])
			continue;
		line->is_used[i] = true;
		return draw_word(line, line->words[i] + length + 1);
	}
	return NULL;
}

static double take_number(struct line *line, const char *key, double preset)
{
	char *value = find(line, key);

	return value ? draw_number(line, value) : preset;
}

static void take_text(struct line *line, const char *key, const char *preset, char *text,
		      size_t room)
{
	char *value = find(line, key);

	if (snprintf(text, room, "%s", value ? value : preset) >= (int)room)
		fail(line, "too long", value);
}

static bool take_bool(struct line *line, const char *key, bool preset)
{
	char *value = find(line, key);

	if (!value)
		return preset;
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		fail(line, "neither yes nor no", value);
	return strcmp(value, "yes") == 0;
}

static int take_name(struct line *line, const char *key, const char *const *names, int nr)
{
	char *value = find(line, key);

	for (int i = 0; i < nr; i++)
		if (!value || strcmp(value, names[i]) == 0)
			return i;
	fail(line, "no such value", value);
	return 0;
}

static void check_all_used(const struct line *line, size_t from)
{
	for (size_t i = from; i < line->nr; i++)
		if (!line->is_used[i])
			fail(line, "no such key here", line->words[i]);
}

static struct zoo_life take_life(struct line *line)
{
	static const char *const kinds[] = { "forever", "exp:", "fixed:", "pareto:" };
	char *value = find(line, "life");

	for (size_t i = 0; value && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i]);

		if (strncmp(value, kinds[i], length) == 0)
			return (struct zoo_life){ (enum zoo_life_kind)i,
						  i ? draw_number(line, value + length) : 0 };
	}
	if (value)
		fail(line, "no such life", value);
	return (struct zoo_life){ ZOO_EXP, 0.01 };
}

static void take_tape(struct zoo_scenario *scenario, struct line *line)
{
	scenario->length_s = line->length_s = take_number(line, "length", 600);
	scenario->settle_s = take_number(line, "settle", 2);
	scenario->cpus = (unsigned int)lround(take_number(line, "cpus", 4));
	scenario->sample = (unsigned int)lround(take_number(line, "sample", 1));
	scenario->tells_reclaimable = take_bool(line, "tells_reclaimable", true);
	scenario->is_cut = take_bool(line, "cut", false);
	take_text(line, "kernel", "6.18", scenario->kernel, sizeof(scenario->kernel));
	take_text(line, "snapshots", "none", scenario->snapshots, sizeof(scenario->snapshots));
	if (scenario->cpus < 1 || scenario->cpus > 64)
		zoo_fatal("%s: %u CPUs", line->path, scenario->cpus);
	check_all_used(line, 1);
}

static void take_actor(struct zoo_scenario *scenario, struct line *line, bool is_background)
{
	static const char *const kinds[] = { "flow", "lru", "sawtooth", "handoff" };
	static const char *const loads[] = { "const", "day", "ramp", "decay", "bursts" };
	struct zoo_actor_plan *plan = &scenario->actors[scenario->nr_actors++];

	if (line->nr < 2 || scenario->nr_actors == ZOO_ACTORS_MAX)
		fail(line, "no name, or too many", line->words[0]);
	*plan = (struct zoo_actor_plan){ .is_background = is_background };
	(void)snprintf(plan->name, sizeof(plan->name), "%s", line->words[1]);
	plan->kind = (enum zoo_kind)take_name(line, "kind", kinds, 4);
	plan->load = (enum zoo_load)take_name(line, "load", loads, 5);
	plan->life = take_life(line);
	plan->count = take_number(line, "count", 0);
	plan->weight = take_number(line, "weight", 1);
	plan->periods = take_number(line, "periods", 4);
	plan->load_s = take_number(line, "loaded", -1);
	plan->unload_s = take_number(line, "unloaded", -1);
	plan->from_s = take_number(line, "from", plan->load_s);
	plan->to_s = take_number(line, "to", line->length_s);
	if (plan->to_s < plan->from_s)
		plan->to_s = plan->from_s;
	plan->to_s = take_number(line, "for", plan->to_s - plan->from_s) + plan->from_s;
	plan->leak_share = take_number(line, "leak", 0);
	plan->leaks = take_number(line, "leaks", 0);
	plan->untraced = take_number(line, "untraced", 0);
	plan->rcu_s = take_number(line, "rcu", 0);
	plan->irq = take_number(line, "irq", 0);
	plan->limit = take_number(line, "limit", 0);
	plan->keep = take_number(line, "keep", 0.1);
	plan->bytes = take_number(line, "bytes", 128);
	take_text(line, "cache", "", plan->cache, sizeof(plan->cache));
	plan->is_reclaimable = take_bool(line, "reclaimable", false);
	take_text(line, "module", "", plan->module, sizeof(plan->module));
	take_text(line, "taint", "-", plan->taint, sizeof(plan->taint));
	plan->keeps_after_unload = take_bool(line, "forgets", false);
	check_all_used(line, 2);
}

static void take_loss(struct zoo_scenario *scenario, struct line *line)
{
	struct zoo_loss_plan *loss = &scenario->loss;

	scenario->has_loss = true;
	loss->from_s = take_number(line, "from", 0);
	loss->to_s = take_number(line, "to", line->length_s);
	loss->nr = take_number(line, "nr", 1);
	loss->length_s = take_number(line, "length", loss->to_s - loss->from_s);
	loss->cpus = take_number(line, "cpus", 1);
	loss->is_counted = take_bool(line, "counted", true);
	check_all_used(line, 1);
}

static void take_expect(struct zoo_scenario *scenario, struct line *line)
{
	bool is_leaking = line->nr > 2 && strcmp(line->words[2], "leaks") == 0;

	if (line->nr != 4 || (!is_leaking && strcmp(line->words[2], "innocent") != 0))
		fail(line, "not `expect NAME leaks|innocent CLASS`", line->words[0]);
	for (size_t i = 0; i < scenario->nr_actors; i++) {
		struct zoo_actor_plan *plan = &scenario->actors[i];

		if (strcmp(plan->name, line->words[1]) != 0)
			continue;
		plan->is_expected = true;
		plan->is_leaking = is_leaking;
		(void)snprintf(plan->classes, sizeof(plan->classes), "%s", line->words[3]);
		return;
	}
	fail(line, "no such actor", line->words[1]);
}

static void load_file(struct zoo_scenario *scenario, const char *path, struct zoo_random *random,
		      bool is_background);

/* Of as many allocations as was said, each actor has its weight's share. */
static void take_background(struct zoo_scenario *scenario, struct line *line)
{
	size_t first = scenario->nr_actors;
	char copy[PATH_MAX], path[PATH_MAX + 16];
	double count, weights = 0;

	count = take_number(line, "count", 0);
	check_all_used(line, 1);
	(void)snprintf(copy, sizeof(copy), "%s", line->path);
	(void)snprintf(path, sizeof(path), "%s/../background", dirname(copy));
	load_file(scenario, path, line->random, true);
	for (size_t i = first; i < scenario->nr_actors; i++)
		weights += scenario->actors[i].weight;
	for (size_t i = first; i < scenario->nr_actors; i++)
		scenario->actors[i].count = count * scenario->actors[i].weight / weights;
}

static void take_line(struct zoo_scenario *scenario, struct line *line, bool is_background)
{
	const char *word = line->words[0];

	if (strcmp(word, "tape") == 0)
		take_tape(scenario, line);
	else if (strcmp(word, "actor") == 0)
		take_actor(scenario, line, is_background);
	else if (strcmp(word, "background") == 0 && !is_background)
		take_background(scenario, line);
	else if (strcmp(word, "loss") == 0)
		take_loss(scenario, line);
	else if (strcmp(word, "expect") == 0)
		take_expect(scenario, line);
	else if (strcmp(word, "verdict") == 0 && line->nr == 2)
		(void)snprintf(scenario->verdicts, sizeof(scenario->verdicts), "%s",
			       line->words[1]);
	else
		fail(line, "no such line", word);
}

/* Return: false if there are no words in it. */
static bool split(struct line *line, char *text)
{
	char *save, *word = strtok_r(text, " \t\n", &save);

	line->nr = 0;
	memset(line->is_used, 0, sizeof(line->is_used));
	for (; word && *word != '#' && line->nr < WORDS_MAX; word = strtok_r(NULL, " \t\n", &save))
		line->words[line->nr++] = word;
	return line->nr > 0;
}

static void load_file(struct zoo_scenario *scenario, const char *path, struct zoo_random *random,
		      bool is_background)
{
	struct line line = { .path = path, .random = random, .length_s = scenario->length_s };
	FILE *file = fopen(path, "re");
	char text[1024];

	if (!file)
		zoo_fatal("%s: %s", path, strerror(errno));
	while (fgets(text, sizeof(text), file)) {
		line.number++;
		if (strncmp(text, "about ", 6) == 0)
			(void)snprintf(scenario->about, sizeof(scenario->about), "%.*s",
				       (int)strcspn(text + 6, "\n"), text + 6);
		else if (split(&line, text))
			take_line(scenario, &line, is_background);
	}
	(void)fclose(file);
}

/* Long enough for what lives to be as many at the beginning of the tape as later. */
static double age_of(const struct zoo_scenario *scenario)
{
	double age_s = 0;

	for (size_t i = 0; i < scenario->nr_actors; i++) {
		const struct zoo_actor_plan *plan = &scenario->actors[i];
		double needed_s = 0;

		if (plan->from_s >= 0)
			continue;
		if (plan->life.kind != ZOO_FOREVER)
			needed_s = 4 * plan->life.s;
		if (plan->life.kind == ZOO_PARETO)
			needed_s = 200 * plan->life.s;
		if (plan->kind != ZOO_FLOW && plan->count > 0)
			needed_s = 1.5 * plan->limit / plan->count * scenario->length_s;
		age_s = needed_s > age_s ? needed_s : age_s;
	}
	return age_s < 1.5 * scenario->length_s ? age_s : 1.5 * scenario->length_s;
}

void zoo_scenario_load(struct zoo_scenario *scenario, const char *path, struct zoo_random *random)
{
	char copy[PATH_MAX];

	*scenario = (struct zoo_scenario){ .length_s = 0 };
	(void)snprintf(copy, sizeof(copy), "%s", path);
	(void)snprintf(scenario->name, sizeof(scenario->name), "%s", basename(copy));
	load_file(scenario, path, random, false);
	if (scenario->length_s <= 0 || !*scenario->verdicts)
		zoo_fatal("%s: has no tape, or no verdict", path);
	scenario->age_s = age_of(scenario);
}
