// SPDX-License-Identifier: GPL-2.0-only
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/fs.h"

#include "../fuzz/change.h"
#include "../fuzz/fuzz.h"
#include "commands.h"

#define ARGS_MAX 12
#define SOME	 2 /* of the commands for each tape, beside the two for all */
#define GRACE	 "--grace", "2s"
#define JSON	 "replay", "--format", "json", GRACE, "--threads"
#define TAPE	 "tape"
#define MADE	 "made"

enum what {
	WHAT_SAYS,  /* it just says something */
	WHAT_SAME,  /* the report once more, in another way */
	WHAT_RAW,   /* it gives out what is on the tape */
	WHAT_MAKES, /* it makes a tape, of which the report is the same */
	WHAT_OTHER, /* it makes a tape, of which the report may be another; a good one of a good one
		     */
	WHAT_MENDS, /* it makes a good tape */
	WHAT_EXPORT, /* it makes another file */
};

struct command {
	enum what what;
	const char *args[ARGS_MAX];
	const char *help; /* it is there if this is in its --help; NULL: is always */
	bool is_there;
};

static struct command commands[] = {
	{ WHAT_SAME, { JSON, "3", TAPE } },
	{ WHAT_MAKES, { "pack", "-o", MADE, TAPE } },
	{ WHAT_SAYS, { "replay", GRACE, TAPE } },
	{ WHAT_SAYS, { "replay", "--by", "cache", "--top", "0", TAPE } },
	{ WHAT_SAYS, { "replay", "--by", "module", TAPE } },
	{ WHAT_SAYS, { "replay", "--by", "owner", TAPE } },
	{ WHAT_SAYS, { "replay", "--by", "stack", "--format", "json", TAPE } },
	{ WHAT_SAYS, { "replay", "--by", "comm", TAPE } },
	{ WHAT_SAYS, { "replay", "--by", "pid", "--sort", "age", TAPE } },
	{ WHAT_SAYS, { "replay", "--explain", "alloc_pipe_info", TAPE } },
	{ WHAT_SAYS, { "replay", "--explain", "alloc_pipe_info", "--format", "json", TAPE } },
	{ WHAT_SAYS, { "replay", "--interval", "1us", TAPE } },
	{ WHAT_SAYS, { "replay", "--interval", "1s", "--only", "cache=kmalloc-128", TAPE } },
	{ WHAT_SAYS, { "replay", "--interval", "1ms", "--only", "site=alloc_pipe_info", TAPE } },
	{ WHAT_SAYS, { "replay", "--interval", "10us", "--only", "comm=make", TAPE } },
	{ WHAT_SAYS, { "replay", "--older", "1us", "--lines", TAPE } },
	{ WHAT_SAYS, { "info", TAPE } },
	{ WHAT_RAW, { "info", "--format", "json", TAPE } },
	{ WHAT_EXPORT, { "export", "-o", MADE, TAPE } },
	{ WHAT_MENDS, { "recover", "-o", MADE, TAPE }, "recover" },
	{ WHAT_OTHER, { "pack", "--distill", "-o", MADE, TAPE }, "--distill" },
	{ WHAT_OTHER, { "pack", "--redact", "-o", MADE, TAPE }, "--redact" },
	{ WHAT_OTHER, { "pack", "--small", "-o", MADE, TAPE }, "--small" },
	{ WHAT_OTHER, { "pack", "--range", "1us..2s", "-o", MADE, TAPE }, "--range" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

void commands_find(void)
{
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		const char *args[] = { "kmemtape", commands[i].args[0], "--help", NULL };
		struct outcome outcome;

		child_run(args, false, &outcome);
		commands[i].is_there = !outcome.problem && outcome.exit_code == 0 &&
				       (!commands[i].help || strstr(outcome.out, commands[i].help));
		MUST(commands[i].is_there || commands[i].help);
		outcome_deinit(&outcome);
	}
}

static void put_path(const struct trial *trial, const char *name, char path[4096])
{
	(void)snprintf(path, 4096, "%s/%s", trial->directory, name);
}

static void blame(struct trial *trial, const char *const *args, const char *problem)
{
	size_t used =
		(size_t)snprintf(trial->problem, sizeof(trial->problem), "%s: kmemtape", problem);

	for (size_t i = 0; i < ARGS_MAX && args[i] && used < sizeof(trial->problem); i++)
		used += (size_t)snprintf(trial->problem + used, sizeof(trial->problem) - used,
					 " %s", args[i]);
}

static void write_tape(const struct trial *trial)
{
	char tape[4096];

	put_path(trial, TAPE, tape);
	kmt_remove_tree(trial->directory, true);
	files_write(trial->files, tape);
}

/* Nothing that a terminal would obey. What is on the tape as it is may be any text. */
static bool is_plain(const char *text, size_t bytes, bool is_raw)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && c != '\n' && !(is_raw && c == '\t')) || c == 127 ||
		    (c > 127 && !is_raw))
			return false;
	}
	return true;
}

/* What each command has to keep to. Return: what is wrong; NULL: nothing */
static const char *judge(const struct outcome *outcome, const struct command *command)
{
	bool is_raw = command->what == WHAT_RAW;

	if (outcome->problem)
		return outcome->problem;
	if (outcome->exit_code != 0 && outcome->exit_code != 1)
		return "a strange exit status";
	if (outcome->exit_code == 1 && outcome->err_bytes + outcome->out_bytes == 0)
		return "failed without a word";
	if (outcome->exit_code == 1 && outcome->err_bytes &&
	    strncmp(outcome->err, "kmemtape ", 9) != 0)
		return "a strange message";
	if (!is_plain(outcome->out, outcome->out_bytes, is_raw) ||
	    !is_plain(outcome->err, outcome->err_bytes, false))
		return "prints what a terminal would obey";
	return NULL;
}

/* Return: false if there is something wrong, which is in @trial then, and @ret_outcome isn't */
static bool run(struct trial *trial, const struct command *command, struct outcome *ret_outcome)
{
	const char *argv[ARGS_MAX + 2] = { "kmemtape" };
	char tape[4096], made[4096];
	const char *problem;

	put_path(trial, TAPE, tape);
	put_path(trial, MADE, made);
	for (size_t i = 0; i < ARGS_MAX && command->args[i]; i++)
		argv[i + 1] = strcmp(command->args[i], TAPE) == 0   ? tape
			      : strcmp(command->args[i], MADE) == 0 ? made
								    : command->args[i];
	child_run(argv, trial->finds_leaks, ret_outcome);
	trial->commands++;
	if (ret_outcome->rss_kib > trial->rss_kib)
		trial->rss_kib = ret_outcome->rss_kib;
	if (ret_outcome->cpu_ms > trial->cpu_ms)
		trial->cpu_ms = ret_outcome->cpu_ms;
	problem = judge(ret_outcome, command);
	if (!problem)
		return true;
	blame(trial, command->args, problem);
	trial->outcome = *ret_outcome;
	return false;
}

/* Runs it, and keeps what it says if something is wrong with that. */
static bool run_and_parse(struct trial *trial, const struct command *command,
			  struct outcome *ret_outcome, struct report *ret_report)
{
	const char *problem = NULL;

	*ret_report = (struct report){ 0 };
	if (!run(trial, command, ret_outcome))
		return false;
	if (ret_outcome->exit_code == 0)
		problem = report_parse(ret_outcome->out, ret_report);
	if (!problem)
		return true;
	blame(trial, command->args, problem);
	trial->outcome = *ret_outcome;
	return false;
}

static const struct command replay = { WHAT_SAME, { JSON, "0", TAPE } };
static const struct command verify = { WHAT_SAYS, { "verify", TAPE } };

/* The tape that was made takes the place of the one it was made of: so their names are the same. */
static void take_made(const struct trial *trial)
{
	char tape[4096], made[4096];

	put_path(trial, TAPE, tape);
	put_path(trial, MADE, made);
	(void)unlink(tape); /* if it is a file */
	kmt_remove_tree(tape, false);
	MUST(rename(made, tape) == 0);
}

/* @first: what replay said of the tape that it was made of */
static void try_made(struct trial *trial, const struct command *command,
		     const struct outcome *first)
{
	struct outcome outcome;
	struct report report;

	take_made(trial);
	if (!run(trial, &verify, &outcome))
		return;
	if (outcome.exit_code != 0 &&
	    (command->what == WHAT_MENDS || (command->what == WHAT_OTHER && trial->is_good))) {
		blame(trial, command->args, "what it made isn't good");
		trial->outcome = outcome;
		return;
	}
	outcome_deinit(&outcome);
	if (!run_and_parse(trial, &replay, &outcome, &report))
		return;
	if (command->what == WHAT_MAKES && first->exit_code == 0 && !trial->is_odd &&
	    strcmp(first->out, outcome.out) != 0)
		blame(trial, command->args, "the report of what it made is another");
	if (trial->problem[0])
		trial->outcome = outcome;
	else
		outcome_deinit(&outcome);
}

static void try_same(struct trial *trial, const struct command *command,
		     const struct outcome *first)
{
	struct outcome outcome;
	struct report report;

	if (!run_and_parse(trial, command, &outcome, &report))
		return;
	if (outcome.exit_code == first->exit_code && strcmp(outcome.out, first->out) == 0) {
		outcome_deinit(&outcome);
		return;
	}
	blame(trial, command->args, "the number of threads makes a difference");
	trial->outcome = outcome;
}

static void try_one(struct trial *trial, const struct command *command, const struct outcome *first)
{
	struct outcome outcome;
	bool has_made;

	if (command->what == WHAT_SAME) {
		try_same(trial, command, first);
		return;
	}
	if (!run(trial, command, &outcome))
		return;
	has_made = outcome.exit_code == 0 && command->what >= WHAT_MAKES;
	outcome_deinit(&outcome);
	if (!has_made)
		return;
	if (command->what != WHAT_EXPORT)
		try_made(trial, command, first);
	write_tape(trial);
}

/* What is said of the tape as a whole has to agree. */
static void try_both(struct trial *trial, struct outcome *ret_replay)
{
	struct outcome outcome;

	if (!run_and_parse(trial, &replay, ret_replay, &trial->report))
		return;
	if (!run(trial, &verify, &outcome)) {
		outcome_deinit(ret_replay);
		return;
	}
	if (outcome.exit_code == 1 && trial->report.is_there && !trial->report.has_doubts) {
		blame(trial, replay.args, "it has no doubts, and verify says that it is damaged");
		trial->outcome = outcome;
		outcome_deinit(ret_replay);
		return;
	}
	trial->is_good = outcome.exit_code == 0;
	outcome_deinit(&outcome);
}

void commands_try(struct trial *trial)
{
	struct outcome first = { 0 };
	size_t nr = trial->is_all ? NR_COMMANDS : trial->is_plain ? 0 : SOME;

	trial->report = (struct report){ 0 };
	trial->problem[0] = '\0';
	trial->commands = 0;
	trial->rss_kib = trial->cpu_ms = 0;
	write_tape(trial);
	try_both(trial, &first);
	if (trial->problem[0])
		return;
	for (size_t i = 0; i < nr && !trial->problem[0]; i++) {
		const struct command *command =
			&commands[trial->is_all ? i : change_below(&trial->state, NR_COMMANDS)];

		if (command->is_there)
			try_one(trial, command, &first);
	}
	outcome_deinit(&first);
	kmt_remove_tree(trial->directory, true);
}
