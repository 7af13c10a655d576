// SPDX-License-Identifier: GPL-2.0-only
/*
 * mutate: tapes that are changed at random go through the commands of kmemtape, each of which has
 * to end in time and in order, whatever is on the tape.
 *
 *   mutate [-f FIRST] [-n TAPES] [-s SEED] [-t DIRECTORY] SOURCE...   sources are tapes
 *   mutate [-s SEED] -k PATH -o N SOURCE...                write changed tape N there instead
 *   mutate -r SOURCE...                    the sources as they are, all commands
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/fs.h"

#include "../fuzz/fuzz.h"
#include "alter.h"
#include "commands.h"

#define SOURCES_MAX 256u
#define LEAKS_EACH  8 /* looking for leaks takes longer than most commands */

struct source {
	const char *path;
	struct files files;
	bool is_tried;
	struct report report; /* of it as it is */
};

struct options {
	uint64_t first, nr, seed, only;
	const char *keep, *directory;
	bool is_regression;
};

struct sums {
	uint64_t tapes, commands, replayed, doubted;
	long rss_kib, cpu_ms;
	unsigned int failed;
};

static struct source sources[SOURCES_MAX];
static size_t nr_sources;

static void say(const struct trial *trial, const char *story, const char *again)
{
	printf("FAIL: %s\n      %s\n      %s\n%.4000s%.4000s\n", trial->problem, story, again,
	       trial->outcome.err ? trial->outcome.err : "",
	       trial->outcome.out ? trial->outcome.out : "");
}

static void add_up(struct sums *sums, const struct trial *trial)
{
	sums->tapes++;
	sums->commands += trial->commands;
	sums->replayed += trial->report.is_there;
	sums->doubted += trial->report.has_doubts;
	if (trial->rss_kib > sums->rss_kib)
		sums->rss_kib = trial->rss_kib;
	if (trial->cpu_ms > sums->cpu_ms)
		sums->cpu_ms = trial->cpu_ms;
	sums->failed += trial->problem[0] != '\0';
}

/* Changed tape @number depends on the sources, the seed and @number only. */
static struct source *make(const struct options *options, uint64_t number, struct files *files,
			   struct alteration *alteration, uint64_t *state)
{
	struct source *source = &sources[number % nr_sources];

	*state = options->seed ^ number * UINT64_C(0xd1342543de82ef95);
	files_copy(&source->files, files);
	alter(files, state, alteration);
	return source;
}

/* As it is: what changes are compared with; and what was once found, with all commands. */
static void try_source(const struct options *options, struct source *source, struct sums *sums)
{
	struct trial trial = { .directory = options->directory,
			       .files = &source->files,
			       .is_all = options->is_regression,
			       .is_plain = true,
			       .finds_leaks = options->is_regression };

	if (source->is_tried)
		return;
	commands_try(&trial);
	source->report = trial.report;
	source->is_tried = true;
	add_up(sums, &trial);
	if (trial.problem[0])
		say(&trial, "as it is", source->path);
	outcome_deinit(&trial.outcome);
}

static void try_number(const struct options *options, uint64_t number, struct sums *sums)
{
	struct trial trial = { .directory = options->directory };
	struct alteration alteration;
	struct source *source;
	char again[512];
	struct files *files = calloc(1, sizeof(*files));

	MUST(files);
	source = make(options, number, files, &alteration, &trial.state);
	trial.files = files;
	trial.finds_leaks = number % LEAKS_EACH == 0;
	trial.is_odd = alteration.is_odd;
	commands_try(&trial);
	if (!trial.problem[0] && alteration.is_cut && trial.report.is_likely)
		try_source(options, source, sums);
	if (!trial.problem[0] && alteration.is_cut && trial.report.is_likely &&
	    !source->report.is_likely)
		(void)snprintf(trial.problem, sizeof(trial.problem),
			       "LEAK LIKELY, since something is missing");
	add_up(sums, &trial);
	if (trial.problem[0]) {
		(void)snprintf(again, sizeof(again),
			       "of %s; to look at it: -s %" PRIu64 " -o %" PRIu64 " -k PATH",
			       source->path, options->seed, number);
		say(&trial, alteration.story, again);
	}
	outcome_deinit(&trial.outcome);
	files_deinit(files);
	free(files);
}

static int keep(const struct options *options)
{
	struct files *files = calloc(1, sizeof(*files));
	struct alteration alteration;
	uint64_t state;

	MUST(files);
	(void)make(options, options->only, files, &alteration, &state);
	files_write(files, options->keep);
	printf("%s: %s\n", options->keep, alteration.story);
	files_deinit(files);
	free(files);
	return 0;
}

static bool parse(int argc, char **argv, struct options *options)
{
	int option;

	while ((option = getopt(argc, argv, "f:k:n:o:rs:t:")) >= 0)
		switch (option) {
		case 'f':
			options->first = strtoull(optarg, NULL, 0);
			break;
		case 'k':
			options->keep = optarg;
			break;
		case 'n':
			options->nr = strtoull(optarg, NULL, 0);
			break;
		case 'o':
			options->only = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			options->is_regression = true;
			break;
		case 's':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			options->directory = optarg;
			break;
		default:
			return false;
		}
	return optind < argc && (size_t)(argc - optind) <= SOURCES_MAX;
}

int main(int argc, char **argv)
{
	struct options options = { .nr = 1000, .seed = 1 };
	char directory[] = "/tmp/kmt-mutate-XXXXXX";
	struct sums sums = { 0 };

	if (!parse(argc, argv, &options)) {
		fprintf(stderr, "%s: see the beginning of mutate.c\n", argv[0]);
		return 2;
	}
	for (int i = optind; i < argc; i++) {
		sources[nr_sources].path = argv[i];
		files_load(&sources[nr_sources++].files, argv[i]);
	}
	if (options.keep)
		return keep(&options);
	if (!options.directory)
		options.directory = mkdtemp(directory);
	MUST(options.directory);
	commands_find();
	for (size_t i = 0; options.first == 0 && i < nr_sources; i++)
		try_source(&options, &sources[i], &sums);
	for (uint64_t i = 0; !options.is_regression && i < options.nr && sums.failed < 20; i++)
		try_number(&options, options.first + i, &sums);
	printf("%" PRIu64 " tapes, %" PRIu64 " of which could be replayed, %" PRIu64
	       " with doubts; %" PRIu64 " commands, %u failed; at most %ld ms of CPU and %ld MiB\n",
	       sums.tapes, sums.replayed, sums.doubted, sums.commands, sums.failed, sums.cpu_ms,
	       sums.rss_kib >> 10);
	for (size_t i = 0; i < nr_sources; i++)
		files_deinit(&sources[i].files);
	kmt_remove_tree(options.directory, false);
	return sums.failed ? 1 : 0;
}
