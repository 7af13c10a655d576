// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmemtape/capabilities.h"
#include "kmemtape/tape-format.h"

#include "complete.h"
#include "opt.h"
#include "sandbox.h"

static const struct kmt_command *const commands[] = {
#ifdef KMT_HAVE_RECORD
	&kmt_command_record,
#endif
	&kmt_command_replay,
	&kmt_command_info,
	&kmt_command_verify,
	&kmt_command_pack,
	&kmt_command_recover,
	&kmt_command_import,
	&kmt_command_export,
	&kmt_command_doctor,
	&kmt_command_diff,
	&kmt_command_merge,
	NULL,
};

static const struct kmt_command program = { .name = "" };

static void print_help(void)
{
	printf("Usage: kmemtape COMMAND [OPTION...]\n"
	       "Record a kernel's memory events, and find out later who leaks.\n\n");
	for (size_t i = 0; commands[i]; i++)
		printf("  %-10s%s\n", commands[i]->name, commands[i]->summary);
	printf("\n'kmemtape COMMAND --help' tells more, 'man kmemtape-COMMAND' all. As root:\n\n"
	       "  kmemtape record -o leak.tape -d 60s    and anywhere, as anyone:\n"
	       "  kmemtape replay leak.tape\n");
}

/* A full disk or a closed pipe behind stdout shows at the latest when it is flushed. */
static int close_stdout(int exit_code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return exit_code;
	if (errno == EPIPE)
		return KMT_EXIT_FAILED; /* `| head` needs no words */
	return kmt_complain(&program, KMT_EXIT_FAILED, "writing the output: %s", strerror(errno));
}

static bool is_word(const char *text, const char *option, const char *command)
{
	return strcmp(text, option) == 0 || strcmp(text, command) == 0;
}

static int run(int argc, char **argv)
{
	if (argc < 2)
		return kmt_complain(
			&program, KMT_EXIT_USAGE,
			"which command? record, replay, diff, merge, info, verify, pack, recover, import, export, doctor (see 'kmemtape --help')");
	if (is_word(argv[1], "--help", "help") || strcmp(argv[1], "-h") == 0) {
		print_help();
		return KMT_EXIT_DONE;
	}
	if (is_word(argv[1], "--version", "version")) {
		char sandbox[64];

		printf("kmemtape %s (tape format %d)\n", KMT_VERSION, KMT_FORMAT_VERSION);
		printf("sandbox: %s\n", kmt_sandbox_describe(sandbox, sizeof(sandbox)));
		return KMT_EXIT_DONE;
	}
	if (strcmp(argv[1], "--complete") == 0)
		return kmt_complete(commands, argc - 2, argv + 2);
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			return commands[i]->run(argc - 1, argv + 1);
#ifndef KMT_HAVE_RECORD
	if (strcmp(argv[1], "record") == 0)
		return kmt_complain(&program, KMT_EXIT_FAILED,
				    "this kmemtape was built without 'record' (no libtracefs)");
#endif
	return kmt_complain(&program, KMT_EXIT_USAGE,
			    "there is no command '%s' (see 'kmemtape --help')", argv[1]);
}

/*
 * An executable with file capabilities is for recording, as any user. No other command may open a
 * file by them that the user may not, and these only what they open on purpose.
 */
static void give_up_capabilities(int argc, char **argv)
{
	bool has_use =
		argc > 1 && (strcmp(argv[1], "record") == 0 || strcmp(argv[1], "doctor") == 0);

	if (geteuid() != 0)
		(void)kmt_capabilities_keep(has_use ? KMT_CAPABILITIES_ALL : 0, 0);
}

int main(int argc, char **argv)
{
	give_up_capabilities(argc, argv);
	return close_stdout(run(argc, argv));
}
